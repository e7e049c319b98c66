#include "row/datetime_text.h"

#include <cstring>

#include "row/calendar.h"
#include "row/text.h"

namespace headrace::row {
namespace {

constexpr size_t kMaxDateText = 40;

void PutTwo(char* to, int number) {
  to[0] = static_cast<char>('0' + number / 10);
  to[1] = static_cast<char>('0' + number % 10);
}

// At least four digits. Returns the end.
char* PutYear(char* to, int64_t year) {
  char digits[20];
  int count = 0;
  for (; year > 0 || count < 4; year /= 10)
    digits[count++] = static_cast<char>('0' + year % 10);
  while (count > 0)
    *to++ = digits[--count];
  return to;
}

char* PutDate(char* to, const Civil& date) {
  to = PutYear(to, date.year > 0 ? date.year : 1 - date.year);
  to[0] = '-';
  PutTwo(to + 1, date.month);
  to[3] = '-';
  PutTwo(to + 4, date.day);
  return to + 6;
}

// HH:MM:SS and the fraction without trailing zeros.
char* PutTime(char* to, int hour, int minute, int second, int micros) {
  PutTwo(to, hour);
  to[2] = ':';
  PutTwo(to + 3, minute);
  to[5] = ':';
  PutTwo(to + 6, second);
  to += 8;
  if (micros == 0) return to;
  *to++ = '.';
  for (int unit = 100'000; micros > 0; unit /= 10) {
    *to++ = static_cast<char>('0' + micros / unit);
    micros %= unit;
  }
  return to;
}

bool AppendInfinity(int64_t value, std::string& out) {
  if (value == kTimeInfinity) return out += "infinity", true;
  if (value == kTimeMinusInfinity) return out += "-infinity", true;
  return false;
}

char* PutTimestamp(char* to, const Broken& b, char separator) {
  to = PutDate(to, b.date);
  *to++ = separator;
  return PutTime(to, b.hour, b.minute, b.second, b.micros);
}

void AppendMoment(int64_t micros, std::string& out, char separator, std::string_view zone) {
  if (AppendInfinity(micros, out)) return;
  const Broken b = BreakMicros(micros);
  char buffer[kMaxDateText];
  char* const end = PutTimestamp(buffer, b, separator);
  out.append(buffer, static_cast<size_t>(end - buffer));
  out += zone;
  if (b.date.year <= 0) out += " BC";
}

// Two digits at p, or a value of at least 1000 when they are none.
inline unsigned TwoDigits(const char* p) {
  const auto tens = static_cast<unsigned>(static_cast<unsigned char>(p[0])) - '0';
  const auto ones = static_cast<unsigned>(static_cast<unsigned char>(p[1])) - '0';
  return tens > 9 || ones > 9 ? 1000 : tens * 10 + ones;
}

// The fraction behind the point: microseconds, rounded half up. Moves p behind the digits; false
// when there is none.
bool ReadFraction(const char*& p, const char* end, int64_t* micros) {
  const char* const begin = p;
  int64_t value = 0;
  for (; p != end && *p >= '0' && *p <= '9'; ++p) {
    if (p - begin < 6) value = value * 10 + (*p - '0');
  }
  const auto digits = p - begin;
  if (digits == 0) return false;
  for (auto i = digits; i < 6; ++i)
    value *= 10;
  if (digits > 6 && begin[6] >= '5') ++value;
  *micros = value;
  return true;
}

// `Z` or `+hh:mm` up to the end, in microseconds.
bool ReadOffset(const char* p, const char* end, int64_t* offset) {
  if (p == end) return false;
  if (*p == 'Z' || *p == 'z') {
    *offset = 0;
    return end - p == 1;
  }
  if (end - p != 6 || (*p != '+' && *p != '-') || p[3] != ':') return false;
  const unsigned hours = TwoDigits(p + 1);
  const unsigned minutes = TwoDigits(p + 4);
  if (hours > 23 || minutes > 59) return false;
  *offset = static_cast<int64_t>(hours * 60 + minutes) * kMicrosPerMinute * (*p == '-' ? -1 : 1);
  return true;
}

}  // namespace

void AppendDate(int64_t days, std::string& out) {
  if (AppendInfinity(days, out)) return;
  const Civil date = CivilFromDays(days);
  char buffer[kMaxDateText];
  out.append(buffer, static_cast<size_t>(PutDate(buffer, date) - buffer));
  if (date.year <= 0) out += " BC";
}

void AppendTime(int64_t micros, std::string& out) {
  char buffer[kMaxDateText];
  const char* const end = PutTime(buffer, static_cast<int>(micros / kMicrosPerHour),
                                  static_cast<int>(micros / kMicrosPerMinute % 60),
                                  static_cast<int>(micros / kMicrosPerSecond % 60),
                                  static_cast<int>(micros % kMicrosPerSecond));
  out.append(buffer, static_cast<size_t>(end - buffer));
}

void AppendTimestamp(int64_t micros, std::string& out, char separator) {
  AppendMoment(micros, out, separator, "");
}

void AppendTimestampTz(int64_t micros, std::string& out) {
  AppendMoment(micros, out, ' ', "+00");
}

void AppendRfc3339(int64_t micros, std::string& out) {
  if (AppendInfinity(micros, out)) return;
  Broken b = BreakMicros(micros);
  const int fraction = b.micros;
  b.micros = 0;
  char buffer[kMaxDateText + 8];
  char* end = PutTimestamp(buffer, b, 'T');
  if (fraction != 0) {
    *end++ = '.';
    PutTwo(end, fraction / 10'000);
    PutTwo(end + 2, fraction / 100 % 100);
    PutTwo(end + 4, fraction % 100);
    end += 6;
  }
  *end++ = 'Z';
  out.append(buffer, static_cast<size_t>(end - buffer));
  if (b.date.year <= 0) out += " BC";
}

bool ParseRfc3339(std::string_view text, int64_t* micros) {
  if (text.size() < 20) return false;
  const char* p = text.data();
  const char* const end = p + text.size();
  const unsigned century = TwoDigits(p);
  const unsigned year_part = TwoDigits(p + 2);
  const unsigned month = TwoDigits(p + 5);
  const unsigned day = TwoDigits(p + 8);
  const unsigned hour = TwoDigits(p + 11);
  const unsigned minute = TwoDigits(p + 14);
  const unsigned second = TwoDigits(p + 17);
  const bool punctuated =
      p[4] == '-' && p[7] == '-' && (p[10] == 'T' || p[10] == 't') && p[13] == ':' && p[16] == ':';
  // 60 is a leap second: the first of the next minute, as PostgreSQL has it.
  if (!punctuated || century > 99 || year_part > 99 || month - 1 > 11 || day == 0 || hour > 23 ||
      minute > 59 || second > 60) {
    return false;
  }
  const auto year = static_cast<int64_t>(century * 100 + year_part);
  if (day > 28 && static_cast<int>(day) > DaysInMonth(year, static_cast<int>(month))) return false;
  p += 19;
  int64_t fraction = 0;
  if (*p == '.') {
    ++p;
    if (!ReadFraction(p, end, &fraction)) return false;
  }
  int64_t offset = 0;
  if (!ReadOffset(p, end, &offset)) return false;
  const int64_t days = DaysFromCivil(year, static_cast<int>(month), static_cast<int>(day));
  *micros = (days * 24 + hour) * kMicrosPerHour +
            (minute * int64_t{60} + second) * kMicrosPerSecond + fraction - offset;
  return true;
}

}  // namespace headrace::row
