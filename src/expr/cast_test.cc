#include <gtest/gtest.h>

#include "expr/expr_testing.h"

namespace headrace::expr {
namespace {

std::string To(ExprPtr argument, CastTarget target) {
  return Show(CastTo(std::move(argument), target));
}

TEST(CastTest, TextIsReadAsTheTypesLiterals) {
  EXPECT_EQ(Convert(Text(" 42 "), kInteger), "42");
  EXPECT_EQ(Convert(Text("1.5"), kInteger),
            "HR2001 invalid input syntax for type integer: \"1.5\"");
  EXPECT_EQ(Convert(Text("yes"), kBoolean), "t");
  EXPECT_EQ(Convert(Text("0x10"), kDouble), "16");
  EXPECT_EQ(Convert(Text("1e400"), kDouble),
            "HR2002 \"1e400\" is out of range for type double precision");
  EXPECT_EQ(Convert(Text("99999999999999999999"), kBigint),
            "HR2002 value \"99999999999999999999\" is out of range for type bigint");
}

TEST(CastTest, NumbersRoundAsPostgresqlDoes) {
  EXPECT_EQ(Convert(Dec("2.5"), kInteger), "3");
  EXPECT_EQ(Convert(Dbl(2.5), kInteger), "2");
  EXPECT_EQ(Convert(Dec("-2.5"), kSmallint), "-3");
  EXPECT_EQ(Convert(Dbl(405956.2080044504), kReal), "405956.22");
  EXPECT_EQ(Convert(Dbl(1e300), kReal), "HR2102 value out of range: overflow");
  EXPECT_EQ(Convert(Dbl(0.1), kDecimal), "0.1");
  EXPECT_EQ(Convert(Dec("1e50"), kDouble), "1e+50");
  EXPECT_EQ(Convert(Dec("123.456"), Type{TypeKind::kDecimal, 5, 1}), "123.5");
  EXPECT_EQ(Convert(Dec("12345.6"), Type{TypeKind::kDecimal, 5, 1}),
            "HR2102 numeric field overflow");
  EXPECT_EQ(Convert(Dec("1.00000000000000000000000000000000000000000001"),
                    Type{TypeKind::kDecimal, 5, 1}),
            "1.0");
}

TEST(CastTest, LengthsCutAndFillText) {
  EXPECT_EQ(To(Text("Hello"), {.type = kText, .length = 2}), "He");
  EXPECT_EQ(To(Text("é日本"), {.type = kText, .length = 2}), "é日");
  EXPECT_EQ(To(Text("a"), {.type = kPaddedText, .length = 3}), "a  ");
  EXPECT_EQ(To(Int(12345), {.type = kText, .length = 3}), "123");
}

TEST(CastTest, PaddedTextLosesItsBlanksWhenItBecomesText) {
  const auto padded = [](std::string_view text, int length) {
    return std::move(CastTo(Text(text), {.type = kPaddedText, .length = length})).value();
  };
  EXPECT_EQ(Answer("||", padded("a", 3), Text("|")), "a|");
  EXPECT_EQ(Answer("length", padded("a", 3)), "1");
  EXPECT_EQ(Answer("octet_length", padded("a", 3)), "3");
  EXPECT_EQ(Answer("=", padded("a", 3), padded("a", 5)), "t");
  EXPECT_EQ(Answer("=", padded("a", 3), Unknown("a ")), "t");
}

TEST(CastTest, TimesAreRoundedToTheirDigits) {
  EXPECT_EQ(To(Text("2024-01-31 12:34:56.5"), {.type = kTimestamp, .precision = 0}),
            "2024-01-31 12:34:57");
  EXPECT_EQ(To(Text("12:34:56.7891"), {.type = kTime, .precision = 3}), "12:34:56.789");
  EXPECT_EQ(To(Text("infinity"), {.type = kTimestamp, .precision = 0}), "infinity");
}

TEST(CastTest, FieldsBehindAnIntervalNameTheUnitAndCut) {
  EXPECT_EQ(To(Unknown("15"), {.type = kInterval, .fields = "second"}), "00:00:15");
  EXPECT_EQ(To(Unknown("15"), {.type = kInterval, .fields = "month"}), "1 year 3 mons");
  EXPECT_EQ(To(Unknown("1 18:16:54"), {.type = kInterval, .fields = "day to minute"}),
            "1 day 18:16:00");
  // A text that is no literal is read as an interval first.
  EXPECT_EQ(To(Of("36:30", kInterval), {.type = kInterval, .fields = "hour"}), "36:00:00");
}

TEST(CastTest, ThereAreCastsThatDoNotExist) {
  EXPECT_EQ(Convert(Bool(true), kBigint), "HR1103 cannot cast type boolean to bigint");
  EXPECT_EQ(Convert(Of("1 day", kInterval), kDate), "HR1103 cannot cast type interval to date");
}

TEST(CastTest, ArraysOfNarrowIntegersCheckTheirElements) {
  EXPECT_EQ(Convert(Text("{1,NULL, 3}"), row::kIntegerArray), "{1,NULL,3}");
  EXPECT_EQ(Convert(Text("{3000000000}"), row::kIntegerArray),
            "HR2002 value \"3000000000\" is out of range for type integer");
  EXPECT_EQ(Convert(Text("{3000000000}"), kBigintArray), "{3000000000}");
}

}  // namespace
}  // namespace headrace::expr
