#include "schema/json_shape.h"

#include <gtest/gtest.h>

#include "base/arena.h"
#include "schema/codec.h"

namespace headrace::schema {
namespace {

using enum row::TypeKind;

const row::Schema& Columns() {
  static const row::Schema kColumns = {{{"t", {kText, 0, 0}, false},
                                        {"d", {kDecimal, 6, 2}, false},
                                        {"w", {kDecimal, 30, 4}, false},
                                        {"u", {kDecimal, 0, 0}, false},
                                        {"i", {kInteger, 0, 0}, false},
                                        {"s", row::kSmallint, false},
                                        {"b", {kBigint, 0, 0}, false},
                                        {"x", {kDouble, 0, 0}, false},
                                        {"f", {kBoolean, 0, 0}, false},
                                        {"ts", {kTimestampTz, 0, 0}, false}}};
  return kColumns;
}

// What the decoder makes of the document: its row, or its error.
std::string Decoded(JsonDecoder& decoder, const std::string& document) {
  base::Arena arena;
  std::vector<row::Value> slots(Columns().columns.size());
  Status decoded = decoder.Decode(document, false, arena, slots.data());
  if (!decoded.ok()) return decoded.error().ToString();
  std::string out;
  JsonEncoder(Columns()).Append(slots.data(), out);
  return out;
}

// Expects members of these names, in this order.
JsonShape Expecting(const std::vector<std::string>& names, JsonOptions options = {}) {
  JsonShape shape(Columns(), options);
  for (size_t i = 0; i < names.size(); ++i)
    shape.Expect(i, names[i], Columns().Find(names[i]));
  return shape;
}

bool Takes(const JsonShape& shape, const std::string& document) {
  std::vector<row::Value> slots(Columns().columns.size(), row::Value::Null());
  return shape.Decode(document, slots.data());
}

TEST(JsonShape, TakesWhatItKnows) {
  JsonShape shape = Expecting({"t", "other", "d", "ts"}, {TimestampUnit::kMilliseconds});
  EXPECT_FALSE(Takes(shape, R"({"t":"abc","other":[],"d":1})"));
  EXPECT_TRUE(Takes(shape, R"({"t":"abc","other":-1.5,"d":1.25,"ts":1767571200000})"));
  EXPECT_TRUE(Takes(shape, R"({"t": "a longer text", "other": true, "d": -0.5, "ts": null})"));
  EXPECT_TRUE(Takes(shape, R"({"t":"","other":"x"})"));
  EXPECT_TRUE(Takes(shape, R"({"t":"x","other":null,"d":0,"ts":"2026-01-31T10:00:00Z"})"));
}

TEST(JsonShape, LeavesWhatItIsNotSureOf) {
  JsonShape shape = Expecting({"t", "d"});
  for (const char* document : {"",
                               "{",
                               "{}",
                               "[]",
                               R"({"t")",
                               R"({"t":)",
                               R"({"t":"a)",
                               R"({"t":"a")",
                               R"({"t":"a",)",
                               R"({"t":"a"} )",
                               R"({"t":"a"},)",
                               R"( {"t":"a"})",
                               R"({"t" :"a"})",
                               R"({"d":1})",
                               R"({"t":"a\n"})",
                               "{\"t\":\"\xc3\xa9\"}",
                               "{\"t\":\"a\tb\"}",
                               R"({"t":1})",
                               R"({"t":true})",
                               R"({"t":"a","d":01})",
                               R"({"t":"a","d":1.})",
                               R"({"t":"a","d":.5})",
                               R"({"t":"a","d":-})",
                               R"({"t":"a","d":1e2})",
                               R"({"t":"a","d":1.005})",
                               R"({"t":"a","d":12345.00})",
                               R"({"t":"a","d":"1"})",
                               R"({"t":"a","d":nul})",
                               R"({"t":"a","d":1,"more":2})",
                               R"({"t":"a","d":123456789012345678901234567890})",
                               "{\"t\":\"a\",\"d\":1\n}"}) {
    EXPECT_FALSE(Takes(shape, document)) << document;
  }
  shape.Finish(0);
  EXPECT_FALSE(Takes(shape, R"({"t":"a"})"));
}

// Pieces that are put together to documents, fit and unfit.
constexpr const char* kValues[] = {"null",
                                   "true",
                                   "false",
                                   "0",
                                   "-0",
                                   "1",
                                   "-1",
                                   "12",
                                   "007",
                                   "1.5",
                                   "-2.50",
                                   "0.005",
                                   "9999.99",
                                   "10000",
                                   "1e3",
                                   "123456789012345678",
                                   "1234567890123456789",
                                   "-9223372036854775808",
                                   "9223372036854775808",
                                   "12345678901234567890123456.1234",
                                   "0.1",
                                   "1.7976931348623157e308",
                                   "123456789.123456789",
                                   "2147483648",
                                   "32768",
                                   "1767571200",
                                   "\"\"",
                                   "\"a\"",
                                   "\"plain text\"",
                                   "\"2026-01-31T23:59:59.5+01:00\"",
                                   "\"2026-13-31T23:59:59Z\"",
                                   "\"1.5\"",
                                   "\"a\\\"b\"",
                                   "\"\\u00e9\"",
                                   "\"\xc3\xa9\"",
                                   "\"\xff\"",
                                   "\"tab\there\"",
                                   "[1]",
                                   "{\"a\":1}",
                                   "nope",
                                   ""};
constexpr const char* kNames[] = {"t", "d", "w", "u", "i", "s", "b", "x", "f", "ts", "other"};

TEST(JsonShape, GivesWhatTheDecoderProperGives) {
  for (TimestampUnit unit : {TimestampUnit::kRfc3339, TimestampUnit::kSeconds,
                             TimestampUnit::kMilliseconds, TimestampUnit::kMicroseconds}) {
    for (const char* name : kNames) {
      for (const char* value : kValues) {
        for (const char* space : {"", " "}) {
          std::string document = std::string("{\"") + name + "\":" + space + value + "," + space +
                                 "\"other\":" + value + "}";
          JsonDecoder used(Columns(), {unit});
          std::string proper = Decoded(used, document);
          EXPECT_EQ(proper, Decoded(used, document)) << document;  // now its shape is known
          // Also when the document before had other values.
          JsonDecoder other(Columns(), {unit});
          Decoded(other, std::string("{\"") + name + "\":null,\"other\":null}");
          EXPECT_EQ(proper, Decoded(other, document)) << document;
        }
      }
    }
  }
}

TEST(JsonShape, FollowsTheMembersAsTheyChange) {
  JsonDecoder decoder(Columns(), {});
  const std::vector<std::string> documents = {
      R"({"t":"a","d":1})", R"({"d":2,"t":"b"})", R"({"d":3})",         R"({"t":"c","d":4,"i":5})",
      R"({"t":"c"})",       R"({"i":6,"i":7})",   R"({"t\u0000":"x"})", R"({})"};
  for (int round = 0; round < 3; ++round) {
    for (const std::string& document : documents) {
      JsonDecoder fresh(Columns(), {});
      EXPECT_EQ(Decoded(fresh, document), Decoded(decoder, document)) << document;
    }
  }
}

}  // namespace
}  // namespace headrace::schema
