#pragma once

#include <memory>

#include "model/graph_model.h"
#include "onnx/runtime_session.h"

namespace headrace::model {

// A graph that ONNX Runtime computes. Immutable, thread-safe.
class RuntimeModel : public GraphModel {
 public:
  RuntimeModel(ModelInfo info, std::unique_ptr<const onnx::RuntimeSession> session);

  void ScoreRaw(std::span<const double> features, size_t rows,
                std::span<double> raw) const override;

 private:
  std::unique_ptr<const onnx::RuntimeSession> session_;
};

}  // namespace headrace::model
