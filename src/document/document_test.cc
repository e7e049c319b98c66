#include "document/document.h"

#include <string>

#include <gtest/gtest.h>

#include "document/json.h"
#include "document/ubjson.h"

namespace headrace::document {
namespace {

std::string JsonError(const std::string& text) {
  const auto parsed = ParseJson(text, NumberWidth::kFloat64);
  return parsed.ok() ? "accepted" : parsed.error().code() + " " + parsed.error().place();
}

std::string UbjsonError(const std::string& bytes) {
  const auto parsed = ParseUbjson(bytes);
  return parsed.ok() ? "accepted" : parsed.error().code() + " " + parsed.error().place();
}

TEST(Json, KeepsNumbersOfAnArrayPlain) {
  const Value v =
      ParseJson(R"( {"a":[1, 2.5e0 ,-3], "b":[true,false], "c":[]} )", NumberWidth::kFloat64)
          .value();
  EXPECT_EQ((Value::Numbers{1, 2.5, -3}), *v.Find("a")->numbers());
  EXPECT_EQ((Value::Numbers{1, 0}), *v.Find("b")->numbers());
  EXPECT_TRUE(v.Find("c")->numbers()->empty());
  EXPECT_EQ(nullptr, v.Find("d"));
}

TEST(Json, KeepsAMixedArrayAsValues) {
  const Value v = ParseJson(R"([1, "two", [3]])", NumberWidth::kFloat64).value();
  ASSERT_NE(nullptr, v.array());
  EXPECT_EQ(1, *(*v.array())[0].number());
  EXPECT_EQ("two", *(*v.array())[1].text());
}

TEST(Json, RoundsOnceToTheWidthAskedFor) {
  EXPECT_EQ(static_cast<double>(0.1F), *ParseJson("0.1", NumberWidth::kFloat32)->number());
  EXPECT_EQ(0.1, *ParseJson("0.1", NumberWidth::kFloat64)->number());
  // Just above the middle of two floats, but in double just the middle.
  EXPECT_EQ(static_cast<double>(1.00000012F),
            *ParseJson("1.000000059604644775390626", NumberWidth::kFloat32)->number());
}

TEST(Json, ReadsEscapes) {
  EXPECT_EQ("a\"\\/\n\xC3\xA9\xF0\x9F\x98\x80",
            *ParseJson(R"("a\"\\\/\n\u00e9\ud83d\ude00")", NumberWidth::kFloat64)->text());
}

TEST(Json, RefusesWhatIsNotJsonAndSaysWhere) {
  EXPECT_EQ("HR3002 byte 0", JsonError(""));
  EXPECT_EQ("HR3002 byte 3", JsonError("{} x"));
  EXPECT_EQ("HR3002 byte 1", JsonError("[01]"));
  EXPECT_EQ("HR3002 byte 1", JsonError("[+1]"));
  EXPECT_EQ("HR3002 byte 1", JsonError("[1.]"));
  EXPECT_EQ("HR3002 byte 1", JsonError("[1e999]"));
  EXPECT_EQ("HR3002 byte 0", JsonError(R"({"a":1,"b":2,"a":3})"));
  EXPECT_EQ("HR3002 byte 0", JsonError("\"\xFF\""));
  EXPECT_EQ("HR3002 byte 0", JsonError("\"abc"));
  EXPECT_NE("accepted", JsonError("\"\\ud800x\""));
  EXPECT_NE("accepted", JsonError("[1,]"));
  EXPECT_NE("accepted", JsonError("{\"a\"}"));
}

TEST(Json, RefusesToNestDeeply) {
  EXPECT_EQ("accepted", JsonError(std::string(60, '[') + std::string(60, ']')));
  EXPECT_TRUE(JsonError(std::string(100'000, '[')).starts_with("HR3004"));
}

TEST(Ubjson, ReadsObjectsTypedArraysAndTexts) {
  // {"a": [$d#2: 1.5, -2], "s": "xy", "n": int32 -2, "t": true}
  using namespace std::string_literals;
  const std::string bytes = "{i\x01"s + "a[$d#i\x02\x3F\xC0\x00\x00\xC0\x00\x00\x00"s +
                            "i\x01sSL\0\0\0\0\0\0\0\x02xy"s + "i\x01nl\xFF\xFF\xFF\xFE"s +
                            "i\x01tT}"s;
  const auto parsed = ParseUbjson(bytes);
  ASSERT_TRUE(parsed.ok()) << parsed.error().ToString();
  EXPECT_EQ((Value::Numbers{1.5, -2}), *parsed->Find("a")->numbers());
  EXPECT_EQ("xy", *parsed->Find("s")->text());
  EXPECT_EQ(-2, *parsed->Find("n")->number());
  EXPECT_TRUE(*parsed->Find("t")->boolean());
}

TEST(Ubjson, DoesNotBelieveALengthBeyondTheBytes) {
  using namespace std::string_literals;
  EXPECT_EQ("HR3002 byte 4", UbjsonError("[$d#L\x10\0\0\0\0\0\0\0zzzz"s));
  EXPECT_NE("accepted", UbjsonError("[$d#L\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s));
  EXPECT_NE("accepted", UbjsonError("{L\0\x04\0\0\0\0\0\0"s));
  EXPECT_NE("accepted", UbjsonError("[$S#i\x01"s));
  EXPECT_NE("accepted", UbjsonError("q"));
  EXPECT_NE("accepted", UbjsonError("{"));
  EXPECT_NE("accepted", UbjsonError("[i\x01]x"));
  EXPECT_TRUE(UbjsonError(std::string(100'000, '[')).starts_with("HR3004"));
}

TEST(Utf8, AcceptsShortestFormsOnly) {
  EXPECT_TRUE(
      IsUtf8("gr\xC3\xB6\xC3\x9F"
             "e \xE2\x82\xAC \xF0\x9F\x98\x80"));
  EXPECT_FALSE(IsUtf8("\xC0\xAF"));
  EXPECT_FALSE(IsUtf8("\xED\xA0\x80"));
  EXPECT_FALSE(IsUtf8("\xE2\x82"));
  EXPECT_FALSE(IsUtf8("\xF4\x90\x80\x80"));
}

}  // namespace
}  // namespace headrace::document
