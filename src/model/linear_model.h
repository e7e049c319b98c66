#pragma once

#include "model/model.h"
#include "model/output_transform.h"

namespace headrace::model {

// A linear model of XGBoost's gblinear: per output a bias and a weight per feature, in float32. A
// missing value adds nothing. Immutable, thread-safe.
class LinearModel : public Model {
 public:
  // `weights` is feature-major, `outputs` values each, the biases last; `base` one per output.
  LinearModel(ModelInfo info, std::vector<float> weights, std::vector<double> base,
              OutputTransform transform);

  void ScoreRaw(std::span<const double> features, size_t rows,
                std::span<double> raw) const override;
  void Transform(size_t rows, std::span<double> scores) const override;
  // There are no trees, so nothing is written.
  void Leaves(std::span<const double> features, std::span<int32_t> leaves) const override;
  // Weight times value; the base value is the bias and the base score.
  Result<std::vector<double>> Contributions(std::span<const double> features) const override;

 private:
  std::vector<float> weights_;
  std::vector<double> base_;
  OutputTransform transform_;
};

}  // namespace headrace::model
