#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "model/onnx_test_models.h"
#include "model/score_csv.h"
#include "onnx/graph.h"
#include "onnx/runtime_api.h"

namespace headrace::model {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> Score(const std::string& file, const std::vector<double>& row) {
  const auto model = Model::Load(file);
  EXPECT_TRUE(model.ok()) << model.error().ToString();
  if (!model.ok()) return {};
  std::vector<double> raw(static_cast<size_t>((*model)->info().outputs));
  (*model)->ScoreRaw(row, 1, raw);
  return raw;
}

std::string CodeOf(const std::string& file) {
  const auto model = Model::Load(file);
  return model.ok() ? "" : model.error().code();
}

// A model of one node over x, which has `columns`.
std::string OneNode(std::string_view op, int64_t columns,
                    const std::vector<std::string>& attributes = {}) {
  return OnnxWriter().Input("x", columns).Node(op, {"x"}, {"y"}, attributes).Output("y").File();
}

std::string Perceptron() {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  const auto weights = [&](size_t n) {
    std::vector<float> values(n);
    for (float& value : values) {
      value = normal(random);
    }
    return values;
  };
  OnnxWriter writer;
  writer.Input("x", 5)
      .Weights("w", {33, 5}, weights(165))
      .Weights("b", {33}, weights(33))
      .Weights("v", {33, 3}, weights(99));
  writer.Node("Gemm", {"x", "w", "b"}, {"h"}, {OnnxWriter::Int("transB", 1)})
      .Node("Tanh", {"h"}, {"t"})
      .Node("MatMul", {"t", "v"}, {"z"})
      .Node("Softmax", {"z"}, {"y"})
      .Output("y");
  return writer.File();
}

TEST(Onnx, AFileSaysWhatItTakesAndGives) {
  const auto model = Model::Load(TextOnnx());
  ASSERT_TRUE(model.ok()) << model.error().ToString();
  const ModelInfo& info = (*model)->info();
  EXPECT_EQ(Format::kOnnx, info.format);
  EXPECT_EQ((std::vector<std::string>{"kind", "amount"}), info.features);
  EXPECT_EQ((std::vector<std::string>{"label", "scores_0", "scores_1"}), info.output_names);
  EXPECT_TRUE(info.exact_categories);
  EXPECT_FALSE(info.categories[0].empty());
  EXPECT_TRUE(info.categories[1].empty());
  // Of two classes' scores the prediction is the second.
  EXPECT_EQ(1, info.predictions);
  EXPECT_FALSE(info.text_prediction);
}

TEST(Onnx, TextsGoInAndComeOut) {
  const auto model = Model::Load(TextOnnx());
  ASSERT_TRUE(model.ok());
  std::string out;
  ASSERT_TRUE(
      ScoreCsv(**model, "amount,kind\n0,a\n0,b\n1,b\n2,new\n-1,\n", OutputKind::kRaw, &out).ok());
  std::vector<std::string> labels;
  for (size_t at = out.find('\n'); at + 1 < out.size(); at = out.find('\n', at + 1)) {
    labels.push_back(out.substr(at + 1, out.find(',', at) - at - 1));
  }
  EXPECT_EQ((std::vector<std::string>{"yes", "no", "no", "yes", "no"}), labels);
  std::string probability;
  ASSERT_TRUE(
      ScoreCsv(**model, "amount,kind\n0.5,b\n", OutputKind::kProbability, &probability).ok());
  EXPECT_EQ("prediction\n" + std::to_string(1 / (1 + std::exp(2.0))).substr(0, 6),
            probability.substr(0, 17));
}

TEST(Onnx, EverySplitComparesAsItsModeSays) {
  EXPECT_EQ(11, Score(TreeOnnx(), {0.5, 6})[0]);
  EXPECT_EQ(22, Score(TreeOnnx(), {1, 5})[0]);
  EXPECT_EQ(23, Score(TreeOnnx(), {kNan, 4})[0]);
  EXPECT_EQ(21, Score(TreeOnnx(), {kNan, kNan})[0]);
  EXPECT_EQ(12, Score(TreeOnnx("BRANCH_LEQ"), {1, 5})[0]);
  EXPECT_EQ(12, Score(TreeOnnx("BRANCH_GTE"), {1, 5})[0]);
  EXPECT_EQ(12, Score(TreeOnnx("BRANCH_NEQ"), {kNan, 5})[0]);
  EXPECT_EQ("HR3002", CodeOf(TreeOnnx("BRANCH_MAYBE")));
}

TEST(Onnx, ARowsBitsDoNotDependOnTheOthers) {
  for (const std::string& file : {Perceptron(), TreeOnnx()}) {
    const auto model = Model::Load(file);
    ASSERT_TRUE(model.ok()) << model.error().ToString();
    const size_t width = (*model)->info().features.size();
    const auto outputs = static_cast<size_t>((*model)->info().outputs);
    constexpr size_t kRows = 50;
    std::mt19937 random(1);
    std::vector<double> features(kRows * width);
    for (double& x : features) {
      x = static_cast<double>(random() % 1000) / 99 - 3;
    }
    std::vector<double> together(kRows * outputs);
    (*model)->ScoreRaw(features, kRows, together);
    for (size_t r = 0; r < kRows; ++r) {
      std::vector<double> alone(outputs);
      (*model)->ScoreRaw(std::span(features).subspan(r * width, width), 1, alone);
      for (size_t k = 0; k < outputs; ++k) {
        EXPECT_EQ(alone[k], together[r * outputs + k]);
      }
    }
  }
}

TEST(Onnx, OperatorsComputeWhatTheirNamesSay) {
  EXPECT_EQ((std::vector<double>{0, 0, 2}), Score(OneNode("Relu", 3), {-1, 0, 2}));
  EXPECT_EQ((std::vector<double>{2}),
            Score(OnnxWriter()
                      .Input("x", 3)
                      .Node("ArgMax", {"x"}, {"y"}, {OnnxWriter::Int("axis", 1)})
                      .Output("y", 7)
                      .File(),
                  {1, 2, 4}));
  EXPECT_EQ((std::vector<double>{7}),
            Score(OneNode("ReduceMax", 3, {OnnxWriter::Ints("axes", {1})}), {1, 7, 4}));
  EXPECT_EQ((std::vector<double>{1, 2, 4}),
            Score(OneNode("Transpose", 3, {OnnxWriter::Ints("perm", {1, 0})}), {1, 2, 4}));
  const std::vector<double> softmax = Score(OneNode("Softmax", 2), {0, 0});
  EXPECT_EQ((std::vector<double>{0.5, 0.5}), softmax);
  const std::string spread = OnnxWriter()
                                 .Input("x", 2)
                                 .Weights("w", {2, 1}, {10, 20})
                                 .Node("Add", {"x", "w"}, {"y"})
                                 .Output("y")
                                 .File();
  EXPECT_EQ((std::vector<double>{11, 12, 21, 22}), Score(spread, {1, 2}));
}

TEST(Onnx, AnUnknownOperatorIsNamedAndUnavailable) {
  const auto model = Model::Load(OneNode("Telepathy", 2));
  ASSERT_FALSE(model.ok());
  EXPECT_EQ("HR3006", model.error().code());
  EXPECT_EQ(ErrorKind::kUnavailable, model.error().kind());
  EXPECT_NE(std::string::npos, model.error().message().find("ai.onnx.Telepathy"));
}

// The operators on bytes trust what TensorFlow Lite's reader has checked.
// A sum along the row, which no operator here computes.
std::string CumSum() {
  return OnnxWriter()
      .Input("x", 3)
      .Scalar("axis", 1)
      .Node("CumSum", {"x", "axis"}, {"y"})
      .Output("y")
      .File();
}

TEST(Onnx, WithoutOnnxRuntimeTheHintSaysHowToGetIt) {
  if (onnx::RuntimeApi::Load().ok()) GTEST_SKIP() << "ONNX Runtime is there";
  const auto model = Model::Load(CumSum());
  ASSERT_FALSE(model.ok());
  EXPECT_EQ("HR3006", model.error().code());
  EXPECT_NE(std::string::npos, model.error().hint().find("make onnxruntime"));
}

TEST(Onnx, OnnxRuntimeComputesOtherOperatorsRowByRow) {
  if (!onnx::RuntimeApi::Load().ok()) GTEST_SKIP() << "no ONNX Runtime (make onnxruntime)";
  const auto model = Model::Load(CumSum());
  ASSERT_TRUE(model.ok()) << model.error().ToString();
  EXPECT_EQ((std::vector<std::string>{"x_0", "x_1", "x_2"}), (*model)->info().features);
  EXPECT_EQ((std::vector<std::string>{"y_0", "y_1", "y_2"}), (*model)->info().output_names);
  std::vector<double> raw(6);
  (*model)->ScoreRaw(std::vector<double>{1, 2, 0.5, -1, 0, kNan}, 2, raw);
  EXPECT_EQ((std::vector<double>{1, 3, 3.5, -1, -1}),
            std::vector<double>(raw.begin(), raw.end() - 1));
  EXPECT_TRUE(std::isnan(raw[5]));
}

TEST(Onnx, NoFileReachesTheOperatorsOfTensorFlowLite) {
  for (const std::string domain : {"tflite", "\xFFtflite"}) {
    const std::string file = OnnxWriter()
                                 .Input("x", 2, 3)
                                 .Node("LOOK_UP", {"x"}, {"y"}, {}, domain)
                                 .Output("y", 3)
                                 .File();
    EXPECT_NE("", CodeOf(file));
  }
}

TEST(Onnx, WhatDoesNotFitIsRefused) {
  EXPECT_EQ("HR3002", CodeOf(OneNode("Softmax", 2, {OnnxWriter::Int("axis", 5)})));
  EXPECT_EQ("HR3002", CodeOf(OneNode("Softmax", 2, {OnnxWriter::Text("axis", "1")})));
  EXPECT_EQ("HR3002", CodeOf(OnnxWriter().Input("x", 2).Output("y").File()));
  EXPECT_EQ("HR3002",
            CodeOf(OnnxWriter().Input("x", 2).Node("Relu", {"x"}, {"x"}).Output("x").File()));
  EXPECT_EQ("HR3002",
            CodeOf(OnnxWriter().Input("x", 2).Node("Relu", {"z"}, {"y"}).Output("y").File()));
  EXPECT_EQ("HR3002",
            CodeOf(OnnxWriter().Input("x", 2).Node("Relu", {"x"}, {"y"}).Output("y", 7).File()));
  EXPECT_EQ("HR3003", CodeOf(OneNode("Relu", 2).replace(0, 2, "\x08\x63")));
  EXPECT_EQ("HR3003",
            CodeOf(OnnxWriter().Input("x", 2).Node("Relu", {"x"}, {"y"}).Output("y").File(99)));
  // The text of the row itself cannot be an answer.
  EXPECT_EQ(
      "HR3003",
      CodeOf(OnnxWriter().Input("x", 1, 8).Node("Identity", {"x"}, {"y"}).Output("y", 8).File()));
  EXPECT_EQ("HR3004", CodeOf(OnnxWriter()
                                 .Input("x", 1)
                                 .Weights("w", {1 << 20, 1 << 20}, {})
                                 .Node("Relu", {"x"}, {"y"})
                                 .Output("y")
                                 .File()));
}

TEST(Onnx, NoOtherFileIsOpened) {
  std::string tensor;
  OnnxWriter::Integer(1, 1, &tensor);
  OnnxWriter::Integer(2, 1, &tensor);
  OnnxWriter::Bytes(8, "w", &tensor);
  std::string entry;
  OnnxWriter::Bytes(1, "location", &entry);
  OnnxWriter::Bytes(2, "/etc/passwd", &entry);
  OnnxWriter::Bytes(13, entry, &tensor);
  OnnxWriter::Integer(14, 1, &tensor);
  const std::string file =
      OnnxWriter().Raw(5, tensor).Input("x", 1).Node("Add", {"x", "w"}, {"y"}).Output("y").File();
  EXPECT_EQ("HR3003", CodeOf(file));
}

TEST(Onnx, NamesOfPortsAreLimited) {
  const auto named = [](size_t bytes) {
    const std::string name(bytes, 'x');
    return OnnxWriter().Input(name, 2).Node("Relu", {name}, {"y"}).Output("y").File();
  };
  EXPECT_EQ("", CodeOf(named(onnx::kPortNameBytesMax)));
  EXPECT_EQ("HR3004", CodeOf(named(onnx::kPortNameBytesMax + 1)));
}

// ONNX Runtime would compute a function of the file's own, so its nodes hold no more than others.
TEST(Onnx, FunctionsOfTheFileAreLookedInto) {
  std::string tensor;
  OnnxWriter::Integer(1, 1, &tensor);
  OnnxWriter::Integer(2, 1, &tensor);
  OnnxWriter::Integer(14, 1, &tensor);  // its data lie elsewhere
  std::string attribute;
  OnnxWriter::Bytes(1, "value", &attribute);
  OnnxWriter::Bytes(5, tensor, &attribute);
  OnnxWriter::Integer(20, 4, &attribute);
  std::string node;
  OnnxWriter::Bytes(2, "c", &node);
  OnnxWriter::Bytes(4, "Constant", &node);
  OnnxWriter::Bytes(5, attribute, &node);
  std::string function;
  OnnxWriter::Bytes(1, "f", &function);
  std::string file = OneNode("Relu", 2);
  const std::string plain = file;
  OnnxWriter::Bytes(25, function, &file);
  EXPECT_EQ("", CodeOf(file));
  OnnxWriter::Bytes(7, node, &function);
  file = plain;
  OnnxWriter::Bytes(25, function, &file);
  EXPECT_EQ("HR3003", CodeOf(file));
}

// Whatever happens to a file, Load answers, and what it accepts can be scored.
TEST(Onnx, DamagedFilesAreRefusedOrScored) {
  size_t refused = 0;
  const auto probe = [&](const std::string& file) {
    const auto model = Model::Load(file);
    if (!model.ok()) {
      ++refused;
      EXPECT_FALSE(model.error().place().empty()) << model.error().ToString();
      return;
    }
    if ((*model)->info().features.size() > 1000) return;
    const std::vector<double> row((*model)->info().features.size(), 1.5);
    std::vector<double> raw(static_cast<size_t>((*model)->info().outputs));
    (*model)->ScoreRaw(row, 1, raw);
    (*model)->Transform(1, raw);
  };
  for (const std::string& file : {TextOnnx(), TreeOnnx(), OneNode("Softmax", 2)}) {
    for (size_t i = 0; i < file.size(); ++i) {
      probe(file.substr(0, i));
      for (const int bit : {0, 3, 7}) {
        std::string damaged = file;
        damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
        probe(damaged);
      }
    }
  }
  EXPECT_GT(refused, 1000u);
}

}  // namespace
}  // namespace headrace::model
