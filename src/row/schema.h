#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "row/value.h"

namespace headrace::row {

// One column of a stream. `not_null` is checked when an event is decoded.
struct Column {
  std::string name;
  Type type;
  bool not_null = false;

  bool operator==(const Column&) const = default;
};

// The columns of a stream or of a result, in order. Names are unique and already folded to lower
// case unless they were quoted. Value type.
struct Schema {
  std::vector<Column> columns;

  // Index of the column, or -1.
  int Find(std::string_view name) const {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].name == name) return static_cast<int>(i);
    }
    return -1;
  }

  bool operator==(const Schema&) const = default;
};

}  // namespace headrace::row
