#pragma once

#include <cstdint>
#include <string_view>

#include "expr/function.h"
#include "row/calendar.h"

namespace headrace::expr {

// A field of a date or time, as extract, date_part and date_trunc name it.
enum class TimeField : uint8_t {
  kNone,
  kMicroseconds,
  kMilliseconds,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
  kDow,
  kIsoDow,
  kDoy,
  kIsoYear,
  kJulian,
  kEpoch,
  kTimezone,
  kTimezoneHour,
  kTimezoneMinute,
};

// Names in any case, singular, plural and PostgreSQL's abbreviations.
TimeField FindTimeField(std::string_view name);

// The field of a call's first argument: prepared when it is constant. Answers kNone for names that
// are no field.
TimeField FieldOf(const Value& name, const CallFrame& frame);
Result<std::unique_ptr<Prepared>> PrepareField(KnownArguments arguments);

// "unit "x" not recognized for type y" and "not supported".
Value UnknownUnit(EvalContext& context, std::string_view unit, std::string_view type);
Value UnsupportedUnit(EvalContext& context, std::string_view unit, std::string_view type);

inline bool IsInfiniteTime(int64_t moment) {
  return moment == row::kTimeInfinity || moment == row::kTimeMinusInfinity;
}

// ISO 8601 week numbering of a day since 1970-01-01.
struct IsoWeek {
  int64_t year;
  int week;
};
IsoWeek IsoWeekOf(int64_t day);
// 0 Sunday to 6 Saturday.
int DayOfWeek(int64_t day);

// A moment moved by months (the day cut to the month's last), then days, then microseconds. False
// when it leaves the range of timestamps.
bool AddInterval(int64_t moment, const row::Interval& interval, int64_t* result);
// The negation; false for values without one.
bool NegateInterval(const row::Interval& interval, row::Interval* result);

}  // namespace headrace::expr
