// Support vector machines of ai.onnx.ml.
#include <algorithm>
#include <cmath>

#include "onnx/scores.h"

namespace headrace::onnx {
namespace {

using enum ElementType;

enum class KernelKind : uint8_t { kLinear, kPolynomial, kRadial, kSigmoid };

// The similarity of an input to each support vector, in float.
struct SvmKernel {
  KernelKind kind = KernelKind::kLinear;
  float gamma = 0;
  float shift = 0;
  float degree = 0;
  size_t features = 0;
  std::vector<float> vectors;

  size_t count() const { return vectors.size() / features; }

  float Of(const double* x, size_t vector) const {
    const float* v = vectors.data() + vector * features;
    float sum = 0;
    for (size_t i = 0; i < features; ++i) {
      const auto value = static_cast<float>(x[i]);
      const float part = kind == KernelKind::kRadial ? value - v[i] : value * v[i];
      sum += kind == KernelKind::kRadial ? part * part : part;
    }
    switch (kind) {
      case KernelKind::kLinear:
        return sum;
      case KernelKind::kRadial:
        return std::exp(-gamma * sum);
      case KernelKind::kSigmoid:
        return std::tanh(gamma * sum + shift);
      case KernelKind::kPolynomial:
        break;
    }
    const float base = gamma * sum + shift;
    if (degree == 2) return base * base;
    if (degree == 3) return base * base * base;
    return std::pow(base, degree);
  }
};

SvmKernel KernelOf(OnnxOp& op, size_t vectors) {
  SvmKernel kernel;
  const std::string_view name = op.Text("kernel_type", "LINEAR");
  if (name == "POLY") kernel.kind = KernelKind::kPolynomial;
  if (name == "RBF") kernel.kind = KernelKind::kRadial;
  if (name == "SIGMOID") kernel.kind = KernelKind::kSigmoid;
  if (kernel.kind == KernelKind::kLinear && name != "LINEAR") {
    op.Malformed("the kernel is `" + std::string(name) + "`");
  }
  const std::vector<float>& parameters = op.Numbers("kernel_params");
  if (parameters.size() == 3) {
    kernel.gamma = parameters[0];
    kernel.shift = parameters[1];
    kernel.degree = parameters[2];
  } else if (!parameters.empty() || kernel.kind != KernelKind::kLinear) {
    op.Malformed("the kernel does not have three parameters");
  }
  const OnnxValue& in = op.NumbersIn(0);
  if (op.failed()) return kernel;
  if (in.shape.size() != 2 || in.shape[1] < 1) {
    op.Malformed("the input is no matrix");
    return kernel;
  }
  kernel.features = static_cast<size_t>(in.shape[1]);
  kernel.vectors = op.Numbers("support_vectors");
  if (vectors == 0 || vectors > kernel.vectors.size() ||
      kernel.vectors.size() != vectors * kernel.features) {
    op.Malformed(std::to_string(kernel.vectors.size()) + " numbers for " + std::to_string(vectors) +
                 " support vectors of " + std::to_string(kernel.features) + " features");
  }
  return kernel;
}

// What a classifier knows of its classes.
struct SvmClasses {
  std::vector<double> labels;
  std::vector<size_t> first;   // support vector of each class, and the number of all
  std::vector<float> weights;  // classes - 1 rows of one for each support vector
  std::vector<float> rho;      // one for each pair of classes
  std::vector<float> a;        // the same for probabilities, or empty
  std::vector<float> b;
  PostTransform transform = PostTransform::kNone;

  size_t count() const { return labels.size(); }
  size_t pairs() const { return count() * (count() - 1) / 2; }
  size_t columns() const { return a.empty() && count() > 2 ? pairs() : count(); }
};

class SvmClassify : public Operation {
 public:
  SvmClassify(size_t rows, SvmKernel kernel, SvmClasses classes)
      : rows_(rows), kernel_(std::move(kernel)), classes_(std::move(classes)) {}

  void Run(const double* const* inputs, double* const* outputs) const override {
    for (size_t r = 0; r < rows_; ++r) {
      One(inputs[0] + r * kernel_.features, outputs[0] + r, outputs[1] + r * classes_.columns());
    }
  }

 private:
  void One(const double* x, double* label, double* out) const {
    std::vector<float> scores;
    std::vector<size_t> votes(classes_.count());
    Duel(x, &scores, &votes);
    const auto best = std::max_element(votes.begin(), votes.end()) - votes.begin();
    *label = classes_.labels[static_cast<size_t>(best)];
    if (!classes_.a.empty()) {
      scores = Probabilities(scores);
    } else if (classes_.count() == 2) {
      // One score for two classes.
      const bool mirrored = classes_.transform == PostTransform::kNone;
      out[0] = static_cast<double>(mirrored ? -scores[0] : 1 - scores[0]);
      out[1] = static_cast<double>(scores[0]);
      return;
    }
    ApplyPostTransform(classes_.transform, scores);
    std::copy(scores.begin(), scores.end(), out);
  }

  // Every class against every later one.
  void Duel(const double* x, std::vector<float>* scores, std::vector<size_t>* votes) const {
    const size_t vectors = kernel_.count();
    std::vector<float> similar(vectors);
    for (size_t v = 0; v < vectors; ++v) {
      similar[v] = kernel_.Of(x, v);
    }
    const auto part = [&](size_t row, size_t of_class, double sum) {
      for (size_t v = classes_.first[of_class]; v < classes_.first[of_class + 1]; ++v) {
        sum += static_cast<double>(classes_.weights[row * vectors + v] * similar[v]);
      }
      return sum;
    };
    for (size_t i = 0; i < classes_.count(); ++i) {
      for (size_t j = i + 1; j < classes_.count(); ++j) {
        double sum = part(j - 1, i, 0);
        sum = part(i, j, sum) + static_cast<double>(classes_.rho[scores->size()]);
        scores->push_back(static_cast<float>(sum));
        ++(*votes)[sum > 0 ? i : j];
      }
    }
  }

  // Pairwise coupling of Wu, Lin and Weng (2004), second method.
  std::vector<float> Probabilities(const std::vector<float>& scores) const {
    const size_t n = classes_.count();
    std::vector<float> wins(n * n);  // wins[i * n + j]: i against j
    size_t pair = 0;
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = i + 1; j < n; ++j, ++pair) {
        float p = 1 - Logistic(scores[pair] * classes_.a[pair] + classes_.b[pair]);
        p = std::min(std::max(p, 1e-7F), 1 - 1e-7F);
        wins[i * n + j] = p;
        wins[j * n + i] = 1 - p;
      }
    }
    std::vector<float> q(n * n);
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) {
        if (i == j) continue;
        q[i * n + i] += wins[j * n + i] * wins[j * n + i];
        q[i * n + j] = -wins[j * n + i] * wins[i * n + j];
      }
    }
    return Couple(q);
  }

  std::vector<float> Couple(const std::vector<float>& q) const {
    constexpr int kRounds = 100;
    const size_t n = classes_.count();
    const float tolerance = 0.005F / static_cast<float>(n);
    std::vector<float> p(n, 1 / static_cast<float>(n));
    std::vector<float> qp(n);
    for (int round = 0; round < kRounds; ++round) {
      float pqp = 0;
      for (size_t i = 0; i < n; ++i) {
        qp[i] = 0;
        for (size_t j = 0; j < n; ++j) {
          qp[i] += q[i * n + j] * p[j];
        }
        pqp += p[i] * qp[i];
      }
      float worst = 0;
      for (size_t i = 0; i < n; ++i) {
        worst = std::max(worst, std::abs(qp[i] - pqp));
      }
      if (worst < tolerance) break;
      for (size_t i = 0; i < n; ++i) {
        const float own = q[i * n + i];
        const float change = (pqp - qp[i]) / own;
        p[i] += change;
        pqp = (pqp + change * (change * own + 2 * qp[i])) / (1 + change) / (1 + change);
        for (size_t j = 0; j < n; ++j) {
          qp[j] = (qp[j] + change * q[i * n + j]) / (1 + change);
          p[j] /= 1 + change;
        }
      }
    }
    return p;
  }

  size_t rows_;
  SvmKernel kernel_;
  SvmClasses classes_;
};

// Fills everything but the labels.
void ReadClasses(OnnxOp& op, SvmClasses* classes) {
  constexpr size_t kClassesMax = 1000;
  const std::vector<int64_t>& counts = op.Integers("vectors_per_class");
  if (counts.empty()) return op.Unsupported("a machine without support vectors");
  if (counts.size() != classes->count() || counts.size() < 2 || counts.size() > kClassesMax) {
    return op.Malformed("vectors_per_class does not fit the classes");
  }
  classes->first.push_back(0);
  for (int64_t count : counts) {
    if (count < 0 || count > int64_t{kTensorElementsMax}) {
      return op.Malformed("vectors_per_class is out of range");
    }
    classes->first.push_back(classes->first.back() + static_cast<size_t>(count));
  }
  classes->weights = op.Numbers("coefficients");
  classes->rho = op.Numbers("rho");
  classes->a = op.Numbers("prob_a");
  classes->b = op.Numbers("prob_b");
  if (classes->weights.size() != (classes->count() - 1) * classes->first.back()) {
    op.Malformed(std::to_string(classes->weights.size()) + " coefficients");
  }
  if (classes->rho.size() != classes->pairs() || classes->a.size() != classes->b.size() ||
      (!classes->a.empty() && classes->a.size() != classes->pairs())) {
    op.Malformed("rho, prob_a and prob_b are not one for each pair of classes");
  }
}

void CompileSvmClassifier(OnnxOp& op) {
  const ClassLabels labels = ClassLabelsOf(op, "classlabels_ints", "classlabels_strings");
  SvmClasses classes;
  classes.labels = labels.labels;
  ReadClasses(op, &classes);
  classes.transform = PostTransformOf(op);
  if (op.failed()) return;
  SvmKernel kernel = KernelOf(op, classes.first.back());
  if (op.failed()) return;
  const int64_t rows = op.In(0).shape[0];
  const OnnxShape scores = {kFloat, {rows, static_cast<int64_t>(classes.columns())}};
  const uint64_t work = static_cast<uint64_t>(rows) *
                        (kernel.vectors.size() + classes.weights.size() + 16 * kernel.count());
  std::vector<OnnxValue> results =
      op.Apply(std::make_unique<SvmClassify>(static_cast<size_t>(rows), std::move(kernel),
                                             std::move(classes)),
               {&op.In(0)}, {{labels.type, {rows}}, scores}, work);
  op.Give(0, std::move(results[0]));
  op.Give(1, std::move(results[1]));
}

class SvmRegress : public Operation {
 public:
  SvmRegress(size_t rows, SvmKernel kernel, std::vector<float> weights, float rho, bool one_class)
      : rows_(rows),
        kernel_(std::move(kernel)),
        weights_(std::move(weights)),
        rho_(rho),
        one_class_(one_class) {}
  void Run(const double* const* inputs, double* const* outputs) const override {
    for (size_t r = 0; r < rows_; ++r) {
      float sum = 0;
      for (size_t v = 0; v < weights_.size(); ++v) {
        sum += weights_[v] * kernel_.Of(inputs[0] + r * kernel_.features, v);
      }
      sum += rho_;
      outputs[0][r] = one_class_ ? (sum > 0 ? 1.0 : -1.0) : static_cast<double>(sum);
    }
  }

 private:
  size_t rows_;
  SvmKernel kernel_;
  std::vector<float> weights_;
  float rho_;
  bool one_class_;
};

void CompileSvmRegressor(OnnxOp& op) {
  const std::vector<float>& weights = op.Numbers("coefficients");
  const std::vector<float>& rho = op.Numbers("rho");
  const int64_t vectors = op.Integer("n_supports", 0);
  const bool one_class = op.Integer("one_class", 0) != 0;
  if (PostTransformOf(op) != PostTransform::kNone) op.Unsupported("a post_transform");
  if (vectors == 0) op.Unsupported("a machine without support vectors");
  if (vectors < 0 || weights.size() != static_cast<size_t>(vectors) || rho.size() != 1) {
    op.Malformed(std::to_string(weights.size()) + " coefficients for " + std::to_string(vectors) +
                 " support vectors");
  }
  if (op.failed()) return;
  SvmKernel kernel = KernelOf(op, weights.size());
  if (op.failed()) return;
  const int64_t rows = op.In(0).shape[0];
  const uint64_t work = static_cast<uint64_t>(rows) * (kernel.vectors.size() + 16 * weights.size());
  op.Give(0, op.ApplyOne(std::make_unique<SvmRegress>(static_cast<size_t>(rows), std::move(kernel),
                                                      weights, rho[0], one_class),
                         {&op.In(0)}, {kFloat, {rows, 1}}, work));
}

constexpr OnnxOperator kOperators[] = {
    {kOnnxMlDomain, "SVMClassifier", CompileSvmClassifier},
    {kOnnxMlDomain, "SVMRegressor", CompileSvmRegressor},
};

}  // namespace

std::span<const OnnxOperator> OnnxSvmOperators() {
  return kOperators;
}

}  // namespace headrace::onnx
