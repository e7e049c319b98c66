#include "model/remote_model.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace headrace::model {
namespace {

using Values = std::vector<RemoteValue>;

RemoteSignature TwoOutputs() {
  RemoteSignature signature;
  signature.inputs = {{"amount", RemoteType::kDouble}, {"card", RemoteType::kText}};
  signature.outputs = {{"score", RemoteType::kDouble}, {"label", RemoteType::kText}};
  return signature;
}

RemoteSignature One(RemoteType type) {
  RemoteSignature signature;
  signature.inputs = {{"x", RemoteType::kReal}, {"y", RemoteType::kReal}};
  signature.outputs = {{"out", type}};
  return signature;
}

std::string Codes(const RemoteSignature& signature, std::string_view body) {
  const auto read = ReadRemoteAnswer(signature, body);
  return read.ok() ? "ok" : read.error().code();
}

TEST(RemoteAddress, HoldsWhereTheModelIsAsked) {
  const auto address = RemoteAddress::Parse("http://models.local:8000/v2/models/risk");
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address->host, "models.local");
  EXPECT_EQ(address->port, 8000);
  EXPECT_EQ(address->target, "/v2/models/risk/infer");
  EXPECT_EQ(address->name, "risk");
  const auto version = RemoteAddress::Parse("http://[::1]/v2/models/risk/versions/3/infer/");
  ASSERT_TRUE(version.ok());
  EXPECT_EQ(version->host, "::1");
  EXPECT_EQ(version->port, 80);
  EXPECT_EQ(version->target, "/v2/models/risk/versions/3/infer");
}

TEST(RemoteAddress, RefusesWhatIsNone) {
  for (const char* url :
       {"", "https://a/v2/models/x", "file:///v2/models/x", "http://a", "http://a/",
        "http:///v2/models/x", "http://user:p@a/v2/models/x", "http://a:0/v2/models/x",
        "http://a:99999/v2/models/x", "http://a:8x/v2/models/x", "http://a/v2/models/",
        "http://a/v2/models/x?y=1", "http://a/v2/models/x y", "http://a/v2/models/x\r\nHost: b",
        "http://a/v2/models/x#f"}) {
    const auto address = RemoteAddress::Parse(url);
    ASSERT_FALSE(address.ok()) << url;
    EXPECT_EQ(address.error().code(), "HR3030") << url;
  }
  EXPECT_FALSE(RemoteAddress::Parse("http://a/v2/models/" + std::string(3000, 'x')).ok());
}

TEST(RemoteRequest, NamesAndTypesEachInput) {
  EXPECT_EQ(RemoteRequest(TwoOutputs(), Values{12.5, std::string("a\"\\\n\x01")}),
            R"({"inputs":[{"name":"amount","shape":[1,1],"datatype":"FP64","data":[12.5]},)"
            R"({"name":"card","shape":[1,1],"datatype":"BYTES","data":["a\"\\\u000a\u0001"]}]})");
  RemoteSignature packed = One(RemoteType::kDouble);
  packed.tensor = "input__0";
  EXPECT_EQ(RemoteRequest(packed, Values{static_cast<double>(0.1F), 2.0}),
            R"({"inputs":[{"name":"input__0","shape":[1,2],"datatype":"FP32","data":[0.1,2]}]})");
}

TEST(RemoteAnswer, IsReadByNameOrByPosition) {
  const RemoteSignature two = TwoOutputs();
  const auto named = ReadRemoteAnswer(
      two, R"({"model_name":"m","outputs":[{"name":"label","datatype":"BYTES","shape":[1,1],)"
           R"("data":["bad"]},{"name":"score","data":[[0.25]]}]})");
  ASSERT_TRUE(named.ok());
  EXPECT_EQ(*named, (Values{0.25, std::string("bad")}));
  const auto placed = ReadRemoteAnswer(two, R"({"outputs":[{"name":"o","data":[[0.5,"good"]]}]})");
  ASSERT_TRUE(placed.ok());
  EXPECT_EQ(*placed, (Values{0.5, std::string("good")}));
  const auto null =
      ReadRemoteAnswer(One(RemoteType::kDouble), R"({"outputs":[{"name":"out","data":[null]}]})");
  ASSERT_TRUE(null.ok());
  EXPECT_EQ(*null, Values{RemoteValue()});
}

TEST(RemoteAnswer, OfAnotherShapeTypeOrNumberIsRefused) {
  const RemoteSignature number = One(RemoteType::kDouble);
  const auto with = [](std::string_view data) {
    return R"({"outputs":[{"name":"out","data":)" + std::string(data) + "}]}";
  };
  EXPECT_EQ(Codes(number, with("[1]")), "ok");
  for (const char* data : {"[]", "[1,2]", "[[1],[2]]", "[\"1\"]", "[NaN]", "[Infinity]",
                           "[-Infinity]", "{}", "[{}]", "1", "\"x\"", "null", "[1e999]"}) {
    EXPECT_EQ(Codes(number, with(data)), "HR3031") << data;
  }
  for (const char* body : {"", "{", "[]", "{}", "null", R"({"outputs":{}})", R"({"outputs":[1]})",
                           R"({"outputs":[{"data":[1]}]})", R"({"outputs":[{"name":"out"}]})",
                           R"({"outputs":[{"name":"a","data":[1]},{"name":"b","data":[1]}]})",
                           R"({"outputs":[{"name":"out","data":[1]}]} x)", "<html>"}) {
    EXPECT_EQ(Codes(number, body), "HR3031") << body;
  }
  EXPECT_EQ(Codes(One(RemoteType::kBigint), with("[1.5]")), "HR3031");
  EXPECT_EQ(Codes(One(RemoteType::kBigint), with("[1e17]")), "HR3031");
  EXPECT_EQ(Codes(One(RemoteType::kInteger), with("[2147483648]")), "HR3031");
  EXPECT_EQ(Codes(One(RemoteType::kBoolean), with("[2]")), "HR3031");
  EXPECT_EQ(Codes(One(RemoteType::kBoolean), with("[true]")), "ok");
  EXPECT_EQ(Codes(One(RemoteType::kText), with("[1]")), "HR3031");
}

TEST(RemoteAnswer, OverTheLimitsIsRefused) {
  const std::string text(kRemoteTextBytesMax + 1, 'x');
  EXPECT_EQ(
      Codes(One(RemoteType::kText), R"({"outputs":[{"name":"out","data":[")" + text + R"("]}]})"),
      "HR3032");
  EXPECT_EQ(Codes(One(RemoteType::kText), std::string(kRemoteAnswerBytesMax + 1, ' ')), "HR3032");
  const std::string deep(100000, '[');
  EXPECT_EQ(Codes(One(RemoteType::kText), R"({"outputs":)" + deep), "HR3031");
  std::string many = R"({"outputs":[{"name":"out","data":[1)";
  for (size_t i = 0; i < kRemoteColumnsMax; ++i)
    many += ",1";
  EXPECT_EQ(Codes(One(RemoteType::kDouble), many + "]}]}"), "HR3031");
}

TEST(RemoteValues, AreReadAsTheyWereWritten) {
  const Values values = {RemoteValue(), true, int64_t{-7}, -0.0, std::string("a\0b", 3)};
  std::string bytes;
  AppendRemoteValues(values, bytes);
  base::ByteReader reader(bytes);
  Values read;
  ASSERT_TRUE(ReadRemoteValues(reader, read));
  EXPECT_EQ(read, values);
  EXPECT_TRUE(std::signbit(std::get<double>(read[3])));
  EXPECT_EQ(reader.remaining(), 0U);
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    base::ByteReader part(std::string_view(bytes).substr(0, cut));
    EXPECT_FALSE(ReadRemoteValues(part, read)) << cut;
  }
}

}  // namespace
}  // namespace headrace::model
