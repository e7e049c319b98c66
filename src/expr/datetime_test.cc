#include <gtest/gtest.h>

#include "expr/expr_testing.h"

namespace headrace::expr {
namespace {

ExprPtr Stamp(std::string_view text) {
  return Of(text, kTimestamp);
}
ExprPtr Span(std::string_view text) {
  return Of(text, kInterval);
}

TEST(DateTimeTest, MonthsEndWhereTheMonthEnds) {
  EXPECT_EQ(Answer("+", Of("2024-01-31", kDate), Span("1 mon")), "2024-02-29 00:00:00");
  EXPECT_EQ(Answer("-", Stamp("2024-03-31"), Span("1 mon")), "2024-02-29 00:00:00");
  EXPECT_EQ(Answer("-", Of("2024-03-01", kDate), Of("2024-02-01", kDate)), "29");
  EXPECT_EQ(Answer("age", Stamp("2024-03-01"), Stamp("2023-12-31")), "2 mons 1 day");
}

TEST(DateTimeTest, FieldsAreExact) {
  EXPECT_EQ(Answer("extract", Text("second"), Stamp("2024-02-29 23:59:59.5")), "59.500000");
  EXPECT_EQ(Answer("extract", Text("week"), Of("2021-01-03", kDate)), "53");
  EXPECT_EQ(Answer("extract", Text("century"), Of("0044-03-15 BC", kDate)), "-1");
  EXPECT_EQ(Answer("date_part", Text("epoch"), Span("1 day 00:00:01")), "86401");
  EXPECT_EQ(Answer("extract", Text("nope"), Stamp("2024-01-01")).substr(0, 6), "HR2103");
}

TEST(DateTimeTest, TruncatesAndBins) {
  EXPECT_EQ(Answer("date_trunc", Text("quarter"), Stamp("2024-08-31 12:00")),
            "2024-07-01 00:00:00");
  EXPECT_EQ(Answer("date_bin", Span("15 min"), Stamp("2024-01-01 00:44"), Stamp("2001-01-01")),
            "2024-01-01 00:30:00");
  EXPECT_EQ(Answer("date_bin", Span("0"), Stamp("2024-01-01"), Stamp("2001-01-01")),
            "HR2103 stride must be greater than zero");
}

TEST(DateTimeTest, ZonesKnowSummerTime) {
  EXPECT_EQ(Answer("timezone", Text("Europe/Berlin"), Of("2024-07-01 12:00Z", kTimestampTz)),
            "2024-07-01 14:00:00");
  EXPECT_EQ(Answer("timezone", Text("America/New_York"), Stamp("2024-01-01 12:00")),
            "2024-01-01 17:00:00+00");
  EXPECT_EQ(Answer("timezone", Text("nowhere"), Stamp("2024-01-01")).substr(0, 6), "HR2103");
}

TEST(DateTimeTest, PatternsWriteAndRead) {
  EXPECT_EQ(Answer("to_char", Stamp("2024-02-29 23:59:59.123456"),
                   Text("FMDay DDth Mon YYYY HH12:MI AM US")),
            "Thursday 29th Feb 2024 11:59 PM 123456");
  EXPECT_EQ(Answer("to_date", Text("06 May 2024"), Text("DD Mon YYYY")), "2024-05-06");
  EXPECT_EQ(Answer("to_char", Dec("-1234.5"), Text("9G999D99")), "-1,234.50");
  EXPECT_EQ(Answer("to_char", Span("-13 mons"), Text("YYYY MM")), "-0001 -01");
  EXPECT_EQ(Answer("make_date", Int(2024), Int(2), Int(30)),
            "HR2102 date field value out of range: 2024-02-30");
}

TEST(IntervalTest, FractionsSpillDown) {
  EXPECT_EQ(Answer("*", Span("1 mon"), Dbl(0.5)), "15 days");
  EXPECT_EQ(Answer("/", Span("1 day"), Dbl(3)), "08:00:00");
  EXPECT_EQ(Answer("justify_interval", Span("35 days -1 hour")), "1 mon 4 days 23:00:00");
  EXPECT_EQ(Answer("=", Span("1 mon"), Span("30 days")), "t");
  EXPECT_EQ(Answer("*", Span("178000000 years"), Dbl(1e10)), "HR2102 interval out of range");
}

TEST(IntervalTest, TextThatSaysAUnitTwiceIsRefused) {
  for (const char* text : {"1 day 1 day", "1 2", "2024-01-31", "x", ""}) {
    EXPECT_EQ(Convert(Text(text), kInterval).substr(0, 6), "HR2001") << text;
  }
}

TEST(DateTextTest, SpellingsOfDates) {
  for (const char* text : {"2024-01-08", "Jan-08-2024", "8 January 2024", "01/08/2024", "20240108",
                           "2024-008", "January 8, 2024"}) {
    EXPECT_EQ(Convert(Text(text), kDate), "2024-01-08") << text;
  }
  EXPECT_EQ(Convert(Text("January 8, 99 BC"), kDate), "0099-01-08 BC");
  EXPECT_EQ(Convert(Text("2024-02-30"), kDate).substr(0, 6), "HR2002");
  EXPECT_EQ(Convert(Text("040506"), kTime), "04:05:06");
}

}  // namespace
}  // namespace headrace::expr
