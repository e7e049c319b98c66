#include "row/decimal.h"

#include <cmath>
#include <cstdlib>

#include <gtest/gtest.h>

#include "row/text.h"

namespace headrace::row {
namespace {

Value Parse(std::string_view text) {
  Value value;
  EXPECT_TRUE(ParseDecimal(text, &value)) << text;
  return value;
}

std::string Text(const Value& value) {
  std::string out;
  AppendDecimal(value, out);
  return out;
}

TEST(Decimal, KeepsTheScaleItWasWrittenWith) {
  for (const char* text : {"0", "12.30", "-0.05", "99999999999999999999.999999", "0.00",
                           "99999999999999999999999999999999999999", "-9223372036854775808"}) {
    EXPECT_EQ(Text(Parse(text)), text);
  }
}

TEST(Decimal, ReadsExponentsExactly) {
  EXPECT_EQ(Text(Parse("-1e3")), "-1000");
  EXPECT_EQ(Text(Parse("1.5e-3")), "0.0015");
  EXPECT_EQ(Text(Parse("1.25E1")), "12.5");
  EXPECT_EQ(Text(Parse("1e-20")), "0.00000000000000000001");
  EXPECT_EQ(Text(Parse(".5")), "0.5");
}

TEST(Decimal, RefusesWhatIsNoNumberOfAtMost38Digits) {
  Value value;
  for (const char* text : {"", "-", ".", "1e", "1e+", "1x", " 1", "1 ", "0x10", "NaN", "1.2.3",
                           "100000000000000000000000000000000000000", "1e38", "1e-101"}) {
    EXPECT_FALSE(ParseDecimal(text, &value)) << text;
  }
  EXPECT_TRUE(ParseDecimal("0e99999999", &value));
}

TEST(Decimal, RoundsHalfAwayFromZeroWhenRescaled) {
  const auto rescale = [](std::string_view text, int scale) {
    Value value = Parse(text);
    EXPECT_TRUE(Rescale(&value, scale));
    return Text(value);
  };
  EXPECT_EQ(rescale("2.5", 0), "3");
  EXPECT_EQ(rescale("-2.5", 0), "-3");
  EXPECT_EQ(rescale("2.4999999999999999999999", 0), "2");
  EXPECT_EQ(rescale("1.005", 2), "1.01");
  EXPECT_EQ(rescale("1.5", 4), "1.5000");
  EXPECT_EQ(rescale("99999999999999999999.999999", 1), "100000000000000000000.0");
}

TEST(Decimal, FitsOnlyWhatThePrecisionHolds) {
  Value value = Parse("9999.995");
  EXPECT_FALSE(FitDecimal(&value, 6, 2));
  value = Parse("9999.994");
  EXPECT_TRUE(FitDecimal(&value, 6, 2));
  EXPECT_EQ(Text(value), "9999.99");
  value = SpecialDecimal(kNaN);
  EXPECT_TRUE(FitDecimal(&value, 6, 2));
  value = SpecialDecimal(kInfinity);
  EXPECT_FALSE(FitDecimal(&value, 6, 2));
}

TEST(Decimal, ComparesByValueWhateverTheScale) {
  const auto compare = [](std::string_view a, std::string_view b) {
    return CompareDecimal(Parse(a), Parse(b));
  };
  EXPECT_EQ(compare("1.0", "1.000"), 0);
  EXPECT_LT(compare("-1", "0.5"), 0);
  EXPECT_GT(compare("99999999999999999999999999999999999999", "1e-90"), 0);
  EXPECT_LT(compare("-99999999999999999999999999999999999999", "-1e-90"), 0);
  EXPECT_GT(compare("1e-90", "-99999999999999999999999999999999999999"), 0);
  EXPECT_LT(compare("0", "1e-90"), 0);
  EXPECT_GT(CompareDecimal(SpecialDecimal(kNaN), SpecialDecimal(kInfinity)), 0);
  EXPECT_EQ(CompareDecimal(SpecialDecimal(kNaN), SpecialDecimal(kNaN)), 0);
  EXPECT_LT(CompareDecimal(SpecialDecimal(kNegativeInfinity), Parse("-1e37")), 0);
}

TEST(Decimal, BecomesTheNearestDouble) {
  for (const char* text :
       {"0.1", "12.30", "9007199254740993", "0.30000000000000004", "123456789012345678.9", "1e-30",
        "-8.41e-12", "179769313486231570000000000000000000"}) {
    EXPECT_EQ(DecimalToDouble(Parse(text)), std::strtod(text, nullptr)) << text;
  }
  EXPECT_TRUE(std::isnan(DecimalToDouble(SpecialDecimal(kNaN))));
}

TEST(Decimal, ComesFromADoubleWith15Digits) {
  Value value;
  ASSERT_TRUE(DecimalFromDouble(0.1 + 0.2, 15, &value));
  EXPECT_EQ(Text(value), "0.3");
  ASSERT_TRUE(DecimalFromDouble(1e20, 15, &value));
  EXPECT_EQ(Text(value), "100000000000000000000");
  EXPECT_FALSE(DecimalFromDouble(1e300, 15, &value));
}

TEST(Decimal, GivesEqualKeysExactlyForEqualValues) {
  const Type type{TypeKind::kDecimal, 0, 0};
  const auto key = [&](const Value& value) {
    std::string out;
    AppendKey(value, type, out);
    return out;
  };
  EXPECT_EQ(key(Parse("1.0")), key(Parse("1.00")));
  EXPECT_EQ(key(Parse("0")), key(Parse("0.000")));
  EXPECT_EQ(key(Parse("100")), key(Parse("100.0")));
  EXPECT_NE(key(Parse("1.0")), key(Parse("10")));
  EXPECT_NE(key(Parse("0")), key(SpecialDecimal(kNaN)));
}

}  // namespace
}  // namespace headrace::row
