#include "row/text.h"

#include <cmath>

#include <gtest/gtest.h>

#include "row/array_text.h"
#include "row/decimal.h"

namespace headrace::row {
namespace {

constexpr Type kBoolean{TypeKind::kBoolean, 0, 0};
constexpr Type kInteger{TypeKind::kInteger, 0, 0};
constexpr Type kBigint{TypeKind::kBigint, 0, 0};
constexpr Type kDouble{TypeKind::kDouble, 0, 0};
constexpr Type kText{TypeKind::kText, 0, 0};
constexpr Type kBytea{TypeKind::kBytea, 0, 0};

std::string There(std::string_view text, Type type) {
  base::Arena arena;
  const auto value = ParseText(text, type, arena);
  if (!value.ok()) return value.error().message();
  std::string out;
  AppendText(value.value(), type, out);
  return out;
}

std::string Json(const Value& value, Type type) {
  std::string out;
  AppendJson(value, type, out);
  return out;
}

TEST(Text, ReadsBooleansByUniquePrefix) {
  for (const char* yes : {"t", "TRUE", "tr", " yes ", "on", "1", "y"})
    EXPECT_EQ(There(yes, kBoolean), "t");
  for (const char* no : {"f", "fal", "no", "off", "of", "0"})
    EXPECT_EQ(There(no, kBoolean), "f");
  EXPECT_EQ(There("o", kBoolean), "invalid input syntax for type boolean: \"o\"");
  EXPECT_EQ(There("", kBoolean), "invalid input syntax for type boolean: \"\"");
}

TEST(Text, ChecksTheRangeOfIntegers) {
  EXPECT_EQ(There(" +7 ", kSmallint), "7");
  EXPECT_EQ(There("-2147483648", kInteger), "-2147483648");
  EXPECT_EQ(There("2147483648", kInteger), "value \"2147483648\" is out of range for type integer");
  EXPECT_EQ(There("40000", kSmallint), "value \"40000\" is out of range for type smallint");
  EXPECT_EQ(There("9223372036854775807", kBigint), "9223372036854775807");
  EXPECT_EQ(There("0x1A", kBigint), "invalid input syntax for type bigint: \"0x1A\"");
  EXPECT_EQ(There("+-1", kBigint), "invalid input syntax for type bigint: \"+-1\"");
  EXPECT_EQ(There("1.5", kBigint), "invalid input syntax for type bigint: \"1.5\"");
}

TEST(Text, WritesDoublesAsPostgresql) {
  EXPECT_EQ(There("1e15", kDouble), "1e+15");
  EXPECT_EQ(There("123456789012345", kDouble), "123456789012345");
  EXPECT_EQ(There("0.0001", kDouble), "0.0001");
  EXPECT_EQ(There("0.00001", kDouble), "1e-05");
  EXPECT_EQ(There("-0", kDouble), "-0");
  EXPECT_EQ(There("inf", kDouble), "Infinity");
  EXPECT_EQ(There("1e400", kDouble), "\"1e400\" is out of range for type double precision");
  EXPECT_EQ(There("4611686018427387904", kReal), "4.611686e+18");
  EXPECT_EQ(There("405956.2080044504", kReal), "405956.22");
  EXPECT_EQ(There("1_000", kDouble), "invalid input syntax for type double precision: \"1_000\"");
}

TEST(Text, ReadsByteaInBothForms) {
  EXPECT_EQ(There("ab", kBytea), "\\x6162");
  EXPECT_EQ(There("\\x00fF", kBytea), "\\x00ff");
  EXPECT_EQ(There("a\\\\\\001", kBytea), "\\x615c01");
  EXPECT_EQ(There("\\xabc", kBytea), "invalid hexadecimal data: odd number of digits");
}

TEST(Json, FollowsTheRowContract) {
  EXPECT_EQ(Json(Value::Null(), kText), "null");
  EXPECT_EQ(Json(Value::Decimal(1230, 2), {TypeKind::kDecimal, 12, 2}), "12.30");
  EXPECT_EQ(Json(Value::Double(0.1), kDouble), "0.1");
  EXPECT_EQ(Json(Value::Double(NAN), kDouble), "\"NaN\"");
  EXPECT_EQ(Json(Value::Double(-INFINITY), kDouble), "\"-Infinity\"");
  EXPECT_EQ(Json(Value::Text("a\"\\\n\x01é"), kText), "\"a\\\"\\\\\\n\\u0001é\"");
  EXPECT_EQ(Json(Value::Text("abcd"), kBytea), "\"YWJjZA==\"");
  EXPECT_EQ(Json(Value::Integer(1'500'000), {TypeKind::kTimestampTz, 0, 0}),
            "\"1970-01-01T00:00:01.500000Z\"");
}

TEST(Compare, IsPostgresqlsOrder) {
  EXPECT_GT(Compare(Value::Double(NAN), Value::Double(INFINITY), kDouble), 0);
  EXPECT_EQ(Compare(Value::Double(NAN), Value::Double(NAN), kDouble), 0);
  EXPECT_EQ(Compare(Value::Double(0.0), Value::Double(-0.0), kDouble), 0);
  EXPECT_LT(Compare(Value::Text("a"), Value::Text("ab"), kText), 0);
  EXPECT_LT(Compare(Value::Text("Z"), Value::Text("a"), kText), 0);
  EXPECT_LT(Compare(Value::Text("z"), Value::Text("é"), kText), 0);
}

TEST(Key, IsUnambiguousWhenAppended) {
  std::string first;
  AppendKey(Value::Text("a"), kText, first);
  AppendKey(Value::Text("bc"), kText, first);
  std::string second;
  AppendKey(Value::Text("ab"), kText, second);
  AppendKey(Value::Text("c"), kText, second);
  EXPECT_NE(first, second);
  std::string zero;
  std::string minus_zero;
  AppendKey(Value::Double(0.0), kDouble, zero);
  AppendKey(Value::Double(-0.0), kDouble, minus_zero);
  EXPECT_EQ(zero, minus_zero);
}

TEST(Array, KeepsNullsAndQuotesWhatNeedsIt) {
  const Type type{TypeKind::kTextArray, 0, 0};
  EXPECT_EQ(There("{NULL,4, a b ,\"x,\\\"y\"}", type), "{NULL,4,\"a b\",\"x,\\\"y\"}");
  EXPECT_EQ(There("{}", type), "{}");
  EXPECT_EQ(There("{\"NULL\",\"\"}", type), "{\"NULL\",\"\"}");
  EXPECT_EQ(There("{a", type), "malformed array literal: \"{a\"");
  EXPECT_EQ(There("{a}", {TypeKind::kBigintArray, 0, 0}),
            "invalid input syntax for type bigint: \"a\"");
}

}  // namespace
}  // namespace headrace::row
