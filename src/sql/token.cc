#include "sql/token.h"

#include <algorithm>
#include <array>

namespace headrace::sql {
namespace {

using namespace std::string_view_literals;

// PostgreSQL's reserved words, without those that begin nothing here ("user", "analyze", "do",
// "only" ...): events have fields of such names. Sorted.
constexpr auto kReserved =
    std::to_array<std::string_view>({"all"sv,          "alter"sv,        "and"sv,
                                     "any"sv,          "array"sv,        "as"sv,
                                     "asc"sv,          "asymmetric"sv,   "both"sv,
                                     "case"sv,         "cast"sv,         "check"sv,
                                     "collate"sv,      "constraint"sv,   "create"sv,
                                     "current_date"sv, "current_time"sv, "current_timestamp"sv,
                                     "default"sv,      "desc"sv,         "distinct"sv,
                                     "drop"sv,         "else"sv,         "end"sv,
                                     "except"sv,       "exists"sv,       "false"sv,
                                     "fetch"sv,        "for"sv,          "from"sv,
                                     "group"sv,        "having"sv,       "in"sv,
                                     "insert"sv,       "intersect"sv,    "into"sv,
                                     "leading"sv,      "limit"sv,        "not"sv,
                                     "null"sv,         "offset"sv,       "on"sv,
                                     "or"sv,           "order"sv,        "placing"sv,
                                     "primary"sv,      "qualify"sv,      "select"sv,
                                     "some"sv,         "symmetric"sv,    "table"sv,
                                     "then"sv,         "to"sv,           "trailing"sv,
                                     "true"sv,         "union"sv,        "unique"sv,
                                     "using"sv,        "when"sv,         "where"sv,
                                     "window"sv,       "with"sv});
static_assert(std::ranges::is_sorted(kReserved));

constexpr auto kFunctionOnly = std::to_array<std::string_view>(
    {"between"sv, "cross"sv, "full"sv, "ilike"sv, "inner"sv, "is"sv, "isnull"sv, "join"sv,
     "lateral"sv, "left"sv, "like"sv, "natural"sv, "notnull"sv, "outer"sv, "overlaps"sv, "right"sv,
     "similar"sv});
static_assert(std::ranges::is_sorted(kFunctionOnly));

}  // namespace

bool IsReserved(std::string_view word) {
  return std::ranges::binary_search(kReserved, word);
}

bool IsFunctionOnly(std::string_view word) {
  return std::ranges::binary_search(kFunctionOnly, word);
}

}  // namespace headrace::sql
