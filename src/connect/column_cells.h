#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"
#include "row/schema.h"
#include "row/value.h"

namespace headrace::connect {

// How a value is stored in a file of columns.
enum class CellKind : uint8_t {
  kBoolean,  // a bit
  kInt16,
  kInt32,
  kInt64,
  kFloat,
  kDouble,
  kDecimal,  // 16 bytes, two's complement
  kBytes,
};

// DECIMAL without a precision, intervals and arrays have no form of their own there: they are text.
CellKind CellKindOf(row::Type type);

// The values of one column, gathered row by row and laid out as Arrow does, which is what Parquet
// is made from too: everything little-endian, bits from the lowest; a row without a value has
// zeros, or no bytes. Unsynchronized. Limit: a value of 1 GiB; the caller bounds all together.
class ColumnCells {
 public:
  explicit ColumnCells(const row::Column& column);

  // Error: kInvalidArgument HR6606 for what the stored form does not have, such as a decimal's NaN;
  // what was gathered is then of no use any more.
  Status Append(const row::Value& value);
  void Clear();

  const row::Column& column() const { return column_; }
  CellKind kind() const { return kind_; }
  size_t rows() const { return rows_; }
  size_t nulls() const { return nulls_; }
  bool has_value(size_t row) const { return Bit(validity_, row); }
  // A bit a row: whether there is a value.
  std::string_view validity() const { return validity_; }
  // Bits, numbers, or the bytes of all rows one after the other.
  std::string_view values() const { return values_; }
  // kBytes only: where each row begins in values(), and where the last one ends.
  const std::vector<int32_t>& offsets() const { return offsets_; }
  bool boolean(size_t row) const { return Bit(values_, row); }
  std::string_view text(size_t row) const {
    return values().substr(static_cast<size_t>(offsets_[row]),
                           static_cast<size_t>(offsets_[row + 1] - offsets_[row]));
  }
  size_t bytes() const {
    return validity_.size() + values_.size() + offsets_.size() * sizeof(int32_t);
  }

 private:
  static bool Bit(std::string_view bits, size_t row) { return (bits[row / 8] >> (row % 8)) & 1; }

  template <typename T>
  void Number(T number) {
    values_.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  void AppendNull();
  Status AppendInteger(int64_t value);
  Status AppendDecimal(row::Value value);
  Status AppendBytes(const row::Value& value);
  Status Refuse(std::string_view what) const;

  row::Column column_;
  CellKind kind_;
  size_t rows_ = 0;
  size_t nulls_ = 0;
  std::string validity_;
  std::string values_;
  std::vector<int32_t> offsets_;
};

}  // namespace headrace::connect
