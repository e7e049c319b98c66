#include "forest/tree_ensemble.h"

#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace headrace::forest {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(TreeEnsemble, TheKernelsGiveTheBitsOfTheWalk) {
  std::mt19937 random(5);
  for (int round = 0; round < 50; ++round) {
    TreeEnsemble ensemble;
    ensemble.targets = 1 + static_cast<int32_t>(random() % 2);
    constexpr int32_t kFeatures = 4;
    for (int tree = 0; tree < 10; ++tree) {
      const auto first = static_cast<int32_t>(ensemble.nodes.size());
      const auto target = static_cast<int32_t>(random() % static_cast<uint32_t>(ensemble.targets));
      const auto leaf = [&] {
        const auto place = static_cast<int32_t>(ensemble.leaf_count());
        ensemble.weights.push_back(
            {target, static_cast<double>(static_cast<float>(random() % 97) / 7)});
        ensemble.leaves.push_back(static_cast<uint32_t>(ensemble.weights.size()));
        return ~place;
      };
      ensemble.roots.push_back(first);
      constexpr int32_t kSplits = 7;  // a full tree of depth 3
      for (int32_t i = 0; i < kSplits; ++i) {
        EnsembleNode node;
        node.feature = static_cast<int32_t>(random() % kFeatures);
        node.threshold = static_cast<double>(random() % 5) - 2;
        node.mode = static_cast<SplitMode>(random() % 4);
        node.missing_is_true = random() % 2 == 0;
        const bool last = 2 * i + 2 >= kSplits;
        node.on_true = last ? leaf() : first + 2 * i + 1;
        node.on_false = last ? leaf() : first + 2 * i + 2;
        ensemble.nodes.push_back(node);
      }
    }
    ASSERT_EQ("", ensemble.Check(kFeatures, false));
    const auto kernel = MakeEnsembleKernel(ensemble, kFeatures);
    ASSERT_NE(nullptr, kernel);
    for (int row = 0; row < 100; ++row) {
      std::vector<double> x(kFeatures);
      for (double& value : x) {
        value = random() % 8 == 0 ? kNan : static_cast<double>(random() % 9) / 2 - 2;
      }
      std::vector<EnsembleScore> walked(static_cast<size_t>(ensemble.targets));
      std::vector<double> scored(walked.size());
      ensemble.Score(x.data(), walked);
      kernel->Score(x, 1, scored);
      for (size_t k = 0; k < walked.size(); ++k) {
        EXPECT_EQ(walked[k].value, scored[k]);
      }
    }
  }
}

}  // namespace
}  // namespace headrace::forest
