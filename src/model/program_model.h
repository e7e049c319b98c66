#pragma once

#include <string>
#include <vector>

#include "model/model.h"
#include "model/tensor_program.h"

namespace headrace::model {

// How a feature's value gets into the program.
struct ProgramInput {
  size_t slot = 0;
  ElementType type = ElementType::kFloat;
};

// A model that is a program over tensors: ONNX, TensorFlow Lite. Immutable, thread-safe. Each row
// is computed by itself; its raw scores are the outputs of the graph in their order.
class ProgramModel : public Model {
 public:
  // `inputs` has one entry for each feature, `outputs` one for each raw score. `predicted` are the
  // raw scores that make the prediction.
  ProgramModel(ModelInfo info, TensorProgram program, std::vector<ProgramInput> inputs,
               std::vector<Operand> outputs, std::vector<size_t> predicted);

  void ScoreRaw(std::span<const double> features, size_t rows,
                std::span<double> raw) const override;
  void Transform(size_t rows, std::span<double> scores) const override;
  // There are no trees to name leaves of, so nothing is written.
  void Leaves(std::span<const double> features, std::span<int32_t> leaves) const override;
  // Errors: HR3003, always: there are no counts to explain by.
  Result<std::vector<double>> Contributions(std::span<const double> features) const override;

 private:
  void Load(const double* features, double* row) const;

  TensorProgram program_;
  std::vector<ProgramInput> inputs_;
  std::vector<Operand> outputs_;  // the element itself
  std::vector<size_t> predicted_;
};

}  // namespace headrace::model
