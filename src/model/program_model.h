#pragma once

#include <vector>

#include "model/model.h"
#include "onnx/compiler.h"

namespace headrace::model {

// A model that is a program over tensors: ONNX, TensorFlow Lite. Immutable, thread-safe. Each row
// is computed by itself; its raw scores are the outputs of the graph in their order.
class ProgramModel : public Model {
 public:
  // `info` has format, objective and hash; the rest is what the graph says of itself.
  ProgramModel(ModelInfo info, onnx::CompiledGraph graph);

  void ScoreRaw(std::span<const double> features, size_t rows,
                std::span<double> raw) const override;
  void Transform(size_t rows, std::span<double> scores) const override;
  // There are no trees to name leaves of, so nothing is written.
  void Leaves(std::span<const double> features, std::span<int32_t> leaves) const override;
  // Errors: HR3003, always: there are no counts to explain by.
  Result<std::vector<double>> Contributions(std::span<const double> features) const override;

 private:
  void Load(const double* features, double* row) const;

  onnx::TensorProgram program_;
  std::vector<onnx::ProgramInput> inputs_;
  std::vector<onnx::Operand> outputs_;  // the element itself
  std::vector<size_t> predicted_;
};

}  // namespace headrace::model
