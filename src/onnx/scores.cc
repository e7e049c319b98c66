#include "onnx/scores.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace headrace::onnx {
namespace {

// The inverse of the error function after S. Winitzki (2008), as good as a few thousandths: it is
// what ONNX Runtime answers with.
float InverseErrorFunction(float x) {
  const float sign = x < 0 ? -1.0F : 1.0F;
  const float logarithm = std::log((1 - x) * (1 + x));
  const float a = 2 / (3.14159F * 0.147F) + 0.5F * logarithm;
  const float b = 1 / 0.147F * logarithm;
  return sign * std::sqrt(-a + std::sqrt(a * a - b));
}

float Largest(std::span<const float> scores) {
  float largest = std::numeric_limits<float>::lowest();
  for (float score : scores) {
    if (score > largest) largest = score;
  }
  return largest;
}

void Softmax(std::span<float> scores) {
  const float largest = Largest(scores);
  float sum = 0;
  for (float& score : scores) {
    score = std::exp(score - largest);
    sum += score;
  }
  for (float& score : scores) {
    score /= sum;
  }
}

// Softmax in which scores of 0 stay small: they stand for classes that nothing voted for.
void SoftmaxZero(std::span<float> scores) {
  const float largest = Largest(scores);
  const float scale = std::exp(-largest);
  float sum = 0;
  for (float& score : scores) {
    if (score > 1e-7F || score < -1e-7F) {
      score = std::exp(score - largest);
      sum += score;
    } else {
      score *= scale;
    }
  }
  for (float& score : scores) {
    score /= sum;
  }
}

}  // namespace

float Logistic(float x) {
  const float y = 1 / (1 + std::exp(-std::abs(x)));
  return x < 0 ? 1 - y : y;
}

float Probit(float x) {
  return 1.41421356F * InverseErrorFunction(2 * x - 1);
}

PostTransform PostTransformOf(OnnxOp& op) {
  const std::string_view name = op.Text("post_transform", "NONE");
  if (name == "NONE") return PostTransform::kNone;
  if (name == "SOFTMAX") return PostTransform::kSoftmax;
  if (name == "LOGISTIC") return PostTransform::kLogistic;
  if (name == "SOFTMAX_ZERO") return PostTransform::kSoftmaxZero;
  if (name == "PROBIT") return PostTransform::kProbit;
  op.Malformed("post_transform is `" + std::string(name) + "`");
  return PostTransform::kNone;
}

void ApplyPostTransform(PostTransform transform, std::span<float> scores) {
  switch (transform) {
    case PostTransform::kNone:
      return;
    case PostTransform::kSoftmax:
      return Softmax(scores);
    case PostTransform::kSoftmaxZero:
      return SoftmaxZero(scores);
    case PostTransform::kLogistic:
      std::transform(scores.begin(), scores.end(), scores.begin(), Logistic);
      return;
    case PostTransform::kProbit:
      std::transform(scores.begin(), scores.end(), scores.begin(), Probit);
      return;
  }
}

ClassLabels ClassLabelsOf(OnnxOp& op, std::string_view integers, std::string_view texts) {
  ClassLabels labels;
  for (int64_t label : op.Integers(integers)) {
    if (label > kExactIntegerMax || label < -kExactIntegerMax) {
      op.Unsupported("a class label beyond 2^53");
    }
    labels.labels.push_back(static_cast<double>(label));
  }
  const std::vector<std::string_view>& names = op.Texts(texts);
  if (labels.labels.empty() == names.empty()) {
    op.Malformed("class labels must be integers or texts");
    return labels;
  }
  if (names.empty()) return labels;
  labels.type = ElementType::kText;
  for (std::string_view name : names) {
    labels.labels.push_back(op.TextCode(name));
  }
  return labels;
}

}  // namespace headrace::onnx
