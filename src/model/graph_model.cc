#include "model/graph_model.h"

#include <utility>

namespace headrace::model {

GraphModel::GraphModel(ModelInfo info, onnx::GraphDescription description)
    : predicted_(std::move(description.predicted)) {
  info_ = std::move(info);
  info_.features = std::move(description.features);
  info_.categories = std::move(description.categories);
  info_.exact_categories = true;
  info_.outputs = static_cast<int32_t>(description.output_names.size());
  info_.output_names = std::move(description.output_names);
  info_.text_outputs = std::move(description.text_outputs);
  info_.output_texts = std::move(description.output_texts);
  info_.text_prediction = description.text_prediction;
  info_.predictions = static_cast<int32_t>(predicted_.size());
}

void GraphModel::Transform(size_t rows, std::span<double> scores) const {
  const auto outputs = static_cast<size_t>(info_.outputs);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t p = 0; p < predicted_.size(); ++p) {
      // The predicted ones are in ascending order, so nothing is overwritten that is still read.
      scores[r * predicted_.size() + p] = scores[r * outputs + predicted_[p]];
    }
  }
}

void GraphModel::Leaves(std::span<const double>, std::span<int32_t>) const {}

Result<std::vector<double>> GraphModel::Contributions(std::span<const double>) const {
  return Error(ErrorKind::kInvalidArgument, "HR3003",
               "contributions are not defined for models of this format")
      .WithHint("LightGBM and XGBoost files hold the counts that they need");
}

}  // namespace headrace::model
