#include "cli/bench/synthetic_model.h"

#include <vector>

namespace headrace::cli {
namespace {

// One tree in the numbering of the format: inner nodes from 0, leaves as -(leaf + 1).
struct Tree {
  std::vector<int> feature;
  std::vector<double> threshold;
  std::vector<int> left;
  std::vector<int> right;
  std::vector<double> value;
  std::vector<int> count;
};

struct LeafSlot {
  int parent = -1;  // -1: the root
  bool is_left = false;
  double low = 0;
  double high = 1;
};

Tree GrowTree(const SyntheticModelOptions& options, BenchRandom& random) {
  Tree tree;
  std::vector<LeafSlot> leaves = {LeafSlot{}};
  while (static_cast<int>(leaves.size()) < options.leaves) {
    const auto chosen = static_cast<size_t>(random.Below(leaves.size()));
    const LeafSlot split = leaves[chosen];
    const int node = static_cast<int>(tree.feature.size());
    tree.feature.push_back(static_cast<int>(random.Below(static_cast<uint64_t>(options.features))));
    tree.threshold.push_back(0.2 + 0.6 * random.Unit());
    tree.left.push_back(-static_cast<int>(chosen) - 1);
    tree.right.push_back(-static_cast<int>(leaves.size()) - 1);
    if (split.parent >= 0) {
      (split.is_left ? tree.left : tree.right)[static_cast<size_t>(split.parent)] = node;
    }
    leaves[chosen] = {node, true, split.low, split.high};
    leaves.push_back({node, false, split.low, split.high});
  }
  for (size_t i = 0; i < leaves.size(); ++i) {
    tree.value.push_back(random.Unit() * 0.2 - 0.1);
    tree.count.push_back(20 + static_cast<int>(random.Below(1000)));
  }
  return tree;
}

// Data counts of inner nodes: what the leaves below hold.
int CountBelow(const Tree& tree, int node, std::vector<int>& counts) {
  if (node < 0) return tree.count[static_cast<size_t>(-node - 1)];
  const auto at = static_cast<size_t>(node);
  counts[at] = CountBelow(tree, tree.left[at], counts) + CountBelow(tree, tree.right[at], counts);
  return counts[at];
}

template <typename T>
void AppendList(std::string_view name, const std::vector<T>& values, std::string& out) {
  out += name;
  out += '=';
  for (size_t i = 0; i < values.size(); ++i)
    out += (i > 0 ? " " : "") + std::to_string(values[i]);
  out += '\n';
}

std::string TreeText(const Tree& tree, int index) {
  std::string out = "Tree=" + std::to_string(index) +
                    "\nnum_leaves=" + std::to_string(tree.value.size()) + "\nnum_cat=0\n";
  const size_t nodes = tree.feature.size();
  AppendList("split_feature", tree.feature, out);
  AppendList("split_gain", std::vector<int>(nodes, 1), out);
  AppendList("threshold", tree.threshold, out);
  AppendList("decision_type", std::vector<int>(nodes, 2), out);
  AppendList("left_child", tree.left, out);
  AppendList("right_child", tree.right, out);
  AppendList("leaf_value", tree.value, out);
  AppendList("leaf_weight", tree.count, out);
  AppendList("leaf_count", tree.count, out);
  std::vector<int> counts(nodes);
  CountBelow(tree, 0, counts);
  AppendList("internal_value", std::vector<int>(nodes, 0), out);
  AppendList("internal_weight", counts, out);
  AppendList("internal_count", counts, out);
  return out + "is_linear=0\nshrinkage=1\n\n\n";
}

}  // namespace

uint64_t BenchRandom::Next() {
  uint64_t z = state_ += 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

std::string SyntheticModel(const SyntheticModelOptions& options) {
  BenchRandom random(options.seed);
  std::string names;
  std::string infos;
  for (int i = 0; i < options.features; ++i) {
    names += (i > 0 ? " f" : "f") + std::to_string(i);
    infos += i > 0 ? " [0:1]" : "[0:1]";
  }
  std::vector<size_t> sizes;
  std::string trees;
  for (int i = 0; i < options.trees; ++i) {
    std::string text = TreeText(GrowTree(options, random), i);
    sizes.push_back(text.size());
    trees += text;
  }
  std::string out = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n";
  out += "max_feature_idx=" + std::to_string(options.features - 1) +
         "\nobjective=binary sigmoid:1\nfeature_names=" + names + "\nfeature_infos=" + infos + "\n";
  AppendList("tree_sizes", sizes, out);
  return out + "\n" + trees + "end of trees\n\nparameters:\nend of parameters\n";
}

std::vector<double> SyntheticRows(size_t rows, size_t features) {
  BenchRandom random(7);
  std::vector<double> table(rows * features);
  for (double& cell : table) {
    cell = static_cast<double>(random.Next() >> 40) * 0x1p-24;
  }
  return table;
}

}  // namespace headrace::cli
