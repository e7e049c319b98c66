#include <gtest/gtest.h>

#include "expr/expr_testing.h"

namespace headrace::expr {
namespace {

TEST(TextFunctionTest, CountCharactersNotBytes) {
  EXPECT_EQ(Answer("length", Text("日本語")), "3");
  EXPECT_EQ(Answer("octet_length", Text("日本語")), "9");
  EXPECT_EQ(Answer("upper", Text("straße é")), "STRAßE É");
  EXPECT_EQ(Answer("reverse", Text("aé😀")), "😀éa");
  EXPECT_EQ(Answer("initcap", Text("hello wORLD")), "Hello World");
}

TEST(TextFunctionTest, PlacesOutsideOfTheTextAreDefined) {
  EXPECT_EQ(Answer("substr", Text("abc"), Int(-1), Int(3)), "a");
  EXPECT_EQ(Answer("substr", Text("abc"), Int(2), Int(-1)),
            "HR2103 negative substring length not allowed");
  EXPECT_EQ(Answer("left", Text("abc"), Int(-1)), "ab");
  EXPECT_EQ(Answer("right", Text("abc"), Int(-1)), "bc");
  EXPECT_EQ(Answer("split_part", Text("a,b,c"), Text(","), Int(-1)), "c");
  EXPECT_EQ(Answer("split_part", Text("a,b,c"), Text(","), Int(9)), "");
  EXPECT_EQ(Answer("lpad", Text("abc"), Int(5), Text("xy")), "xyabc");
  EXPECT_EQ(Answer("overlay", Text("abcdef"), Text("XY"), Int(2), Int(3)), "aXYef");
}

TEST(TextFunctionTest, ConcatSkipsNullAndPipesDoNot) {
  EXPECT_EQ(Answer("concat", Text("a"), Null(kText), Int(1), Bool(true)), "a1t");
  EXPECT_EQ(Answer("concat_ws", Text("-"), Text("a"), Null(kText), Int(1)), "a-1");
  EXPECT_EQ(Answer("||", Text("a"), Null(kText)), "NULL");
  EXPECT_EQ(Answer("||", Text("a"), Bool(true)), "atrue");
}

TEST(TextFunctionTest, NoResultGrowsWithoutLimit) {
  const std::string refused = "HR2105 requested length too large";
  EXPECT_EQ(Answer("repeat", Text("x"), Int(1'000'000'000)), refused);
  EXPECT_EQ(Answer("lpad", Text("x"), Int(2'000'000'000), Text("ab")), refused);
  const std::string half(60'000, 'a');
  EXPECT_EQ(Answer("replace", Text(half), Text("a"), Text(half)), refused);
  EXPECT_EQ(Answer("regexp_replace", Text(half), Text("a"), Text(half), Text("g")), refused);
  const std::string commas(50'000, ',');
  EXPECT_EQ(
      Show(Call("array_to_string",
                List(std::move(Call("string_to_array", List(Text(commas), Text(",")))).value(),
                     Text(half)))),
      refused);
}

TEST(TextFunctionTest, FormatKnowsPlacesWidthsAndQuotes) {
  EXPECT_EQ(Answer("format", Text("%2$s-%1$s|%5s|%-3s|%%"), Text("a"), Text("b"), Text("c")),
            "b-a|    b|c  |%");
  EXPECT_EQ(Answer("format", Text("%I %L"), Text("a b"), Text("it's")), "\"a b\" 'it''s'");
  EXPECT_EQ(Answer("format", Text("%I"), Null(kText)),
            "HR2103 null values cannot be formatted as an SQL identifier");
}

TEST(LikeTest, WildcardsAndEscapes) {
  EXPECT_EQ(Answer("like", Text("50%"), Text("50\\%")), "t");
  EXPECT_EQ(Answer("like", Text("50%"), Text("50!%"), Text("!")), "t");
  EXPECT_EQ(Answer("like", Text("日本"), Text("_本")), "t");
  EXPECT_EQ(Answer("ilike", Text("ABC"), Text("a%c")), "t");
  EXPECT_EQ(Answer("not like", Text("abc"), Text("b%")), "t");
  EXPECT_EQ(Answer("like", Text("abc"), Null(kText)), "NULL");
}

TEST(LikeTest, ManyWildcardsStayFast) {
  std::string pattern;
  for (int i = 0; i < 500; ++i)
    pattern += "%a";
  EXPECT_EQ(Answer("like", Text(std::string(20'000, 'a')), Text(pattern + "b")), "f");
}

TEST(RegexTest, MatchesAsPostgresqlDoes) {
  EXPECT_EQ(Answer("~", Text("card-0042"), Text("^\\w+-\\d{4}$")), "t");
  EXPECT_EQ(Answer("~*", Text("ABC"), Text("b")), "t");
  EXPECT_EQ(Answer("~", Text("ABC"), Text("(?i)abc")), "t");
  EXPECT_EQ(Answer("~", Text("日本"), Text("^[[:alpha:]]+$")), "t");
  EXPECT_EQ(Answer("regexp_match", Text("abcd"), Text("(a|ab)(c|bcd)")), "{a,bcd}");
  EXPECT_EQ(Answer("regexp_replace", Text("a1b22"), Text("\\d+"), Text("<\\&>"), Text("g")),
            "a<1>b<22>");
  EXPECT_EQ(Answer("regexp_split_to_array", Text("a, b,c"), Text(",\\s*")), "{a,b,c}");
  EXPECT_EQ(Answer("similar", Text("abc"), Text("(a|x)%")), "t");
}

TEST(RegexTest, WhatTakesExponentialTimeElsewhereIsRefusedOrLinear) {
  EXPECT_EQ(Answer("~", Text(std::string(5000, 'a')), Text("(a*)*b")), "f");
  EXPECT_EQ(Answer("~", Text("a"), Text("(a)\\1")).substr(0, 6), "HR2104");
  EXPECT_EQ(Answer("~", Text("a"), Text("a(?=b)")).substr(0, 6), "HR2104");
  EXPECT_EQ(Answer("~", Text("a"), Text("((((a{100}){100}){100}){100})")).substr(0, 6), "HR2104");
  EXPECT_EQ(Answer("~", Null(kText), Text("(")), "NULL");
}

}  // namespace
}  // namespace headrace::expr
