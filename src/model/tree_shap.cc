#include "model/tree_shap.h"

#include <cstddef>

namespace headrace::model {
namespace {

// One feature on the way from the root: the share of training rows that went this way, and whether
// the explained row does (Lundberg's z and o), and the weight of the subsets of that size.
struct PathStep {
  int32_t feature;
  double zero_fraction;
  double one_fraction;
  double weight;
};

// Adds a feature to the path of `length` steps.
void Extend(PathStep* path, int32_t length, PathStep step) {
  step.weight = length == 0 ? 1.0 : 0.0;
  path[length] = step;
  const double size = length + 1;
  for (int32_t i = length - 1; i >= 0; --i) {
    path[i + 1].weight += step.one_fraction * path[i].weight * (i + 1) / size;
    path[i].weight = step.zero_fraction * path[i].weight * (length - i) / size;
  }
}

// Takes the feature at `at` off a path whose last step is `last`.
void Unwind(PathStep* path, int32_t last, int32_t at) {
  const double one = path[at].one_fraction;
  const double zero = path[at].zero_fraction;
  const double size = last + 1;
  double next = path[last].weight;
  for (int32_t i = last - 1; i >= 0; --i) {
    if (one != 0) {
      const double kept = path[i].weight;
      path[i].weight = next * size / ((i + 1) * one);
      next = kept - path[i].weight * zero * (last - i) / size;
    } else if (zero != 0) {
      path[i].weight = path[i].weight * size / (zero * (last - i));
    }
  }
  for (int32_t i = at; i < last; ++i) {
    path[i].feature = path[i + 1].feature;
    path[i].zero_fraction = path[i + 1].zero_fraction;
    path[i].one_fraction = path[i + 1].one_fraction;
  }
}

// The sum of the weights that Unwind would leave.
double UnwoundSum(const PathStep* path, int32_t last, int32_t at) {
  const double one = path[at].one_fraction;
  const double zero = path[at].zero_fraction;
  const double size = last + 1;
  double next = path[last].weight;
  double total = 0;
  for (int32_t i = last - 1; i >= 0; --i) {
    if (one != 0) {
      const double part = next * size / ((i + 1) * one);
      total += part;
      next = path[i].weight - part * zero * (last - i) / size;
    } else if (zero != 0) {
      total += path[i].weight / zero * size / (last - i);
    }
  }
  return total;
}

// Walks one tree. The path of every depth has its own room in `room_`, so that a child's changes do
// not reach its sibling.
class TreeWalk {
 public:
  TreeWalk(const Forest& forest, const Tree& tree, std::span<const double> row)
      : forest_(forest), tree_(tree), row_(row) {
    const auto steps = static_cast<size_t>(tree.depth) + 2;
    room_.resize(steps * (steps + 1) / 2);
  }

  void AddTo(std::span<double> contributions) {
    contributions_ = contributions;
    Visit(tree_.root(), 0, room_.data(), {-1, 1, 1, 0});
  }

 private:
  double CoverOf(int32_t child) const {
    return child < 0 ? tree_.leaf_covers[static_cast<size_t>(~child)]
                     : tree_.nodes[static_cast<size_t>(child)].cover;
  }

  void Visit(int32_t at, int32_t length, PathStep* path, PathStep step) {
    Extend(path, length, step);
    if (at < 0) {
      for (int32_t i = 1; i <= length; ++i) {
        const double weight = UnwoundSum(path, length, i);
        contributions_[static_cast<size_t>(path[i].feature)] +=
            weight * (path[i].one_fraction - path[i].zero_fraction) *
            tree_.leaf_values[static_cast<size_t>(~at)];
      }
      return;
    }
    const TreeNode& node = tree_.nodes[static_cast<size_t>(at)];
    const int32_t hot = ChildOf(forest_, node, row_[static_cast<size_t>(node.feature)]);
    const int32_t cold = hot == node.left ? node.right : node.left;
    PathStep seen = {node.feature, 1, 1, 0};
    int32_t last = length;
    for (int32_t i = 1; i <= last; ++i) {
      if (path[i].feature != node.feature) continue;
      seen = path[i];
      Unwind(path, last, i);
      --last;
      break;
    }
    const double cover = node.cover > 0 ? node.cover : 1;
    PathStep* below = path + length + 1;
    for (const int32_t child : {hot, cold}) {
      std::copy(path, path + last + 1, below);
      const double zero = CoverOf(child) / cover * seen.zero_fraction;
      Visit(child, last + 1, below, {node.feature, zero, child == hot ? seen.one_fraction : 0, 0});
    }
  }

  const Forest& forest_;
  const Tree& tree_;
  std::span<const double> row_;
  std::span<double> contributions_;
  std::vector<PathStep> room_;
};

// The mean of the leaves over the training rows.
double ExpectedValue(const Tree& tree) {
  double sum = 0;
  double cover = 0;
  for (size_t i = 0; i < tree.leaf_values.size(); ++i) {
    sum += tree.leaf_covers[i] * tree.leaf_values[i];
    cover += tree.leaf_covers[i];
  }
  if (tree.leaf_values.size() == 1) return tree.leaf_values[0];
  return cover > 0 ? sum / cover : 0;
}

Error NotDefined(std::string why) {
  return Error(ErrorKind::kInvalidArgument, "HR3003",
               "contributions of this model are not supported: " + std::move(why));
}

}  // namespace

Result<std::vector<double>> TreeShap(const Forest& forest, std::span<const double> cleaned) {
  if (forest.has_linear_leaves()) return NotDefined("its leaves are linear models");
  if (forest.leaf_width != 1) return NotDefined("its leaves are vectors");
  if (!forest.has_covers) return NotDefined("the file has no counts of training rows per node");
  const auto width = static_cast<size_t>(forest.features) + 1;
  std::vector<double> contributions(width * static_cast<size_t>(forest.outputs));
  for (size_t k = 0; k < static_cast<size_t>(forest.outputs); ++k) {
    contributions[k * width + width - 1] = forest.base[k];
  }
  for (const Tree& tree : forest.trees) {
    if (tree.depth > kShapDepthMax) {
      return NotDefined("a tree is " + std::to_string(tree.depth) + " splits deep");
    }
    const std::span<double> output =
        std::span(contributions).subspan(static_cast<size_t>(tree.output) * width, width);
    output.back() += ExpectedValue(tree);
    if (!tree.nodes.empty()) TreeWalk(forest, tree, cleaned).AddTo(output);
  }
  return contributions;
}

}  // namespace headrace::model
