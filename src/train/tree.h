#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "train/table.h"
#include "train/trained.h"

namespace headrace::train {

// A split. Children below 0 are leaves: ~child is the leaf's place.
struct TreeNode {
  size_t column = 0;
  double threshold = 0;             // numbers: left when x <= threshold
  bool missing_left = false;        // numbers only
  std::vector<int32_t> categories;  // those that go left, rising; a split by category has some
  int32_t left = 0;
  int32_t right = 0;
  double gain = 0;
  double value = 0;   // as if it were a leaf
  double weight = 0;  // sum of second derivatives
  int64_t rows = 0;
};

struct TreeLeaf {
  double value = 0;
  double weight = 0;
  int64_t rows = 0;
};

// constant + the sum of coefficient x value; the leaf's own value where a value is missing.
struct LinearLeaf {
  double constant = 0;
  std::vector<size_t> columns;
  std::vector<double> coefficients;
};

// One grown tree; without nodes it is its only leaf. Numbered as LightGBM does: node i is the i-th
// split, which leaves its left child the leaf's number and gives the right one the next.
struct Tree {
  std::vector<TreeNode> nodes;
  std::vector<TreeLeaf> leaves;
  std::optional<LinearLeaf> linear;  // of a tree that is its only leaf

  // The leaf of a row of the table.
  size_t LeafOf(const Table& table, size_t row) const;
  // What the tree adds to the score of a row.
  double Answer(const Table& table, size_t row) const;
};

// Raw scores of a table's rows: trees round by round, in each the outputs in order.
Planes SumOfTrees(const std::vector<Tree>& trees, size_t outputs, const Table& table);

}  // namespace headrace::train
