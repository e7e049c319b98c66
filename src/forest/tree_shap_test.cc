// Contributions against the definition of Shapley values, and against their sum where there are too
// many subsets.
#include "forest/tree_shap.h"

#include <bit>
#include <cmath>

#include <gtest/gtest.h>

namespace headrace::forest {
namespace {

uint64_t Next(uint64_t* state) {
  *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
  return *state >> 33;
}

void AddLeaf(Tree* tree, double value, double cover) {
  tree->leaf_values.push_back(value);
  tree->leaf_covers.push_back(cover);
  tree->leaf_names.push_back(static_cast<int32_t>(tree->leaf_names.size()));
}

// A random tree of some depth below `cover` training rows; gives the child's number.
int32_t Grow(Tree* tree, int32_t features, int depth, double cover, uint64_t* state) {
  if (depth == 0 || cover < 2 || Next(state) % 8 == 0) {
    AddLeaf(tree, static_cast<double>(Next(state) % 2000) / 1000 - 1, cover);
    return ~(tree->leaves() - 1);
  }
  const auto at = static_cast<int32_t>(tree->nodes.size());
  tree->nodes.emplace_back();
  TreeNode node;
  node.feature = static_cast<int32_t>(Next(state) % static_cast<uint64_t>(features));
  node.threshold = static_cast<double>(Next(state) % 100) / 100;
  node.cover = cover;
  // Now and then no training row goes one way.
  const double left = Next(state) % 10 == 0 ? 0 : std::floor(cover * 0.3);
  node.left = Grow(tree, features, depth - 1, left, state);
  node.right = Grow(tree, features, depth - 1, cover - left, state);
  tree->nodes[static_cast<size_t>(at)] = node;
  return at;
}

Forest Of(Tree tree, int32_t features) {
  Forest forest;
  forest.features = features;
  forest.base = {0.0};
  EXPECT_TRUE(CheckShape(&tree, "test").ok());
  forest.trees = {std::move(tree)};
  return forest;
}

// The expected leaf when only the features in `known` are.
double Expected(const Forest& forest, int32_t child, uint32_t known,
                const std::vector<double>& row) {
  const Tree& tree = forest.trees[0];
  const int32_t leaf = ~child;
  if (child < 0) return tree.leaf_values[static_cast<size_t>(leaf)];
  const TreeNode& node = tree.nodes[static_cast<size_t>(child)];
  const auto feature = static_cast<size_t>(node.feature);
  if ((known >> feature & 1) != 0) {
    return Expected(forest, ChildOf(forest, node, row[feature]), known, row);
  }
  double sum = 0;
  for (const int32_t next : {node.left, node.right}) {
    const int32_t end = ~next;
    const double cover = next < 0 ? tree.leaf_covers[static_cast<size_t>(end)]
                                  : tree.nodes[static_cast<size_t>(next)].cover;
    sum += cover / node.cover * Expected(forest, next, known, row);
  }
  return sum;
}

TEST(TreeShap, GivesTheShapleyValuesOfRandomTrees) {
  constexpr int32_t kFeatures = 9;
  uint64_t state = 1;
  for (int round = 0; round < 40; ++round) {
    Tree tree;
    if (Grow(&tree, 2 + round % (kFeatures - 1), 1 + round % 11, 1000, &state) < 0) continue;
    const Forest forest = Of(std::move(tree), kFeatures);
    std::vector<double> row(kFeatures);
    for (double& x : row) {
      x = static_cast<double>(Next(&state) % 100) / 100;
    }
    std::vector<double> value(size_t{1} << kFeatures);
    for (uint32_t known = 0; known < value.size(); ++known) {
      value[known] = Expected(forest, 0, known, row);
    }
    const auto got = TreeShap(forest, row);
    ASSERT_TRUE(got.ok());
    for (uint32_t f = 0; f < kFeatures; ++f) {
      double want = 0;
      for (uint32_t known = 0; known < value.size(); ++known) {
        if ((known >> f & 1) != 0) continue;
        const double size = std::popcount(known);
        const double weight = std::exp(std::lgamma(size + 1) + std::lgamma(kFeatures - size) -
                                       std::lgamma(kFeatures + 1.0));
        want += weight * (value[known | 1U << f] - value[known]);
      }
      EXPECT_NEAR(want, (*got)[f], 1e-12) << "feature " << f << " in round " << round;
    }
    EXPECT_NEAR(value[0], got->back(), 1e-12);
  }
}

TEST(TreeShap, AddsUpHoweverManyFeaturesAWayHas) {
  for (const int32_t depth : {1, 4, 5, 8, 12, 13, 16, 17, 24, 25, 64, 65, 200, kShapDepthMax}) {
    Tree tree;
    for (int32_t i = 0; i < depth; ++i) {
      TreeNode node;
      node.feature = i;
      node.threshold = 0.5;
      node.cover = 2 * (depth - i) + 1;
      node.left = ~i;
      node.right = i + 1 < depth ? i + 1 : ~depth;
      tree.nodes.push_back(node);
      AddLeaf(&tree, std::sin(i), 2);
    }
    AddLeaf(&tree, 3, 1);
    const Forest forest = Of(std::move(tree), depth);
    for (const int32_t leaves_at : {0, depth / 2, depth}) {
      std::vector<double> row(static_cast<size_t>(depth), 1.0);
      if (leaves_at < depth) row[static_cast<size_t>(leaves_at)] = 0;
      const auto got = TreeShap(forest, row);
      ASSERT_TRUE(got.ok());
      double sum = 0;
      for (const double part : *got) {
        sum += part;
      }
      const double raw = leaves_at < depth ? std::sin(leaves_at) : 3;
      EXPECT_NEAR(raw, sum, 1e-11) << depth << " splits, out at " << leaves_at;
    }
  }
}

}  // namespace
}  // namespace headrace::forest
