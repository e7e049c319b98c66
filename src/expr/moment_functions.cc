// Operators of dates, times and timestamps.
#include <limits>

#include "expr/function.h"
#include "expr/time_field.h"
#include "row/calendar.h"
#include "row/interval.h"

namespace headrace::expr {
namespace {

using row::kMicrosPerDay;

Value TimestampOutOfRange(EvalContext& context) {
  return Fail(context, "HR2102", "timestamp out of range");
}

Value Shift(const Value& moment, const row::Interval& interval, EvalContext& context) {
  int64_t result = 0;
  if (!AddInterval(moment.integer, interval, &result)) return TimestampOutOfRange(context);
  return Value::Integer(result);
}

Value ShiftBack(const Value& moment, const row::Interval& interval, EvalContext& context) {
  row::Interval negated;
  if (!NegateInterval(interval, &negated)) return FailOutOfRange(context, "interval");
  return Shift(moment, negated, context);
}

Value AddSpan(const Value* a, CallFrame& frame) {
  return Shift(a[0], a[1].interval(), frame.context);
}
Value AddSpanReversed(const Value* a, CallFrame& frame) {
  return Shift(a[1], a[0].interval(), frame.context);
}
Value SubtractSpan(const Value* a, CallFrame& frame) {
  return ShiftBack(a[0], a[1].interval(), frame.context);
}

Value DateStart(const Value& date) {
  return IsInfiniteTime(date.integer) ? date : Value::Integer(date.integer * kMicrosPerDay);
}

// Whether a date can be a timestamp at all; otherwise the row fails.
bool CheckDate(const Value& date, EvalContext& context) {
  if (IsInfiniteTime(date.integer) || date.integer <= row::kMaxTimestampDay) return true;
  Fail(context, "HR2102", "date out of range for timestamp");
  return false;
}

Value AddSpanToDate(const Value* a, CallFrame& frame) {
  if (!CheckDate(a[0], frame.context)) return Value::Null();
  return Shift(DateStart(a[0]), a[1].interval(), frame.context);
}
Value AddDateToSpan(const Value* a, CallFrame& frame) {
  const Value swapped[2] = {a[1], a[0]};
  return AddSpanToDate(swapped, frame);
}
Value SubtractSpanFromDate(const Value* a, CallFrame& frame) {
  if (!CheckDate(a[0], frame.context)) return Value::Null();
  return ShiftBack(DateStart(a[0]), a[1].interval(), frame.context);
}

Value MoveDate(const Value& date, int64_t days, EvalContext& context) {
  if (IsInfiniteTime(date.integer)) return date;
  const int64_t moved = date.integer + days;
  if (moved < row::kMinDay || moved > row::kMaxDateDay) return FailOutOfRange(context, "date");
  return Value::Integer(moved);
}

Value AddDays(const Value* a, CallFrame& frame) {
  return MoveDate(a[0], a[1].integer, frame.context);
}
Value AddDaysReversed(const Value* a, CallFrame& frame) {
  return MoveDate(a[1], a[0].integer, frame.context);
}
Value SubtractDays(const Value* a, CallFrame& frame) {
  return MoveDate(a[0], -a[1].integer, frame.context);
}

Value DaysBetween(const Value* a, CallFrame& frame) {
  if (IsInfiniteTime(a[0].integer) || IsInfiniteTime(a[1].integer)) {
    return Fail(frame.context, "HR2103", "cannot subtract infinite dates");
  }
  return Value::Integer(a[0].integer - a[1].integer);
}

Value AddTimeToDate(const Value* a, CallFrame& frame) {
  if (!CheckDate(a[0], frame.context)) return Value::Null();
  return Shift(DateStart(a[0]), {a[1].integer, 0, 0}, frame.context);
}
Value AddDateToTime(const Value* a, CallFrame& frame) {
  const Value swapped[2] = {a[1], a[0]};
  return AddTimeToDate(swapped, frame);
}

// The distance in days and a rest, of the same sign.
Value Between(const Value* a, CallFrame& frame) {
  if (IsInfiniteTime(a[0].integer) || IsInfiniteTime(a[1].integer)) {
    return Fail(frame.context, "HR2102", "cannot subtract infinite timestamps");
  }
  int64_t distance = 0;
  if (__builtin_sub_overflow(a[0].integer, a[1].integer, &distance)) {
    return FailOutOfRange(frame.context, "interval");
  }
  return Value::Of(
      row::Interval{distance % kMicrosPerDay, static_cast<int32_t>(distance / kMicrosPerDay), 0});
}

Value TimeBetween(const Value* a, CallFrame&) {
  return Value::Of(row::Interval{a[0].integer - a[1].integer, 0, 0});
}

Value WrapTime(int64_t micros) {
  return Value::Integer(micros - row::FloorDivide(micros, kMicrosPerDay) * kMicrosPerDay);
}
Value AddSpanToTime(const Value* a, CallFrame&) {
  return WrapTime(a[0].integer + a[1].micros % kMicrosPerDay);
}
Value AddTimeToSpan(const Value* a, CallFrame&) {
  return WrapTime(a[1].integer + a[0].micros % kMicrosPerDay);
}
Value SubtractSpanFromTime(const Value* a, CallFrame&) {
  return WrapTime(a[0].integer - a[1].micros % kMicrosPerDay);
}

// One side of OVERLAPS: `begin` is known, the end may not be.
struct Period {
  int64_t begin = 0;
  int64_t end = 0;
  bool known = false;   // at least one end
  bool closed = false;  // both ends
};

Period MakePeriod(const Value& a, const Value& b) {
  Period period;
  period.known = !a.null || !b.null;
  period.closed = !a.null && !b.null;
  if (!period.known) return period;
  period.begin = a.null ? b.integer : a.integer;
  period.end = b.null ? period.begin : b.integer;
  if (period.closed && period.begin > period.end) std::swap(period.begin, period.end);
  return period;
}

Value OverlapPeriods(const Period& x, const Period& y) {
  if (!x.known || !y.known) return Value::Null();
  if (x.begin == y.begin) return x.closed && y.closed ? Value::Boolean(true) : Value::Null();
  const Period& first = x.begin < y.begin ? x : y;
  const Period& second = x.begin < y.begin ? y : x;
  if (!first.closed) return Value::Null();
  if (second.begin < first.end) return Value::Boolean(true);
  return second.closed ? Value::Boolean(false) : Value::Null();
}

// An end given as a length becomes a moment.
Value EndOf(const Value& begin, const Value& end, Type type, EvalContext& context) {
  if (type != kInterval || end.null) return end;
  return begin.null ? begin : Shift(begin, end.interval(), context);
}

Value Overlaps(const Value* a, CallFrame& frame) {
  const Value first_end = EndOf(a[0], a[1], frame.types[1], frame.context);
  const Value second_end = EndOf(a[2], a[3], frame.types[3], frame.context);
  return OverlapPeriods(MakePeriod(a[0], first_end), MakePeriod(a[2], second_end));
}

constexpr FunctionEntry MakeOverlaps(Type begin, Type end1, Type end2) {
  return Define("overlaps", {begin, end1, begin, end2}, kBoolean, &Overlaps, kTakesNull);
}

constexpr FunctionEntry kFunctions[] = {
    Define("+", {kTimestamp, kInterval}, kTimestamp, &AddSpan),
    Define("+", {kTimestampTz, kInterval}, kTimestampTz, &AddSpan),
    Define("+", {kInterval, kTimestamp}, kTimestamp, &AddSpanReversed),
    Define("+", {kInterval, kTimestampTz}, kTimestampTz, &AddSpanReversed),
    Define("-", {kTimestamp, kInterval}, kTimestamp, &SubtractSpan),
    Define("-", {kTimestampTz, kInterval}, kTimestampTz, &SubtractSpan),
    Define("+", {kDate, kInterval}, kTimestamp, &AddSpanToDate),
    Define("+", {kInterval, kDate}, kTimestamp, &AddDateToSpan),
    Define("-", {kDate, kInterval}, kTimestamp, &SubtractSpanFromDate),
    Define("+", {kDate, kInteger}, kDate, &AddDays),
    Define("+", {kInteger, kDate}, kDate, &AddDaysReversed),
    Define("-", {kDate, kInteger}, kDate, &SubtractDays),
    Define("-", {kDate, kDate}, kInteger, &DaysBetween),
    Define("+", {kDate, kTime}, kTimestamp, &AddTimeToDate),
    Define("+", {kTime, kDate}, kTimestamp, &AddDateToTime),
    Define("-", {kTimestamp, kTimestamp}, kInterval, &Between),
    Define("-", {kTimestampTz, kTimestampTz}, kInterval, &Between),
    Define("-", {kTime, kTime}, kInterval, &TimeBetween),
    Define("+", {kTime, kInterval}, kTime, &AddSpanToTime),
    Define("+", {kInterval, kTime}, kTime, &AddTimeToSpan),
    Define("-", {kTime, kInterval}, kTime, &SubtractSpanFromTime),
    MakeOverlaps(kTimestamp, kTimestamp, kTimestamp),
    MakeOverlaps(kTimestamp, kTimestamp, kInterval),
    MakeOverlaps(kTimestamp, kInterval, kTimestamp),
    MakeOverlaps(kTimestamp, kInterval, kInterval),
    MakeOverlaps(kTimestampTz, kTimestampTz, kTimestampTz),
    MakeOverlaps(kTimestampTz, kTimestampTz, kInterval),
    MakeOverlaps(kTimestampTz, kInterval, kTimestampTz),
    MakeOverlaps(kTimestampTz, kInterval, kInterval),
};

}  // namespace

std::span<const FunctionEntry> MomentFunctions() {
  return kFunctions;
}

}  // namespace headrace::expr
