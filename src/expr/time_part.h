#pragma once

#include "expr/time_field.h"
#include "row/value.h"

namespace headrace::expr {

enum class PartResult : uint8_t { kOk, kUnsupported };

// One field of a value, as a decimal with PostgreSQL's scale; NULL for fields an infinite moment
// does not have.
PartResult TimestampPart(const Value& moment, TimeField field, Value* part);
PartResult TimestampTzPart(const Value& moment, TimeField field, Value* part);
PartResult DatePart(const Value& day, TimeField field, Value* part);
PartResult TimePart(const Value& time, TimeField field, Value* part);
PartResult IntervalPart(const Value& interval, TimeField field, Value* part);

// Cuts everything smaller than the field. False for fields one cannot cut to.
bool TruncateMoment(int64_t moment, TimeField field, int64_t* result);
bool TruncateInterval(const row::Interval& interval, TimeField field, row::Interval* result);

// The distance in years, months and days as calendars count them.
row::Interval SymbolicAge(int64_t later, int64_t earlier);

}  // namespace headrace::expr
