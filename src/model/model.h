#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forest/forest.h"
#include "headrace/result.h"
#include "model/baseline.h"

namespace headrace::model {

enum class Format : uint8_t {
  kLightGbmText,
  kXgboostJson,
  kXgboostUbjson,
  kCatboostJson,
  kOnnx,
  kTflite
};
// "lightgbm", "xgboost-json", "xgboost-ubjson", "catboost-json", "onnx", "tflite"
std::string_view ToString(Format format);

// What a model file says of itself.
struct ModelInfo {
  Format format = Format::kLightGbmText;
  std::string sha256;     // of the file's bytes: the version's name
  std::string objective;  // as the file spells it
  std::vector<std::string>
      features;  // input names in order; "Column_0", "f0" ... when the file has none
  // For features with string categories (LightGBM pandas_categorical, XGBoost 3.1, texts of ONNX):
  // the category texts by code; empty for plain numbers. Same length as `features`.
  std::vector<std::vector<std::string>> categories;
  // Features with categories are texts and nothing else: "5.0" is not the category "5", and no
  // number stands for a code.
  bool exact_categories = false;
  // What the file calls the raw scores; empty when it has no names for them.
  std::vector<std::string> output_names;
  std::vector<bool> text_outputs;         // which raw scores are codes of texts; empty: none
  std::vector<std::string> output_texts;  // by code
  bool text_prediction = false;           // the predictions are codes of texts
  int32_t outputs = 1;                    // values per row of raw scores
  int32_t predictions = 1;  // values per row of predictions: `outputs`, or 1 when it is a class
  int32_t trees = 0;
  std::shared_ptr<const Baseline> baseline;  // null: the file has none
};

// The text of a code, or "" for one that stands for nothing.
std::string TextOf(const ModelInfo& info, double code);

// Whether a version can take the place of the other: same inputs, texts where the other takes
// texts, same outputs.
bool Exchangeable(const ModelInfo& one, const ModelInfo& other);

// One immutable model version. Thread-safe. Scoring is a pure function of (version, row): the score
// of a row has the same bits whatever rows are scored with it.
class Model {
 public:
  // Recognizes the format by the bytes. Errors: code HR3001 (not a model), HR3002 (malformed; place
  // is line or byte), HR3003 (valid, but a kind we do not support), HR3004 (over a limit), HR3006
  // (an operator that is not computed here).
  static Result<std::shared_ptr<const Model>> Load(std::string_view bytes);
  virtual ~Model() = default;

  const ModelInfo& info() const { return info_; }

  // `features` is rows x info().features.size(), row-major, NaN is missing. `raw` receives
  // rows x outputs scores before the output transform, bit-identical to the library's. For ONNX and
  // TensorFlow Lite the raw scores are all outputs of the graph in their order, a text as its code.
  virtual void ScoreRaw(std::span<const double> features, size_t rows,
                        std::span<double> raw) const = 0;
  // Turns raw scores into predictions (sigmoid, softmax, exp ...), in place: rows x outputs become
  // rows x predictions values, from the front.
  virtual void Transform(size_t rows, std::span<double> scores) const = 0;
  // Leaf per tree (LightGBM: leaf number, XGBoost: node id) for one row; size trees.
  virtual void Leaves(std::span<const double> features, std::span<int32_t> leaves) const = 0;
  // Path-dependent TreeSHAP (Lundberg 2018) of one row: outputs x (features + 1); the last of each
  // row is the base value; the sum is the raw score.
  virtual Result<std::vector<double>> Contributions(std::span<const double> features) const = 0;

  // Where the trees split a feature, rising: values between two neighbours, the upper one included,
  // give the same scores. Empty for what is no tree model.
  virtual std::vector<double> Splits(size_t) const { return {}; }
  // Whether inputs are rounded to float32 before they are compared.
  virtual bool SinglePrecision() const { return false; }

 protected:
  ModelInfo info_;
};

// The file's bytes are kept by the caller; limits on what Load accepts.
inline constexpr size_t kModelBytesMax = 512 << 20;
inline constexpr int32_t kFeaturesMax = forest::kFeaturesMax;

}  // namespace headrace::model
