#include <optional>
#include <string>

#include "row/calendar.h"
#include "row/datetime_text.h"
#include "row/time_zone.h"

namespace headrace::row {
namespace {

enum class Outcome { kOk, kSyntax, kRange };

constexpr size_t kMaxText = 128;  // longer texts are no date

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// 1 to 12, or 0. Abbreviations have three letters (and "sept").
int MonthByName(std::string_view word) {
  static constexpr std::string_view kNames[] = {"january",   "february", "march",    "april",
                                                "may",       "june",     "july",     "august",
                                                "september", "october",  "november", "december"};
  for (int i = 0; i < 12; ++i) {
    if (word == kNames[i] || word == kNames[i].substr(0, 3)) return i + 1;
  }
  return word == "sept" ? 9 : 0;
}

bool IsDayName(std::string_view word) {
  static constexpr std::string_view kNames[] = {"sunday",   "monday", "tuesday", "wednesday",
                                                "thursday", "friday", "saturday"};
  for (std::string_view name : kNames) {
    if (word == name || word == name.substr(0, 3)) return true;
  }
  return word == "tues" || word == "thur" || word == "thurs" || word == "wednes";
}

// Reads one date/time text into fields. Confined to one call.
class Reader {
 public:
  // With `time_only` a run of digits is a time of day: '040506'.
  explicit Reader(std::string_view text, bool time_only = false) : time_only_(time_only) {
    for (char c : text)
      lower_ += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }

  Outcome Run() {
    if (lower_.size() > kMaxText) return Outcome::kSyntax;
    size_t at = 0;
    while (at < lower_.size()) {
      if (IsSpace(lower_[at]) || lower_[at] == ',') {
        ++at;
        continue;
      }
      size_t end = at;
      while (end < lower_.size() && !IsSpace(lower_[end]) && lower_[end] != ',')
        ++end;
      const Outcome outcome = Token(std::string_view(lower_).substr(at, end - at));
      if (outcome != Outcome::kOk) return outcome;
      at = end;
    }
    return Finish();
  }

  std::optional<int64_t> special;  // microseconds
  bool has_date = false;
  bool has_time = false;
  int64_t days = 0;
  int64_t micros_of_day = 0;  // 24:00:00 included
  std::optional<TimeZone> zone;

 private:
  Outcome Token(std::string_view token) {
    if (IsDigit(token[0])) return NumberToken(token);
    if (token[0] == '+' || token[0] == '-') {
      if (token == "-infinity") return special = kTimeMinusInfinity, Outcome::kOk;
      return SetZone(token);
    }
    if (!IsLetter(token[0])) return Outcome::kSyntax;
    // Jan-08-1999
    const size_t dash = token.find('-');
    const bool date = dash != std::string_view::npos && MonthByName(token.substr(0, dash)) > 0;
    return date ? DateToken(token) : WordToken(token);
  }

  Outcome NumberToken(std::string_view token) {
    const size_t t = token.find('t');
    if (t != std::string_view::npos && t + 1 < token.size() && IsDigit(token[t + 1]) &&
        IsDigit(token[t - 1])) {
      const Outcome date = DateToken(token.substr(0, t));
      return date == Outcome::kOk ? TimeToken(token.substr(t + 1)) : date;
    }
    const size_t digits = CountDigits(token);
    if (digits < token.size() && token[digits] == ':') return TimeToken(token);
    if (digits + 2 == token.size() &&
        (token.substr(digits) == "am" || token.substr(digits) == "pm")) {
      return TimeToken(token);
    }
    return DateToken(token);
  }

  static size_t CountDigits(std::string_view text) {
    size_t n = 0;
    while (n < text.size() && IsDigit(text[n]))
      ++n;
    return n;
  }

  static bool Number(std::string_view text, int64_t* out) {
    if (text.empty() || text.size() > 9 || CountDigits(text) != text.size()) return false;
    *out = 0;
    for (char c : text)
      *out = *out * 10 + (c - '0');
    return true;
  }

  Outcome DateToken(std::string_view token) {
    if (CountDigits(token) == token.size()) return DigitsToken(token);
    std::string_view parts[3];
    int count = 0;
    size_t begin = 0;
    const char separator =
        token[token.find_first_of("-/.") == std::string_view::npos ? 0
                                                                   : token.find_first_of("-/.")];
    for (size_t i = 0; i <= token.size(); ++i) {
      if (i < token.size() && token[i] != separator) continue;
      if (count == 3) {
        // "2024-01-01-08": the rest is a zone.
        return Outcome::kSyntax;
      }
      parts[count++] = token.substr(begin, i - begin);
      begin = i + 1;
    }
    if (has_date) return Outcome::kSyntax;
    if (count == 2 && separator != '/') return DayOfYear(parts[0], parts[1]);
    return count == 3 ? DateParts(parts) : Outcome::kSyntax;
  }

  // 2024-060
  Outcome DayOfYear(std::string_view year_text, std::string_view day_text) {
    int64_t year = 0;
    int64_t day = 0;
    if (year_text.size() != 4 || day_text.size() != 3 || !Number(year_text, &year) ||
        !Number(day_text, &day)) {
      return Outcome::kSyntax;
    }
    const int64_t length = DaysInMonth(year, 2) + 337;
    if (day < 1 || day > length) return Outcome::kRange;
    const Civil date = CivilFromDays(DaysFromCivil(year, 1, 1) + day - 1);
    return SetDate(year, date.month, date.day, false);
  }

  Outcome DateParts(const std::string_view (&parts)[3]) {
    int64_t numbers[3] = {0, 0, 0};
    int named = -1;
    for (int i = 0; i < 3; ++i) {
      if (Number(parts[i], &numbers[i])) continue;
      numbers[i] = MonthByName(parts[i]);
      if (numbers[i] == 0 || named >= 0) return Outcome::kSyntax;
      named = i;
    }
    if (named == 0) return SetDate(numbers[2], numbers[0], numbers[1], parts[2].size() <= 2);
    if (parts[0].size() > 2) return SetDate(numbers[0], numbers[1], numbers[2], false);
    if (named == 1) return SetDate(numbers[2], numbers[1], numbers[0], parts[2].size() <= 2);
    return SetDate(numbers[2], numbers[0], numbers[1], parts[2].size() <= 2);
  }

  // A run of digits: YYYYMMDD, YYMMDD, HHMMSS behind a date, or a day or year beside a month name.
  Outcome DigitsToken(std::string_view token) {
    int64_t number = 0;
    if (!Number(token, &number)) return Outcome::kSyntax;
    if (time_only_ && !has_time && (token.size() == 6 || token.size() == 4)) {
      return TimeToken(token);
    }
    if (!has_date && month_ == 0 && (token.size() == 8 || token.size() == 6)) {
      return SetDate(number / 10'000, number / 100 % 100, number % 100, token.size() == 6);
    }
    if (has_date && !has_time && (token.size() == 6 || token.size() == 4)) return TimeToken(token);
    if (has_date) return Outcome::kSyntax;
    if (token.size() > 2) {
      if (year_) return Outcome::kSyntax;
      year_ = number;
    } else if (day_ == 0) {
      day_ = static_cast<int>(number);
      if (day_ == 0) return Outcome::kRange;
    } else if (!year_) {
      year_ = number;
      short_year_ = true;
    } else {
      return Outcome::kSyntax;
    }
    return Outcome::kOk;
  }

  Outcome SetDate(int64_t year, int64_t month, int64_t day, bool short_year) {
    if (has_date) return Outcome::kSyntax;
    has_date = true;
    year_ = year;
    short_year_ = short_year;
    month_ = static_cast<int>(month);
    day_ = static_cast<int>(day);
    return month < 1 || month > 12 || day < 1 || day > 31 ? Outcome::kRange : Outcome::kOk;
  }

  // HH:MM[:SS[.ffffff]], HHMM[SS], with AM, PM or a zone attached.
  Outcome TimeToken(std::string_view token) {
    if (has_time) return Outcome::kSyntax;
    size_t end = 0;
    while (end < token.size() && (IsDigit(token[end]) || token[end] == ':' || token[end] == '.')) {
      ++end;
    }
    const Outcome outcome = ClockText(token.substr(0, end));
    if (outcome != Outcome::kOk) return outcome;
    has_time = true;
    const std::string_view rest = token.substr(end);
    if (rest.empty()) return Outcome::kOk;
    return IsLetter(rest[0]) ? WordToken(rest) : SetZone(rest);
  }

  Outcome ClockText(std::string_view text) {
    const size_t point = text.find('.');
    if (point != std::string_view::npos && !Fraction(text.substr(point + 1))) {
      return Outcome::kSyntax;
    }
    const std::string_view whole = text.substr(0, point);
    int64_t parts[3] = {0, 0, 0};
    if (whole.find(':') == std::string_view::npos) {
      int64_t number = 0;
      if (!Number(whole, &number)) return Outcome::kSyntax;
      if (whole.size() <= 2) {
        parts[0] = number;
      } else if (whole.size() == 6) {
        parts[0] = number / 10'000, parts[1] = number / 100 % 100, parts[2] = number % 100;
      } else if (whole.size() == 4) {
        parts[0] = number / 100, parts[1] = number % 100;
      } else {
        return Outcome::kSyntax;
      }
    } else {
      size_t begin = 0;
      int count = 0;
      for (size_t i = 0; i <= whole.size(); ++i) {
        if (i < whole.size() && whole[i] != ':') continue;
        if (count == 3 || !Number(whole.substr(begin, i - begin), &parts[count])) {
          return Outcome::kSyntax;
        }
        ++count;
        begin = i + 1;
      }
      if (point != std::string_view::npos && count < 3) return Outcome::kSyntax;
    }
    if (parts[0] > 24 || parts[1] > 59 || parts[2] > 60) return Outcome::kRange;
    hour_ = static_cast<int>(parts[0]);
    micros_of_day = parts[1] * kMicrosPerMinute + parts[2] * kMicrosPerSecond + fraction_;
    if (hour_ == 24 && micros_of_day > 0) return Outcome::kRange;
    return Outcome::kOk;
  }

  bool Fraction(std::string_view digits) {
    if (CountDigits(digits) != digits.size()) return false;
    int64_t value = 0;
    for (size_t i = 0; i < 6; ++i)
      value = value * 10 + (i < digits.size() ? digits[i] - '0' : 0);
    if (digits.size() > 6 && digits[6] >= '5') ++value;
    fraction_ = value;
    return true;
  }

  Outcome SetZone(std::string_view text) {
    if (zone || (!has_time && !has_date && month_ == 0)) return Outcome::kSyntax;
    zone = TimeZone::Find(text);
    return zone ? Outcome::kOk : Outcome::kSyntax;
  }

  Outcome WordToken(std::string_view word) {
    if (word == "epoch") return special = 0, Outcome::kOk;
    if (word == "infinity" || word == "+infinity") return special = kTimeInfinity, Outcome::kOk;
    if (word == "allballs") {
      has_time = true;
      zone = TimeZone::Find("utc");
      return Outcome::kOk;
    }
    if (word == "am" || word == "pm") {
      if (!has_time && word.empty()) return Outcome::kSyntax;
      meridiem_ = word[0];
      return Outcome::kOk;
    }
    if (word == "bc" || word == "ad") return before_christ_ = word == "bc", Outcome::kOk;
    if (IsDayName(word)) return Outcome::kOk;
    if (const int month = MonthByName(word); month > 0) {
      if (month_ > 0) return Outcome::kSyntax;
      month_ = month;
      return Outcome::kOk;
    }
    if (word[0] == 'j' && word.size() > 1 && CountDigits(word.substr(1)) == word.size() - 1) {
      int64_t julian = 0;
      if (!Number(word.substr(1), &julian)) return Outcome::kRange;
      julian_ = julian - 2'440'588;
      return Outcome::kOk;
    }
    if (word[0] == 't' && word.size() > 1 && IsDigit(word[1])) return TimeToken(word.substr(1));
    if (word == "t") return Outcome::kOk;
    return SetZone(word);
  }

  Outcome Finish() {
    if (special) return has_date || has_time ? Outcome::kSyntax : Outcome::kOk;
    if (julian_) {
      has_date = true;
      days = *julian_;
    } else if (month_ > 0 || year_ || day_ > 0) {
      if (month_ == 0 || day_ == 0 || !year_) return Outcome::kSyntax;
      has_date = true;
      int64_t year = *year_;
      if (short_year_ && !before_christ_) year += year < 70 ? 2000 : 1900;
      if (year == 0) return Outcome::kRange;
      if (before_christ_) year = 1 - year;
      if (day_ > DaysInMonth(year, month_)) return Outcome::kRange;
      days = DaysFromCivil(year, month_, day_);
      if (days < kMinDay || days > kMaxDateDay) return Outcome::kRange;
    }
    if (meridiem_ != 0) {
      if (!has_time) return Outcome::kSyntax;
      if (hour_ < 1 || hour_ > 12) return Outcome::kRange;
      hour_ = hour_ % 12 + (meridiem_ == 'p' ? 12 : 0);
    }
    micros_of_day += hour_ * kMicrosPerHour;
    return micros_of_day > kMicrosPerDay ? Outcome::kRange : Outcome::kOk;  // 23:59:60.5
  }

  std::string lower_;
  std::optional<int64_t> year_;
  bool time_only_;
  bool short_year_ = false;  // two digits: of 1970 to 2069
  std::optional<int64_t> julian_;
  int month_ = 0;
  int day_ = 0;
  int hour_ = 0;
  int64_t fraction_ = 0;
  char meridiem_ = 0;
  bool before_christ_ = false;
};

Error Failure(Outcome outcome, std::string_view type, std::string_view text) {
  if (outcome == Outcome::kRange) {
    return Error(ErrorKind::kInvalidArgument, "HR2002",
                 "date/time field value out of range: \"" + std::string(text) + "\"");
  }
  return Error(
      ErrorKind::kInvalidArgument, "HR2001",
      "invalid input syntax for type " + std::string(type) + ": \"" + std::string(text) + "\"");
}

Result<int64_t> Timestamp(std::string_view text, std::string_view type, bool with_zone) {
  Reader reader(text);
  const Outcome outcome = reader.Run();
  if (outcome != Outcome::kOk) return Failure(outcome, type, text);
  if (reader.special) return *reader.special;
  if (!reader.has_date) return Failure(Outcome::kSyntax, type, text);
  if (reader.days > kMaxTimestampDay) {
    return Error(ErrorKind::kInvalidArgument, "HR2002",
                 "timestamp out of range: \"" + std::string(text) + "\"");
  }
  const int64_t local = reader.days * kMicrosPerDay + reader.micros_of_day;
  return with_zone && reader.zone ? reader.zone->ToUtc(local) : local;
}

}  // namespace

Result<int64_t> ParseDate(std::string_view text) {
  Reader reader(text);
  const Outcome outcome = reader.Run();
  if (outcome != Outcome::kOk) return Failure(outcome, "date", text);
  if (reader.special) return *reader.special == 0 ? 0 : *reader.special;
  if (!reader.has_date) return Failure(Outcome::kSyntax, "date", text);
  return reader.days;
}

Result<int64_t> ParseTime(std::string_view text) {
  Reader reader(text, true);
  const Outcome outcome = reader.Run();
  if (outcome != Outcome::kOk) return Failure(outcome, "time", text);
  if (reader.special || !reader.has_time) return Failure(Outcome::kSyntax, "time", text);
  return reader.micros_of_day;
}

Result<int64_t> ParseTimestamp(std::string_view text) {
  return Timestamp(text, "timestamp", false);
}

Result<int64_t> ParseTimestampTz(std::string_view text) {
  return Timestamp(text, "timestamp with time zone", true);
}

}  // namespace headrace::row
