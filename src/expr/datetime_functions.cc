// extract, date_trunc, date_bin, age, make_ functions and time zones.
#include <cmath>
#include <string>

#include "expr/function.h"
#include "expr/time_field.h"
#include "expr/time_part.h"
#include "row/calendar.h"
#include "row/decimal.h"
#include "row/interval.h"
#include "row/text.h"
#include "row/time_zone.h"

namespace headrace::expr {
namespace {

using row::Broken;
using row::kMicrosPerDay;

// extract (decimal) and date_part (double) of one type.
template <PartResult (*kPart)(const Value&, TimeField, Value*)>
Value Extract(const Value* a, CallFrame& frame, std::string_view type) {
  const TimeField field = FieldOf(a[0], frame);
  if (field == TimeField::kNone) return UnknownUnit(frame.context, a[0].text(), type);
  Value part = Value::Null();
  if (kPart(a[1], field, &part) == PartResult::kUnsupported) {
    return UnsupportedUnit(frame.context, a[0].text(), type);
  }
  return part;
}

Value ToDouble(const Value& part) {
  return part.null ? part : Value::Double(row::DecimalToDouble(part));
}

constexpr std::string_view kTimestampName = "timestamp without time zone";
constexpr std::string_view kTimestampTzName = "timestamp with time zone";
constexpr std::string_view kTimeName = "time without time zone";

Value ExtractTimestamp(const Value* a, CallFrame& f) {
  return Extract<&TimestampPart>(a, f, kTimestampName);
}
Value ExtractTimestampTz(const Value* a, CallFrame& f) {
  return Extract<&TimestampTzPart>(a, f, kTimestampTzName);
}
Value ExtractDate(const Value* a, CallFrame& f) {
  return Extract<&DatePart>(a, f, "date");
}
Value ExtractTime(const Value* a, CallFrame& f) {
  return Extract<&TimePart>(a, f, kTimeName);
}
Value ExtractInterval(const Value* a, CallFrame& f) {
  return Extract<&IntervalPart>(a, f, "interval");
}

template <Function kExtract>
Value PartOf(const Value* a, CallFrame& frame) {
  return ToDouble(kExtract(a, frame));
}

// date_part of a date sees a timestamp at midnight.
Value PartOfDate(const Value* a, CallFrame& frame) {
  const Value moment =
      IsInfiniteTime(a[1].integer) ? a[1] : Value::Integer(a[1].integer * kMicrosPerDay);
  const Value arguments[2] = {a[0], moment};
  return ToDouble(ExtractTimestamp(arguments, frame));
}

Value Trunc(const Value* a, CallFrame& frame, std::string_view type) {
  const TimeField field = FieldOf(a[0], frame);
  if (field == TimeField::kNone) return UnknownUnit(frame.context, a[0].text(), type);
  int64_t result = 0;
  if (!TruncateMoment(a[1].integer, field, &result)) {
    return UnsupportedUnit(frame.context, a[0].text(), type);
  }
  return Value::Integer(result);
}

Value TruncTimestamp(const Value* a, CallFrame& frame) {
  return Trunc(a, frame, kTimestampName);
}
Value TruncTimestampTz(const Value* a, CallFrame& frame) {
  return Trunc(a, frame, kTimestampTzName);
}

std::optional<row::TimeZone> FindZone(const Value& name, EvalContext& context) {
  auto zone = row::TimeZone::Find(name.text(), true);
  if (!zone) {
    Fail(context, "HR2103", "time zone \"" + std::string(name.text()) + "\" not recognized");
  }
  return zone;
}

Value TruncInZone(const Value* a, CallFrame& frame) {
  const auto zone = FindZone(a[2], frame.context);
  if (!zone) return Value::Null();
  const Value local[2] = {a[0], Value::Integer(zone->ToLocal(a[1].integer))};
  const Value truncated = TruncTimestampTz(local, frame);
  return truncated.null ? truncated : Value::Integer(zone->ToUtc(truncated.integer));
}

Value TruncInterval(const Value* a, CallFrame& frame) {
  const TimeField field = FieldOf(a[0], frame);
  if (field == TimeField::kNone) return UnknownUnit(frame.context, a[0].text(), "interval");
  row::Interval result;
  if (!TruncateInterval(a[1].interval(), field, &result)) {
    return UnsupportedUnit(frame.context, a[0].text(), "interval");
  }
  return Value::Of(result);
}

Value DateBin(const Value* a, CallFrame& frame) {
  const row::Interval stride = a[0].interval();
  if (IsInfiniteTime(a[1].integer)) return a[1];
  if (IsInfiniteTime(a[2].integer)) return Fail(frame.context, "HR2102", "origin out of range");
  if (stride.months != 0) {
    return Fail(frame.context, "HR2103",
                "timestamps cannot be binned into intervals containing months or years");
  }
  const row::Int128 width = row::IntervalSpan(stride);
  if (width <= 0) return Fail(frame.context, "HR2103", "stride must be greater than zero");
  const row::Int128 distance = static_cast<row::Int128>(a[1].integer) - a[2].integer;
  row::Int128 rest = distance % width;
  if (rest < 0) rest += width;
  return Value::Integer(static_cast<int64_t>(a[1].integer - rest));
}

Value Age(const Value* a, CallFrame& frame) {
  if (IsInfiniteTime(a[0].integer) || IsInfiniteTime(a[1].integer)) {
    return FailOutOfRange(frame.context, "timestamp");
  }
  return Value::Of(SymbolicAge(a[0].integer, a[1].integer));
}

Value IsFinite(const Value* a, CallFrame&) {
  return Value::Boolean(!IsInfiniteTime(a[0].integer));
}

std::string Two(int64_t number) {
  std::string digits = std::to_string(number);
  return digits.size() < 2 ? "0" + digits : digits;
}

// The day of make_date and its relatives. False when the row has failed.
bool MakeDay(const Value* a, int64_t* day, EvalContext& context) {
  // Negative years are BC; there is no year 0.
  const int64_t year = a[0].integer < 0 ? a[0].integer + 1 : a[0].integer;
  const int64_t month = a[1].integer;
  const bool valid = a[0].integer != 0 && month >= 1 && month <= 12 && a[2].integer >= 1 &&
                     a[2].integer <= row::DaysInMonth(year, static_cast<int>(month));
  if (valid && year >= -4713 && year <= 5'874'897) {
    *day = row::DaysFromCivil(year, static_cast<int>(month), static_cast<int>(a[2].integer));
    if (*day >= row::kMinDay && *day <= row::kMaxDateDay) return true;
  }
  const std::string shown =
      std::to_string(a[0].integer) + "-" + Two(a[1].integer) + "-" + Two(a[2].integer);
  Fail(context, "HR2102",
       valid ? "date out of range: " + shown : "date field value out of range: " + shown);
  return false;
}

// Hour, minute, seconds to microseconds of a day. False when the row has failed.
bool MakeClock(const Value* a, int64_t* micros, EvalContext& context) {
  const double seconds = a[2].number;
  const bool valid = a[0].integer >= 0 && a[1].integer >= 0 && a[1].integer <= 59 && seconds >= 0 &&
                     seconds <= 60 && a[0].integer <= 24;
  if (valid) {
    *micros = a[0].integer * row::kMicrosPerHour + a[1].integer * row::kMicrosPerMinute +
              static_cast<int64_t>(std::rint(seconds * 1e6));
    if (*micros <= kMicrosPerDay) return true;
  }
  Fail(context, "HR2102",
       "time field value out of range: " + std::to_string(a[0].integer) + ":" + Two(a[1].integer) +
           ":" +
           Two(static_cast<int64_t>(std::isfinite(seconds) && std::fabs(seconds) < 1e9 ? seconds
                                                                                       : 99)));
  return false;
}

Value MakeDate(const Value* a, CallFrame& frame) {
  int64_t day = 0;
  return MakeDay(a, &day, frame.context) ? Value::Integer(day) : Value::Null();
}

Value MakeTime(const Value* a, CallFrame& frame) {
  int64_t micros = 0;
  return MakeClock(a, &micros, frame.context) ? Value::Integer(micros) : Value::Null();
}

Value MakeTimestamp(const Value* a, CallFrame& frame) {
  int64_t day = 0;
  int64_t micros = 0;
  if (!MakeDay(a, &day, frame.context) || !MakeClock(a + 3, &micros, frame.context)) {
    return Value::Null();
  }
  if (day > row::kMaxTimestampDay) return FailOutOfRange(frame.context, "timestamp");
  return Value::Integer(day * kMicrosPerDay + micros);
}

Value MakeTimestampInZone(const Value* a, CallFrame& frame) {
  const auto zone = FindZone(a[6], frame.context);
  const Value local = MakeTimestamp(a, frame);
  if (!zone || local.null) return Value::Null();
  return Value::Integer(zone->ToUtc(local.integer));
}

Value ToTimestamp(const Value* a, CallFrame& frame) {
  const double seconds = a[0].number;
  if (std::isinf(seconds)) {
    return Value::Integer(seconds > 0 ? row::kTimeInfinity : row::kTimeMinusInfinity);
  }
  if (!(seconds >= static_cast<double>(row::kMinDay) * 86400.0 &&
        seconds < static_cast<double>(row::kMaxTimestampDay + 1) * 86400.0)) {
    return FailOutOfRange(frame.context, "timestamp");
  }
  return Value::Integer(static_cast<int64_t>(std::rint(seconds * 1e6)));
}

Value ToUtc(const Value* a, CallFrame& frame) {
  const auto zone = FindZone(a[0], frame.context);
  return zone ? Value::Integer(zone->ToUtc(a[1].integer)) : Value::Null();
}
Value ToLocal(const Value* a, CallFrame& frame) {
  const auto zone = FindZone(a[0], frame.context);
  return zone ? Value::Integer(zone->ToLocal(a[1].integer)) : Value::Null();
}

// A zone given as an interval east of Greenwich.
template <int kSign>
Value ShiftByZone(const Value* a, CallFrame& frame) {
  if (a[0].span.months != 0 || a[0].span.days != 0) {
    return Fail(frame.context, "HR2103", "interval time zone must not include months or days");
  }
  if (IsInfiniteTime(a[1].integer)) return a[1];
  int64_t moved = 0;
  if (__builtin_add_overflow(a[1].integer, kSign * a[0].micros, &moved)) {
    return FailOutOfRange(frame.context, "timestamp");
  }
  return Value::Integer(moved);
}

constexpr Type I = kInteger;

constexpr FunctionEntry Field(std::string_view name, Type type, Type result, Function function) {
  return Define(name, {kText, type}, result, function, kPlain, &PrepareField);
}

constexpr FunctionEntry kFunctions[] = {
    Field("extract", kTimestamp, kDecimal, &ExtractTimestamp),
    Field("extract", kTimestampTz, kDecimal, &ExtractTimestampTz),
    Field("extract", kDate, kDecimal, &ExtractDate),
    Field("extract", kTime, kDecimal, &ExtractTime),
    Field("extract", kInterval, kDecimal, &ExtractInterval),
    Field("date_part", kTimestamp, kDouble, &PartOf<&ExtractTimestamp>),
    Field("date_part", kTimestampTz, kDouble, &PartOf<&ExtractTimestampTz>),
    Field("date_part", kDate, kDouble, &PartOfDate),
    Field("date_part", kTime, kDouble, &PartOf<&ExtractTime>),
    Field("date_part", kInterval, kDouble, &PartOf<&ExtractInterval>),
    Field("date_trunc", kTimestamp, kTimestamp, &TruncTimestamp),
    Field("date_trunc", kTimestampTz, kTimestampTz, &TruncTimestampTz),
    Field("date_trunc", kInterval, kInterval, &TruncInterval),
    Define("date_trunc", {kText, kTimestampTz, kText}, kTimestampTz, &TruncInZone, kPlain,
           &PrepareField),
    Define("date_bin", {kInterval, kTimestamp, kTimestamp}, kTimestamp, &DateBin),
    Define("date_bin", {kInterval, kTimestampTz, kTimestampTz}, kTimestampTz, &DateBin),
    Define("age", {kTimestamp, kTimestamp}, kInterval, &Age),
    Define("age", {kTimestampTz, kTimestampTz}, kInterval, &Age),
    Define("isfinite", {kDate}, kBoolean, &IsFinite),
    Define("isfinite", {kTimestamp}, kBoolean, &IsFinite),
    Define("isfinite", {kTimestampTz}, kBoolean, &IsFinite),
    Define("make_date", {I, I, I}, kDate, &MakeDate),
    Define("make_time", {I, I, kDouble}, kTime, &MakeTime),
    Define("make_timestamp", {I, I, I, I, I, kDouble}, kTimestamp, &MakeTimestamp),
    Define("make_timestamptz", {I, I, I, I, I, kDouble}, kTimestampTz, &MakeTimestamp),
    Define("make_timestamptz", {I, I, I, I, I, kDouble, kText}, kTimestampTz, &MakeTimestampInZone),
    Define("to_timestamp", {kDouble}, kTimestampTz, &ToTimestamp),
    Define("timezone", {kText, kTimestamp}, kTimestampTz, &ToUtc),
    Define("timezone", {kText, kTimestampTz}, kTimestamp, &ToLocal),
    Define("timezone", {kInterval, kTimestamp}, kTimestampTz, &ShiftByZone<-1>),
    Define("timezone", {kInterval, kTimestampTz}, kTimestamp, &ShiftByZone<1>),
};

}  // namespace

std::span<const FunctionEntry> DateTimeFunctions() {
  return kFunctions;
}

}  // namespace headrace::expr
