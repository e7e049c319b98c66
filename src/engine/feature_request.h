#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"
#include "row/value.h"

namespace headrace::engine {

// Which columns of which entities are asked.
struct FeatureRequest {
  struct Entity {
    std::string name;                // of a column
    std::vector<std::string> texts;  // one a row, as SQL writes values
  };
  struct Column {
    std::string stream;
    std::string name;
  };
  std::vector<Entity> entities;  // all with as many texts
  std::vector<Column> columns;
};

struct FeatureAnswer {
  struct Cell {
    row::Value value = row::Value::Null();
    bool found = false;  // there is a row of the entity; its value may still be NULL
    int64_t time = 0;    // event time of that row, microseconds
  };
  struct Column {
    std::string name;
    row::Type type{};
    std::vector<Cell> cells;  // one a row
  };
  std::vector<Column> entities;  // those of the request by which something was looked up
  std::vector<Column> columns;   // in the order of the request
  std::shared_ptr<base::Arena> arena = std::make_shared<base::Arena>();  // owns texts
};

inline constexpr size_t kFeatureColumnsMax = 10'000;
inline constexpr size_t kFeatureCellsMax = 1 << 20;

}  // namespace headrace::engine
