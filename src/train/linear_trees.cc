#include "train/linear_trees.h"

#include <algorithm>

namespace headrace::train {
namespace {

Tree Constant(double value, size_t rows) {
  Tree tree;
  tree.leaves.push_back({value, 0, static_cast<int64_t>(rows)});
  return tree;
}

Tree TreeOf(const Design::Number& number, double weight, double intercept, size_t rows) {
  Tree tree = Constant(intercept, rows);
  const double coefficient = weight / number.scale.deviation;
  tree.linear =
      LinearLeaf{intercept - coefficient * number.scale.mean, {number.column}, {coefficient}};
  return tree;
}

// A leaf a category, and the rightmost for all others and for what is missing: sets are halved from
// the root down, so that the tree is no deeper than it need be.
class CategoryTree {
 public:
  CategoryTree(const Design& design, const Design::Words& words, const std::vector<double>& weights,
               double intercept)
      : categories_(design.bins()[words.column].categories), words_(words), intercept_(intercept) {
    for (size_t i = 0; i < categories_.size(); ++i)
      values_.push_back(weights[words.first + i]);
    size_t named = 0;
    for (size_t rows : words.rows)
      named += rows;
    others_ = std::max<size_t>(design.rows() - named, 1);
  }

  Tree Make() {
    Build(0, categories_.size(), true);
    return std::move(tree_);
  }

 private:
  // Of categories [begin, end), and of the others if they come here.
  int32_t Build(size_t begin, size_t end, bool others) {
    if (begin == end) return Leaf(intercept_, others_);
    if (end - begin == 1 && !others) return Leaf(intercept_ + values_[begin], words_.rows[begin]);
    const size_t middle = begin + std::max<size_t>((end - begin) / 2, 1);
    const size_t at = tree_.nodes.size();
    TreeNode& node = tree_.nodes.emplace_back();
    node.column = words_.column;
    node.categories.assign(categories_.begin() + static_cast<int64_t>(begin),
                           categories_.begin() + static_cast<int64_t>(middle));
    std::sort(node.categories.begin(), node.categories.end());
    int64_t rows = static_cast<int64_t>(others ? others_ : 0);
    for (size_t i = begin; i < end; ++i)
      rows += static_cast<int64_t>(words_.rows[i]);
    node.rows = rows;
    const int32_t left = Build(begin, middle, false);
    const int32_t right = Build(middle, end, others);
    tree_.nodes[at].left = left;
    tree_.nodes[at].right = right;
    return static_cast<int32_t>(at);
  }

  int32_t Leaf(double value, size_t rows) {
    tree_.leaves.push_back({value, 0, static_cast<int64_t>(rows)});
    return ~static_cast<int32_t>(tree_.leaves.size() - 1);
  }

  const std::vector<int32_t>& categories_;
  const Design::Words& words_;
  double intercept_;
  std::vector<double> values_;
  size_t others_ = 1;
  Tree tree_;
};

}  // namespace

std::vector<Tree> LinearTrees(const Design& design,
                              const std::vector<std::vector<double>>& weights) {
  const auto any = [&](size_t begin, size_t count) {
    return std::any_of(weights.begin(), weights.end(), [&](const std::vector<double>& of) {
      return std::any_of(of.begin() + static_cast<int64_t>(begin),
                         of.begin() + static_cast<int64_t>(begin + count),
                         [](double weight) { return weight != 0; });
    });
  };
  std::vector<Tree> trees;
  const auto intercept = [&](size_t k) {
    return trees.size() < weights.size() ? weights[k][0] : 0;
  };
  for (size_t i = 0; i < design.numbers().size(); ++i) {
    if (!any(i + 1, 1)) continue;
    for (size_t k = 0; k < weights.size(); ++k)
      trees.push_back(TreeOf(design.numbers()[i], weights[k][i + 1], intercept(k), design.rows()));
  }
  for (const Design::Words& words : design.words()) {
    if (!any(words.first, words.rows.size())) continue;
    for (size_t k = 0; k < weights.size(); ++k)
      trees.push_back(CategoryTree(design, words, weights[k], intercept(k)).Make());
  }
  if (!trees.empty()) return trees;
  for (size_t k = 0; k < weights.size(); ++k)
    trees.push_back(Constant(weights[k][0], design.rows()));
  return trees;
}

}  // namespace headrace::train
