#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace headrace::expr {

// What a template of to_char and to_date asks for at one place.
enum class DateNode : uint8_t {
  kLiteral,    // text to copy, or to skip when reading
  kSeparator,  // one character that is neither letter nor digit
  kYear,       // YYYY, YYY, YY, Y: `width` digits
  kYearComma,  // Y,YYY
  kIsoYear,
  kMonth,      // MM
  kMonthName,  // Month
  kMonthShort,
  kRoman,
  kDayName,
  kDayShort,
  kDayOfYear,
  kIsoDayOfYear,
  kDay,
  kDayOfWeek,
  kIsoDayOfWeek,
  kWeekOfMonth,
  kWeekOfYear,
  kIsoWeek,
  kCentury,
  kJulian,
  kQuarter,
  kHour12,
  kHour24,
  kMinute,
  kSecond,
  kFraction,  // MS, US, FF1 to FF6: `width` digits
  kSecondOfDay,
  kMeridiem,  // AM, PM; width 4 with points
  kEra,       // BC, AD; width 4 with points
  kZone,
  kZoneHours,
  kZoneMinutes,
  kZoneOffset,
};

// How the letters of a name are written.
enum class LetterCase : uint8_t { kUpper, kTitle, kLower };

struct DatePatternItem {
  DateNode node = DateNode::kLiteral;
  uint8_t width = 0;
  LetterCase letters = LetterCase::kUpper;
  bool fill = true;               // FM turns padding off
  bool ordinal = false;           // TH, th
  bool ordinal_lower = false;     // th
  std::string_view literal = {};  // points into the template
};

// Takes a template apart; whatever is no pattern is literal.
std::vector<DatePatternItem> ParseDatePattern(std::string_view pattern);

inline constexpr std::string_view kMonthNames[] = {"January",   "February", "March",    "April",
                                                   "May",       "June",     "July",     "August",
                                                   "September", "October",  "November", "December"};
inline constexpr std::string_view kDayNames[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                 "Thursday", "Friday", "Saturday"};

}  // namespace headrace::expr
