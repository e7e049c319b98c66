#include "row/batch.h"

#include <algorithm>

namespace headrace::row {

Row& Batch::Add(size_t slots) {
  Row row;
  row.values = arena().AllocateArray<Value>(slots);
  std::fill_n(row.values, slots, Value::Null());
  return rows_.emplace_back(row);
}

}  // namespace headrace::row
