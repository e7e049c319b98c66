#include <gtest/gtest.h>

#include "expr/expr_testing.h"

namespace headrace::expr {
namespace {

TEST(IntegerArithmeticTest, OverflowIsAnErrorOfItsWidth) {
  EXPECT_EQ(Answer("+", Int(2147483647), Int(1)), "HR2102 integer out of range");
  EXPECT_EQ(Answer("+", Int(2147483647), Big(1)), "2147483648");
  EXPECT_EQ(Answer("*", Big(4611686018427387904), Int(2)), "HR2102 bigint out of range");
  EXPECT_EQ(Answer("-", Big(INT64_MIN), Big(1)), "HR2102 bigint out of range");
  EXPECT_EQ(Answer("-", Int(-10), Big(-9223372036854775807)), "9223372036854775797");
  EXPECT_EQ(Answer("/", Int(INT32_MIN), Int(-1)), "HR2102 integer out of range");
  EXPECT_EQ(Answer("+", Of("32767", kSmallint), Of("1", kSmallint)),
            "HR2102 smallint out of range");
  EXPECT_EQ(Answer("abs", Big(INT64_MIN)), "HR2102 bigint out of range");
}

TEST(IntegerArithmeticTest, DivisionTruncatesAndTheRestTakesTheSignOfTheDividend) {
  EXPECT_EQ(Answer("/", Int(-7), Int(2)), "-3");
  EXPECT_EQ(Answer("%", Int(-7), Int(2)), "-1");
  EXPECT_EQ(Answer("%", Int(7), Int(-2)), "1");
  EXPECT_EQ(Answer("%", Big(INT64_MIN), Big(-1)), "0");
  EXPECT_EQ(Answer("/", Int(1), Int(0)), "HR2101 division by zero");
  EXPECT_EQ(Answer("%", Int(1), Int(0)), "HR2101 division by zero");
}

TEST(DecimalArithmeticTest, ScalesAreThoseOfPostgresql) {
  EXPECT_EQ(Answer("+", Dec("1.5"), Dec("2.25")), "3.75");
  EXPECT_EQ(Answer("*", Dec("1.50"), Dec("2.0")), "3.000");
  EXPECT_EQ(Answer("/", Dec("1"), Dec("3")), "0.33333333333333333333");
  EXPECT_EQ(Answer("/", Dec("10.00"), Dec("4")), "2.5000000000000000");
  EXPECT_EQ(Answer("%", Dec("-7.5"), Int(2)), "-1.5");
  EXPECT_EQ(Answer("round", Dec("2.5")), "3");
  EXPECT_EQ(Answer("round", Dec("-1.005"), Int(2)), "-1.01");
  EXPECT_EQ(Answer("trunc", Dec("-1.99"), Int(1)), "-1.9");
  EXPECT_EQ(Answer("lcm", Dec("123.456"), Int(42)), "108024.000");
}

TEST(DecimalArithmeticTest, NaNAndInfinityGoByPostgresqlsRules) {
  EXPECT_EQ(Answer("+", Dec("NaN"), Dec("1")), "NaN");
  EXPECT_EQ(Answer("-", Dec("Infinity"), Dec("Infinity")), "NaN");
  EXPECT_EQ(Answer("/", Dec("1"), Dec("-Infinity")), "0");
  EXPECT_EQ(Answer("=", Dec("NaN"), Dec("NaN")), "t");
  EXPECT_EQ(Answer(">", Dec("NaN"), Dec("Infinity")), "t");
  EXPECT_EQ(Answer("/", Dec("Infinity"), Dec("0")), "HR2101 division by zero");
}

TEST(DecimalArithmeticTest, MoreThan38DigitsAreExact) {
  EXPECT_EQ(Answer("*", Dec("99999999999999999999.999999"), Dec("99999999999999999999.999999")),
            "9999999999999999999999999800000000000000.000000000001");
  EXPECT_EQ(Answer("/", Big(-9223372036854775807), Dec("1e-20")),
            "-922337203685477580700000000000000000000.00000000000000000000");
  EXPECT_EQ(Answer("factorial", Big(40)), "815915283247897734345611269596115894272000000000");
  EXPECT_EQ(Answer("^", Dec("10"), Dec("40")),
            "10000000000000000000000000000000000000000.0000000000000000");
  EXPECT_EQ(Answer("=", Dec("1e50"), Dec("100000000000000000000000000000000000000000000000000.00")),
            "t");
  EXPECT_EQ(Answer("sqrt", Dec("1e60")), "1000000000000000000000000000000");
}

TEST(DecimalArithmeticTest, SizesHaveAnEnd) {
  EXPECT_EQ(Answer("^", Dec("10"), Dec("100000")), "HR2102 value overflows numeric format");
  EXPECT_EQ(Answer("*", Dec("1e3000"), Dec("1e3000")), "HR2102 value overflows numeric format");
  EXPECT_EQ(Answer("^", Dec("1.0"), Dec("1e1308")), "1.0000000000000000");
  EXPECT_EQ(Answer("exp", Dec("100000")), "HR2102 value overflows numeric format");
  EXPECT_EQ(Answer("factorial", Big(1'000'000'000)), "HR2102 value overflows numeric format");
}

TEST(DecimalArithmeticTest, RowsTake38Digits) {
  ExprPtr product = std::move(Call("*", List(Dec("1e30"), Column(0, kDecimal)))).value();
  const ExprPtr narrow = NarrowDecimal(std::move(product));
  base::Arena arena;
  EvalContext context{arena, std::nullopt};
  Value slot = Value::Decimal(25, 1);
  EXPECT_FALSE(narrow->Evaluate(&slot, context).null);
  EXPECT_FALSE(context.error.has_value());
  slot = Value::Decimal(static_cast<row::Int128>(1) << 60, 0);
  EXPECT_TRUE(narrow->Evaluate(&slot, context).null);
  ASSERT_TRUE(context.error.has_value());
  EXPECT_EQ(context.error->code(), "HR2102");
  EXPECT_FALSE(context.error->hint().empty());
}

TEST(DoubleArithmeticTest, LeavesItsRangeWithAnError) {
  EXPECT_EQ(Answer("*", Dbl(1e308), Dbl(10)), "HR2102 value out of range: overflow");
  EXPECT_EQ(Answer("*", Dbl(1e-308), Dbl(1e-308)), "HR2102 value out of range: underflow");
  EXPECT_EQ(Answer("/", Dbl(1), Dbl(0)), "HR2101 division by zero");
  EXPECT_EQ(Answer("+", Of("1.1", kReal), Of("1.1", kReal)), "2.2");
  EXPECT_EQ(Answer("+", Of("1.1", kReal), Int(1)), "2.100000023841858");
  EXPECT_EQ(Answer("sind", Dbl(30)), "0.5");
  EXPECT_EQ(Answer("sqrt", Dbl(-1)), "HR2103 cannot take square root of a negative number");
}

TEST(DoubleArithmeticTest, TextHasTheFewestDigitsThatAreNotHalfwayToANeighbour) {
  EXPECT_EQ(Show(Dbl(0.1)), "0.1");
  EXPECT_EQ(Show(Dbl(1e15)), "1e+15");
  EXPECT_EQ(Show(Dbl(-4611686016279904256.0)), "-4.6116860162799043e+18");
}

}  // namespace
}  // namespace headrace::expr
