#include "forest/forest_kernel.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace headrace::forest {
namespace {

// Adds all trees to one row's scores, in the forest's precision.
template <typename T>
void AddTrees(const Forest& forest, std::span<const double> cleaned, std::span<double> raw) {
  const auto width = static_cast<size_t>(forest.leaf_width);
  for (const Tree& tree : forest.trees) {
    const int32_t leaf = LeafOf(forest, tree, cleaned);
    if (width == 1) {
      double& sum = raw[static_cast<size_t>(tree.output)];
      sum =
          static_cast<double>(static_cast<T>(sum) + static_cast<T>(LeafValue(tree, leaf, cleaned)));
      continue;
    }
    for (size_t k = 0; k < width; ++k) {
      const double value = tree.leaf_values[static_cast<size_t>(leaf) * width + k];
      raw[k] = static_cast<double>(static_cast<T>(raw[k]) + static_cast<T>(value));
    }
  }
}

}  // namespace

void PlainKernel::Score(std::span<const double> features, size_t rows,
                        std::span<double> raw) const {
  const Forest& forest = forest_;
  const auto width = static_cast<size_t>(forest.features);
  const auto outputs = static_cast<size_t>(forest.outputs);
  std::vector<double> cleaned(width);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t f = 0; f < width; ++f) {
      cleaned[f] = CleanInput(forest, features[r * width + f]);
    }
    const std::span<double> scores = raw.subspan(r * outputs, outputs);
    std::copy(forest.base.begin(), forest.base.end(), scores.begin());
    if (forest.arithmetic == Arithmetic::kFloat32) {
      AddTrees<float>(forest, cleaned, scores);
    } else {
      AddTrees<double>(forest, cleaned, scores);
    }
  }
}

std::unique_ptr<const ForestKernel> MakeOwnKernel(const Forest& forest, Simd simd) {
  using Maker = std::unique_ptr<const ForestKernel> (*)(const Forest&, Simd);
  const Maker node = [](const Forest& of, Simd) { return MakeNodeKernel(of); };
  std::pair<double, Maker> makers[] = {{MaskKernelCost(forest), MakeMaskKernel},
                                       {WideKernelCost(forest, simd), MakeWideKernel},
                                       {NodeKernelCost(forest), node}};
  std::sort(std::begin(makers), std::end(makers),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [cost, make] : makers) {
    if (auto kernel = make(forest, simd)) return kernel;
  }
  return nullptr;
}

std::unique_ptr<const ForestKernel> MakeKernel(const Forest& forest, Simd simd) {
  if (auto kernel = MakeOwnKernel(forest, simd)) return kernel;
  return std::make_unique<PlainKernel>(forest);
}

}  // namespace headrace::forest
