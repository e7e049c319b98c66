// Operators and functions of interval.
#include <cmath>
#include <limits>

#include "expr/function.h"
#include "expr/time_field.h"
#include "row/calendar.h"
#include "row/interval.h"

namespace headrace::expr {
namespace {

using row::Interval;
using row::kDaysPerMonth;
using row::kMicrosPerDay;

constexpr double kSecondsPerDay = 86'400;
constexpr double kMicros = 1e6;

Value OutOfRange(EvalContext& context) {
  return FailOutOfRange(context, "interval");
}

Value Add(const Value* a, CallFrame& frame) {
  Interval sum;
  if (__builtin_add_overflow(a[0].micros, a[1].micros, &sum.micros) ||
      __builtin_add_overflow(a[0].span.days, a[1].span.days, &sum.days) ||
      __builtin_add_overflow(a[0].span.months, a[1].span.months, &sum.months)) {
    return OutOfRange(frame.context);
  }
  return Value::Of(sum);
}

Value Negate(const Value* a, CallFrame& frame) {
  Interval negated;
  if (!NegateInterval(a[0].interval(), &negated)) return OutOfRange(frame.context);
  return Value::Of(negated);
}

Value Subtract(const Value* a, CallFrame& frame) {
  Interval negated;
  if (!NegateInterval(a[1].interval(), &negated)) return OutOfRange(frame.context);
  const Value operands[2] = {a[0], Value::Of(negated)};
  return Add(operands, frame);
}

// Microsecond precision, which is what PostgreSQL rounds intermediate results to.
double RoundMicros(double seconds) {
  return std::rint(seconds * kMicros) / kMicros;
}

bool FitsInt32(double number) {
  return number >= std::numeric_limits<int32_t>::min() &&
         number <= std::numeric_limits<int32_t>::max();
}

// An interval times a factor, or over it: fractions of months spill into days, of days into time.
// Which of the two is given as a function, because x / f is not x * (1 / f) to the last bit.
template <typename Operation>
Value Scale(const Interval& interval, Operation apply, EvalContext& context) {
  const double months = apply(interval.months);
  const double days = apply(interval.days);
  if (std::isnan(months) || !FitsInt32(months) || !FitsInt32(days)) return OutOfRange(context);
  Interval result;
  result.months = static_cast<int32_t>(months);
  result.days = static_cast<int32_t>(days);
  const double month_days = RoundMicros((months - result.months) * kDaysPerMonth);
  double seconds = RoundMicros((days - result.days + month_days - static_cast<int>(month_days)) *
                               kSecondsPerDay);
  if (std::fabs(seconds) >= kSecondsPerDay) {
    const int whole = static_cast<int>(seconds / kSecondsPerDay);
    result.days += whole;
    seconds -= whole * kSecondsPerDay;
  }
  result.days += static_cast<int32_t>(month_days);
  const double micros = std::rint(apply(static_cast<double>(interval.micros)) + seconds * kMicros);
  if (!(micros >= -0x1p63 && micros < 0x1p63)) return OutOfRange(context);
  result.micros = static_cast<int64_t>(micros);
  return Value::Of(result);
}

Value Multiply(const Value* a, CallFrame& frame) {
  const double factor = a[1].number;
  return Scale(a[0].interval(), [factor](double part) { return part * factor; }, frame.context);
}
Value MultiplyReversed(const Value* a, CallFrame& frame) {
  const Value swapped[2] = {a[1], a[0]};
  return Multiply(swapped, frame);
}
Value Divide(const Value* a, CallFrame& frame) {
  const double factor = a[1].number;
  if (factor == 0) return FailDivisionByZero(frame.context);
  return Scale(a[0].interval(), [factor](double part) { return part / factor; }, frame.context);
}

// Moves whole units of `low` into `high` and gives both one sign.
template <typename Low, typename High>
void Carry(Low* low, High* high, Low unit) {
  *high += static_cast<High>(*low / unit);
  *low %= unit;
}
template <typename Low, typename High>
void SameSign(Low* low, High* high, Low unit) {
  if (*high > 0 && *low < 0) {
    *low += unit;
    --*high;
  } else if (*high < 0 && *low > 0) {
    *low -= unit;
    ++*high;
  }
}

Value Finish(int64_t micros, int64_t days, int64_t months, EvalContext& context) {
  if (days != static_cast<int32_t>(days) || months != static_cast<int32_t>(months)) {
    return OutOfRange(context);
  }
  return Value::Of(Interval{micros, static_cast<int32_t>(days), static_cast<int32_t>(months)});
}

Value JustifyHours(const Value* a, CallFrame& frame) {
  int64_t micros = a[0].micros;
  int64_t days = a[0].span.days;
  Carry(&micros, &days, kMicrosPerDay);
  SameSign(&micros, &days, kMicrosPerDay);
  return Finish(micros, days, a[0].span.months, frame.context);
}

Value JustifyDays(const Value* a, CallFrame& frame) {
  int64_t days = a[0].span.days;
  int64_t months = a[0].span.months;
  Carry(&days, &months, int64_t{kDaysPerMonth});
  SameSign(&days, &months, int64_t{kDaysPerMonth});
  return Finish(a[0].micros, days, months, frame.context);
}

Value JustifyInterval(const Value* a, CallFrame& frame) {
  int64_t micros = a[0].micros;
  int64_t days = a[0].span.days;
  int64_t months = a[0].span.months;
  Carry(&micros, &days, kMicrosPerDay);
  Carry(&days, &months, int64_t{kDaysPerMonth});
  if (months > 0 && (days < 0 || (days == 0 && micros < 0))) {
    days += kDaysPerMonth;
    --months;
  } else if (months < 0 && (days > 0 || (days == 0 && micros > 0))) {
    days -= kDaysPerMonth;
    ++months;
  }
  SameSign(&micros, &days, kMicrosPerDay);
  return Finish(micros, days, months, frame.context);
}

// make_interval(years, months, weeks, days, hours, mins, secs)
Value MakeInterval(const Value* a, CallFrame& frame) {
  const int64_t months = a[0].integer * row::kMonthsPerYear + a[1].integer;
  const int64_t days = a[2].integer * 7 + a[3].integer;
  const double seconds = a[6].number * kMicros;
  if (!(std::fabs(seconds) < 0x1p62)) return OutOfRange(frame.context);
  const row::Int128 micros = static_cast<row::Int128>(a[4].integer) * row::kMicrosPerHour +
                             static_cast<row::Int128>(a[5].integer) * row::kMicrosPerMinute +
                             static_cast<int64_t>(std::rint(seconds));
  if (micros != static_cast<int64_t>(micros)) return OutOfRange(frame.context);
  return Finish(static_cast<int64_t>(micros), days, months, frame.context);
}

template <size_t kGiven>
Value MakeIntervalShort(const Value* a, CallFrame& frame) {
  Value all[7];
  for (size_t i = 0; i < 7; ++i) {
    all[i] = i < kGiven ? a[i] : i == 6 ? Value::Double(0) : Value::Integer(0);
  }
  return MakeInterval(all, frame);
}

Value AlwaysFinite(const Value*, CallFrame&) {
  return Value::Boolean(true);
}

constexpr Type I = kInteger;

constexpr FunctionEntry kFunctions[] = {
    Define("+", {kInterval, kInterval}, kInterval, &Add),
    Define("-", {kInterval, kInterval}, kInterval, &Subtract),
    Define("-", {kInterval}, kInterval, &Negate),
    Define("*", {kInterval, kDouble}, kInterval, &Multiply),
    Define("*", {kDouble, kInterval}, kInterval, &MultiplyReversed),
    Define("/", {kInterval, kDouble}, kInterval, &Divide),
    Define("justify_hours", {kInterval}, kInterval, &JustifyHours),
    Define("justify_days", {kInterval}, kInterval, &JustifyDays),
    Define("justify_interval", {kInterval}, kInterval, &JustifyInterval),
    Define("isfinite", {kInterval}, kBoolean, &AlwaysFinite),
    Define("make_interval", {I}, kInterval, &MakeIntervalShort<1>),
    Define("make_interval", {I, I}, kInterval, &MakeIntervalShort<2>),
    Define("make_interval", {I, I, I}, kInterval, &MakeIntervalShort<3>),
    Define("make_interval", {I, I, I, I}, kInterval, &MakeIntervalShort<4>),
    Define("make_interval", {I, I, I, I, I}, kInterval, &MakeIntervalShort<5>),
    Define("make_interval", {I, I, I, I, I, I}, kInterval, &MakeIntervalShort<6>),
    Define("make_interval", {I, I, I, I, I, I, kDouble}, kInterval, &MakeInterval),
};

}  // namespace

std::span<const FunctionEntry> IntervalFunctions() {
  return kFunctions;
}

}  // namespace headrace::expr
