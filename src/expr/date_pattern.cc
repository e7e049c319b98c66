#include "expr/date_pattern.h"

namespace headrace::expr {
namespace {

struct Keyword {
  std::string_view text;  // upper case
  DateNode node;
  uint8_t width;
  bool any_case;  // lower case means the same; otherwise the case says how to write
};

// Longer keywords before their beginnings.
constexpr Keyword kKeywords[] = {
    {"A.D.", DateNode::kEra, 4, false},        {"A.M.", DateNode::kMeridiem, 4, false},
    {"AD", DateNode::kEra, 2, false},          {"AM", DateNode::kMeridiem, 2, false},
    {"B.C.", DateNode::kEra, 4, false},        {"BC", DateNode::kEra, 2, false},
    {"CC", DateNode::kCentury, 2, true},       {"DAY", DateNode::kDayName, 9, false},
    {"DDD", DateNode::kDayOfYear, 3, true},    {"DD", DateNode::kDay, 2, true},
    {"DY", DateNode::kDayShort, 3, false},     {"D", DateNode::kDayOfWeek, 1, true},
    {"FF1", DateNode::kFraction, 1, true},     {"FF2", DateNode::kFraction, 2, true},
    {"FF3", DateNode::kFraction, 3, true},     {"FF4", DateNode::kFraction, 4, true},
    {"FF5", DateNode::kFraction, 5, true},     {"FF6", DateNode::kFraction, 6, true},
    {"HH24", DateNode::kHour24, 2, true},      {"HH12", DateNode::kHour12, 2, true},
    {"HH", DateNode::kHour12, 2, true},        {"IDDD", DateNode::kIsoDayOfYear, 3, true},
    {"ID", DateNode::kIsoDayOfWeek, 1, true},  {"IW", DateNode::kIsoWeek, 2, true},
    {"IYYY", DateNode::kIsoYear, 4, true},     {"IYY", DateNode::kIsoYear, 3, true},
    {"IY", DateNode::kIsoYear, 2, true},       {"I", DateNode::kIsoYear, 1, true},
    {"J", DateNode::kJulian, 7, true},         {"MI", DateNode::kMinute, 2, true},
    {"MM", DateNode::kMonth, 2, true},         {"MONTH", DateNode::kMonthName, 9, false},
    {"MON", DateNode::kMonthShort, 3, false},  {"MS", DateNode::kFraction, 3, true},
    {"OF", DateNode::kZoneOffset, 3, true},    {"P.M.", DateNode::kMeridiem, 4, false},
    {"PM", DateNode::kMeridiem, 2, false},     {"Q", DateNode::kQuarter, 1, true},
    {"RM", DateNode::kRoman, 4, false},        {"SSSSS", DateNode::kSecondOfDay, 5, true},
    {"SSSS", DateNode::kSecondOfDay, 5, true}, {"SS", DateNode::kSecond, 2, true},
    {"TZH", DateNode::kZoneHours, 3, true},    {"TZM", DateNode::kZoneMinutes, 2, true},
    {"TZ", DateNode::kZone, 3, false},         {"US", DateNode::kFraction, 6, true},
    {"WW", DateNode::kWeekOfYear, 2, true},    {"W", DateNode::kWeekOfMonth, 1, true},
    {"Y,YYY", DateNode::kYearComma, 5, true},  {"YYYY", DateNode::kYear, 4, true},
    {"YYY", DateNode::kYear, 3, true},         {"YY", DateNode::kYear, 2, true},
    {"Y", DateNode::kYear, 1, true},
};

char Upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

bool IsLower(char c) {
  return c >= 'a' && c <= 'z';
}

bool BeginsWith(std::string_view text, std::string_view upper) {
  if (text.size() < upper.size()) return false;
  for (size_t i = 0; i < upper.size(); ++i) {
    if (Upper(text[i]) != upper[i]) return false;
  }
  return true;
}

const Keyword* FindKeyword(std::string_view text) {
  for (const Keyword& keyword : kKeywords) {
    if (BeginsWith(text, keyword.text)) return &keyword;
  }
  return nullptr;
}

bool IsSeparator(char c) {
  const char upper = Upper(c);
  return !(upper >= 'A' && upper <= 'Z') && !(c >= '0' && c <= '9') &&
         static_cast<unsigned char>(c) < 0x80;
}

}  // namespace

std::vector<DatePatternItem> ParseDatePattern(std::string_view pattern) {
  std::vector<DatePatternItem> items;
  const auto literal = [&](size_t at, size_t size, DateNode node) {
    DatePatternItem item;
    item.node = node;
    item.literal = pattern.substr(at, size);
    items.push_back(item);
  };
  for (size_t at = 0; at < pattern.size();) {
    if (pattern[at] == '"') {
      size_t end = at + 1;
      while (end < pattern.size() && pattern[end] != '"')
        ++end;
      literal(at + 1, end - at - 1, DateNode::kLiteral);
      at = end + 1;
      continue;
    }
    bool fill = true;
    const size_t begin = at;
    for (; BeginsWith(pattern.substr(at), "FM") || BeginsWith(pattern.substr(at), "TM"); at += 2) {
      fill = false;  // TM, too, pads no names
    }
    if (BeginsWith(pattern.substr(at), "FX")) at += 2;
    const Keyword* keyword = FindKeyword(pattern.substr(at));
    if (keyword == nullptr) {
      if (at > begin && at < pattern.size()) continue;
      if (at < pattern.size()) {
        literal(at, 1, IsSeparator(pattern[at]) ? DateNode::kSeparator : DateNode::kLiteral);
      }
      ++at;
      continue;
    }
    DatePatternItem item;
    item.node = keyword->node;
    item.width = keyword->width;
    item.fill = fill;
    const std::string_view written = pattern.substr(at, keyword->text.size());
    item.literal = written;
    if (!keyword->any_case) {
      item.letters = IsLower(written[0])                         ? LetterCase::kLower
                     : written.size() > 1 && IsLower(written[1]) ? LetterCase::kTitle
                                                                 : LetterCase::kUpper;
    }
    at += written.size();
    if (BeginsWith(pattern.substr(at), "TH")) {
      item.ordinal = true;
      item.ordinal_lower = IsLower(pattern[at]);
      at += 2;
    }
    items.push_back(item);
  }
  return items;
}

}  // namespace headrace::expr
