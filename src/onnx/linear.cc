// Linear models of ai.onnx.ml.
#include <algorithm>

#include "onnx/dense_layer.h"
#include "onnx/scores.h"

namespace headrace::onnx {
namespace {

using enum ElementType;

// Weights times inputs plus intercepts; each vector of the input by itself.
class LinearScores {
 public:
  LinearScores(DenseLayer layer, std::vector<float> intercepts)
      : layer_(std::move(layer)), intercepts_(std::move(intercepts)) {}

  size_t inputs() const { return layer_.inputs(); }
  size_t outputs() const { return layer_.outputs(); }
  void Score(const double* x, std::span<float> scores) const {
    layer_.Multiply(x, scores.data());
    for (size_t o = 0; o < intercepts_.size(); ++o) {
      scores[o] += intercepts_[o];
    }
  }

 private:
  DenseLayer layer_;
  std::vector<float> intercepts_;  // empty, or one for each output
};

// The extents of the input: one vector for each row of a matrix, or the only one.
struct Vectors {
  size_t count = 1;
  size_t length = 1;
};

Vectors VectorsOf(OnnxOp& op) {
  const OnnxValue& in = op.NumbersIn(0);
  if (in.shape.empty() || in.shape.size() > 2) op.Malformed("the input is no vector or matrix");
  if (op.failed()) return {};
  return {in.shape.size() == 2 ? static_cast<size_t>(in.shape[0]) : 1,
          static_cast<size_t>(in.shape.back())};
}

std::optional<LinearScores> ScoresOf(OnnxOp& op, size_t inputs, size_t outputs) {
  const std::vector<float>& coefficients = op.Numbers("coefficients");
  const std::vector<float>& intercepts = op.Numbers("intercepts");
  if (outputs == 0 || outputs > kTensorElementsMax || inputs == 0 ||
      coefficients.size() / outputs != inputs || coefficients.size() % outputs != 0) {
    op.Malformed(std::to_string(coefficients.size()) + " coefficients for " +
                 std::to_string(inputs) + " inputs and " + std::to_string(outputs) + " outputs");
  }
  if (!intercepts.empty() && intercepts.size() != outputs) {
    op.Malformed(std::to_string(intercepts.size()) + " intercepts for " + std::to_string(outputs) +
                 " outputs");
  }
  if (op.failed()) return std::nullopt;
  DenseLayer layer(inputs, outputs,
                   [&](size_t i, size_t o) { return coefficients[o * inputs + i]; });
  return LinearScores(std::move(layer), intercepts);
}

class Regress : public Operation {
 public:
  Regress(size_t vectors, LinearScores scores, PostTransform transform)
      : vectors_(vectors), scores_(std::move(scores)), transform_(transform) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    std::vector<float> scores(scores_.outputs());
    for (size_t v = 0; v < vectors_; ++v) {
      scores_.Score(inputs[0] + v * scores_.inputs(), scores);
      ApplyPostTransform(transform_, scores);
      std::copy(scores.begin(), scores.end(), outputs[0] + v * scores.size());
    }
  }

 private:
  size_t vectors_;
  LinearScores scores_;
  PostTransform transform_;
};

void CompileLinearRegressor(OnnxOp& op) {
  const Vectors vectors = VectorsOf(op);
  const PostTransform transform = PostTransformOf(op);
  const int64_t targets = op.Integer("targets", 1);
  if (targets < 1 || targets > int64_t{kTensorElementsMax}) op.Malformed("the number of targets");
  if (op.failed()) return;
  const auto outputs = static_cast<size_t>(targets);
  std::optional<LinearScores> scores = ScoresOf(op, vectors.length, outputs);
  if (!scores) return;
  // With one target only PROBIT is applied by the runtime.
  const bool applied = outputs > 1 || transform == PostTransform::kProbit;
  const OnnxShape to = {kFloat, {static_cast<int64_t>(vectors.count), targets}};
  op.Give(0, op.ApplyOne(std::make_unique<Regress>(vectors.count, std::move(*scores),
                                                   applied ? transform : PostTransform::kNone),
                         {&op.In(0)}, to, vectors.count * vectors.length * outputs));
}

class Classify : public Operation {
 public:
  Classify(size_t vectors, LinearScores scores, std::vector<double> labels, PostTransform transform)
      : vectors_(vectors),
        scores_(std::move(scores)),
        labels_(std::move(labels)),
        transform_(transform) {}

  size_t columns() const { return adds_class() ? 2 : scores_.outputs(); }

  void Run(const double* const* inputs, double* const* outputs) const override {
    std::vector<float> scores(scores_.outputs());
    for (size_t v = 0; v < vectors_; ++v) {
      scores_.Score(inputs[0] + v * scores_.inputs(), scores);
      outputs[0][v] = labels_[Best(scores)];
      double* out = outputs[1] + v * columns();
      if (adds_class()) {
        // One score for two classes is taken for the probability of the second as it is.
        out[0] = static_cast<double>(1 - scores[0]);
        out[1] = static_cast<double>(scores[0]);
        continue;
      }
      ApplyPostTransform(transform_, scores);
      std::copy(scores.begin(), scores.end(), out);
    }
  }

 private:
  bool adds_class() const { return scores_.outputs() == 1 && labels_.size() == 2; }

  size_t Best(std::span<const float> scores) const {
    if (adds_class()) return scores[0] > 0 ? 1 : 0;
    size_t best = 0;
    for (size_t k = 1; k < scores.size(); ++k) {
      if (scores[k] > scores[best]) best = k;
    }
    return best;
  }

  size_t vectors_;
  LinearScores scores_;
  std::vector<double> labels_;
  PostTransform transform_;
};

void CompileLinearClassifier(OnnxOp& op) {
  const Vectors vectors = VectorsOf(op);
  const PostTransform transform = PostTransformOf(op);
  const ClassLabels labels = ClassLabelsOf(op, "classlabels_ints", "classlabels_strings");
  const size_t outputs =
      op.Numbers("intercepts").empty() ? labels.labels.size() : op.Numbers("intercepts").size();
  std::optional<LinearScores> scores = ScoresOf(op, vectors.length, outputs);
  if (!scores) return;
  const bool two_of_one = outputs == 1 && labels.labels.size() == 2;
  if (outputs != labels.labels.size() && !two_of_one) {
    return op.Malformed(std::to_string(labels.labels.size()) + " labels for " +
                        std::to_string(outputs) + " scores");
  }
  const auto count = static_cast<int64_t>(vectors.count);
  auto classify =
      std::make_unique<Classify>(vectors.count, std::move(*scores), labels.labels, transform);
  const auto columns = static_cast<int64_t>(classify->columns());
  std::vector<OnnxValue> results = op.Apply(std::move(classify), {&op.In(0)},
                                            {{labels.type, {count}}, {kFloat, {count, columns}}},
                                            vectors.count * vectors.length * outputs);
  op.Give(0, std::move(results[0]));
  op.Give(1, std::move(results[1]));
}

constexpr OnnxOperator kOperators[] = {
    {kOnnxMlDomain, "LinearClassifier", CompileLinearClassifier},
    {kOnnxMlDomain, "LinearRegressor", CompileLinearRegressor},
};

}  // namespace

std::span<const OnnxOperator> OnnxLinearOperators() {
  return kOperators;
}

}  // namespace headrace::onnx
