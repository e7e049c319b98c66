#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"

namespace headrace::expr {

// A jsonpath of accessors: $ .key ."key" .* [n] [n to m] [last] [*], in lax mode. Filters and
// methods are refused. Immutable.
class JsonPath {
 public:
  static Result<JsonPath> Parse(std::string_view text);

  // All items it selects, in order; they point into `json`.
  std::vector<std::string_view> Select(std::string_view json) const;

 private:
  struct Step {
    enum class Kind : uint8_t { kKey, kAnyKey, kAnyElement, kRange } kind;
    std::string key;
    int64_t from = 0;  // counted from the end when `from_last`
    int64_t to = 0;
    bool from_last = false;
    bool to_last = false;
  };

  friend class JsonPathReader;

  std::vector<Step> steps_;
};

}  // namespace headrace::expr
