#include "forest/forest.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace headrace::forest {
namespace {

// The category that a value stands for, or -1.
int64_t CategoryOf(const Forest& forest, double x) {
  constexpr double kIntEnd = 2147483648.0;
  // XGBoost looks at the sign before it cuts the fraction off, LightGBM after.
  const double least = forest.arithmetic == Arithmetic::kFloat32 ? 0.0 : -1.0;
  const bool valid = least < 0 ? x > least && x < kIntEnd : x >= least && x < kIntEnd;
  return valid ? static_cast<int64_t>(x) : -1;
}

Error BadShape(const std::string& place, std::string message) {
  return Error(ErrorKind::kCorruption, "HR3002", std::move(message))
      .AtPlace(place)
      .WithHint("save the model again with the library that trained it");
}

}  // namespace

bool Forest::has_linear_leaves() const {
  return std::any_of(trees.begin(), trees.end(), [](const Tree& t) { return !t.linear.empty(); });
}

Status CheckShape(Tree* tree, const std::string& place) {
  const auto nodes = static_cast<int32_t>(tree->nodes.size());
  const int32_t leaves = tree->leaves();
  struct Visit {
    int32_t child;
    int32_t depth;
  };
  std::vector<Visit> open = {{tree->root(), 0}};
  std::vector<bool> node_seen(static_cast<size_t>(nodes));
  std::vector<bool> leaf_seen(static_cast<size_t>(leaves));
  int32_t reached = 0;
  tree->depth = 0;
  while (!open.empty()) {
    const Visit visit = open.back();
    open.pop_back();
    const bool leaf = visit.child < 0;
    const int32_t at = leaf ? ~visit.child : visit.child;
    if (at >= (leaf ? leaves : nodes)) {
      return BadShape(place, "child " + std::to_string(visit.child) + " is outside the tree");
    }
    auto seen = (leaf ? leaf_seen : node_seen)[static_cast<size_t>(at)];
    if (seen) {
      return BadShape(place, "child " + std::to_string(visit.child) + " is reached twice");
    }
    seen = true;
    if (leaf) {
      ++reached;
      tree->depth = std::max(tree->depth, visit.depth);
      continue;
    }
    if (visit.depth >= kTreeDepthMax) {
      return Error(ErrorKind::kLimitExceeded, "HR3004",
                   "a tree is deeper than " + std::to_string(kTreeDepthMax))
          .AtPlace(place);
    }
    const TreeNode& node = tree->nodes[static_cast<size_t>(at)];
    open.push_back({node.left, visit.depth + 1});
    open.push_back({node.right, visit.depth + 1});
  }
  if (reached != leaves) {
    return BadShape(place, std::to_string(leaves - reached) + " leaves cannot be reached");
  }
  return Ok();
}

double CleanInput(const Forest& forest, double x) {
  if (forest.arithmetic == Arithmetic::kFloat32) return static_cast<double>(static_cast<float>(x));
  return std::abs(x) <= kZeroThreshold ? 0.0 : x;
}

int32_t ChildOf(const Forest& forest, const TreeNode& node, double x) {
  const bool nan = std::isnan(x);
  if (node.category_set >= 0) {
    if (nan) return node.default_left ? node.left : node.right;
    const auto& set = forest.category_sets[static_cast<size_t>(node.category_set)];
    const bool member = set.Has(CategoryOf(forest, x));
    return member == forest.members_go_left ? node.left : node.right;
  }
  const bool missing =
      node.missing == MissingRule::kNan
          ? nan
          : node.missing == MissingRule::kZero && (nan || std::abs(x) <= kZeroThreshold);
  if (missing) return node.default_left ? node.left : node.right;
  return (nan ? 0.0 : x) <= node.threshold ? node.left : node.right;
}

int32_t LeafOf(const Forest& forest, const Tree& tree, std::span<const double> cleaned) {
  int32_t at = tree.root();
  while (at >= 0) {
    const TreeNode& node = tree.nodes[static_cast<size_t>(at)];
    at = ChildOf(forest, node, cleaned[static_cast<size_t>(node.feature)]);
  }
  return ~at;
}

double LeafValue(const Tree& tree, int32_t leaf, std::span<const double> cleaned) {
  const auto place = static_cast<size_t>(leaf);
  if (tree.linear.empty()) return tree.leaf_values[place];
  const LinearLeaf& linear = tree.linear[place];
  double sum = linear.constant;
  for (size_t i = 0; i < linear.features.size(); ++i) {
    const double x = cleaned[static_cast<size_t>(linear.features[i])];
    if (std::isnan(x)) return tree.leaf_values[place];
    sum += linear.coefficients[i] * x;
  }
  return sum;
}

}  // namespace headrace::forest
