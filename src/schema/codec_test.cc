#include "schema/codec.h"

#include <gtest/gtest.h>

#include "row/text.h"

namespace headrace::schema {
namespace {

using enum row::TypeKind;

row::Schema Payments() {
  return {{{"tx_id", {kText, 0, 0}, true},
           {"amount", {kDecimal, 12, 2}, false},
           {"n", {kBigint, 0, 0}, false},
           {"x", {kDouble, 0, 0}, false},
           {"ok", {kBoolean, 0, 0}, false},
           {"ts", {kTimestampTz, 0, 0}, false},
           {"j", {kJsonb, 0, 0}, false}}};
}

std::string RoundTrip(const std::string& payload, bool padded = false) {
  JsonDecoder decoder(Payments(), {});
  base::Arena arena;
  std::vector<row::Value> slots(7);
  std::string with_room = payload + std::string(64, ' ');
  Status decoded = decoder.Decode(std::string_view(with_room).substr(0, payload.size()), padded,
                                  arena, slots.data());
  if (!decoded.ok()) return decoded.error().code() + decoded.error().place();
  std::string out;
  JsonEncoder(Payments()).Append(slots.data(), out);
  return out;
}

TEST(JsonDecoderTest, DecodesEveryColumnExactlyAndIgnoresTheRest) {
  std::string expected =
      R"({"tx_id":"a\"b","amount":12.30,"n":9223372036854775807,"x":0.1,"ok":true,)"
      R"("ts":"2026-01-31T23:59:59.000001Z","j":{"a": 1, "bb": [1.50, null]}})";
  std::string payload =
      R"({"other":[1,{"z":"\u00e9"}],"tx_id":"a\"b","amount":"12.3","n":9223372036854775807,"x":1e-1,)"
      R"("ok":true,"ts":"2026-02-01T00:59:59.000001+01:00","j":{"bb":[1.50,null],"a":1}})";
  EXPECT_EQ(RoundTrip(payload), expected);
  EXPECT_EQ(RoundTrip(payload, true), expected);
}

TEST(JsonDecoderTest, RefusesWhatIsNotWholeOrDoesNotFit) {
  EXPECT_EQ(RoundTrip(R"({"tx_id":)"), "HR2201");
  EXPECT_EQ(RoundTrip(R"({"tx_id":"a"} x)"), "HR2201");
  EXPECT_EQ(RoundTrip(R"({"tx_id":"a","z":nope})"), "HR2201");
  EXPECT_EQ(RoundTrip(R"({"tx_id":"a","z":01})"), "HR2201");
  EXPECT_EQ(RoundTrip("[]"), "HR2202");
  EXPECT_EQ(RoundTrip(R"({"tx_id":7})"), "HR2203/tx_id");
  EXPECT_EQ(RoundTrip(R"({"amount":"NaN"})"), "HR2203/amount");
  EXPECT_EQ(RoundTrip(R"({"ts":"yesterday"})"), "HR2203/ts");
  EXPECT_EQ(RoundTrip(R"({"amount":99999999999999})"), "HR2204/amount");
  EXPECT_EQ(RoundTrip(R"({"n":9223372036854775808})"), "HR2204/n");
  EXPECT_EQ(RoundTrip(""), "HR2201");
  std::string deep;
  for (int i = 0; i < 5000; ++i)
    deep += "{\"a\":";
  EXPECT_EQ(RoundTrip(deep).substr(0, 4), "HR22");
}

TEST(JsonDecoderTest, TheLastOfRepeatedMembersWins) {
  EXPECT_NE(RoundTrip(R"({"n":1,"n":2})").find("\"n\":2"), std::string::npos);
}

TEST(JsonDecoderTest, EpochNumbersNeedTheirUnit) {
  JsonDecoder decoder(Payments(), {TimestampUnit::kMilliseconds});
  base::Arena arena;
  std::vector<row::Value> slots(7);
  ASSERT_TRUE(decoder.Decode(R"({"ts":1767571200001})", false, arena, slots.data()).ok());
  EXPECT_EQ(slots[5].integer, 1767571200001000);
  EXPECT_EQ(RoundTrip(R"({"ts":1767571200001})"), "HR2203/ts");
}

TEST(CsvToJsonTest, ReadsBackWhatWasWritten) {
  row::Schema schema = {{{"b", {kBoolean, 0, 0}, false},
                         {"y", {kBytea, 0, 0}, false},
                         {"i", {kInterval, 0, 0}, false},
                         {"d", {kDate, 0, 0}, false},
                         {"n", {kDecimal, 6, 2}, false},
                         {"x", {kDouble, 0, 0}, false},
                         {"t", {kText, 0, 0}, false},
                         {"ts", {kTimestampTz, 0, 0}, false},
                         {"j", {kJsonb, 0, 0}, false}}};
  const std::vector<std::string> rows = {
      R"({"b":true,"y":"YWI=","i":"1 year 2 days 03:00:00","d":"2026-01-31","n":-1.50,"x":0.1,)"
      R"("t":"a, \"b\"\nc","ts":"2026-01-31T23:59:59.500000Z","j":{"a": [1, "x"]}})",
      R"({"b":false,"y":"","i":"-00:00:01","d":"1969-12-31","n":0.00,"x":"NaN","t":"",)"
      R"("ts":"1960-01-01T00:00:00Z","j":"s"})",
      R"({"b":null,"y":null,"i":null,"d":null,"n":null,"x":null,"t":null,"ts":null,"j":null})"};
  CsvToJson converter = CsvToJson::FromHeader(CsvHeader(schema), schema).value();
  JsonDecoder decoder(schema, {});
  for (const std::string& row : rows) {
    base::Arena arena;
    std::vector<row::Value> slots(schema.columns.size());
    ASSERT_TRUE(decoder.Decode(row, false, arena, slots.data()).ok()) << row;
    std::string record;
    AppendCsvRow(schema, slots.data(), record);
    std::string json;
    converter.Append(record, json);
    Status decoded = decoder.Decode(json, false, arena, slots.data());
    ASSERT_TRUE(decoded.ok()) << json << ": " << decoded.error().ToString();
    std::string again;
    JsonEncoder(schema).Append(slots.data(), again);
    EXPECT_EQ(row, again) << record;
  }
}

TEST(CsvToJsonTest, MatchesByHeaderAndKeepsEmptyApart) {
  auto converter = CsvToJson::FromHeader("ts,zzz,tx_id,amount\r", Payments());
  ASSERT_TRUE(converter.ok());
  std::string out;
  converter->Append("2026-01-01T00:00:00Z,1,\"a,\"\"b\",", out);
  EXPECT_EQ(out, R"({"ts":"2026-01-01T00:00:00Z","tx_id":"a,\"b","amount":null})");
  out.clear();
  converter->Append("x,1,,abc", out);
  EXPECT_EQ(out, R"({"ts":"x","tx_id":null,"amount":"abc"})");
  EXPECT_FALSE(CsvToJson::FromHeader("a,b", Payments()).ok());
}

}  // namespace
}  // namespace headrace::schema
