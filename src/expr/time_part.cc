#include "expr/time_part.h"

#include "row/calendar.h"
#include "row/decimal.h"
#include "row/interval.h"
#include "row/text.h"

namespace headrace::expr {
namespace {

using row::Broken;
using row::FloorDivide;
using row::kMicrosPerDay;

constexpr int64_t kJulianOfEpoch = 2'440'588;  // Julian day of 1970-01-01

PartResult Give(row::Int128 unscaled, uint8_t scale, Value* part) {
  *part = Value::Decimal(unscaled, scale);
  return PartResult::kOk;
}

// Years before Christ count without a year 0.
int64_t ShownYear(int64_t year) {
  return year > 0 ? year : year - 1;
}

int64_t Decade(int64_t year) {
  return year >= 0 ? year / 10 : -((8 - (year - 1)) / 10);
}
int64_t Century(int64_t year) {
  return year > 0 ? (year + 99) / 100 : -((99 - (year - 1)) / 100);
}
int64_t Millennium(int64_t year) {
  return year > 0 ? (year + 999) / 1000 : -((999 - (year - 1)) / 1000);
}

// Fields of a day; kUnsupported for others.
PartResult DayPart(int64_t day, TimeField field, Value* part) {
  const row::Civil date = row::CivilFromDays(day);
  switch (field) {
    case TimeField::kDay:
      return Give(date.day, 0, part);
    case TimeField::kMonth:
      return Give(date.month, 0, part);
    case TimeField::kQuarter:
      return Give((date.month - 1) / 3 + 1, 0, part);
    case TimeField::kYear:
      return Give(ShownYear(date.year), 0, part);
    case TimeField::kDecade:
      return Give(Decade(date.year), 0, part);
    case TimeField::kCentury:
      return Give(Century(date.year), 0, part);
    case TimeField::kMillennium:
      return Give(Millennium(date.year), 0, part);
    case TimeField::kWeek:
      return Give(IsoWeekOf(day).week, 0, part);
    case TimeField::kIsoYear:
      return Give(ShownYear(IsoWeekOf(day).year), 0, part);
    case TimeField::kDow:
      return Give(DayOfWeek(day), 0, part);
    case TimeField::kIsoDow:
      return Give(DayOfWeek(day) == 0 ? 7 : DayOfWeek(day), 0, part);
    case TimeField::kDoy:
      return Give(day - row::DaysFromCivil(date.year, 1, 1) + 1, 0, part);
    default:
      return PartResult::kUnsupported;
  }
}

// Fields of a time of day or of an interval's time, which may be negative.
PartResult ClockPart(int64_t micros, TimeField field, Value* part) {
  const int64_t in_minute = micros % row::kMicrosPerMinute;
  switch (field) {
    case TimeField::kMicroseconds:
      return Give(in_minute, 0, part);
    case TimeField::kMilliseconds:
      return Give(in_minute, 3, part);
    case TimeField::kSecond:
      return Give(in_minute, 6, part);
    case TimeField::kMinute:
      return Give(micros / row::kMicrosPerMinute % 60, 0, part);
    case TimeField::kHour:
      return Give(micros / row::kMicrosPerHour, 0, part);
    default:
      return PartResult::kUnsupported;
  }
}

PartResult InfinitePart(int64_t moment, TimeField field, Value* part) {
  switch (field) {
    case TimeField::kYear:
    case TimeField::kDecade:
    case TimeField::kCentury:
    case TimeField::kMillennium:
    case TimeField::kIsoYear:
    case TimeField::kJulian:
    case TimeField::kEpoch:
      *part = row::SpecialDecimal(moment > 0 ? row::kInfinity : row::kNegativeInfinity);
      return PartResult::kOk;
    default:
      *part = Value::Null();
      return PartResult::kOk;
  }
}

// The day number and the share of the day gone, with as many digits as PostgreSQL's division of
// microseconds by a day has.
PartResult JulianPart(int64_t day, int64_t micros, Value* part) {
  const int64_t julian = day + kJulianOfEpoch;
  if (micros == 0) return Give(julian, 0, part);
  constexpr uint8_t kScale = 20;
  const row::Int128 share = static_cast<row::Int128>(micros) *
                            static_cast<row::Int128>(row::Pow10(kScale)) / kMicrosPerDay;
  return Give(julian * static_cast<row::Int128>(row::Pow10(kScale)) + share, kScale, part);
}

}  // namespace

PartResult TimestampPart(const Value& moment, TimeField field, Value* part) {
  if (IsInfiniteTime(moment.integer)) return InfinitePart(moment.integer, field, part);
  if (field == TimeField::kEpoch) return Give(moment.integer, 6, part);
  const int64_t day = FloorDivide(moment.integer, kMicrosPerDay);
  const int64_t micros = moment.integer - day * kMicrosPerDay;
  if (field == TimeField::kJulian) return JulianPart(day, micros, part);
  if (ClockPart(micros, field, part) == PartResult::kOk) return PartResult::kOk;
  return DayPart(day, field, part);
}

PartResult TimestampTzPart(const Value& moment, TimeField field, Value* part) {
  const bool zone = field == TimeField::kTimezone || field == TimeField::kTimezoneHour ||
                    field == TimeField::kTimezoneMinute;
  if (zone && !IsInfiniteTime(moment.integer)) return Give(0, 0, part);  // always UTC
  return TimestampPart(moment, field, part);
}

PartResult DatePart(const Value& day, TimeField field, Value* part) {
  if (IsInfiniteTime(day.integer)) return InfinitePart(day.integer, field, part);
  if (field == TimeField::kEpoch) return Give(row::Int128{day.integer} * 86'400, 0, part);
  if (field == TimeField::kJulian) return Give(day.integer + kJulianOfEpoch, 0, part);
  return DayPart(day.integer, field, part);
}

PartResult TimePart(const Value& time, TimeField field, Value* part) {
  if (field == TimeField::kEpoch) return Give(time.integer, 6, part);
  return ClockPart(time.integer, field, part);
}

PartResult IntervalPart(const Value& interval, TimeField field, Value* part) {
  const int64_t months = interval.span.months;
  const int64_t years = months / row::kMonthsPerYear;
  switch (field) {
    case TimeField::kDay:
      return Give(interval.span.days, 0, part);
    case TimeField::kMonth:
      return Give(months % row::kMonthsPerYear, 0, part);
    case TimeField::kQuarter:
      return Give(months % row::kMonthsPerYear / 3 + 1, 0, part);
    case TimeField::kYear:
      return Give(years, 0, part);
    case TimeField::kDecade:
      return Give(years / 10, 0, part);
    case TimeField::kCentury:
      return Give(years / 100, 0, part);
    case TimeField::kMillennium:
      return Give(years / 1000, 0, part);
    case TimeField::kEpoch: {
      // A year has 365.25 days here, a month 30.
      const row::Int128 seconds = row::Int128{years} * 31'557'600 +
                                  row::Int128{months % row::kMonthsPerYear} * 2'592'000 +
                                  row::Int128{interval.span.days} * 86'400;
      return Give(seconds * row::kMicrosPerSecond + interval.micros, 6, part);
    }
    default:
      return ClockPart(interval.micros, field, part);
  }
}

bool TruncateMoment(int64_t moment, TimeField field, int64_t* result) {
  *result = moment;
  if (IsInfiniteTime(moment)) return true;
  const auto cut = [&](int64_t unit) {
    *result = FloorDivide(moment, unit) * unit;
    return true;
  };
  const int64_t day = FloorDivide(moment, kMicrosPerDay);
  row::Civil date = row::CivilFromDays(day);
  const auto first_of = [&](int64_t year, int month) {
    *result = row::DaysFromCivil(year, month, 1) * kMicrosPerDay;
    return true;
  };
  switch (field) {
    case TimeField::kMicroseconds:
      return true;
    case TimeField::kMilliseconds:
      return cut(1000);
    case TimeField::kSecond:
      return cut(row::kMicrosPerSecond);
    case TimeField::kMinute:
      return cut(row::kMicrosPerMinute);
    case TimeField::kHour:
      return cut(row::kMicrosPerHour);
    case TimeField::kDay:
      return cut(kMicrosPerDay);
    case TimeField::kWeek:
      *result = (day - (DayOfWeek(day) + 6) % 7) * kMicrosPerDay;
      return true;
    case TimeField::kMonth:
      return first_of(date.year, date.month);
    case TimeField::kQuarter:
      return first_of(date.year, (date.month - 1) / 3 * 3 + 1);
    case TimeField::kYear:
      return first_of(date.year, 1);
    case TimeField::kDecade:
      return first_of(FloorDivide(date.year, 10) * 10, 1);
    case TimeField::kCentury:
      return first_of(FloorDivide(date.year - 1, 100) * 100 + 1, 1);
    case TimeField::kMillennium:
      return first_of(FloorDivide(date.year - 1, 1000) * 1000 + 1, 1);
    default:
      return false;
  }
}

bool TruncateInterval(const row::Interval& interval, TimeField field, row::Interval* result) {
  *result = interval;
  const auto months = [&](int unit) {
    *result = {0, 0, interval.months / unit * unit};
    return true;
  };
  const auto micros = [&](int64_t unit) {
    result->micros -= result->micros % unit;
    return true;
  };
  switch (field) {
    case TimeField::kMillennium:
      return months(12'000);
    case TimeField::kCentury:
      return months(1'200);
    case TimeField::kDecade:
      return months(120);
    case TimeField::kYear:
      return months(12);
    case TimeField::kQuarter:
      return months(3);
    case TimeField::kMonth:
      return months(1);
    case TimeField::kDay:
      result->micros = 0;
      return true;
    case TimeField::kHour:
      return micros(row::kMicrosPerHour);
    case TimeField::kMinute:
      return micros(row::kMicrosPerMinute);
    case TimeField::kSecond:
      return micros(row::kMicrosPerSecond);
    case TimeField::kMilliseconds:
      return micros(1000);
    case TimeField::kMicroseconds:
      return true;
    default:
      return false;
  }
}

row::Interval SymbolicAge(int64_t later, int64_t earlier) {
  const bool negative = later < earlier;
  const Broken a = row::BreakMicros(negative ? earlier : later);
  const Broken b = row::BreakMicros(negative ? later : earlier);
  const auto time_of = [](const Broken& x) {
    return x.hour * row::kMicrosPerHour + x.minute * row::kMicrosPerMinute +
           x.second * row::kMicrosPerSecond + x.micros;
  };
  int64_t micros = time_of(a) - time_of(b);
  int64_t days = a.date.day - b.date.day;
  int64_t months = (a.date.year - b.date.year) * row::kMonthsPerYear + a.date.month - b.date.month;
  if (micros < 0) {
    micros += kMicrosPerDay;
    --days;
  }
  // Borrowed days are those of the earlier moment's month.
  const int borrowed = row::DaysInMonth(b.date.year, b.date.month);
  if (days < 0) {
    days += borrowed;
    --months;
  }
  const int64_t sign = negative ? -1 : 1;
  return {sign * micros, static_cast<int32_t>(sign * days), static_cast<int32_t>(sign * months)};
}

}  // namespace headrace::expr
