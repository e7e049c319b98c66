#pragma once

#include <vector>

#include "model/graph_model.h"

namespace headrace::model {

// A graph as a program of our own over tensors: ONNX, TensorFlow Lite. Immutable, thread-safe. Each
// row is computed by itself.
class ProgramModel : public GraphModel {
 public:
  ProgramModel(ModelInfo info, onnx::CompiledGraph graph);

  void ScoreRaw(std::span<const double> features, size_t rows,
                std::span<double> raw) const override;

 private:
  void Load(const double* features, double* row) const;

  onnx::TensorProgram program_;
  std::vector<onnx::ProgramInput> inputs_;
  std::vector<onnx::Operand> outputs_;  // the element itself
};

}  // namespace headrace::model
