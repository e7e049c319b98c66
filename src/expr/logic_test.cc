#include <gtest/gtest.h>

#include "expr/expr_testing.h"

namespace headrace::expr {
namespace {

TEST(LogicTest, AndAndOrHaveThreeValues) {
  const auto leaf = [](char c) { return c == 'n' ? Null(kBoolean) : Bool(c == 't'); };
  const auto both = [&](char a, char b) { return Show(And(leaf(a), leaf(b))); };
  const auto either = [&](char a, char b) { return Show(Or(leaf(a), leaf(b))); };
  EXPECT_EQ(both('t', 'n'), "NULL");
  EXPECT_EQ(both('n', 'f'), "f");
  EXPECT_EQ(both('f', 'n'), "f");
  EXPECT_EQ(either('f', 'n'), "NULL");
  EXPECT_EQ(either('n', 't'), "t");
  EXPECT_EQ(Answer("not", Null(kBoolean)), "NULL");
  EXPECT_EQ(Answer("is_not_true", Null(kBoolean)), "t");
  EXPECT_EQ(Answer("is_unknown", Null(kBoolean)), "t");
}

TEST(LogicTest, ComparisonWithNullIsNullButDistinctFromIsNot) {
  EXPECT_EQ(Answer("=", Int(1), Null(kInteger)), "NULL");
  EXPECT_EQ(Answer("is_distinct_from", Int(1), Null(kInteger)), "t");
  EXPECT_EQ(Answer("is_not_distinct_from", Null(kInteger), Null(kInteger)), "t");
  EXPECT_EQ(Show(IsNull(Null(kText), false)), "t");
}

TEST(LogicTest, InKnowsNull) {
  EXPECT_EQ(Show(In(Int(1), List(Int(2), Null(kInteger)), false)), "NULL");
  EXPECT_EQ(Show(In(Int(1), List(Int(1), Null(kInteger)), false)), "t");
  EXPECT_EQ(Show(In(Int(1), List(Int(2), Int(3)), true)), "t");
  std::vector<ExprPtr> many;
  for (int i = 0; i < 100; ++i)
    many.push_back(Dec(std::to_string(i) + ".0"));
  EXPECT_EQ(Show(In(Int(42), std::move(many), false)), "t");
}

TEST(LogicTest, CaseGuardsWhatItDoesNotReach) {
  const auto ratio = [](int64_t divisor) {
    std::vector<CaseBranch> branches;
    branches.push_back({std::move(Call("<>", List(Int(divisor), Int(0)))).value(),
                        std::move(Call("/", List(Int(10), Int(divisor)))).value()});
    return Show(Case(std::move(branches), nullptr));
  };
  EXPECT_EQ(ratio(5), "2");
  EXPECT_EQ(ratio(0), "NULL");
}

TEST(LogicTest, BranchesGetOneType) {
  std::vector<CaseBranch> branches;
  branches.push_back({Bool(true), Int(1)});
  EXPECT_EQ(Show(Case(std::move(branches), Dec("2.5"))), "1");
  EXPECT_EQ(Show(Coalesce(List(Null(kInteger), Dec("1.50")))), "1.50");
  EXPECT_EQ(Show(Coalesce(List(Int(1), Text("a")))).substr(0, 6), "HR1102");
  EXPECT_EQ(Show(NullIf(Dec("7.00"), Dbl(1.5))), "7");
  EXPECT_EQ(Show(NullIf(Int(1), Int(1))), "NULL");
  EXPECT_EQ(Answer("greatest", Int(1), Null(kInteger), Dec("2.5")), "2.5");
}

TEST(LogicTest, AnyAndAllWalkArrays) {
  const auto quantified = [](std::string_view op, int64_t left, std::string_view array, bool all) {
    return Show(Quantified(op, Int(left), Of(array, kBigintArray), all));
  };
  EXPECT_EQ(quantified("=", 2, "{1,2}", false), "t");
  EXPECT_EQ(quantified("=", 3, "{1,NULL}", false), "NULL");
  EXPECT_EQ(quantified("=", 3, "{}", false), "f");
  EXPECT_EQ(quantified(">", 3, "{}", true), "t");
  EXPECT_EQ(quantified(">", 3, "{1,5}", true), "f");
}

TEST(OverloadTest, WrongNamesAndTypesSayWhatThereIs) {
  const Result<ExprPtr> misspelt = Call("lenght", List(Text("a")));
  ASSERT_FALSE(misspelt.ok());
  EXPECT_EQ(misspelt.error().code(), "HR1101");
  EXPECT_NE(misspelt.error().hint().find("length"), std::string::npos);
  const Result<ExprPtr> wrong = Call("length", List(Int(1)));
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code(), "HR1102");
  EXPECT_NE(wrong.error().hint().find("length(text)"), std::string::npos);
}

TEST(OverloadTest, ArgumentsByNameFindTheirPlaces) {
  Result<std::vector<ExprPtr>> arranged =
      ArrangeArguments("make_interval", List(Int(2), Dec("1.5")), {"days", "secs"});
  ASSERT_TRUE(arranged.ok());
  EXPECT_EQ(Show(Call("make_interval", std::move(*arranged))), "2 days 00:00:01.5");
  EXPECT_EQ(ArrangeArguments("make_interval", List(Int(2)), {"day"}).error().code(), "HR1102");
  EXPECT_EQ(ArrangeArguments("lower", List(Text("a")), {"x"}).error().code(), "HR1102");
}

}  // namespace
}  // namespace headrace::expr
