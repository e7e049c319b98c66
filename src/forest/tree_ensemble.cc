#include "forest/tree_ensemble.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace headrace::forest {
namespace {

bool TakesTrue(const TreeEnsemble& ensemble, const EnsembleNode& node, double x) {
  if (node.missing_is_true && std::isnan(x)) return true;
  switch (node.mode) {
    case SplitMode::kLeq:
      return x <= node.threshold;
    case SplitMode::kLt:
      return x < node.threshold;
    case SplitMode::kGte:
      return x >= node.threshold;
    case SplitMode::kGt:
      return x > node.threshold;
    case SplitMode::kEq:
      return x == node.threshold;
    case SplitMode::kNeq:
      return x != node.threshold;
    case SplitMode::kMember: {
      const std::vector<double>& members = ensemble.members[static_cast<size_t>(node.members)];
      return !std::isnan(x) && std::binary_search(members.begin(), members.end(), x);
    }
  }
  return false;
}

// Walks all trees without recursion; says what is wrong with their shape.
std::string CheckShape(const TreeEnsemble& ensemble, bool shared_leaves) {
  struct Visit {
    int32_t child;
    int32_t depth;
  };
  std::vector<bool> node_seen(ensemble.nodes.size());
  std::vector<bool> leaf_seen(ensemble.leaf_count());
  std::vector<Visit> open;
  for (int32_t root : ensemble.roots) {
    open.push_back({root, 0});
    while (!open.empty()) {
      const Visit visit = open.back();
      open.pop_back();
      const bool leaf = visit.child < 0;
      const auto at = static_cast<size_t>(leaf ? ~visit.child : visit.child);
      std::vector<bool>& seen = leaf ? leaf_seen : node_seen;
      if (at >= seen.size()) return "a child that is not there";
      if (seen[at] && !(leaf && shared_leaves)) return "a node is reached twice";
      seen[at] = true;
      if (leaf) continue;
      if (visit.depth >= kTreeDepthMax) return "a tree is too deep";
      const EnsembleNode& node = ensemble.nodes[at];
      // A single leaf is written as a split whose children are the same.
      open.push_back({node.on_true, visit.depth + 1});
      open.push_back({node.on_false, visit.depth + 1});
    }
  }
  const auto all = [](const std::vector<bool>& seen) {
    return std::find(seen.begin(), seen.end(), false) == seen.end();
  };
  return all(node_seen) && all(leaf_seen) ? "" : "a node that no tree reaches";
}

bool IsOneOf(const EnsembleNode& node, std::initializer_list<SplitMode> modes) {
  return std::find(modes.begin(), modes.end(), node.mode) != modes.end();
}

// The largest number below x in the arithmetic of the forest; nothing is left of what is lowest.
double Below(Arithmetic arithmetic, double x) {
  if (std::isinf(x) && x < 0) return std::numeric_limits<double>::quiet_NaN();
  if (arithmetic == Arithmetic::kFloat64) {
    return std::nextafter(x, -std::numeric_limits<double>::infinity());
  }
  return static_cast<double>(
      std::nextafter(static_cast<float>(x), -std::numeric_limits<float>::infinity()));
}

// Copies one tree of the ensemble into a forest, or gives up on what a forest cannot hold.
class TreeCopy {
 public:
  TreeCopy(const TreeEnsemble& ensemble, Tree* tree) : ensemble_(ensemble), tree_(*tree) {}

  bool Copy(int32_t root) {
    std::vector<Link> open = {{root, -1, true}};
    while (!open.empty()) {
      const Link link = open.back();
      open.pop_back();
      int32_t placed = 0;
      if (link.child < 0) {
        if (!AddLeaf(static_cast<size_t>(~link.child))) return false;
        placed = ~(tree_.leaves() - 1);
      } else {
        const EnsembleNode& node = ensemble_.nodes[static_cast<size_t>(link.child)];
        if (node.mode > SplitMode::kGt) return false;
        placed = static_cast<int32_t>(tree_.nodes.size());
        const bool turned = AddSplit(node);
        open.push_back({turned ? node.on_false : node.on_true, placed, true});
        open.push_back({turned ? node.on_true : node.on_false, placed, false});
      }
      if (link.parent < 0) continue;
      TreeNode& parent = tree_.nodes[static_cast<size_t>(link.parent)];
      (link.left ? parent.left : parent.right) = placed;
    }
    tree_.output = output_.value_or(0);
    return true;
  }

 private:
  struct Link {
    int32_t child;
    int32_t parent;  // in the copy, -1 above the root
    bool left;
  };

  bool AddLeaf(size_t leaf) {
    const uint32_t first = ensemble_.leaves[leaf];
    if (ensemble_.leaves[leaf + 1] - first != 1) return false;
    const EnsembleWeight& weight = ensemble_.weights[first];
    if (output_.value_or(weight.target) != weight.target) return false;
    output_ = weight.target;
    tree_.leaf_names.push_back(tree_.leaves());
    tree_.leaf_values.push_back(weight.value);
    return true;
  }

  // Whether the split is the other way around: what is on its left there is false here.
  bool AddSplit(const EnsembleNode& from) {
    const bool turned = IsOneOf(from, {SplitMode::kGte, SplitMode::kGt});
    TreeNode& node = tree_.nodes.emplace_back();
    node.feature = from.feature;
    node.missing = MissingRule::kNan;
    node.default_left = from.missing_is_true != turned;
    node.threshold = IsOneOf(from, {SplitMode::kLt, SplitMode::kGte})
                         ? Below(ensemble_.arithmetic, from.threshold)
                         : from.threshold;
    return turned;
  }

  const TreeEnsemble& ensemble_;
  Tree& tree_;
  std::optional<int32_t> output_;
};

}  // namespace

std::string TreeEnsemble::Check(int32_t features, bool shared_leaves) const {
  if (std::string wrong = CheckShape(*this, shared_leaves); !wrong.empty()) return wrong;
  for (const EnsembleNode& node : nodes) {
    if (node.feature < 0 || node.feature >= features) {
      return "feature " + std::to_string(node.feature) + " of " + std::to_string(features);
    }
    if (std::isnan(node.threshold) && node.mode != SplitMode::kMember) {
      return "a threshold that is not a number";
    }
  }
  std::vector<size_t> last(static_cast<size_t>(targets), SIZE_MAX);
  for (size_t leaf = 0; leaf < leaf_count(); ++leaf) {
    for (uint32_t w = leaves[leaf]; w < leaves[leaf + 1]; ++w) {
      if (weights[w].target < 0 || weights[w].target >= targets) {
        return "target " + std::to_string(weights[w].target) + " of " + std::to_string(targets);
      }
      if (std::isnan(weights[w].value)) return "a weight that is not a number";
      size_t& seen = last[static_cast<size_t>(weights[w].target)];
      if (seen == leaf) return "a leaf has two weights for one target";
      seen = leaf;
    }
  }
  return "";
}

int32_t TreeEnsemble::LeafOf(int32_t root, const double* x) const {
  int32_t at = root;
  while (at >= 0) {
    const EnsembleNode& node = nodes[static_cast<size_t>(at)];
    at = TakesTrue(*this, node, x[node.feature]) ? node.on_true : node.on_false;
  }
  return ~at;
}

void TreeEnsemble::Score(const double* x, std::span<EnsembleScore> scores) const {
  std::fill(scores.begin(), scores.end(), EnsembleScore());
  for (int32_t root : roots) {
    const auto leaf = static_cast<size_t>(LeafOf(root, x));
    for (uint32_t w = leaves[leaf]; w < leaves[leaf + 1]; ++w) {
      EnsembleScore& score = scores[static_cast<size_t>(weights[w].target)];
      const double value = weights[w].value;
      if (aggregate == Aggregate::kMin) {
        score.value = score.there ? std::min(score.value, value) : value;
      } else if (aggregate == Aggregate::kMax) {
        score.value = score.there ? std::max(score.value, value) : value;
      } else {
        score.value += value;
        if (arithmetic == Arithmetic::kFloat32) {
          score.value = static_cast<double>(static_cast<float>(score.value));
        }
      }
      score.there = true;
    }
  }
}

std::unique_ptr<const ForestKernel> MakeEnsembleKernel(const TreeEnsemble& ensemble,
                                                       int32_t features) {
  if (ensemble.aggregate == Aggregate::kMin || ensemble.aggregate == Aggregate::kMax) {
    return nullptr;
  }
  Forest forest;
  forest.arithmetic = ensemble.arithmetic;
  forest.has_covers = false;
  forest.features = features;
  forest.outputs = ensemble.targets;
  forest.base.assign(static_cast<size_t>(ensemble.targets), 0);
  for (int32_t root : ensemble.roots) {
    Tree& tree = forest.trees.emplace_back();
    if (!TreeCopy(ensemble, &tree).Copy(root) || !CheckShape(&tree, "").ok()) return nullptr;
  }
  return MakeOwnKernel(forest, BestSimd());
}

}  // namespace headrace::forest
