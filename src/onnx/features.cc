// Operators of ai.onnx.ml that prepare inputs.
#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "onnx/op.h"

namespace headrace::onnx {
namespace {

using enum ElementType;

size_t Columns(const OnnxValue& value) {
  return value.shape.empty() ? 1 : static_cast<size_t>(value.shape.back());
}

// One parameter for each column, or one for all.
std::vector<double> PerColumn(OnnxOp& op, std::string_view name, size_t columns, double otherwise) {
  const std::vector<float>& given = op.Numbers(name);
  if (given.empty()) return std::vector<double>(columns, otherwise);
  if (given.size() == 1) return std::vector<double>(columns, static_cast<double>(given[0]));
  if (given.size() != columns) {
    op.Malformed(std::to_string(given.size()) + " values of " + std::string(name) + " for " +
                 std::to_string(columns) + " columns");
  }
  return {given.begin(), given.end()};
}

class Scale : public Operation {
 public:
  Scale(size_t count, std::vector<double> offsets, std::vector<double> scales)
      : count_(count), offsets_(std::move(offsets)), scales_(std::move(scales)) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    for (size_t i = 0; i < count_; ++i) {
      const size_t column = i % scales_.size();
      const auto x = static_cast<double>(static_cast<float>(inputs[0][i]));
      outputs[0][i] = RoundTo(kFloat, RoundTo(kFloat, x - offsets_[column]) * scales_[column]);
    }
  }

 private:
  size_t count_;
  std::vector<double> offsets_;
  std::vector<double> scales_;
};

void CompileScaler(OnnxOp& op) {
  const OnnxValue& in = op.NumbersIn(0);
  const size_t columns = Columns(in);
  std::vector<double> offsets = PerColumn(op, "offset", columns, 0);
  std::vector<double> scales = PerColumn(op, "scale", columns, 1);
  if (op.failed()) return;
  op.Give(0, op.ApplyOne(std::make_unique<Scale>(in.count(), std::move(offsets), std::move(scales)),
                         {&in}, {kFloat, in.shape}, in.count()));
}

enum class Norm : uint8_t { kMax, kL1, kL2 };

class Normalize : public Operation {
 public:
  Normalize(size_t vectors, size_t columns, Norm norm)
      : vectors_(vectors), columns_(columns), norm_(norm) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    for (size_t v = 0; v < vectors_; ++v) {
      One(inputs[0] + v * columns_, outputs[0] + v * columns_);
    }
  }

 private:
  void One(const double* in, double* out) const {
    float size = norm_ == Norm::kMax ? std::numeric_limits<float>::lowest() : 0;
    for (size_t i = 0; i < columns_; ++i) {
      const auto x = static_cast<float>(in[i]);
      if (norm_ == Norm::kMax) size = std::max(size, x);
      if (norm_ == Norm::kL1) size += std::abs(x);
      if (norm_ == Norm::kL2) size += x * x;
    }
    for (size_t i = 0; i < columns_; ++i) {
      const auto x = static_cast<float>(in[i]);
      float y = x;
      if (size != 0) y = norm_ == Norm::kL2 ? std::copysign(std::sqrt(x * x / size), x) : x / size;
      out[i] = static_cast<double>(y);
    }
  }

  size_t vectors_;
  size_t columns_;
  Norm norm_;
};

void CompileNormalizer(OnnxOp& op) {
  const OnnxValue& in = op.NumbersIn(0);
  const std::string_view name = op.Text("norm", "MAX");
  if (name != "MAX" && name != "L1" && name != "L2") {
    op.Malformed("the norm is `" + std::string(name) + "`");
  }
  if (op.failed() || in.count() == 0) return op.Malformed("the input is empty");
  const Norm norm = name == "MAX" ? Norm::kMax : name == "L1" ? Norm::kL1 : Norm::kL2;
  const size_t columns = Columns(in);
  op.Give(0, op.ApplyOne(std::make_unique<Normalize>(in.count() / columns, columns, norm), {&in},
                         {kFloat, in.shape}, in.count()));
}

class Impute : public Operation {
 public:
  Impute(size_t count, double replaced, std::vector<double> values)
      : count_(count), replaced_(replaced), values_(std::move(values)) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    for (size_t i = 0; i < count_; ++i) {
      const double x = inputs[0][i];
      const bool missing = std::isnan(replaced_) ? std::isnan(x) : x == replaced_;
      outputs[0][i] = missing ? values_[i % values_.size()] : x;
    }
  }

 private:
  size_t count_;
  double replaced_;
  std::vector<double> values_;
};

void CompileImputer(OnnxOp& op) {
  const OnnxValue& in = op.NumbersIn(0);
  const size_t columns = Columns(in);
  std::vector<double> values;
  auto replaced = static_cast<double>(op.Number("replaced_value_float", 0));
  if (IsInteger(in.type)) {
    const std::vector<int64_t>& given = op.Integers("imputed_value_int64s");
    values.assign(given.begin(), given.end());
    replaced = static_cast<double>(op.Integer("replaced_value_int64", 0));
  } else {
    const std::vector<float>& given = op.Numbers("imputed_value_floats");
    values.assign(given.begin(), given.end());
  }
  if (values.size() != 1 && values.size() != columns) {
    op.Malformed(std::to_string(values.size()) + " values to put in for " +
                 std::to_string(columns) + " columns");
  }
  if (op.failed() || values.empty()) return op.Malformed("no values to put in");
  op.Give(0, op.ApplyOne(std::make_unique<Impute>(in.count(), replaced, std::move(values)), {&in},
                         {in.type, in.shape}, in.count()));
}

void CompileBinarizer(OnnxOp& op) {
  const OnnxValue& in = op.NumbersIn(0);
  const auto threshold = static_cast<double>(op.Number("threshold", 0));
  if (op.failed()) return;
  class Binarize : public Operation {
   public:
    Binarize(size_t count, double threshold) : count_(count), threshold_(threshold) {}
    void Run(const double* const* inputs, double* const* outputs) const override {
      for (size_t i = 0; i < count_; ++i) {
        outputs[0][i] = inputs[0][i] > threshold_ ? 1 : 0;
      }
    }

   private:
    size_t count_;
    double threshold_;
  };
  op.Give(0, op.ApplyOne(std::make_unique<Binarize>(in.count(), threshold), {&in},
                         {in.type, in.shape}, in.count()));
}

// Numbers or codes of texts, and what each becomes. Sorted, looked up by halves.
class Translation {
 public:
  // The first of equal keys counts.
  void Add(double key, double value) { entries_.push_back({key, entries_.size(), value}); }
  void Seal() {
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      return std::tie(a.key, a.place) < std::tie(b.key, b.place);
    });
  }
  double Find(double key, double otherwise) const {
    const auto found = std::lower_bound(entries_.begin(), entries_.end(), key,
                                        [](const Entry& a, double k) { return a.key < k; });
    return found != entries_.end() && found->key == key ? found->value : otherwise;
  }
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    double key;
    size_t place;
    double value;
  };
  std::vector<Entry> entries_;
};

class OneHot : public Operation {
 public:
  OneHot(size_t count, Translation places) : count_(count), places_(std::move(places)) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    const size_t width = places_.size();
    std::fill_n(outputs[0], count_ * width, 0.0);
    for (size_t i = 0; i < count_; ++i) {
      const double place = places_.Find(std::trunc(inputs[0][i]), -1);
      if (place >= 0) outputs[0][i * width + static_cast<size_t>(place)] = 1;
    }
  }

 private:
  size_t count_;
  Translation places_;
};

void CompileOneHotEncoder(OnnxOp& op) {
  const OnnxValue& in = op.In(0);
  const std::vector<int64_t>& numbers = op.Integers("cats_int64s");
  const std::vector<std::string_view>& texts = op.Texts("cats_strings");
  if (op.Integer("zeros", 1) == 0) op.Unsupported("an unknown category as an error (zeros = 0)");
  if (op.failed()) return;
  if ((in.type == kText) != numbers.empty() || numbers.empty() == texts.empty()) {
    return op.Malformed("the categories are not of the input's type");
  }
  Translation places;
  for (int64_t number : numbers) {
    places.Add(static_cast<double>(number), static_cast<double>(places.size()));
  }
  for (std::string_view text : texts) {
    places.Add(op.TextCode(text), static_cast<double>(places.size()));
  }
  const size_t width = places.size();
  places.Seal();
  OnnxShape to = {kFloat, in.shape};
  to.shape.push_back(static_cast<int64_t>(width));
  if (to.shape.size() > kTensorRankMax) return op.OverLimit("too many dimensions");
  op.Give(0, op.ApplyOne(std::make_unique<OneHot>(in.count(), std::move(places)), {&in}, to,
                         in.count() * width));
}

class Translate : public Operation {
 public:
  Translate(size_t count, Translation translation, double otherwise, double for_nan)
      : count_(count),
        translation_(std::move(translation)),
        otherwise_(otherwise),
        for_nan_(for_nan) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    for (size_t i = 0; i < count_; ++i) {
      const double x = inputs[0][i];
      outputs[0][i] = std::isnan(x) ? for_nan_ : translation_.Find(x, otherwise_);
    }
  }

 private:
  size_t count_;
  Translation translation_;
  double otherwise_;
  double for_nan_;
};

// A list of keys or values of LabelEncoder, under whichever name it has.
struct LabelList {
  ElementType type = kFloat;
  std::vector<double> labels;
};

LabelList Labels(OnnxOp& op, const std::string& stem) {
  LabelList list;
  if (const OnnxTensor* tensor = op.Tensor(stem + "_tensor")) {
    list.type = tensor->type;
    list.labels = tensor->numbers;
    for (std::string_view text : tensor->texts) {
      list.labels.push_back(op.TextCode(text));
    }
  } else if (op.HasAttribute(stem + "_strings")) {
    list.type = kText;
    for (std::string_view text : op.Texts(stem + "_strings")) {
      list.labels.push_back(op.TextCode(text));
    }
  } else if (op.HasAttribute(stem + "_int64s")) {
    list.type = kInt64;
    const std::vector<int64_t>& numbers = op.Integers(stem + "_int64s");
    list.labels.assign(numbers.begin(), numbers.end());
  } else {
    const std::vector<float>& numbers = op.Numbers(stem + "_floats");
    list.labels.assign(numbers.begin(), numbers.end());
  }
  return list;
}

double DefaultLabel(OnnxOp& op, ElementType type) {
  if (const OnnxTensor* tensor = op.Tensor("default_tensor")) {
    if (tensor->type == type && tensor->numbers.size() == 1) return tensor->numbers[0];
    if (tensor->type == type && tensor->texts.size() == 1) return op.TextCode(tensor->texts[0]);
    op.Malformed("the default is not of the values' type");
    return 0;
  }
  if (type == kText) return op.TextCode(op.Text("default_string", "_Unused"));
  if (IsInteger(type)) return static_cast<double>(op.Integer("default_int64", -1));
  return static_cast<double>(op.Number("default_float", -0.0F));
}

void CompileLabelEncoder(OnnxOp& op) {
  const OnnxValue& in = op.In(0);
  const LabelList keys = Labels(op, "keys");
  const LabelList values = Labels(op, "values");
  if (op.HasAttribute("classes_strings")) op.Unsupported("version 1 of the operator");
  const double otherwise = DefaultLabel(op, values.type);
  if (op.failed()) return;
  if (keys.labels.size() != values.labels.size() || keys.labels.empty()) {
    return op.Malformed(std::to_string(keys.labels.size()) + " keys and " +
                        std::to_string(values.labels.size()) + " values");
  }
  if (keys.type != in.type) return op.Malformed("the keys are not of the input's type");
  Translation translation;
  double for_nan = otherwise;
  for (size_t i = 0; i < keys.labels.size(); ++i) {
    if (std::isnan(keys.labels[i])) {
      for_nan = values.labels[i];
    } else {
      translation.Add(keys.labels[i], values.labels[i]);
    }
  }
  translation.Seal();
  op.Give(0, op.ApplyOne(std::make_unique<Translate>(in.count(), std::move(translation), otherwise,
                                                     for_nan),
                         {&in}, {values.type, in.shape}, 8 * in.count()));
}

// The columns of all inputs, as floats.
void CompileFeatureVectorizer(OnnxOp& op) {
  const std::vector<int64_t>& widths = op.Integers("inputdimensions");
  std::vector<const OnnxValue*> parts;
  std::vector<size_t> counts;
  size_t columns = 0;
  for (size_t i = 0; i < op.inputs(); ++i) {
    const OnnxValue& part = op.NumbersIn(i);
    if (op.failed()) return;
    const auto width = static_cast<int64_t>(part.count());
    if (i < widths.size() && widths[i] != width) {
      return op.Malformed("input " + std::to_string(i) + " has " + std::to_string(width) +
                          " columns, not " + std::to_string(widths[i]));
    }
    parts.push_back(&part);
    counts.push_back(part.count());
    columns += part.count();
  }
  class Gather : public Operation {
   public:
    explicit Gather(std::vector<size_t> counts) : counts_(std::move(counts)) {}
    void Run(const double* const* inputs, double* const* outputs) const override {
      double* out = outputs[0];
      for (size_t i = 0; i < counts_.size(); ++i) {
        out = std::transform(inputs[i], inputs[i] + counts_[i], out,
                             [](double x) { return RoundTo(kFloat, x); });
      }
    }

   private:
    std::vector<size_t> counts_;
  };
  op.Give(0, op.ApplyOne(std::make_unique<Gather>(std::move(counts)), parts,
                         {kFloat, {1, static_cast<int64_t>(columns)}}, columns));
}

constexpr OnnxOperator kOperators[] = {
    {kOnnxMlDomain, "Binarizer", CompileBinarizer},
    {kOnnxMlDomain, "FeatureVectorizer", CompileFeatureVectorizer},
    {kOnnxMlDomain, "Imputer", CompileImputer},
    {kOnnxMlDomain, "LabelEncoder", CompileLabelEncoder},
    {kOnnxMlDomain, "Normalizer", CompileNormalizer},
    {kOnnxMlDomain, "OneHotEncoder", CompileOneHotEncoder},
    {kOnnxMlDomain, "Scaler", CompileScaler},
};

}  // namespace

std::span<const OnnxOperator> OnnxFeatureOperators() {
  return kOperators;
}

}  // namespace headrace::onnx
