#include "row/interval.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "row/calendar.h"

namespace headrace::row {
namespace {

constexpr size_t kMaxText = 256;

enum class Unit : uint8_t {
  kNone,
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
};

struct UnitName {
  std::string_view name;
  Unit unit;
};

// Without the plural's s.
constexpr UnitName kUnits[] = {
    {"us", Unit::kMicrosecond},
    {"usec", Unit::kMicrosecond},
    {"microsecond", Unit::kMicrosecond},
    {"microsecon", Unit::kMicrosecond},
    {"ms", Unit::kMillisecond},
    {"msec", Unit::kMillisecond},
    {"millisecond", Unit::kMillisecond},
    {"mseconds", Unit::kMillisecond},
    {"s", Unit::kSecond},
    {"sec", Unit::kSecond},
    {"second", Unit::kSecond},
    {"m", Unit::kMinute},
    {"min", Unit::kMinute},
    {"minute", Unit::kMinute},
    {"h", Unit::kHour},
    {"hr", Unit::kHour},
    {"hour", Unit::kHour},
    {"d", Unit::kDay},
    {"day", Unit::kDay},
    {"w", Unit::kWeek},
    {"week", Unit::kWeek},
    {"mon", Unit::kMonth},
    {"month", Unit::kMonth},
    {"y", Unit::kYear},
    {"yr", Unit::kYear},
    {"year", Unit::kYear},
    {"dec", Unit::kDecade},
    {"decade", Unit::kDecade},
    {"c", Unit::kCentury},
    {"cent", Unit::kCentury},
    {"century", Unit::kCentury},
    {"centurie", Unit::kCentury},
    {"mil", Unit::kMillennium},
    {"millennium", Unit::kMillennium},
    {"millennia", Unit::kMillennium},
};

Unit UnitByName(std::string_view word) {
  for (const UnitName& entry : kUnits) {
    if (word == entry.name) return entry.unit;
    if (word.size() == entry.name.size() + 1 && word.back() == 's' &&
        word.substr(0, word.size() - 1) == entry.name) {
      return entry.unit;
    }
  }
  return Unit::kNone;
}

Unit LastUnit(std::string_view fields) {
  const size_t to = fields.rfind(' ');
  return UnitByName(to == std::string_view::npos ? fields : fields.substr(to + 1));
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool IsLetter(char c) {
  return c >= 'a' && c <= 'z';
}

// A number with sign and fraction, kept apart as PostgreSQL does: "-1.5" is -1 and -0.5.
struct Number {
  int64_t whole = 0;
  double fraction = 0;
};

// Adds up fields; overflow turns `ok` off. Confined to one call.
class Sum {
 public:
  // False when the unit was added before.
  bool Take(Unit unit) {
    const uint32_t bit = 1U << static_cast<uint32_t>(unit);
    const bool fresh = (taken_ & bit) == 0;
    taken_ |= bit;
    return fresh;
  }
  bool TakeClock() {
    const bool hour = Take(Unit::kHour);
    const bool minute = Take(Unit::kMinute);
    return Take(Unit::kSecond) && minute && hour;
  }

  void Add(Unit unit, const Number& n) {
    switch (unit) {
      case Unit::kMicrosecond:
        return AddMicros(n.whole, 1, n.fraction);
      case Unit::kMillisecond:
        return AddMicros(n.whole, 1000, n.fraction);
      case Unit::kSecond:
        return AddMicros(n.whole, kMicrosPerSecond, n.fraction);
      case Unit::kMinute:
        return AddMicros(n.whole, kMicrosPerMinute, n.fraction);
      case Unit::kHour:
        return AddMicros(n.whole, kMicrosPerHour, n.fraction);
      case Unit::kDay:
        return AddDays(n.whole, 1, n.fraction);
      case Unit::kWeek:
        return AddDays(n.whole, 7, n.fraction);
      case Unit::kMonth:
        AddMonths(n.whole, 1, 0);
        return AddDays(0, kDaysPerMonth, n.fraction);
      case Unit::kYear:
        return AddMonths(n.whole, kMonthsPerYear, n.fraction);
      case Unit::kDecade:
        return AddMonths(n.whole, 10 * kMonthsPerYear, n.fraction);
      case Unit::kCentury:
        return AddMonths(n.whole, 100 * kMonthsPerYear, n.fraction);
      case Unit::kMillennium:
        return AddMonths(n.whole, 1000 * kMonthsPerYear, n.fraction);
      case Unit::kNone:
        break;
    }
  }

  void AddMicros(int64_t whole, int64_t unit, double fraction) {
    micros_ += static_cast<Int128>(whole) * unit;
    micros_ += static_cast<Int128>(std::llrint(fraction * static_cast<double>(unit)));
  }
  void AddDays(int64_t whole, int unit, double fraction) {
    days_ += static_cast<Int128>(whole) * unit;
    const double days = fraction * unit;
    const double full = std::trunc(days);
    days_ += static_cast<Int128>(full);
    AddMicros(0, kMicrosPerDay, days - full);
  }
  void AddMonths(int64_t whole, int unit, double fraction) {
    months_ += static_cast<Int128>(whole) * unit;
    months_ += static_cast<Int128>(std::llrint(fraction * unit));
  }
  void Negate() {
    micros_ = -micros_;
    days_ = -days_;
    months_ = -months_;
  }
  bool Get(Interval* out) const {
    constexpr Int128 k64 = std::numeric_limits<int64_t>::max();
    constexpr Int128 k32 = std::numeric_limits<int32_t>::max();
    if (micros_ > k64 || micros_ < -k64 - 1 || days_ > k32 || days_ < -k32 - 1 || months_ > k32 ||
        months_ < -k32 - 1) {
      return false;
    }
    *out = {static_cast<int64_t>(micros_), static_cast<int32_t>(days_),
            static_cast<int32_t>(months_)};
    return true;
  }

 private:
  Int128 micros_ = 0;
  Int128 days_ = 0;
  Int128 months_ = 0;
  uint32_t taken_ = 0;  // a bit for each unit
};

// Reads one interval text. Confined to one call.
class Reader {
 public:
  Reader(std::string_view text, std::string_view fields) {
    for (char c : text)
      text_ += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    last_ = LastUnit(fields);
    minute_to_second_ = fields == "minute to second";
  }

  bool Run() {
    if (text_.size() > kMaxText) return false;
    Skip();
    if (at_ < text_.size() && text_[at_] == '@') ++at_, Skip();
    if (at_ == text_.size()) return false;
    if (text_[at_] == 'p' || (text_.compare(at_, 2, "-p") == 0)) return Iso();
    bool any = false;
    for (Skip(); at_ < text_.size(); Skip()) {
      if (IsLetter(text_[at_])) {
        if (Word() != "ago" || !any || at_ != text_.size()) return false;
        sum_.Negate();
        return true;
      }
      if (!Field()) return false;
      any = true;
    }
    return any;
  }

  bool Get(Interval* out) const { return sum_.Get(out); }

 private:
  void Skip() {
    while (at_ < text_.size() && IsSpace(text_[at_]))
      ++at_;
  }

  std::string_view Word() {
    const size_t begin = at_;
    while (at_ < text_.size() && IsLetter(text_[at_]))
      ++at_;
    const std::string_view word = std::string_view(text_).substr(begin, at_ - begin);
    Skip();
    return word;
  }

  bool ReadNumber(Number* number, bool* negative) {
    *negative = at_ < text_.size() && text_[at_] == '-';
    if (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) ++at_;
    const size_t begin = at_;
    while (at_ < text_.size() && IsDigit(text_[at_]))
      ++at_;
    size_t digits = at_ - begin;
    if (digits > 18) return false;
    for (size_t i = begin; i < at_; ++i)
      number->whole = number->whole * 10 + (text_[i] - '0');
    if (at_ < text_.size() && text_[at_] == '.') {
      const size_t point = at_++;
      while (at_ < text_.size() && IsDigit(text_[at_]))
        ++at_;
      digits += at_ - point - 1;
      if (at_ > point + 1) {
        std::from_chars(text_.data() + point, text_.data() + at_, number->fraction);
      }
    }
    if (*negative) {
      number->whole = -number->whole;
      number->fraction = -number->fraction;
    }
    return digits > 0;
  }

  // One number with its unit, a time, or years-months.
  bool Field() {
    Number number;
    bool negative = false;
    if (!ReadNumber(&number, &negative)) return false;
    if (at_ < text_.size() && text_[at_] == ':') return Clock(number.whole, negative);
    if (at_ < text_.size() && text_[at_] == '-' && number.fraction == 0) {
      return YearMonth(number.whole, negative);
    }
    Skip();
    if (at_ < text_.size() && IsLetter(text_[at_])) {
      const size_t word_at = at_;
      const Unit unit = UnitByName(Word());
      if (unit != Unit::kNone) return sum_.Add(unit, number), sum_.Take(unit);
      at_ = word_at;
      if (text_.compare(at_, 3, "ago") != 0) return false;
    }
    const Unit unit = BareUnit();
    sum_.Add(unit, number);
    return sum_.Take(unit);
  }

  // A bare number before a time counts days; the last one is in the literal's own unit.
  Unit BareUnit() const {
    const size_t colon = text_.find(':', at_);
    if (colon != std::string::npos) return Unit::kDay;
    return last_ == Unit::kNone ? Unit::kSecond : last_;
  }

  bool Clock(int64_t hours, bool negative) {
    Number parts[2];
    int count = 0;
    while (at_ < text_.size() && text_[at_] == ':' && count < 2) {
      ++at_;
      bool sign = false;
      if (at_ == text_.size() || !IsDigit(text_[at_])) return false;
      if (!ReadNumber(&parts[count++], &sign)) return false;
    }
    const bool apart = at_ == text_.size() || IsSpace(text_[at_]);
    if (!apart || !sum_.TakeClock()) return false;
    const int64_t sign = negative ? -1 : 1;
    const bool minutes_first = count == 1 && (minute_to_second_ || parts[0].fraction != 0);
    if (minutes_first) {
      sum_.AddMicros(hours, kMicrosPerMinute, 0);
      sum_.AddMicros(sign * parts[0].whole, kMicrosPerSecond,
                     static_cast<double>(sign) * parts[0].fraction);
      return parts[0].whole < 60;
    }
    sum_.AddMicros(hours, kMicrosPerHour, 0);
    sum_.AddMicros(sign * parts[0].whole, kMicrosPerMinute, 0);
    sum_.AddMicros(sign * parts[1].whole, kMicrosPerSecond,
                   static_cast<double>(sign) * parts[1].fraction);
    return parts[0].whole < 60 && parts[1].whole <= 60;
  }

  bool YearMonth(int64_t years, bool negative) {
    ++at_;
    if (at_ == text_.size() || !IsDigit(text_[at_])) return false;
    Number months;
    bool sign = false;
    if (!ReadNumber(&months, &sign) || months.whole >= kMonthsPerYear) return false;
    const bool apart = at_ == text_.size() || IsSpace(text_[at_]);
    if (!apart || !sum_.Take(Unit::kMonth)) return false;
    sum_.AddMonths(years, kMonthsPerYear, 0);
    sum_.AddMonths(negative ? -months.whole : months.whole, 1, 0);
    return true;
  }

  // P1Y2M3W4DT5H6M7S
  bool Iso() {
    const bool negate = text_[at_] == '-';
    at_ += negate ? 2 : 1;
    bool time = false;
    bool any = false;
    while (at_ < text_.size() && !IsSpace(text_[at_])) {
      if (text_[at_] == 't') {
        if (time) return false;
        time = true;
        ++at_;
        continue;
      }
      Number number;
      bool sign = false;
      if (!ReadNumber(&number, &sign) || at_ == text_.size()) return false;
      const Unit unit = IsoUnit(text_[at_++], time);
      if (unit == Unit::kNone) return false;
      sum_.Add(unit, number);
      any = true;
    }
    Skip();
    if (negate) sum_.Negate();
    return any && at_ == text_.size();
  }

  static Unit IsoUnit(char c, bool time) {
    switch (c) {
      case 'y':
        return time ? Unit::kNone : Unit::kYear;
      case 'm':
        return time ? Unit::kMinute : Unit::kMonth;
      case 'w':
        return time ? Unit::kNone : Unit::kWeek;
      case 'd':
        return time ? Unit::kNone : Unit::kDay;
      case 'h':
        return time ? Unit::kHour : Unit::kNone;
      case 's':
        return time ? Unit::kSecond : Unit::kNone;
      default:
        return Unit::kNone;
    }
  }

  std::string text_;
  size_t at_ = 0;
  Unit last_ = Unit::kNone;
  bool minute_to_second_ = false;
  Sum sum_;
};

// Parts of an interval's text; each but the first is set off with a blank.
struct PartWriter {
  std::string& out;
  bool first = true;
  bool negative = false;  // the part before was: a positive one then shows its sign

  void Begin(bool below_zero) {
    if (!first) out += ' ';
    first = false;
    if (negative && !below_zero) out += '+';
    negative = below_zero;
  }
  void Add(int64_t value, std::string_view unit) {
    if (value == 0) return;
    Begin(value < 0);
    out += std::to_string(value);
    out += ' ';
    out += unit;
    if (value != 1) out += 's';
  }
};

void AppendTwo(int64_t number, std::string& out) {
  if (number < 10) out += '0';
  out += std::to_string(number);
}

}  // namespace

Result<Interval> ParseInterval(std::string_view text, std::string_view fields) {
  Reader reader(text, fields);
  if (!reader.Run()) {
    return Error(ErrorKind::kInvalidArgument, "HR2001",
                 "invalid input syntax for type interval: \"" + std::string(text) + "\"");
  }
  Interval interval;
  if (!reader.Get(&interval)) {
    return Error(ErrorKind::kInvalidArgument, "HR2002",
                 "interval field value out of range: \"" + std::string(text) + "\"");
  }
  CutInterval(fields, &interval);
  return interval;
}

void CutInterval(std::string_view fields, Interval* interval) {
  switch (LastUnit(fields)) {
    case Unit::kYear:
      *interval = {0, 0, interval->months / kMonthsPerYear * kMonthsPerYear};
      break;
    case Unit::kMonth:
      *interval = {0, 0, interval->months};
      break;
    case Unit::kDay:
      interval->micros = 0;
      break;
    case Unit::kHour:
      interval->micros -= interval->micros % kMicrosPerHour;
      break;
    case Unit::kMinute:
      interval->micros -= interval->micros % kMicrosPerMinute;
      break;
    default:
      break;
  }
}

void AppendInterval(const Interval& interval, std::string& out) {
  PartWriter writer{out};
  writer.Add(interval.months / kMonthsPerYear, "year");
  writer.Add(interval.months % kMonthsPerYear, "mon");
  writer.Add(interval.days, "day");
  if (interval.micros == 0 && !writer.first) return;
  writer.Begin(interval.micros < 0);
  if (interval.micros < 0) out += '-';
  // Truncating division keeps the sign, so that the smallest value needs no negation.
  const auto part = [&](int64_t unit, int64_t count) {
    return std::abs(count == 0 ? interval.micros / unit : interval.micros / unit % count);
  };
  AppendTwo(part(kMicrosPerHour, 0), out);
  out += ':';
  AppendTwo(part(kMicrosPerMinute, 60), out);
  out += ':';
  AppendTwo(part(kMicrosPerSecond, 60), out);
  int64_t micros = part(1, kMicrosPerSecond);
  if (micros == 0) return;
  out += '.';
  for (int64_t unit = 100'000; micros > 0; unit /= 10) {
    out += static_cast<char>('0' + micros / unit);
    micros %= unit;
  }
}

Int128 IntervalSpan(const Interval& interval) {
  const Int128 days = static_cast<Int128>(interval.months) * kDaysPerMonth + interval.days;
  return days * kMicrosPerDay + interval.micros;
}

}  // namespace headrace::row
