#include "expr/date_parse.h"

#include <string>

#include "expr/date_pattern.h"
#include "row/calendar.h"
#include "row/time_zone.h"

namespace headrace::expr {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool BeginsWith(std::string_view text, std::string_view word) {
  if (text.size() < word.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    if ((text[i] | 32) != (word[i] | 32)) return false;
  }
  return true;
}

// Reads one text by a template. Confined to one call.
class PatternReader {
 public:
  PatternReader(std::string_view text, std::string_view pattern)
      : text_(text), items_(ParseDatePattern(pattern)) {}

  Result<int64_t> Run() {
    for (size_t i = 0; i < items_.size() && at_ < text_.size(); ++i) {
      HR_TRY(Read(i));
    }
    return Finish();
  }

 private:
  Error Invalid(const DatePatternItem& item) const {
    size_t size = item.width;
    if (!item.literal.empty()) size = item.literal.size();
    return Error(ErrorKind::kInvalidArgument, "HR2103",
                 "invalid value \"" + std::string(text_.substr(at_, size)) + "\" for \"" +
                     std::string(item.literal) + "\"");
  }
  Error OutOfRange() const {
    return Error(ErrorKind::kInvalidArgument, "HR2102",
                 "date/time field value out of range: \"" + std::string(text_) + "\"");
  }

  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_]))
      ++at_;
  }

  // A number is as wide as its pattern when digits follow it at once, otherwise as it is written.
  bool FollowedByDigits(size_t i) const {
    if (i + 1 >= items_.size()) return false;
    switch (items_[i + 1].node) {
      case DateNode::kLiteral:
      case DateNode::kSeparator:
      case DateNode::kMonthName:
      case DateNode::kMonthShort:
      case DateNode::kDayName:
      case DateNode::kDayShort:
      case DateNode::kMeridiem:
      case DateNode::kEra:
      case DateNode::kRoman:
        return false;
      default:
        return true;
    }
  }

  Status Number(size_t i, int64_t* number) {
    SkipSpace();
    const DatePatternItem& item = items_[i];
    const size_t begin = at_;
    size_t limit = FollowedByDigits(i) ? item.width : 18;
    bool negative = false;
    if (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) {
      negative = text_[at_] == '-';
      ++at_;
    }
    const size_t first = at_;
    int64_t value = 0;
    while (at_ < text_.size() && IsDigit(text_[at_]) && at_ - first < limit) {
      value = value * 10 + (text_[at_++] - '0');
    }
    if (at_ == first) {
      at_ = begin;
      return Invalid(item);
    }
    digits_ = at_ - first;
    *number = negative ? -value : value;
    return Ok();
  }

  template <size_t kCount>
  bool Name(const std::string_view (&names)[kCount], bool full, int* index) {
    for (size_t i = 0; i < kCount; ++i) {
      const std::string_view name = full ? names[i] : names[i].substr(0, 3);
      if (!BeginsWith(text_.substr(at_), name)) continue;
      at_ += name.size();
      *index = static_cast<int>(i);
      return true;
    }
    return false;
  }

  Status Read(size_t i) {
    const DatePatternItem& item = items_[i];
    switch (item.node) {
      case DateNode::kSeparator:
        // Any separator stands for any other; a letter or digit is left for what follows.
        if (!IsDigit(text_[at_]) && !IsLetter(text_[at_])) ++at_;
        return Ok();
      case DateNode::kLiteral:
        at_ = std::min(at_ + item.literal.size(), text_.size());
        return Ok();
      case DateNode::kYear:
      case DateNode::kIsoYear:
        return Year(i);
      case DateNode::kMonth:
        return Number(i, &month_);
      case DateNode::kDay:
        return Number(i, &day_);
      case DateNode::kDayOfYear:
        return Number(i, &day_of_year_);
      case DateNode::kHour24:
        return Number(i, &hour_);
      case DateNode::kHour12:
        half_day_ = true;
        return Number(i, &hour_);
      case DateNode::kMinute:
        return Number(i, &minute_);
      case DateNode::kSecond:
        return Number(i, &second_);
      case DateNode::kFraction:
        return Fraction(i);
      case DateNode::kSecondOfDay:
        return Number(i, &second_of_day_);
      case DateNode::kJulian:
        return Number(i, &julian_);
      default:
        return Word(item, i);
    }
  }

  Status Word(const DatePatternItem& item, size_t i) {
    int index = 0;
    int64_t ignored = 0;
    switch (item.node) {
      case DateNode::kMonthName:
      case DateNode::kMonthShort:
        SkipSpace();
        if (!Name(kMonthNames, item.node == DateNode::kMonthName, &index)) return Invalid(item);
        month_ = index + 1;
        return Ok();
      case DateNode::kDayName:
      case DateNode::kDayShort:
        SkipSpace();
        return Name(kDayNames, item.node == DateNode::kDayName, &index) ? Ok()
                                                                        : Status(Invalid(item));
      case DateNode::kMeridiem:
        return Meridiem(item);
      case DateNode::kEra: {
        const bool points = item.width == 4;
        const bool before = BeginsWith(text_.substr(at_), points ? "b.c." : "bc");
        if (!before && !BeginsWith(text_.substr(at_), points ? "a.d." : "ad")) {
          return Invalid(item);
        }
        before_christ_ = before;
        at_ += item.width;
        return Ok();
      }
      case DateNode::kZoneHours:
      case DateNode::kZoneOffset:
        return Offset(item);
      default:
        return Number(i, &ignored);  // fields that do not fix a day
    }
  }

  Status Year(size_t i) {
    HR_TRY(Number(i, &year_));
    has_year_ = true;
    // Short years are those nearest to 2020.
    if (items_[i].width < 4 && digits_ < 4) {
      if (year_ < 70) {
        year_ += 2000;
      } else if (year_ < 100) {
        year_ += 1900;
      } else if (year_ < 520) {
        year_ += 2000;
      } else if (year_ < 1000) {
        year_ += 1000;
      }
    }
    return Ok();
  }

  Status Fraction(size_t i) {
    int64_t number = 0;
    HR_TRY(Number(i, &number));
    for (size_t digits = digits_; digits < 6; ++digits)
      number *= 10;
    micros_ = number;
    return digits_ > 6 ? Status(OutOfRange()) : Ok();
  }

  Status Meridiem(const DatePatternItem& item) {
    const bool points = item.width == 4;
    const bool afternoon = BeginsWith(text_.substr(at_), points ? "p.m." : "pm");
    if (!afternoon && !BeginsWith(text_.substr(at_), points ? "a.m." : "am")) return Invalid(item);
    half_day_ = true;
    afternoon_ = afternoon;
    at_ += item.width;
    return Ok();
  }

  Status Offset(const DatePatternItem& item) {
    const size_t begin = at_;
    if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    while (at_ < text_.size() && (IsDigit(text_[at_]) || text_[at_] == ':'))
      ++at_;
    if (row::ParseZoneOffset(text_.substr(begin, at_ - begin), &offset_)) return Ok();
    at_ = begin;
    return Invalid(item);
  }

  Result<int64_t> Finish() {
    if (julian_ >= 0) {
      const int64_t day = julian_ - 2'440'588;
      return Combine(day);
    }
    if (before_christ_ && has_year_) year_ = 1 - year_;
    if (!has_year_) year_ = 0;  // PostgreSQL's 1 BC
    if (day_of_year_ > 0) {
      if (day_of_year_ > (row::IsLeapYear(year_) ? 366 : 365)) return OutOfRange();
      return Combine(row::DaysFromCivil(year_, 1, 1) + day_of_year_ - 1);
    }
    if (month_ < 1 || month_ > 12 || day_ < 1 || year_ > 294'246 || year_ < -4713 ||
        day_ > row::DaysInMonth(year_, static_cast<int>(month_))) {
      return OutOfRange();
    }
    return Combine(row::DaysFromCivil(year_, static_cast<int>(month_), static_cast<int>(day_)));
  }

  Result<int64_t> Combine(int64_t day) {
    if (half_day_) {
      if (hour_ < 1 || hour_ > 12) {
        return Error(ErrorKind::kInvalidArgument, "HR2102",
                     "hour \"" + std::to_string(hour_) + "\" is invalid for the 12-hour clock");
      }
      hour_ = hour_ % 12 + (afternoon_ ? 12 : 0);
    }
    if (day < row::kMinDay || day > row::kMaxTimestampDay || hour_ < 0 || hour_ > 23 ||
        minute_ < 0 || minute_ > 59 || second_ < 0 || second_ > 59 || second_of_day_ > 86'399) {
      return OutOfRange();
    }
    const int64_t seconds =
        second_of_day_ >= 0 ? second_of_day_ : hour_ * 3600 + minute_ * 60 + second_;
    return day * row::kMicrosPerDay + seconds * row::kMicrosPerSecond + micros_ - offset_;
  }

  std::string_view text_;
  std::vector<DatePatternItem> items_;
  size_t at_ = 0;
  size_t digits_ = 0;  // of the last number
  bool has_year_ = false;
  int64_t year_ = 0;
  int64_t month_ = 1;
  int64_t day_ = 1;
  int64_t day_of_year_ = 0;
  int64_t hour_ = 0;
  int64_t minute_ = 0;
  int64_t second_ = 0;
  int64_t second_of_day_ = -1;
  int64_t micros_ = 0;
  int64_t julian_ = -1;
  int64_t offset_ = 0;
  bool half_day_ = false;
  bool afternoon_ = false;
  bool before_christ_ = false;
};

}  // namespace

Result<int64_t> ParseByPattern(std::string_view text, std::string_view pattern) {
  return PatternReader(text, pattern).Run();
}

}  // namespace headrace::expr
