#include "row/time_zone.h"

#include "row/calendar.h"

namespace headrace::row {

struct ZoneTable {
  using Rule = TimeZone::Rule;
  struct Entry {
    std::string_view name;
    TimeZone zone;
  };
  static const Entry kEntries[];
  static std::optional<TimeZone> Find(std::string_view name);
};

namespace {

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool SameWord(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (Lower(a[i]) != Lower(b[i])) return false;
  }
  return true;
}

// Day of the nth Sunday of a month (1 is the first), or of its last one for nth 0.
int64_t Sunday(int64_t year, int month, int nth) {
  const int64_t anchor = nth == 0 ? DaysFromCivil(year, month, DaysInMonth(year, month))
                                  : DaysFromCivil(year, month, 7 * nth);
  // 1970-01-01 was a Thursday; 0 is Sunday.
  const int64_t weekday = ((anchor + 4) % 7 + 7) % 7;
  return anchor - weekday;
}

}  // namespace

const ZoneTable::Entry ZoneTable::kEntries[] = {
    {"utc", {0, Rule::kNone}},
    {"z", {0, Rule::kNone}},
    {"zulu", {0, Rule::kNone}},
    {"gmt", {0, Rule::kNone}},
    {"etc/utc", {0, Rule::kNone}},
    {"etc/gmt", {0, Rule::kNone}},
    {"wet", {0, Rule::kNone}},
    {"bst", {60, Rule::kNone}},
    {"cet", {60, Rule::kNone}},
    {"cest", {120, Rule::kNone}},
    {"eet", {120, Rule::kNone}},
    {"eest", {180, Rule::kNone}},
    {"msk", {180, Rule::kNone}},
    {"jst", {540, Rule::kNone}},
    {"kst", {540, Rule::kNone}},
    {"est", {-300, Rule::kNone}},
    {"edt", {-240, Rule::kNone}},
    {"cst", {-360, Rule::kNone}},
    {"cdt", {-300, Rule::kNone}},
    {"mst", {-420, Rule::kNone}},
    {"mdt", {-360, Rule::kNone}},
    {"pst", {-480, Rule::kNone}},
    {"pdt", {-420, Rule::kNone}},
    {"europe/london", {0, Rule::kEurope}},
    {"europe/dublin", {0, Rule::kEurope}},
    {"europe/lisbon", {0, Rule::kEurope}},
    {"europe/amsterdam", {60, Rule::kEurope}},
    {"europe/berlin", {60, Rule::kEurope}},
    {"europe/brussels", {60, Rule::kEurope}},
    {"europe/budapest", {60, Rule::kEurope}},
    {"europe/copenhagen", {60, Rule::kEurope}},
    {"europe/madrid", {60, Rule::kEurope}},
    {"europe/oslo", {60, Rule::kEurope}},
    {"europe/paris", {60, Rule::kEurope}},
    {"europe/prague", {60, Rule::kEurope}},
    {"europe/rome", {60, Rule::kEurope}},
    {"europe/stockholm", {60, Rule::kEurope}},
    {"europe/vienna", {60, Rule::kEurope}},
    {"europe/warsaw", {60, Rule::kEurope}},
    {"europe/zurich", {60, Rule::kEurope}},
    {"europe/athens", {120, Rule::kEurope}},
    {"europe/helsinki", {120, Rule::kEurope}},
    {"europe/kiev", {120, Rule::kEurope}},
    {"europe/kyiv", {120, Rule::kEurope}},
    {"america/new_york", {-300, Rule::kNorthAmerica}},
    {"us/eastern", {-300, Rule::kNorthAmerica}},
    {"america/toronto", {-300, Rule::kNorthAmerica}},
    {"america/chicago", {-360, Rule::kNorthAmerica}},
    {"us/central", {-360, Rule::kNorthAmerica}},
    {"america/denver", {-420, Rule::kNorthAmerica}},
    {"us/mountain", {-420, Rule::kNorthAmerica}},
    {"america/phoenix", {-420, Rule::kNone}},
    {"america/los_angeles", {-480, Rule::kNorthAmerica}},
    {"us/pacific", {-480, Rule::kNorthAmerica}},
    {"pst8pdt", {-480, Rule::kNorthAmerica}},
    {"mst7mdt", {-420, Rule::kNorthAmerica}},
    {"cst6cdt", {-360, Rule::kNorthAmerica}},
    {"est5edt", {-300, Rule::kNorthAmerica}},
    {"america/anchorage", {-540, Rule::kNorthAmerica}},
    {"america/bogota", {-300, Rule::kNone}},
    {"america/lima", {-300, Rule::kNone}},
    {"pacific/honolulu", {-600, Rule::kNone}},
    {"asia/kolkata", {330, Rule::kNone}},
    {"asia/calcutta", {330, Rule::kNone}},
    {"asia/kathmandu", {345, Rule::kNone}},
    {"asia/dubai", {240, Rule::kNone}},
    {"asia/bangkok", {420, Rule::kNone}},
    {"asia/shanghai", {480, Rule::kNone}},
    {"asia/hong_kong", {480, Rule::kNone}},
    {"asia/singapore", {480, Rule::kNone}},
    {"asia/tokyo", {540, Rule::kNone}},
    {"asia/seoul", {540, Rule::kNone}},
    {"australia/brisbane", {600, Rule::kNone}},
    {"africa/lagos", {60, Rule::kNone}},
    {"africa/johannesburg", {120, Rule::kNone}},
    {"africa/nairobi", {180, Rule::kNone}},
};

std::optional<TimeZone> ZoneTable::Find(std::string_view name) {
  for (const Entry& entry : kEntries) {
    if (SameWord(entry.name, name)) return entry.zone;
  }
  return std::nullopt;
}

bool ParseZoneOffset(std::string_view text, int64_t* offset) {
  if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) return false;
  int64_t parts[3] = {0, 0, 0};
  int count = 0;
  int digits = 0;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == ':') {
      if (digits == 0 || ++count > 2) return false;
      digits = 0;
      continue;
    }
    if (text[i] < '0' || text[i] > '9') return false;
    parts[count] = parts[count] * 10 + (text[i] - '0');
    if (++digits > (count == 0 ? 4 : 2)) return false;
  }
  if (digits == 0) return false;
  if (count == 0 && digits > 2) {
    parts[1] = parts[0] % 100;
    parts[0] /= 100;
  }
  if (parts[0] > 15 || parts[1] > 59 || parts[2] > 59) return false;
  const int64_t seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
  *offset = (text[0] == '-' ? -seconds : seconds) * kMicrosPerSecond;
  return true;
}

std::optional<TimeZone> TimeZone::Find(std::string_view name, bool posix_sign) {
  int64_t offset = 0;
  if (ParseZoneOffset(name, &offset)) {
    const auto minutes = static_cast<int>(offset / kMicrosPerMinute);
    return TimeZone(posix_sign ? -minutes : minutes, Rule::kNone);
  }
  return ZoneTable::Find(name);
}

bool TimeZone::SummerAt(int64_t utc) const {
  if (rule_ == Rule::kNone || utc == kTimeInfinity || utc == kTimeMinusInfinity) return false;
  const int64_t winter = utc + minutes_ * kMicrosPerMinute;
  const int64_t year = BreakMicros(winter).date.year;
  if (rule_ == Rule::kEurope) {
    if (year < 1980) return false;
    const int64_t begin = year == 1980 ? DaysFromCivil(1980, 4, 6) : Sunday(year, 3, 0);
    const int64_t end = Sunday(year, year < 1996 ? 9 : 10, 0);
    return utc >= begin * kMicrosPerDay + kMicrosPerHour &&
           utc < end * kMicrosPerDay + kMicrosPerHour;
  }
  if (year < 1967) return false;
  const int64_t begin = year >= 2007   ? Sunday(year, 3, 2)
                        : year >= 1987 ? Sunday(year, 4, 1)
                                       : Sunday(year, 4, 0);
  const int64_t end = year >= 2007 ? Sunday(year, 11, 1) : Sunday(year, 10, 0);
  // Both changes are at 2:00 of the clocks then in force.
  return winter >= begin * kMicrosPerDay + 2 * kMicrosPerHour &&
         winter < end * kMicrosPerDay + kMicrosPerHour;
}

int64_t TimeZone::ToLocal(int64_t utc) const {
  if (utc == kTimeInfinity || utc == kTimeMinusInfinity) return utc;
  return utc + minutes_ * kMicrosPerMinute + (SummerAt(utc) ? kMicrosPerHour : 0);
}

int64_t TimeZone::ToUtc(int64_t local) const {
  if (local == kTimeInfinity || local == kTimeMinusInfinity) return local;
  const int64_t winter = local - minutes_ * kMicrosPerMinute;
  const int64_t summer = winter - kMicrosPerHour;
  return SummerAt(summer) && SummerAt(winter) ? summer : winter;
}

}  // namespace headrace::row
