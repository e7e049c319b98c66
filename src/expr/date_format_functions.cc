// to_char of dates and intervals.
#include <string>

#include "expr/date_parse.h"
#include "expr/date_pattern.h"
#include "expr/function.h"
#include "expr/number_pattern.h"
#include "expr/time_field.h"
#include "row/calendar.h"
#include "row/decimal.h"
#include "row/interval.h"

namespace headrace::expr {
namespace {

// What a template shows, of a moment or an interval.
struct Shown {
  int64_t year = 0;  // 0 is 1 BC
  int month = 0;
  int64_t day = 0;
  int64_t hour = 0;
  int minute = 0;
  int second = 0;
  int micros = 0;
  int64_t day_number = 0;  // since 1970-01-01
  bool interval = false;
};

Shown ShownMoment(int64_t moment) {
  const row::Broken b = row::BreakMicros(moment);
  Shown shown;
  shown.year = b.date.year;
  shown.month = b.date.month;
  shown.day = b.date.day;
  shown.hour = b.hour;
  shown.minute = b.minute;
  shown.second = b.second;
  shown.micros = b.micros;
  shown.day_number = row::FloorDivide(moment, row::kMicrosPerDay);
  return shown;
}

Shown ShownInterval(const row::Interval& interval) {
  Shown shown;
  shown.interval = true;
  shown.year = interval.months / row::kMonthsPerYear;
  shown.month = interval.months % row::kMonthsPerYear;
  shown.day = interval.days;
  shown.hour = interval.micros / row::kMicrosPerHour;
  shown.minute = static_cast<int>(interval.micros / row::kMicrosPerMinute % 60);
  shown.second = static_cast<int>(interval.micros / row::kMicrosPerSecond % 60);
  shown.micros = static_cast<int>(interval.micros % row::kMicrosPerSecond);
  // Days of 30-day months, as PostgreSQL numbers them for DDD.
  shown.day_number = shown.year * 365 + shown.month * 30 + shown.day;
  return shown;
}

constexpr std::string_view kRoman[] = {"I",   "II",   "III", "IV", "V",  "VI",
                                       "VII", "VIII", "IX",  "X",  "XI", "XII"};

// Writes one value by a template. Confined to one call.
class DateWriter {
 public:
  DateWriter(const Shown& shown, std::string& out) : shown_(shown), out_(out) {}

  // False when a pattern makes no sense for an interval.
  bool Write(const DatePatternItem& item) {
    switch (item.node) {
      case DateNode::kLiteral:
      case DateNode::kSeparator:
        out_ += item.literal;
        return true;
      case DateNode::kHour12: {
        const int64_t hour = shown_.hour % 12;
        Number(item, hour == 0 ? 12 : hour, 2);
        return true;
      }
      case DateNode::kHour24:
        Number(item, shown_.hour, 2);
        return true;
      case DateNode::kMinute:
        Number(item, shown_.minute, 2);
        return true;
      case DateNode::kSecond:
        Number(item, shown_.second, 2);
        return true;
      case DateNode::kFraction: {
        int fraction = shown_.micros;
        for (int digits = 6; digits > item.width; --digits)
          fraction /= 10;
        DatePatternItem filled = item;
        filled.fill = true;
        Number(filled, fraction, item.width);
        return true;
      }
      case DateNode::kSecondOfDay:
        Number(item, shown_.hour * 3600 + shown_.minute * 60 + shown_.second, 0);
        return true;
      case DateNode::kMeridiem:
        Meridiem(item);
        return true;
      case DateNode::kDay:
        Number(item, shown_.day, 2);
        return true;
      case DateNode::kMonth:
        Number(item, shown_.month, 2);
        return true;
      case DateNode::kYear:
      case DateNode::kYearComma:
        Year(item, shown_.year);
        return true;
      case DateNode::kCentury:
        Number(item, shown_.interval ? shown_.year / 100 : CenturyOf(shown_.year), 2);
        return true;
      case DateNode::kQuarter:
        if (shown_.month != 0) Number(item, (std::abs(shown_.month) - 1) / 3 + 1, 1);
        return true;
      case DateNode::kDayOfYear:
        Number(item, DayOfYear(), 3);
        return true;
      case DateNode::kWeekOfYear:
        Number(item, (DayOfYear() - 1) / 7 + 1, 2);
        return true;
      case DateNode::kWeekOfMonth:
        Number(item, (shown_.day - 1) / 7 + 1, 1);
        return true;
      case DateNode::kJulian:
        Number(item, shown_.day_number + (shown_.interval ? 0 : 2'440'588), 0);
        return true;
      default:
        return !shown_.interval && WriteCalendar(item);
    }
  }

 private:
  static int64_t CenturyOf(int64_t year) {
    return year > 0 ? (year + 99) / 100 : -((99 - (year - 1)) / 100);
  }

  int64_t DayOfYear() const {
    if (shown_.interval) return shown_.day_number;
    return shown_.day_number - row::DaysFromCivil(shown_.year, 1, 1) + 1;
  }

  // What an interval does not have.
  bool WriteCalendar(const DatePatternItem& item) {
    const int weekday = DayOfWeek(shown_.day_number);
    switch (item.node) {
      case DateNode::kMonthName:
        Name(item, kMonthNames[shown_.month - 1]);
        return true;
      case DateNode::kMonthShort:
        Name(item, kMonthNames[shown_.month - 1].substr(0, 3));
        return true;
      case DateNode::kRoman:
        Roman(item);
        return true;
      case DateNode::kDayName:
        Name(item, kDayNames[weekday]);
        return true;
      case DateNode::kDayShort:
        Name(item, kDayNames[weekday].substr(0, 3));
        return true;
      case DateNode::kDayOfWeek:
        Number(item, weekday + 1, 1);
        return true;
      case DateNode::kIsoDayOfWeek:
        Number(item, weekday == 0 ? 7 : weekday, 1);
        return true;
      case DateNode::kIsoWeek:
        Number(item, IsoWeekOf(shown_.day_number).week, 2);
        return true;
      case DateNode::kIsoYear:
        Year(item, IsoWeekOf(shown_.day_number).year);
        return true;
      case DateNode::kIsoDayOfYear: {
        const int monday_first = weekday == 0 ? 7 : weekday;
        Number(item, (IsoWeekOf(shown_.day_number).week - 1) * 7 + monday_first, 3);
        return true;
      }
      case DateNode::kEra:
        Era(item);
        return true;
      case DateNode::kZone:
        out_ += item.letters == LetterCase::kLower ? "utc" : "UTC";
        return true;
      case DateNode::kZoneHours:
      case DateNode::kZoneOffset:
        out_ += "+00";
        return true;
      case DateNode::kZoneMinutes:
        out_ += "00";
        return true;
      default:
        return true;
    }
  }

  // Zeros in front up to the width. The sign counts for days and fractions only.
  void Number(const DatePatternItem& item, int64_t number, size_t width) {
    std::string digits = std::to_string(number < 0 ? -number : number);
    const bool counts = item.node == DateNode::kDay || item.node == DateNode::kFraction;
    const size_t wanted = number < 0 && counts && width > 0 ? width - 1 : width;
    if (item.fill && digits.size() < wanted) digits.insert(0, wanted - digits.size(), '0');
    if (number < 0) out_ += '-';
    out_ += digits;
    if (item.ordinal) Ordinal(item, digits);
  }

  void Ordinal(const DatePatternItem& item, const std::string& digits) {
    std::string_view suffix = "TH";
    const bool teen = digits.size() > 1 && digits[digits.size() - 2] == '1';
    if (!teen && digits.back() == '1') suffix = "ST";
    if (!teen && digits.back() == '2') suffix = "ND";
    if (!teen && digits.back() == '3') suffix = "RD";
    for (char c : suffix)
      out_ += item.ordinal_lower ? static_cast<char>(c + 32) : c;
  }

  void Year(const DatePatternItem& item, int64_t year) {
    const int64_t shown = shown_.interval ? year : year > 0 ? year : 1 - year;
    if (item.node == DateNode::kYearComma) {
      out_ += std::to_string(shown / 1000) + ",";
      Number({}, shown % 1000, 3);
      return;
    }
    int64_t modulus = 1;
    for (int i = 0; i < item.width; ++i)
      modulus *= 10;
    Number(item, item.width == 4 ? shown : shown % modulus, item.width);
  }

  void Name(const DatePatternItem& item, std::string_view name) {
    std::string text;
    for (size_t i = 0; i < name.size(); ++i) {
      const bool upper =
          item.letters == LetterCase::kUpper || (item.letters == LetterCase::kTitle && i == 0);
      text += static_cast<char>(upper ? name[i] & ~32 : name[i] | 32);
    }
    if (item.fill && text.size() < item.width) text.append(item.width - text.size(), ' ');
    out_ += text;
  }

  void Roman(const DatePatternItem& item) {
    std::string text(kRoman[shown_.month - 1]);
    if (item.letters == LetterCase::kLower) {
      for (char& c : text)
        c = static_cast<char>(c | 32);
    }
    if (item.fill && text.size() < 4) text.append(4 - text.size(), ' ');
    out_ += text;
  }

  // AM, am, A.M. or a.m.
  void Letters(const DatePatternItem& item, char first, char second) {
    const int lower = item.letters == LetterCase::kLower ? 32 : 0;
    for (char c : {first, second}) {
      out_ += static_cast<char>(c | lower);
      if (item.width == 4) out_ += '.';
    }
  }
  void Meridiem(const DatePatternItem& item) {
    const int64_t hour = shown_.hour % 24;
    Letters(item, hour >= 12 ? 'P' : 'A', 'M');
  }
  void Era(const DatePatternItem& item) {
    Letters(item, shown_.year > 0 ? 'A' : 'B', shown_.year > 0 ? 'D' : 'C');
  }

  const Shown& shown_;
  std::string& out_;
};

Value Write(const Shown& shown, std::string_view pattern, EvalContext& context) {
  std::string out;
  DateWriter writer(shown, out);
  for (const DatePatternItem& item : ParseDatePattern(pattern)) {
    if (!writer.Write(item)) {
      return Fail(context, "HR2103", "invalid format specification for an interval value");
    }
  }
  return MakeText(context, out);
}

Value ToCharMoment(const Value* a, CallFrame& frame) {
  if (IsInfiniteTime(a[0].integer) || a[1].length == 0) return Value::Null();
  return Write(ShownMoment(a[0].integer), a[1].text(), frame.context);
}

Value ToCharInterval(const Value* a, CallFrame& frame) {
  if (a[1].length == 0) return Value::Null();
  return Write(ShownInterval(a[0].interval()), a[1].text(), frame.context);
}

Value ToCharDecimal(const Value* a, CallFrame& frame) {
  std::string out;
  if (!FormatNumber(a[0], a[1].text(), frame.context.arena, out)) {
    return Fail(frame.context, "HR2103", "number format is not supported");
  }
  return MakeText(frame.context, out);
}

Value ToCharInteger(const Value* a, CallFrame& frame) {
  const Value arguments[2] = {Value::Decimal(a[0].integer, 0), a[1]};
  return ToCharDecimal(arguments, frame);
}

Value ToCharDouble(const Value* a, CallFrame& frame) {
  Value number;
  if (!row::DecimalFromDouble(a[0].number, 15, &number)) {
    return Fail(frame.context, "HR2102", "value overflows numeric format");
  }
  const Value arguments[2] = {number, a[1]};
  return ToCharDecimal(arguments, frame);
}

Value ToDate(const Value* a, CallFrame& frame) {
  const Result<int64_t> moment = ParseByPattern(a[0].text(), a[1].text());
  if (!moment.ok()) return Fail(frame.context, moment.error().code(), moment.error().message());
  return Value::Integer(row::FloorDivide(moment.value(), row::kMicrosPerDay));
}

Value ToTimestamp(const Value* a, CallFrame& frame) {
  const Result<int64_t> moment = ParseByPattern(a[0].text(), a[1].text());
  if (!moment.ok()) return Fail(frame.context, moment.error().code(), moment.error().message());
  return Value::Integer(moment.value());
}

constexpr FunctionEntry kFunctions[] = {
    Define("to_char", {kTimestamp, kText}, kText, &ToCharMoment),
    Define("to_char", {kTimestampTz, kText}, kText, &ToCharMoment),
    Define("to_char", {kInterval, kText}, kText, &ToCharInterval),
    Define("to_char", {kInteger, kText}, kText, &ToCharInteger),
    Define("to_char", {kBigint, kText}, kText, &ToCharInteger),
    Define("to_char", {kDecimal, kText}, kText, &ToCharDecimal),
    Define("to_char", {kDouble, kText}, kText, &ToCharDouble),
    Define("to_date", {kText, kText}, kDate, &ToDate),
    Define("to_timestamp", {kText, kText}, kTimestampTz, &ToTimestamp),
};

}  // namespace

std::span<const FunctionEntry> DateFormatFunctions() {
  return kFunctions;
}

}  // namespace headrace::expr
