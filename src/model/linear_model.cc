#include "model/linear_model.h"

#include <cmath>
#include <utility>

#include "headrace/check.h"

namespace headrace::model {

LinearModel::LinearModel(ModelInfo info, std::vector<float> weights, std::vector<double> base,
                         OutputTransform transform)
    : weights_(std::move(weights)), base_(std::move(base)), transform_(transform) {
  info_ = std::move(info);
  info_.outputs = transform_.outputs;
  info_.predictions = transform_.predictions();
  info_.trees = 0;
  HR_CHECK(weights_.size() == (info_.features.size() + 1) * base_.size());
}

void LinearModel::ScoreRaw(std::span<const double> features, size_t rows,
                           std::span<double> raw) const {
  const size_t width = info_.features.size();
  const size_t outputs = base_.size();
  HR_CHECK(features.size() >= rows * width && raw.size() >= rows * outputs);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t k = 0; k < outputs; ++k) {
      float sum = weights_[width * outputs + k] + static_cast<float>(base_[k]);
      for (size_t f = 0; f < width; ++f) {
        const auto x = static_cast<float>(features[r * width + f]);
        if (!std::isnan(x)) sum += x * weights_[f * outputs + k];
      }
      raw[r * outputs + k] = static_cast<double>(sum);
    }
  }
}

void LinearModel::Transform(size_t rows, std::span<double> scores) const {
  transform_.Apply(rows, scores);
}

void LinearModel::Leaves(std::span<const double>, std::span<int32_t>) const {}

Result<std::vector<double>> LinearModel::Contributions(std::span<const double> features) const {
  const size_t width = info_.features.size();
  const size_t outputs = base_.size();
  HR_CHECK(features.size() >= width);
  std::vector<double> contributions;
  for (size_t k = 0; k < outputs; ++k) {
    for (size_t f = 0; f < width; ++f) {
      const auto x = static_cast<float>(features[f]);
      const float part = std::isnan(x) ? 0.0F : x * weights_[f * outputs + k];
      contributions.push_back(static_cast<double>(part));
    }
    contributions.push_back(
        static_cast<double>(weights_[width * outputs + k] + static_cast<float>(base_[k])));
  }
  return contributions;
}

}  // namespace headrace::model
