#include "row/interval.h"

#include <gtest/gtest.h>

#include "row/calendar.h"

namespace headrace::row {
namespace {

std::string Of(std::string_view text, std::string_view fields = "") {
  const auto interval = ParseInterval(text, fields);
  if (!interval.ok()) return interval.error().message();
  std::string out;
  AppendInterval(interval.value(), out);
  return out;
}

TEST(Interval, ReadsAndWritesPostgresqlsForm) {
  EXPECT_EQ(Of("1.5 days"), "1 day 12:00:00");
  EXPECT_EQ(Of("1 mon -1 day"), "1 mon -1 days");
  EXPECT_EQ(Of("1 year 2 mons -3 days 04:05:06.789"), "1 year 2 mons -3 days +04:05:06.789");
  EXPECT_EQ(Of("-1 year -2 mons +3 days -04:05:06.789"), "-1 years -2 mons +3 days -04:05:06.789");
  EXPECT_EQ(Of("0"), "00:00:00");
  EXPECT_EQ(Of("-1:30"), "-01:30:00");
  EXPECT_EQ(Of("1-2"), "1 year 2 mons");
  EXPECT_EQ(Of("-1-2"), "-1 years -2 mons");
  EXPECT_EQ(Of("1 18:16:54"), "1 day 18:16:54");
  EXPECT_EQ(Of("100000 hours"), "100000:00:00");
  EXPECT_EQ(Of("27 milliseconds"), "00:00:00.027");
  EXPECT_EQ(Of("1 year 1 century"), "101 years");
  EXPECT_EQ(Of("@ 1 day 2 hours ago"), "-1 days -02:00:00");
  EXPECT_EQ(Of("0.5 year"), "6 mons");
  EXPECT_EQ(Of("1.5 months"), "1 mon 15 days");
  EXPECT_EQ(Of("1.5 weeks"), "10 days 12:00:00");
  EXPECT_EQ(Of("2h"), "02:00:00");
}

TEST(Interval, ReadsIso8601) {
  EXPECT_EQ(Of("P1Y2M3DT4H5M6S"), "1 year 2 mons 3 days 04:05:06");
  EXPECT_EQ(Of("PT0.5S"), "00:00:00.5");
  EXPECT_EQ(Of("P2W"), "14 days");
  EXPECT_EQ(Of("PT"), "invalid input syntax for type interval: \"PT\"");
}

TEST(Interval, FieldsNameTheUnitAndCutWhatIsSmaller) {
  EXPECT_EQ(Of("15", "second"), "00:00:15");
  EXPECT_EQ(Of("95", "month"), "7 years 11 mons");
  EXPECT_EQ(Of("1 18:16:54", "day to second"), "1 day 18:16:54");
  EXPECT_EQ(Of("1:30:45", "minute"), "01:30:00");
  EXPECT_EQ(Of("10:20", "minute to second"), "00:10:20");
}

TEST(Interval, RefusesOtherText) {
  for (const char* text :
       {"", "abc", "1 parsec", "1:2:3:4", "--1 day", "ago", "1 day ago 2", "1:99"}) {
    EXPECT_FALSE(ParseInterval(text).ok()) << text;
  }
  EXPECT_EQ(Of("999999999 millennium"),
            "interval field value out of range: \"999999999 millennium\"");
}

TEST(Interval, ComparesMonthsAs30Days) {
  EXPECT_EQ(IntervalSpan({0, 0, 1}), IntervalSpan({0, 30, 0}));
  EXPECT_EQ(IntervalSpan({kMicrosPerDay, 0, 0}), IntervalSpan({0, 1, 0}));
}

}  // namespace
}  // namespace headrace::row
