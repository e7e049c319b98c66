#pragma once

#include "forest/forest.h"
#include "forest/forest_kernel.h"
#include "model/model.h"
#include "model/output_transform.h"

namespace headrace::model {

// A model that is a tree ensemble. The forest is kept twice: flat for scores, plain for leaves and
// contributions. Immutable, thread-safe.
class TreeModel : public Model {
 public:
  // `forest` has passed its loader's checks: CheckShape, features in range, sizes that fit.
  TreeModel(ModelInfo info, forest::Forest forest, OutputTransform transform);

  void ScoreRaw(std::span<const double> features, size_t rows,
                std::span<double> raw) const override;
  void Transform(size_t rows, std::span<double> scores) const override;
  void Leaves(std::span<const double> features, std::span<int32_t> leaves) const override;
  Result<std::vector<double>> Contributions(std::span<const double> features) const override;

  const forest::Forest& forest() const { return forest_; }

 private:
  std::vector<double> Clean(std::span<const double> features) const;

  forest::Forest forest_;
  OutputTransform transform_;
  std::unique_ptr<const forest::ForestKernel> kernel_;
};

}  // namespace headrace::model
