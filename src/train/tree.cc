#include "train/tree.h"

#include <algorithm>
#include <cmath>

namespace headrace::train {
namespace {

bool GoesLeft(const TreeNode& node, double x) {
  if (!node.categories.empty()) {
    return !std::isnan(x) && std::binary_search(node.categories.begin(), node.categories.end(),
                                                static_cast<int32_t>(x));
  }
  return std::isnan(x) ? node.missing_left : x <= node.threshold;
}

}  // namespace

size_t Tree::LeafOf(const Table& table, size_t row) const {
  int32_t at = nodes.empty() ? ~0 : 0;
  while (at >= 0) {
    const TreeNode& node = nodes[static_cast<size_t>(at)];
    at = GoesLeft(node, table.columns[node.column].values[row]) ? node.left : node.right;
  }
  const int32_t leaf = ~at;
  return static_cast<size_t>(leaf);
}

double Tree::Answer(const Table& table, size_t row) const {
  if (!linear) return leaves[LeafOf(table, row)].value;
  double sum = linear->constant;
  for (size_t i = 0; i < linear->columns.size(); ++i) {
    const double x = table.columns[linear->columns[i]].values[row];
    if (std::isnan(x)) return leaves[0].value;
    sum += linear->coefficients[i] * x;
  }
  return sum;
}

Planes SumOfTrees(const std::vector<Tree>& trees, size_t outputs, const Table& table) {
  Planes scores(outputs, std::vector<double>(table.rows()));
  for (size_t t = 0; t < trees.size(); ++t) {
    for (size_t row = 0; row < table.rows(); ++row)
      scores[t % outputs][row] += trees[t].Answer(table, row);
  }
  return scores;
}

}  // namespace headrace::train
