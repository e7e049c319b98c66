#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "model/test_models.h"
#include "serve/http/fake_engine_for_test.h"
#include "serve/http/inference_api.h"
#include "serve/http/inference_request.h"

namespace headrace::serve {
namespace {

// Runs everything at once, on the caller's thread.
class AtOnce final : public QueryRunner {
 public:
  bool Run(std::function<void()> work, std::function<void()> then) override {
    ++runs;
    work();
    then();
    return true;
  }
  int runs = 0;
};

class InferenceTest : public testing::Test {
 protected:
  InferenceTest() {
    auto loaded = model::Model::Load(model::HandMadeLightGbm());
    engine_.served.push_back({"risk", {{1, "aa", "decides", *loaded}}, 1, {}});
    auto other = model::Model::Load(model::HandMadeLightGbm("regression"));
    engine_.served.front().versions.push_back({2, "bb", "shadow", *other});
  }

  Response Ask(const std::string& target, const std::string& body,
               std::vector<Header> headers = {}) {
    Response response;
    Result<Route> route = ParseRoute(target);
    Request request{Method::kPost, target, headers, body};
    api_.Handle(*route, std::move(request), [&](Response given) { response = std::move(given); });
    return response;
  }

  FakeEngine engine_;
  AtOnce runner_;
  InferenceApi api_{engine_, runner_};
};

std::string Doubles(std::initializer_list<double> values) {
  std::string bytes;
  for (double value : values)
    AppendBinary(value, bytes);
  return bytes;
}

constexpr const char* kInfer = "/v2/models/risk/infer";

TEST_F(InferenceTest, ScoresRowsOfOneTensor) {
  Response r = Ask(kInfer, R"({"id":"q7","inputs":[{"name":"input","shape":[2,3],)"
                           R"("datatype":"FP64","data":[[1,3,20],[9,0,null]]}],)"
                           R"("outputs":[{"name":"raw"}]})");
  ASSERT_EQ(200, r.status) << r.body;
  EXPECT_EQ(R"({"model_name":"risk","model_version":"1","id":"q7","parameters":{"sha256":"aa"},)"
            R"("outputs":[{"name":"raw","datatype":"FP64","shape":[2,1],"data":[-1.5,-1]}]})",
            r.body);
  EXPECT_EQ(-1, r.json_bytes);
}

TEST_F(InferenceTest, TakesEachFeatureByItsNameAndInAnyType) {
  const std::string body =
      R"({"inputs":[{"name":"y","shape":[2],"datatype":"INT32","data":[20,11]},)"
      R"({"name":"x","shape":[2,1],"datatype":"BOOL","data":[true,false]},)"
      R"({"name":"kind","shape":[2],"datatype":"UINT8","data":[3,255]}]})";
  Response r = Ask("/v2/models/risk/versions/2/infer", body);
  ASSERT_EQ(200, r.status) << r.body;
  EXPECT_NE(r.body.find(R"("model_version":"2")"), std::string::npos);
  EXPECT_NE(r.body.find(R"("name":"score","datatype":"FP64","shape":[2,1],"data":[-1.5,-2.25])"),
            std::string::npos)
      << r.body;
}

TEST_F(InferenceTest, BinaryTensorsGiveTheSameBitsAsJson) {
  std::string json = R"({"parameters":{"binary_data_output":true},"inputs":[{"name":"input",)"
                     R"("shape":[1,3],"datatype":"FP64","parameters":{"binary_data_size":24}}]})";
  const std::string length = std::to_string(json.size());
  std::vector<Header> headers = {{"inference-header-content-length", length}};
  Response binary = Ask(kInfer, json + Doubles({1, 3, 20}), headers);
  ASSERT_EQ(200, binary.status) << binary.body;
  EXPECT_EQ(kOctets, binary.content_type);
  std::string tail = binary.body.substr(static_cast<size_t>(binary.json_bytes));
  EXPECT_EQ(Doubles({1 / (1 + std::exp(1.5)), -1.5}), tail);
}

TEST_F(InferenceTest, ManyRowsGoToAQueryThreadWithTheSameAnswer) {
  std::string rows = "[1,3,20]";
  std::string expected = "-1.5";
  for (int i = 1; i < 3000; ++i) {
    rows += ",[1,3,20]";
    expected += ",-1.5";
  }
  Response r =
      Ask(kInfer, R"({"inputs":[{"name":"input","shape":[3000,3],"datatype":"FP32","data":[)" +
                      rows + R"(]}],"outputs":[{"name":"raw"}]})");
  EXPECT_EQ(1, runner_.runs);
  ASSERT_EQ(200, r.status) << r.body;
  EXPECT_NE(r.body.find("\"data\":[" + expected + "]"), std::string::npos);
}

TEST_F(InferenceTest, WhatDoesNotFitIsRefusedWithItsPlace) {
  auto input = [](const std::string& rest) {
    return "{\"inputs\":[{\"name\":\"input\"," + rest + "}]}";
  };
  struct Case {
    std::string body;
    std::string said;
  };
  const Case cases[] = {
      {"{nope", "HR8007"},
      {"{}", "/inputs"},
      {input(R"("shape":[1,3],"datatype":"FP64")"), "needs either"},
      {input(R"("shape":[1,2],"datatype":"FP64","data":[1,2])"), "[rows,3]"},
      {input(R"("shape":[1,3],"datatype":"FP64","data":[1,2])"), "/inputs/0/data"},
      {input(R"("shape":[1,3],"datatype":"FP64","data":[1,2,3,4])"), "more elements"},
      {input(R"("shape":[1,3],"datatype":"FP128","data":[1,2,3])"), "/inputs/0/datatype"},
      {input(R"("shape":[1,3],"datatype":"INT8","data":[1,2,128])"), "cannot hold 128"},
      {input(R"("shape":[1,3],"datatype":"UINT64","data":[1,2,-1])"), "cannot hold -1"},
      {input(R"("shape":[1,3],"datatype":"BYTES","data":["a","b","c"])"), "not BYTES"},
      {input(R"("shape":[1,3],"datatype":"FP64","data":[[[[[[[[[1,2,3]]]]]]]]])"), "too deep"},
      {input(R"("shape":[1099511627776,3],"datatype":"FP64","data":[])"), "too large"},
      {input(R"("shape":[1,-3],"datatype":"FP64","data":[1,2,3])"), "/inputs/0/shape"},
      {input(R"("shape":[1,3],"datatype":"FP64","parameters":{"binary_data_size":24})"),
       "ends within"},
      {input(R"("shape":[1,3],"datatype":"FP64","parameters":{"shared_memory_region":"x"})"),
       "not supported"},
      {R"({"inputs":[{"name":"x","shape":[1],"datatype":"FP64","data":[1]}]})",
       "`kind` is missing"},
      {R"({"inputs":[{"name":"z","shape":[1],"datatype":"FP64","data":[1]}]})", "no input `z`"},
      {R"({"inputs":[],"outputs":[{"name":"nope"}]})", "no output `nope`"},
  };
  for (const Case& each : cases) {
    Response r = Ask(kInfer, each.body);
    EXPECT_EQ(400, r.status) << each.body;
    EXPECT_TRUE(r.body.starts_with("{\"error\":\"")) << r.body;
    EXPECT_NE(r.body.find(each.said), std::string::npos) << each.body << " gave " << r.body;
  }
  std::vector<Header> beyond = {{"Inference-Header-Content-Length", "999"}};
  EXPECT_EQ(400, Ask(kInfer, "{}", beyond).status);
  EXPECT_EQ(404, Ask("/v2/models/none/infer", "{}").status);
  EXPECT_EQ(404, Ask("/v2/models/risk/versions/3/infer", "{}").status);
  EXPECT_EQ(404, Ask("/v2/models/risk/versions/x/infer", "{}").status);
}

TEST_F(InferenceTest, SaysWhatThereIs) {
  EXPECT_EQ(R"({"live":true})", Ask("/v2/health/live", "").body);
  EXPECT_EQ(R"({"name":"risk","ready":true})", Ask("/v2/models/risk/versions/2/ready", "").body);
  EXPECT_EQ(404, Ask("/v2/models/none/ready", "").status);
  Response metadata = Ask("/v2/models/risk", "");
  EXPECT_NE(metadata.body.find(R"("versions":["1","2"],"platform":"lightgbm","inputs":[)"
                               R"({"name":"input","datatype":"FP64","shape":[-1,3]}])"),
            std::string::npos)
      << metadata.body;
  EXPECT_NE(Ask("/v2/repository/index", "").body.find(R"("version":"2","state":"READY")"),
            std::string::npos);
  engine_.is_ready = false;
  EXPECT_EQ(503, Ask("/v2/health/ready", "").status);
}

TEST(TensorTest, EveryTypeReadsItsBinaryForm) {
  struct Case {
    DataType type;
    std::string bytes;
    double value;
  };
  using namespace std::string_literals;
  const Case cases[] = {
      {DataType::kBool, "\x01"s, 1},
      {DataType::kUint8, "\xff"s, 255},
      {DataType::kInt8, "\xff"s, -1},
      {DataType::kUint16, "\xff\xff"s, 65535},
      {DataType::kInt16, "\xfe\xff"s, -2},
      {DataType::kUint32, "\x01\x00\x00\x80"s, 2147483649.0},
      {DataType::kInt32, "\xff\xff\xff\xff"s, -1},
      {DataType::kUint64, "\x00\x00\x00\x00\x00\x00\x00\x80"s, 9223372036854775808.0},
      {DataType::kInt64, "\xff\xff\xff\xff\xff\xff\xff\xff"s, -1},
      {DataType::kFp16, "\x00\xc2"s, -3},
      {DataType::kFp16, "\x01\x00"s, std::ldexp(1, -24)},
      {DataType::kBf16, "\x40\x40"s, 3},
      {DataType::kFp32, "\x00\x00\x40\x40"s, 3},
      {DataType::kFp64, "\x00\x00\x00\x00\x00\x00\x08\x40"s, 3},
  };
  for (const Case& each : cases) {
    Tensor tensor{"t", each.type, {1}, {}, {}};
    ASSERT_TRUE(ReadBinaryElements(each.bytes, tensor).ok()) << ToString(each.type);
    EXPECT_EQ(each.value, tensor.numbers.at(0)) << ToString(each.type);
    EXPECT_EQ(each.type, DataTypeOf(ToString(each.type)));
    Tensor longer{"t", each.type, {1}, {}, {}};
    EXPECT_FALSE(ReadBinaryElements(each.bytes + "x", longer).ok());
  }
  Tensor texts{"t", DataType::kBytes, {2}, {}, {}};
  ASSERT_TRUE(ReadBinaryElements("\x01\x00\x00\x00"s + "a" + "\x00\x00\x00\x00"s, texts).ok());
  EXPECT_EQ((std::vector<std::string>{"a", ""}), texts.texts);
  Tensor torn{"t", DataType::kBytes, {1}, {}, {}};
  EXPECT_FALSE(ReadBinaryElements("\xff\xff\xff\xff"s, torn).ok());
}

TEST(TensorTest, WhatJsonHasNoNumberForComesBack) {
  for (double value : {0.1, -0.0, 1e300, std::numeric_limits<double>::infinity(), -5e-324}) {
    std::string text = "[";
    AppendJsonNumber(value, text);
    Tensor tensor{"t", DataType::kFp64, {1}, {}, {}};
    ASSERT_TRUE(ReadJsonElements(text + "]", tensor).ok()) << text;
    EXPECT_EQ(0, std::memcmp(&value, tensor.numbers.data(), sizeof value)) << text;
  }
}

}  // namespace
}  // namespace headrace::serve
