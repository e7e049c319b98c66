#include "connect/parquet_values.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "base/bytes.h"
#include "row/decimal.h"

namespace headrace::connect {
namespace {

// As few bytes as hold every value of that many digits, with a sign.
size_t DecimalBytes(int precision) {
  const row::UInt128 largest = row::Pow10(precision) - 1;
  size_t bytes = 1;
  while ((largest >> (8 * bytes - 1)) != 0)
    ++bytes;
  return bytes;
}

template <typename T>
T NumberAt(std::string_view bytes, size_t index) {
  T number;
  std::memcpy(&number, bytes.data() + index * sizeof number, sizeof number);
  return number;
}

template <typename T>
std::string BytesOf(T number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

void AppendBooleans(const ColumnCells& cells, std::string& out) {
  size_t written = 0;
  for (size_t row = 0; row < cells.rows(); ++row) {
    if (!cells.has_value(row)) continue;
    const size_t bit = written++ % 8;
    if (bit == 0) out += '\0';
    if (cells.boolean(row)) out.back() = static_cast<char>(out.back() | (1U << bit));
  }
}

// 16 bits become 32: Parquet has none so narrow.
void AppendShorts(const ColumnCells& cells, std::string& out) {
  base::ByteWriter bytes(out);
  for (size_t row = 0; row < cells.rows(); ++row) {
    if (!cells.has_value(row)) continue;
    const int32_t wide = NumberAt<int16_t>(cells.values(), row);
    bytes.U32Le(static_cast<uint32_t>(wide));
  }
}

template <typename T>
void AppendNumbers(const ColumnCells& cells, std::string& out) {
  if (cells.nulls() == 0) {
    out += cells.values();
    return;
  }
  for (size_t row = 0; row < cells.rows(); ++row) {
    if (cells.has_value(row)) out += cells.values().substr(row * sizeof(T), sizeof(T));
  }
}

// The highest byte first.
void AppendDecimals(const ColumnCells& cells, std::string& out) {
  const size_t width = DecimalBytes(cells.column().type.precision);
  for (size_t row = 0; row < cells.rows(); ++row) {
    if (!cells.has_value(row)) continue;
    const char* lowest = cells.values().data() + row * sizeof(row::Int128);
    for (size_t i = width; i-- > 0;)
      out += lowest[i];
  }
}

void AppendTexts(const ColumnCells& cells, std::string& out) {
  base::ByteWriter bytes(out);
  for (size_t row = 0; row < cells.rows(); ++row) {
    if (!cells.has_value(row)) continue;
    const std::string_view text = cells.text(row);
    bytes.U32Le(static_cast<uint32_t>(text.size()));
    bytes.Bytes(text);
  }
}

template <typename T>
std::optional<Bounds> NumberBounds(std::string_view plain) {
  T smallest = NumberAt<T>(plain, 0);
  T largest = smallest;
  for (size_t i = 0; i < plain.size() / sizeof(T); ++i) {
    const T number = NumberAt<T>(plain, i);
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(number)) return std::nullopt;
    }
    smallest = std::min(smallest, number);
    largest = std::max(largest, number);
  }
  if constexpr (std::is_floating_point_v<T>) {
    // The two zeros are equal, and readers may tell them apart: the bounds hold both.
    if (smallest == 0) smallest = -T{0};
    if (largest == 0) largest = T{0};
  }
  return Bounds{BytesOf(smallest), BytesOf(largest)};
}

// Two's complement, the highest byte first.
bool IsLess(std::string_view a, std::string_view b) {
  const auto high_a = static_cast<signed char>(a[0]);
  const auto high_b = static_cast<signed char>(b[0]);
  return high_a != high_b ? high_a < high_b : a < b;
}

std::optional<Bounds> FixedBounds(size_t width, std::string_view plain) {
  std::string_view smallest = plain.substr(0, width);
  std::string_view largest = smallest;
  for (size_t i = width; i < plain.size(); i += width) {
    const std::string_view value = plain.substr(i, width);
    if (IsLess(value, smallest)) smallest = value;
    if (IsLess(largest, value)) largest = value;
  }
  return Bounds{std::string(smallest), std::string(largest)};
}

}  // namespace

ParquetType ParquetTypeOf(row::Type type) {
  switch (CellKindOf(type)) {
    case CellKind::kBoolean:
      return {ParquetKind::kBoolean, 0};
    case CellKind::kInt16:
    case CellKind::kInt32:
      return {ParquetKind::kInt32, sizeof(int32_t)};
    case CellKind::kInt64:
      return {ParquetKind::kInt64, sizeof(int64_t)};
    case CellKind::kFloat:
      return {ParquetKind::kFloat, sizeof(float)};
    case CellKind::kDouble:
      return {ParquetKind::kDouble, sizeof(double)};
    case CellKind::kDecimal:
      return {ParquetKind::kFixedBytes, DecimalBytes(type.precision)};
    case CellKind::kBytes:
      break;
  }
  return {};
}

// Runs of equal levels, or bits by eights, behind the length of all of it; the lowest bit of a
// run's head says which. A column's validity is such bits already.
void AppendLevels(const ColumnCells& cells, std::string& out) {
  std::string runs;
  base::ByteWriter bytes(runs);
  if (cells.nulls() == 0 || cells.nulls() == cells.rows()) {
    bytes.Varint(cells.rows() << 1);
    bytes.U8(cells.nulls() == 0 ? 1 : 0);
  } else {
    bytes.Varint(cells.validity().size() << 1 | 1);
    bytes.Bytes(cells.validity());
  }
  base::ByteWriter(out).U32Le(static_cast<uint32_t>(runs.size()));
  out += runs;
}

void AppendPlain(const ColumnCells& cells, std::string& out) {
  switch (cells.kind()) {
    case CellKind::kBoolean:
      return AppendBooleans(cells, out);
    case CellKind::kInt16:
      return AppendShorts(cells, out);
    case CellKind::kInt32:
    case CellKind::kFloat:
      return AppendNumbers<int32_t>(cells, out);
    case CellKind::kInt64:
    case CellKind::kDouble:
      return AppendNumbers<int64_t>(cells, out);
    case CellKind::kDecimal:
      return AppendDecimals(cells, out);
    case CellKind::kBytes:
      return AppendTexts(cells, out);
  }
}

std::optional<Bounds> BoundsOf(ParquetType type, std::string_view plain) {
  if (plain.empty()) return std::nullopt;
  switch (type.kind) {
    case ParquetKind::kInt32:
      return NumberBounds<int32_t>(plain);
    case ParquetKind::kInt64:
      return NumberBounds<int64_t>(plain);
    case ParquetKind::kFloat:
      return NumberBounds<float>(plain);
    case ParquetKind::kDouble:
      return NumberBounds<double>(plain);
    case ParquetKind::kFixedBytes:
      return FixedBounds(type.width, plain);
    case ParquetKind::kBoolean:
    case ParquetKind::kByteArray:
      break;
  }
  return std::nullopt;
}

}  // namespace headrace::connect
