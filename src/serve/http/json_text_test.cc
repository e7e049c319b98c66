#include "serve/http/json_text.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "serve/http/problem.h"

namespace headrace::serve {
namespace {

TEST(JsonText, TakesWhatTheGrammarAllows) {
  for (const char* text :
       {"{}", "[]", "[[],{}]", " { \"a\" : [ 1 , -0.5e+3 , \"\\u00e9\\n\" ] , \"b\" : { } } ", "7",
        "-0", "true", "null", "\"\"", "{\"a\":{\"b\":[{\"c\":[]}]},\"d\":0}", "[1,[2,[3]],4]"}) {
    EXPECT_TRUE(CheckJson(text).ok()) << text;
  }
}

TEST(JsonText, RefusesWhatItDoesNot) {
  for (const char* text : {"",        " ",           "{",        "}",
                           "[1,]",    "[,1]",        "{\"a\":}", "{\"a\" 1}",
                           "{a:1}",   "[1 2]",       "[1}",      "{]",
                           "01",      "1.",          ".5",       "1e",
                           "-",       "tru",         "nulll",    "\"",
                           "\"\\x\"", "\"\\u12g4\"", "\"\n\"",   "{}{}",
                           "[]]",     "{\"a\":1,}",  "{,}",      "{\"a\":1 \"b\":2}",
                           "[1",      "\xff",        "'a'",      "NaN"}) {
    Status checked = CheckJson(text);
    ASSERT_FALSE(checked.ok()) << text;
    EXPECT_EQ(checked.error().code(), kBadJson);
  }
}

TEST(JsonText, DepthIsLimitedAndTakesNoStack) {
  auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(CheckJson(nested(kJsonDepthMax)).ok());
  EXPECT_FALSE(CheckJson(nested(kJsonDepthMax + 1)).ok());
  EXPECT_FALSE(CheckJson(std::string(10'000'000, '[')).ok());
  std::string objects;
  for (int i = 0; i < 100'000; ++i)
    objects += "{\"a\":";
  EXPECT_FALSE(CheckJson(objects).ok());
}

TEST(JsonText, SplitsAnArrayIntoRawElements) {
  auto elements = SplitJsonArray(" [ {\"a\":[1,2]} , \"x,]\" ,3 ] ", 10);
  ASSERT_TRUE(elements.ok());
  EXPECT_EQ(*elements, (std::vector<std::string_view>{"{\"a\":[1,2]}", "\"x,]\"", "3"}));
  EXPECT_EQ(SplitJsonArray("[1,2,3]", 2).error().code(), kTooManyEvents);
  EXPECT_FALSE(SplitJsonArray("{}", 2).ok());
  EXPECT_TRUE(SplitJsonArray("[]", 0)->empty());
}

TEST(JsonText, SplitsAnObjectIntoDecodedKeysAndRawValues) {
  auto members = SplitJsonObject(R"({"\u0061b":{"x":1},"c":" \" "})");
  ASSERT_TRUE(members.ok());
  ASSERT_EQ(members->size(), 2U);
  EXPECT_EQ((*members)[0].key, "ab");
  EXPECT_EQ((*members)[0].value, R"({"x":1})");
  EXPECT_EQ((*members)[1].value, R"(" \" ")");
  EXPECT_FALSE(SplitJsonObject(R"({"a":1,"\u0061":2})").ok());
  EXPECT_EQ(SplitJsonObject("[]").error().code(), kNotAnObject);
}

TEST(JsonText, DecodesStrings) {
  EXPECT_EQ(DecodeJsonString(R"("a\"\\\/\b\f\n\r\t")"), "a\"\\/\b\f\n\r\t");
  EXPECT_EQ(DecodeJsonString(R"("\u00e9\u20ac\ud83d\ude00")"), "\u00e9\u20ac\U0001F600");
  for (const char* bad : {R"("\ud83d")", R"("\ude00")", R"("\ud83d\u0041")", R"("\ud83dx")", "7",
                          "\"", "", "\"a\"b\""}) {
    EXPECT_FALSE(DecodeJsonString(bad)) << bad;
  }
}

}  // namespace
}  // namespace headrace::serve
