#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "onnx/op.h"

namespace headrace::onnx {

// What ai.onnx.ml's classifiers and regressors do with their scores at the end, in float.
enum class PostTransform : uint8_t { kNone, kSoftmax, kLogistic, kSoftmaxZero, kProbit };

// The attribute `post_transform`; an unknown one is an error.
PostTransform PostTransformOf(OnnxOp& op);
void ApplyPostTransform(PostTransform transform, std::span<float> scores);
float Logistic(float x);
float Probit(float x);

// The labels of a classifier: integers, or codes of texts.
struct ClassLabels {
  ElementType type = ElementType::kInt64;
  std::vector<double> labels;
};

// The labels in one of the two attributes; neither or both is an error.
ClassLabels ClassLabelsOf(OnnxOp& op, std::string_view integers, std::string_view texts);

}  // namespace headrace::onnx
