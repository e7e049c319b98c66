#pragma once

#include <optional>

#include "forest/tree_ensemble.h"
#include "onnx/op.h"

namespace headrace::onnx {

// The trees of a TreeEnsembleClassifier or TreeEnsembleRegressor; `stem` is "class" or "target",
// as the attributes of the weights are called. Checked; nothing after an error of `op`.
std::optional<forest::TreeEnsemble> ReadTreeAttributes(OnnxOp& op, const std::string& stem,
                                                       int32_t targets, int32_t features);

// The trees of a TreeEnsemble of ai.onnx.ml 5, likewise.
std::optional<forest::TreeEnsemble> ReadTreeTensors(OnnxOp& op, int32_t targets, int32_t features);

// An attribute of numbers: a list of floats, or the tensor that double precision needs.
struct TreeNumbers {
  std::vector<double> numbers;
  bool is_double = false;
};
TreeNumbers ReadTreeNumbers(OnnxOp& op, const std::string& name);

}  // namespace headrace::onnx
