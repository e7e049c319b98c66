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

}  // namespace headrace::train
