#include <gtest/gtest.h>

#include "expr/expr_testing.h"

namespace headrace::expr {
namespace {

ExprPtr Json(std::string_view text) {
  return Of(text, kJsonb);
}

TEST(JsonTest, JsonbIsCanonicalAndJsonIsKept) {
  EXPECT_EQ(Show(Json(R"({"b":1,"a":2,"a":3,"ccc":1.50})")), R"({"a": 3, "b": 1, "ccc": 1.50})");
  EXPECT_EQ(Show(Of(R"({ "b":1 })", kJson)), R"({ "b":1 })");
  EXPECT_EQ(Convert(Text("{bad"), kJsonb), "HR2001 invalid input syntax for type json");
  EXPECT_EQ(Convert(Text(std::string(100'000, '[')), kJsonb).substr(0, 6), "HR2001");
}

TEST(JsonTest, ArrowsFollowKeysAndIndexes) {
  EXPECT_EQ(Answer("->", Json("[1,2,3]"), Int(-1)), "3");
  EXPECT_EQ(Answer("->>", Json(R"({"a":"x"})"), Text("a")), "x");
  EXPECT_EQ(Answer("->>", Json(R"({"a":null})"), Text("a")), "NULL");
  EXPECT_EQ(Answer("#>>", Json(R"({"a":[{"b":7}]})"), Of("{a,0,b}", kTextArray)), "7");
  EXPECT_EQ(Answer("subscript", Json("[1,2]"), Text("1")), "2");
  EXPECT_EQ(Answer("jsonb_path_query_first", Json(R"({"a":[1,2]})"), Text("$.a[last]")), "2");
}

TEST(JsonTest, ContainmentAndOrder) {
  EXPECT_EQ(Answer("@>", Json(R"({"a":[1,2,{"b":3}]})"), Json(R"({"a":[{"b":3}]})")), "t");
  EXPECT_EQ(Answer("?", Json(R"({"a":1})"), Text("a")), "t");
  EXPECT_EQ(Answer("=", Json("1.0"), Json("1.00")), "t");
  EXPECT_EQ(Answer("<", Json("null"), Json("\"a\"")), "t");
  EXPECT_EQ(Answer("<", Json("[]"), Json("null")), "t");
  EXPECT_EQ(Answer("<", Json("[1,2]"), Json("{}")), "t");
}

TEST(JsonTest, ChangesMakeNewDocuments) {
  EXPECT_EQ(Answer("jsonb_set", Json(R"({"a":[1]})"), Of("{a,0}", kTextArray), Json("9")),
            R"({"a": [9]})");
  EXPECT_EQ(Answer("-", Json(R"({"a":1,"b":2})"), Text("a")), R"({"b": 2})");
  EXPECT_EQ(Answer("||", Json("[1]"), Json("2")), "[1, 2]");
  EXPECT_EQ(Answer("jsonb_build_object", Text("a"), Dec("1.50"), Text("b"), Null(kText)),
            R"({"a": 1.50, "b": null})");
  EXPECT_EQ(Answer("to_jsonb", Text("ß")), "\"ß\"");
}

TEST(JsonTest, ScalarsCastToNumbers) {
  EXPECT_EQ(Convert(Json("12.5"), kInteger), "13");
  EXPECT_EQ(Convert(Json("\"12\""), kInteger), "HR2103 cannot cast jsonb string to type integer");
  EXPECT_EQ(Convert(Json("1e50"), kDouble), "1e+50");
}

TEST(ArrayTest, OrderGoesByElements) {
  const auto less = [](std::string_view a, std::string_view b) {
    return Answer("<", Of(a, kBigintArray), Of(b, kBigintArray));
  };
  EXPECT_EQ(less("{}", "{1}"), "t");
  EXPECT_EQ(less("{9}", "{10}"), "t");
  EXPECT_EQ(less("{1,2}", "{1,NULL}"), "t");
  EXPECT_EQ(Answer("array_remove", Of("{a,b,a}", kTextArray), Text("a")), "{b}");
}

}  // namespace
}  // namespace headrace::expr
