#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"

namespace headrace::serve {

// What a search of MLflow sees of one model or version.
struct SearchedItem {
  std::string name;
  const std::map<std::string, std::string>* tags = nullptr;
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  // Of a version.
  std::string run_id;
  std::string source;
  int64_t version = 0;
};

// One comparison. Value type.
struct FilterClause {
  enum class Field : uint8_t { kName, kTag, kRunId, kSource, kVersion };
  enum class Operator : uint8_t {
    kEqual,
    kUnequal,
    kLike,
    kILike,
    kIn,
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual
  };
  Field field = Field::kName;
  std::string key;  // of kTag
  Operator op = Operator::kEqual;
  std::vector<std::string> values;

  bool Holds(const SearchedItem& item) const;
};

inline constexpr size_t kFilterClausesMax = 64;
inline constexpr size_t kFilterBytesMax = 4096;  // LIKE may compare each of them with each of a tag
inline constexpr size_t kFilterValuesMax = 1024;

// MLflow's `filter` for models and versions: comparisons joined by AND. Fields: name, tag.KEY,
// tags.KEY (the key bare, in backticks or double quotes), and of versions run_id, source_path,
// version_number. Operators: = != LIKE ILIKE; run_id also IN (…); version_number = != < <= > >=.
// A tag that is not there is unequal to everything. Error: HR8092.
Result<std::vector<FilterClause>> ParseFilter(std::string_view text, bool of_versions);

// One column of `order_by`. Value type.
struct SearchOrder {
  enum class Column : uint8_t { kName, kVersion, kCreated, kUpdated };
  Column column = Column::kName;
  bool descending = false;
};

// "name ASC, last_updated_timestamp DESC". Columns: name, version_number, creation_timestamp,
// last_updated_timestamp (also `timestamp`). Error: HR8092.
Result<std::vector<SearchOrder>> ParseSearchOrder(std::string_view text);
bool ComesBefore(const std::vector<SearchOrder>& order, const SearchedItem& a,
                 const SearchedItem& b);

}  // namespace headrace::serve
