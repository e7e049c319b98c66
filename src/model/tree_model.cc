#include "model/tree_model.h"

#include <utility>

#include "forest/tree_shap.h"
#include "headrace/check.h"

namespace headrace::model {

TreeModel::TreeModel(ModelInfo info, forest::Forest forest, OutputTransform transform)
    : forest_(std::move(forest)),
      transform_(transform),
      kernel_(forest::MakeKernel(forest_, forest::BestSimd())) {
  info_ = std::move(info);
  info_.outputs = forest_.outputs;
  info_.predictions = transform_.predictions();
  info_.trees = static_cast<int32_t>(forest_.trees.size());
}

void TreeModel::ScoreRaw(std::span<const double> features, size_t rows,
                         std::span<double> raw) const {
  HR_CHECK(features.size() >= rows * info_.features.size());
  HR_CHECK(raw.size() >= rows * static_cast<size_t>(info_.outputs));
  kernel_->Score(features, rows, raw);
}

void TreeModel::Transform(size_t rows, std::span<double> scores) const {
  transform_.Apply(rows, scores);
}

std::vector<double> TreeModel::Clean(std::span<const double> features) const {
  HR_CHECK(features.size() >= info_.features.size());
  std::vector<double> cleaned;
  cleaned.reserve(info_.features.size());
  for (double x : features.first(info_.features.size())) {
    cleaned.push_back(forest::CleanInput(forest_, x));
  }
  return cleaned;
}

void TreeModel::Leaves(std::span<const double> features, std::span<int32_t> leaves) const {
  HR_CHECK(leaves.size() >= forest_.trees.size());
  const std::vector<double> cleaned = Clean(features);
  size_t t = 0;
  for (const forest::Tree& tree : forest_.trees) {
    leaves[t++] = tree.leaf_names[static_cast<size_t>(LeafOf(forest_, tree, cleaned))];
  }
}

Result<std::vector<double>> TreeModel::Contributions(std::span<const double> features) const {
  return forest::TreeShap(forest_, Clean(features));
}

}  // namespace headrace::model
