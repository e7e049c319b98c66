#include "row/json_text.h"

#include <gtest/gtest.h>

namespace headrace::row {
namespace {

std::string Jsonb(std::string_view text) {
  std::string out;
  const Status status = AppendJsonb(text, out);
  return status.ok() ? out : status.error().message();
}

TEST(JsonText, MakesJsonbCanonical) {
  EXPECT_EQ(Jsonb(R"({"b":2,"a":1,"a":3})"), R"({"a": 3, "b": 2})");
  EXPECT_EQ(Jsonb(R"({"bb":1,"c":[1, 2 ,{}],"a":{"z":null}})"),
            R"({"a": {"z": null}, "c": [1, 2, {}], "bb": 1})");
  EXPECT_EQ(Jsonb(" 12.30 "), "12.30");
  EXPECT_EQ(Jsonb("1e2"), "100");
  EXPECT_EQ(Jsonb("-0"), "0");
  EXPECT_EQ(Jsonb(R"("\u00e9\n\/\ud83d\ude00")"), "\"é\\n/\xF0\x9F\x98\x80\"");
}

TEST(JsonText, RefusesWhatIsNotOneDocument) {
  for (const char* text : {"", "{bad", "{", "[1,]", "{\"a\" 1}", "01", "1 2", "\"\\x\"", "nul",
                           "[1", "\"abc", "+1", "1.", "{\"a\":1,}", "\"\\u12\""}) {
    EXPECT_FALSE(CheckJson(text).ok()) << text;
  }
  EXPECT_FALSE(CheckJson(std::string(100'000, '[')).ok());
  EXPECT_EQ(Jsonb("\"\\u0000\""), "unsupported Unicode escape sequence");
}

TEST(JsonText, FindsMembersAndElements) {
  const auto members = JsonMembers(R"( { "a" : [1,"]"] , "b\"" : "x}" } )");
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[0].key, "\"a\"");
  EXPECT_EQ(members[0].value, "[1,\"]\"]");
  EXPECT_EQ(members[1].key, "\"b\\\"\"");
  EXPECT_EQ(members[1].value, "\"x}\"");
  const auto elements = JsonElements("[ 1 , {\"k\":[2,3]},\"a,b\" ]");
  ASSERT_EQ(elements.size(), 3U);
  EXPECT_EQ(elements[1], "{\"k\":[2,3]}");
  EXPECT_TRUE(JsonElements("[ ]").empty());
  EXPECT_TRUE(JsonMembers("{}").empty());
}

}  // namespace
}  // namespace headrace::row
