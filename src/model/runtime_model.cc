#include "model/runtime_model.h"

#include <utility>

namespace headrace::model {

RuntimeModel::RuntimeModel(ModelInfo info, std::unique_ptr<const onnx::RuntimeSession> session)
    : GraphModel(std::move(info), session->description()), session_(std::move(session)) {}

void RuntimeModel::ScoreRaw(std::span<const double> features, size_t rows,
                            std::span<double> raw) const {
  const size_t width = info_.features.size();
  const auto outputs = static_cast<size_t>(info_.outputs);
  for (size_t r = 0; r < rows; ++r) {
    session_->Run(features.subspan(r * width, width), raw.subspan(r * outputs, outputs));
  }
}

}  // namespace headrace::model
