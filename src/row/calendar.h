#pragma once

#include <cstdint>
#include <limits>

namespace headrace::row {

// 'infinity' and '-infinity' of timestamps and dates.
inline constexpr int64_t kTimeInfinity = std::numeric_limits<int64_t>::max();
inline constexpr int64_t kTimeMinusInfinity = std::numeric_limits<int64_t>::min();

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
inline constexpr int64_t kMicrosPerHour = 60 * kMicrosPerMinute;
inline constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;

// A day of the proleptic Gregorian calendar; year 0 is 1 BC.
struct Civil {
  int64_t year = 1970;
  int month = 1;
  int day = 1;
};

// A moment taken apart.
struct Broken {
  Civil date;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int micros = 0;
};

// Days since 1970-01-01, for any civil date.
constexpr int64_t DaysFromCivil(int64_t year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

constexpr Civil CivilFromDays(int64_t days) {
  days += 719'468;
  const int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const int64_t day_of_era = days - era * 146'097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted = (5 * day_of_year + 2) / 153;
  const int month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
          static_cast<int>(day_of_year - (153 * shifted + 2) / 5 + 1)};
}

constexpr bool IsLeapYear(int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

constexpr int DaysInMonth(int64_t year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeapYear(year) ? 29 : kDays[month - 1];
}

constexpr int64_t FloorDivide(int64_t a, int64_t b) {
  return a / b - (a % b != 0 && (a % b < 0) != (b < 0) ? 1 : 0);
}

constexpr Broken BreakMicros(int64_t micros) {
  const int64_t days = FloorDivide(micros, kMicrosPerDay);
  const int64_t rest = micros - days * kMicrosPerDay;
  Broken b;
  b.date = CivilFromDays(days);
  b.hour = static_cast<int>(rest / kMicrosPerHour);
  b.minute = static_cast<int>(rest / kMicrosPerMinute % 60);
  b.second = static_cast<int>(rest / kMicrosPerSecond % 60);
  b.micros = static_cast<int>(rest % kMicrosPerSecond);
  return b;
}

// Dates as PostgreSQL. Timestamps end in 294246, where microseconds since 1970 leave 64 bits
// (PostgreSQL counts from 2000 and ends 30 years later).
inline constexpr int64_t kMinDay = DaysFromCivil(-4713, 11, 24);
inline constexpr int64_t kMaxDateDay = DaysFromCivil(5'874'897, 12, 31);
inline constexpr int64_t kMaxTimestampDay = DaysFromCivil(294'246, 12, 31);

constexpr bool ValidTimestamp(int64_t micros) {
  return micros >= kMinDay * kMicrosPerDay && micros < (kMaxTimestampDay + 1) * kMicrosPerDay;
}

}  // namespace headrace::row
