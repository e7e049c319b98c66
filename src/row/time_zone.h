#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace headrace::row {

// A time zone: an offset and a rule for summer time. Zones are compiled in, not read from the
// machine, so that a replay gives the same answer everywhere. Covered: UTC offsets, the usual
// abbreviations, and the larger zones of the tz database from 1970 on (1980 for Europe). Value
// type, immutable.
class TimeZone {
 public:
  // "UTC", "Europe/Berlin" (any case), "EST", "+02", "-05:30", "+0530". With `posix_sign` a bare
  // offset counts west as positive, as PostgreSQL's AT TIME ZONE does.
  static std::optional<TimeZone> Find(std::string_view name, bool posix_sign = false);

  // What the zone's clocks show at that moment, as microseconds.
  int64_t ToLocal(int64_t utc) const;
  // The moment at which they show it; a time skipped or repeated counts as winter time.
  int64_t ToUtc(int64_t local) const;

 private:
  enum class Rule : uint8_t { kNone, kEurope, kNorthAmerica };

  constexpr TimeZone(int minutes, Rule rule) : minutes_(minutes), rule_(rule) {}

  bool SummerAt(int64_t utc) const;

  friend struct ZoneTable;

  int minutes_;  // of the winter time, east of Greenwich
  Rule rule_;
};

// Offset text: "+hh", "+hhmm", "+hh:mm", "+hh:mm:ss". In microseconds; false when malformed.
bool ParseZoneOffset(std::string_view text, int64_t* offset);

}  // namespace headrace::row
