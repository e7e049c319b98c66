#pragma once

#include <vector>

#include "model/model.h"
#include "onnx/compiler.h"

namespace headrace::model {

// A model that is a graph of tensors, whoever computes it: its raw scores are the outputs of the
// graph in their order. Immutable, thread-safe.
class GraphModel : public Model {
 public:
  void Transform(size_t rows, std::span<double> scores) const override;
  // There are no trees to name leaves of, so nothing is written.
  void Leaves(std::span<const double> features, std::span<int32_t> leaves) const override;
  // Errors: HR3003, always: there are no counts to explain by.
  Result<std::vector<double>> Contributions(std::span<const double> features) const override;

 protected:
  // `info` has format, objective and hash; the rest is what the graph says of itself.
  GraphModel(ModelInfo info, onnx::GraphDescription description);

 private:
  std::vector<size_t> predicted_;
};

}  // namespace headrace::model
