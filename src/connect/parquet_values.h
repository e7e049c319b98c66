#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "connect/column_cells.h"
#include "row/value.h"

namespace headrace::connect {

// Parquet's physical types, by its numbers.
enum class ParquetKind : int32_t {
  kBoolean = 0,
  kInt32 = 1,
  kInt64 = 2,
  kFloat = 4,
  kDouble = 5,
  kByteArray = 6,
  kFixedBytes = 7,
};

struct ParquetType {
  ParquetKind kind = ParquetKind::kByteArray;
  size_t width = 0;  // bytes of a value; 0 of booleans and byte arrays
};

ParquetType ParquetTypeOf(row::Type type);

// Which rows have a value, as definition levels of 0 and 1.
void AppendLevels(const ColumnCells& cells, std::string& out);

// The values of the rows that have one, in Parquet's encoding PLAIN.
void AppendPlain(const ColumnCells& cells, std::string& out);

// The smallest and the largest value, in that encoding.
struct Bounds {
  std::string smallest;
  std::string largest;
};

// Of values of numbers, dates and times as AppendPlain wrote them. None without a value, for
// others, and where there is a NaN: readers do not agree on where it sorts.
std::optional<Bounds> BoundsOf(ParquetType type, std::string_view plain);

}  // namespace headrace::connect
