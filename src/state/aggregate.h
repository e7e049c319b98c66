#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "headrace/result.h"
#include "row/value.h"

namespace headrace::state {

enum class AggregateKind : uint8_t {
  kCountRows,  // count(*)
  kCount,
  kCountDistinct,
  kSum,
  kAvg,
  kMin,
  kMax,
  kStddevSamp,
  kStddevPop,
  kVarSamp,
  kVarPop,
  kFirstValue,
  kLastValue,
  kLag,
  kBoolAnd,
  kBoolOr,
};

// The kind SQL calls `name` ("count" alone is kCount; the planner picks rows or distinct), or
// nothing. "stddev" and "variance" are the samp forms, as in PostgreSQL.
std::optional<AggregateKind> FindAggregate(std::string_view name);

// The type of the aggregate over an argument of type `argument`, as PostgreSQL has it: count ->
// bigint, sum(integer) -> bigint, sum(bigint|decimal) -> decimal, avg(exact) -> decimal,
// min/max/first/last/lag -> the argument's. Error HR1103 when the aggregate does not take the type.
Result<row::Type> ResultType(AggregateKind kind, row::Type argument);

}  // namespace headrace::state
