// Tree ensembles of ai.onnx.ml.
#include <algorithm>
#include <cmath>

#include "onnx/scores.h"
#include "onnx/tree_reader.h"

namespace headrace::onnx {
namespace {

using enum ElementType;

// What becomes of a row's scores: an answer for each output of the operator.
class Verdict {
 public:
  virtual ~Verdict() = default;
  virtual void Give(std::span<forest::EnsembleScore> scores, double* const* outputs) const = 0;
};

// Scores rows by the ensemble, together where a kernel can, and hands each to the verdict.
class TreesOperation : public Operation {
 public:
  TreesOperation(forest::TreeEnsemble ensemble, int32_t features,
                 std::unique_ptr<const Verdict> verdict)
      : ensemble_(std::move(ensemble)),
        features_(static_cast<size_t>(features)),
        targets_(static_cast<size_t>(ensemble_.targets)),
        verdict_(std::move(verdict)),
        kernel_(forest::MakeEnsembleKernel(ensemble_, features)) {
    there_.resize(targets_);
    for (const forest::EnsembleWeight& weight : ensemble_.weights) {
      there_[static_cast<size_t>(weight.target)] = true;
    }
    if (kernel_ != nullptr) ensemble_ = forest::TreeEnsemble();  // the kernel keeps its own
  }

  void Run(const double* const* inputs, double* const* outputs) const override {
    std::vector<forest::EnsembleScore> scores(targets_);
    if (kernel_ == nullptr) {
      ensemble_.Score(inputs[0], scores);
    } else {
      std::vector<double> raw(targets_);
      kernel_->Score({inputs[0], features_}, 1, raw);
      Fill(raw.data(), scores);
    }
    verdict_->Give(scores, outputs);
  }

  void RunFrame(const Frame& frame, std::span<const Operand> inputs,
                std::span<const size_t> outputs) const override {
    if (kernel_ == nullptr || frame.rows == 1) return Operation::RunFrame(frame, inputs, outputs);
    std::vector<double> features(frame.rows * features_);
    std::vector<double> raw(frame.rows * targets_);
    for (size_t row = 0; row < frame.rows; ++row) {
      std::copy_n(frame.At(inputs[0], row), features_, features.data() + row * features_);
    }
    kernel_->Score(features, frame.rows, raw);
    std::vector<forest::EnsembleScore> scores(targets_);
    for (size_t row = 0; row < frame.rows; ++row) {
      Fill(raw.data() + row * targets_, scores);
      double* out[2] = {};
      for (size_t i = 0; i < outputs.size(); ++i) {
        out[i] = frame.At(outputs[i], row);
      }
      verdict_->Give(scores, out);
    }
  }

 private:
  // A kernel takes no tree without a weight for its target, so every row has the same targets.
  void Fill(const double* raw, std::span<forest::EnsembleScore> scores) const {
    for (size_t k = 0; k < targets_; ++k) {
      scores[k] = {raw[k], there_[k]};
    }
  }

  forest::TreeEnsemble ensemble_;
  size_t features_;
  size_t targets_;
  std::unique_ptr<const Verdict> verdict_;
  std::vector<bool> there_;
  std::unique_ptr<const forest::ForestKernel> kernel_;
};

// The type in which scores are added up.
ElementType TypeOf(const forest::TreeEnsemble& ensemble) {
  return ensemble.arithmetic == forest::Arithmetic::kFloat64 ? kDouble : kFloat;
}

class Regression : public Verdict {
 public:
  Regression(const forest::TreeEnsemble& ensemble, std::vector<double> base,
             PostTransform transform, ElementType result)
      : type_(TypeOf(ensemble)),
        result_(result),
        trees_(ensemble.aggregate == forest::Aggregate::kAverage
                   ? static_cast<double>(ensemble.roots.size())
                   : 1.0),
        base_(std::move(base)),
        transform_(transform) {}

  void Give(std::span<forest::EnsembleScore> scores, double* const* outputs) const override {
    for (size_t k = 0; k < scores.size(); ++k) {
      double x = RoundTo(type_, scores[k].value / trees_);
      if (!base_.empty()) x = RoundTo(type_, x + base_[k]);
      outputs[0][k] = RoundTo(result_, x);
    }
    // With one target only PROBIT is applied by the runtime.
    if (transform_ == PostTransform::kNone ||
        (scores.size() == 1 && transform_ != PostTransform::kProbit)) {
      return;
    }
    std::vector<float> floats(outputs[0], outputs[0] + scores.size());
    ApplyPostTransform(transform_, floats);
    std::copy(floats.begin(), floats.end(), outputs[0]);
  }

 private:
  ElementType type_;
  ElementType result_;
  double trees_;
  std::vector<double> base_;
  PostTransform transform_;
};

class ManyClasses : public Verdict {
 public:
  ManyClasses(ElementType type, std::vector<double> base, std::vector<double> labels,
              PostTransform transform)
      : type_(type), base_(std::move(base)), labels_(std::move(labels)), transform_(transform) {}

  void Give(std::span<forest::EnsembleScore> scores, double* const* outputs) const override {
    size_t best = SIZE_MAX;
    std::vector<float> floats(scores.size());
    for (size_t k = 0; k < scores.size(); ++k) {
      double x = scores[k].value;
      if (!base_.empty()) x = RoundTo(type_, x + base_[k]);
      floats[k] = static_cast<float>(x);
      scores[k].value = x;
      // A class that nothing voted for is not chosen.
      if (base_.empty() && !scores[k].there) continue;
      if (best == SIZE_MAX || x > scores[best].value) best = k;
    }
    outputs[0][0] = labels_[best == SIZE_MAX ? 0 : best];
    ApplyPostTransform(transform_, floats);
    std::copy(floats.begin(), floats.end(), outputs[1]);
  }

 private:
  ElementType type_;
  std::vector<double> base_;
  std::vector<double> labels_;
  PostTransform transform_;
};

// Two classes, and weights for one of them only.
class TwoClasses : public Verdict {
 public:
  struct Rules {
    ElementType type = kFloat;
    double base = 0;
    bool all_positive = false;  // the weights are probabilities
    bool weighs_second = false;
    PostTransform transform = PostTransform::kNone;
  };
  TwoClasses(Rules rules, std::vector<double> labels) : rules_(rules), labels_(std::move(labels)) {}

  void Give(std::span<forest::EnsembleScore> scores, double* const* outputs) const override {
    const double first = RoundTo(rules_.type, scores[0].value + rules_.base);
    const double positive = rules_.weighs_second && scores[1].there ? scores[1].value : first;
    outputs[0][0] = labels_[positive > (rules_.all_positive ? 0.5 : 0.0) ? 1 : 0];
    float pair[2] = {static_cast<float>(first), static_cast<float>(scores[1].value)};
    if (scores[1].there) {
      ApplyPostTransform(rules_.transform, pair);
    } else {
      Mirror(pair);
    }
    std::copy_n(pair, 2, outputs[1]);
  }

 private:
  // One score is made two.
  void Mirror(float* pair) const {
    const float score = pair[0];
    if (rules_.all_positive) {
      pair[0] = 1 - score;
      pair[1] = score;
    } else if (rules_.transform == PostTransform::kLogistic) {
      pair[0] = Logistic(-score);
      pair[1] = Logistic(score);
    } else {
      pair[0] = -score;
      pair[1] = score;
    }
  }

  Rules rules_;
  std::vector<double> labels_;
};

// The number of features of the operator's only vector.
int32_t FeaturesOf(OnnxOp& op) {
  const OnnxValue& in = op.NumbersIn(0);
  const bool one = in.shape.size() == 1 || (in.shape.size() == 2 && in.shape[0] == 1);
  if (!one || in.count() == 0) op.Malformed("the input is not one vector for a row");
  if (in.count() > static_cast<size_t>(forest::kFeaturesMax)) op.OverLimit("too many features");
  return op.failed() ? 0 : static_cast<int32_t>(in.count());
}

int32_t TargetsOf(OnnxOp& op) {
  const int64_t targets = op.Integer("n_targets", 1);
  if (targets < 1) op.Malformed(std::to_string(targets) + " targets");
  if (targets > int64_t{kTensorElementsMax}) op.OverLimit(std::to_string(targets) + " targets");
  return op.failed() ? 1 : static_cast<int32_t>(targets);
}

// What one row costs, as if a comparison were a few multiplications.
uint64_t WorkOf(const forest::TreeEnsemble& ensemble) {
  return 16 * uint64_t{ensemble.roots.size()} + static_cast<uint64_t>(ensemble.targets);
}

void GiveRegression(OnnxOp& op, forest::TreeEnsemble ensemble, int32_t features,
                    PostTransform transform, ElementType result) {
  std::vector<double> base = ReadTreeNumbers(op, "base_values").numbers;
  const int32_t targets = ensemble.targets;
  if (!base.empty() && base.size() != static_cast<size_t>(targets)) {
    op.Malformed(std::to_string(base.size()) + " base values for " + std::to_string(targets) +
                 " targets");
  }
  if (op.failed()) return;
  const uint64_t work = WorkOf(ensemble);
  auto verdict = std::make_unique<Regression>(ensemble, std::move(base), transform, result);
  op.Give(0, op.ApplyOne(std::make_unique<TreesOperation>(std::move(ensemble), features,
                                                          std::move(verdict)),
                         {&op.In(0)}, {result, {1, targets}}, work));
}

forest::Aggregate AggregateOf(OnnxOp& op) {
  const std::string_view name = op.Text("aggregate_function", "SUM");
  if (name == "AVERAGE") return forest::Aggregate::kAverage;
  if (name == "MIN") return forest::Aggregate::kMin;
  if (name == "MAX") return forest::Aggregate::kMax;
  if (name != "SUM") op.Malformed("aggregate_function is `" + std::string(name) + "`");
  return forest::Aggregate::kSum;
}

void CompileTreeRegressor(OnnxOp& op) {
  const int32_t features = FeaturesOf(op);
  const int32_t targets = TargetsOf(op);
  const PostTransform transform = PostTransformOf(op);
  const forest::Aggregate aggregate = AggregateOf(op);
  if (op.failed()) return;
  std::optional<forest::TreeEnsemble> ensemble =
      ReadTreeAttributes(op, "target", targets, features);
  if (!ensemble) return;
  ensemble->aggregate = aggregate;
  GiveRegression(op, std::move(*ensemble), features, transform, kFloat);
}

void CompileTreeEnsemble(OnnxOp& op) {
  constexpr PostTransform kTransforms[] = {PostTransform::kNone, PostTransform::kSoftmax,
                                           PostTransform::kLogistic, PostTransform::kSoftmaxZero,
                                           PostTransform::kProbit};
  const int32_t features = FeaturesOf(op);
  const int32_t targets = TargetsOf(op);
  const int64_t transform = op.Integer("post_transform", 0);
  const int64_t aggregate = op.Integer("aggregate_function", 1);
  if (transform < 0 || transform > 4) op.Malformed("an unknown post_transform");
  if (aggregate < 0 || aggregate > 3) op.Malformed("an unknown aggregate_function");
  if (op.failed()) return;
  std::optional<forest::TreeEnsemble> ensemble = ReadTreeTensors(op, targets, features);
  if (!ensemble) return;
  ensemble->aggregate = static_cast<forest::Aggregate>(aggregate);
  const ElementType result = TypeOf(*ensemble);
  GiveRegression(op, std::move(*ensemble), features, kTransforms[transform], result);
}

// The verdict of a classifier, or nullptr after an error.
std::unique_ptr<const Verdict> ClassVerdict(OnnxOp& op, const forest::TreeEnsemble& ensemble,
                                            std::vector<double> labels) {
  std::vector<double> base = ReadTreeNumbers(op, "base_values").numbers;
  const PostTransform transform = PostTransformOf(op);
  const size_t classes = labels.size();
  if (!base.empty() && base.size() != classes && !(classes == 2 && base.size() == 1)) {
    op.Malformed(std::to_string(base.size()) + " base values for " + std::to_string(classes) +
                 " classes");
  }
  if (classes == 1) op.Unsupported("a classifier with one class");
  if (op.failed()) return nullptr;
  if (classes > 2) {
    return std::make_unique<ManyClasses>(TypeOf(ensemble), std::move(base), std::move(labels),
                                         transform);
  }
  TwoClasses::Rules rules;
  rules.type = TypeOf(ensemble);
  rules.base = base.empty() ? 0 : base[0];
  rules.all_positive = true;
  rules.transform = transform;
  bool seen[2] = {};
  for (const forest::EnsembleWeight& weight : ensemble.weights) {
    seen[weight.target] = true;
    rules.all_positive = rules.all_positive && weight.value >= 0;
  }
  rules.weighs_second = seen[1];
  if ((seen[0] && seen[1]) || base.size() == 2 || transform == PostTransform::kProbit) {
    // Here ONNX and its runtime say different things, and the runtime not always the same.
    op.Unsupported("two classes with weights or base values for both, or with PROBIT");
    return nullptr;
  }
  return std::make_unique<TwoClasses>(rules, std::move(labels));
}

void CompileTreeClassifier(OnnxOp& op) {
  const int32_t features = FeaturesOf(op);
  const ClassLabels labels = ClassLabelsOf(op, "classlabels_int64s", "classlabels_strings");
  if (labels.labels.size() > kTensorElementsMax) op.OverLimit("too many classes");
  if (op.failed()) return;
  const auto classes = static_cast<int32_t>(labels.labels.size());
  std::optional<forest::TreeEnsemble> ensemble = ReadTreeAttributes(op, "class", classes, features);
  if (!ensemble) return;
  std::unique_ptr<const Verdict> verdict = ClassVerdict(op, *ensemble, labels.labels);
  if (verdict == nullptr) return;
  const uint64_t work = WorkOf(*ensemble);
  std::vector<OnnxValue> results =
      op.Apply(std::make_unique<TreesOperation>(std::move(*ensemble), features, std::move(verdict)),
               {&op.In(0)}, {{labels.type, {1}}, {kFloat, {1, classes}}}, work);
  op.Give(0, std::move(results[0]));
  op.Give(1, std::move(results[1]));
}

constexpr OnnxOperator kOperators[] = {
    {kOnnxMlDomain, "TreeEnsemble", CompileTreeEnsemble},
    {kOnnxMlDomain, "TreeEnsembleClassifier", CompileTreeClassifier},
    {kOnnxMlDomain, "TreeEnsembleRegressor", CompileTreeRegressor},
};

}  // namespace

std::span<const OnnxOperator> OnnxTreeOperators() {
  return kOperators;
}

}  // namespace headrace::onnx
