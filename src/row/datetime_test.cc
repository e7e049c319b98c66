#include <gtest/gtest.h>

#include "row/calendar.h"
#include "row/datetime_text.h"
#include "row/text.h"
#include "row/time_zone.h"

namespace headrace::row {
namespace {

std::string Tz(std::string_view text) {
  const auto moment = ParseTimestampTz(text);
  if (!moment.ok()) return moment.error().message();
  std::string out;
  AppendTimestampTz(moment.value(), out);
  return out;
}

std::string Date(std::string_view text) {
  const auto days = ParseDate(text);
  if (!days.ok()) return days.error().message();
  std::string out;
  AppendDate(days.value(), out);
  return out;
}

TEST(Calendar, GoesThereAndBackOverEightHundredYears) {
  for (int64_t day = DaysFromCivil(1600, 1, 1); day < DaysFromCivil(2400, 1, 1); ++day) {
    const Civil date = CivilFromDays(day);
    ASSERT_EQ(DaysFromCivil(date.year, date.month, date.day), day);
    ASSERT_LE(date.day, DaysInMonth(date.year, date.month));
  }
}

TEST(Rfc3339, ReadsOffsetsAndFractions) {
  const auto parse = [](std::string_view text) {
    int64_t micros = -1;
    EXPECT_TRUE(ParseRfc3339(text, &micros)) << text;
    std::string out;
    AppendRfc3339(micros, out);
    return out;
  };
  EXPECT_EQ(parse("2026-01-31T23:59:59.000001Z"), "2026-01-31T23:59:59.000001Z");
  EXPECT_EQ(parse("2026-01-31T23:59:59Z"), "2026-01-31T23:59:59Z");
  EXPECT_EQ(parse("2026-01-31T23:59:59.5+05:45"), "2026-01-31T18:14:59.500000Z");
  EXPECT_EQ(parse("1969-12-31T19:00:00-05:00"), "1970-01-01T00:00:00Z");
  EXPECT_EQ(parse("2024-02-29t00:00:00.1234567z"), "2024-02-29T00:00:00.123457Z");
  EXPECT_EQ(parse("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00Z");
  EXPECT_EQ(parse("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00Z");
}

TEST(Rfc3339, TakesNothingElse) {
  int64_t micros = 0;
  for (const char* text :
       {"", "2026-01-31", "2026-01-31T23:59:59", "2026-01-31 23:59:59Z", "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
        "2026-01-31T24:00:00Z", "2026-01-31T23:60:00Z", "2026-01-31T23:59:61Z",
        "2026-01-31T23:59:59.Z", "2026-01-31T23:59:59+0100", "2026-01-31T23:59:59+01",
        "2026-01-31T23:59:59Zx", "2026-01-31T23:59:59+24:00", "2026-1-31T23:59:59Z ",
        "+026-01-31T23:59:59Z", "2026-01-31T2 :59:59Z"}) {
    EXPECT_FALSE(ParseRfc3339(text, &micros)) << text;
  }
}

TEST(TimestampText, ReadsWhatPostgresqlReads) {
  EXPECT_EQ(Tz("2024-01-01 10:00:00-08"), "2024-01-01 18:00:00+00");
  EXPECT_EQ(Tz("2024-01-01T10:00:00.1234567Z"), "2024-01-01 10:00:00.123457+00");
  EXPECT_EQ(Tz("20240115"), "2024-01-15 00:00:00+00");
  EXPECT_EQ(Tz("20240115T101112"), "2024-01-15 10:11:12+00");
  EXPECT_EQ(Tz("2024/03/01"), "2024-03-01 00:00:00+00");
  EXPECT_EQ(Tz("3/1/2024 10:00 PM"), "2024-03-01 22:00:00+00");
  EXPECT_EQ(Tz("Mar 1, 2024 12:30am"), "2024-03-01 00:30:00+00");
  EXPECT_EQ(Tz("1 March 2024 UTC"), "2024-03-01 00:00:00+00");
  EXPECT_EQ(Tz("01-Mar-2024"), "2024-03-01 00:00:00+00");
  EXPECT_EQ(Tz("2024-06-01 12:00:00 America/New_York"), "2024-06-01 16:00:00+00");
  EXPECT_EQ(Tz("2024-01-01 24:00:00"), "2024-01-02 00:00:00+00");
  EXPECT_EQ(Tz(" 2024-01-01 10:00 +05:45 "), "2024-01-01 04:15:00+00");
  EXPECT_EQ(Tz("epoch"), "1970-01-01 00:00:00+00");
  EXPECT_EQ(Tz("infinity"), "infinity");
  EXPECT_EQ(Tz("0044-03-15 12:00 BC"), "0044-03-15 12:00:00+00 BC");
}

TEST(TimestampText, TellsSyntaxFromRange) {
  const std::string syntax = "invalid input syntax for type timestamp with time zone: ";
  EXPECT_EQ(Tz(""), syntax + "\"\"");
  EXPECT_EQ(Tz("abc"), syntax + "\"abc\"");
  EXPECT_EQ(Tz("10:00"), syntax + "\"10:00\"");
  EXPECT_EQ(Tz("now"), syntax + "\"now\"");
  const std::string range = "date/time field value out of range: ";
  EXPECT_EQ(Tz("2024-02-30"), range + "\"2024-02-30\"");
  EXPECT_EQ(Tz("2024-01-01 25:00"), range + "\"2024-01-01 25:00\"");
  EXPECT_EQ(Tz("2024-01-01 23:59:60"), "2024-01-02 00:00:00+00");
  EXPECT_EQ(Tz("2024-01-01 23:59:60.5"), range + "\"2024-01-01 23:59:60.5\"");
  EXPECT_EQ(Tz("2024-13-01"), range + "\"2024-13-01\"");
}

TEST(DateText, ReachesFarYears) {
  EXPECT_EQ(Date("99999-01-01"), "99999-01-01");
  EXPECT_EQ(Date("0080-01-06"), "0080-01-06");
  EXPECT_EQ(Date("J2451187"), "1999-01-08");
  EXPECT_EQ(Date("2024-01-01 10:00"), "2024-01-01");
}

TEST(TimeZone, KnowsSummerTime) {
  const auto berlin = TimeZone::Find("europe/berlin");
  ASSERT_TRUE(berlin.has_value());
  const int64_t before = ParseTimestamp("2024-03-31 00:59:59").value();
  const int64_t after = ParseTimestamp("2024-03-31 01:00:00").value();
  EXPECT_EQ(berlin->ToLocal(before) - before, kMicrosPerHour);
  EXPECT_EQ(berlin->ToLocal(after) - after, 2 * kMicrosPerHour);
  EXPECT_EQ(berlin->ToUtc(berlin->ToLocal(after)), after);
  EXPECT_FALSE(TimeZone::Find("Atlantis/Capital").has_value());
}

}  // namespace
}  // namespace headrace::row
