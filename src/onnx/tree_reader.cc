#include "onnx/tree_reader.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace headrace::onnx {
namespace {

constexpr size_t kNodesMax = size_t{1} << 30;

forest::Arithmetic ArithmeticOf(OnnxOp& op, bool doubles) {
  const bool wide = doubles || op.In(0).type == ElementType::kDouble;
  return wide ? forest::Arithmetic::kFloat64 : forest::Arithmetic::kFloat32;
}

// Finishes: what every reader has to check at the end.
std::optional<forest::TreeEnsemble> Checked(OnnxOp& op, forest::TreeEnsemble ensemble,
                                            int32_t features, bool shared_leaves) {
  if (op.failed()) return std::nullopt;
  if (ensemble.roots.size() > static_cast<size_t>(forest::kTreesMax)) {
    op.OverLimit(std::to_string(ensemble.roots.size()) + " trees");
    return std::nullopt;
  }
  if (std::string wrong = ensemble.Check(features, shared_leaves); !wrong.empty()) {
    op.Malformed(std::move(wrong));
    return std::nullopt;
  }
  return ensemble;
}

// Reads the form in which nodes have numbers of their own, by tree, and name each other by them.
class NumberedNodes {
 public:
  NumberedNodes(OnnxOp& op, std::string stem)
      : op_(op),
        stem_(std::move(stem)),
        trees_(op.Integers("nodes_treeids")),
        ids_(op.Integers("nodes_nodeids")),
        on_true_(op.Integers("nodes_truenodeids")),
        on_false_(op.Integers("nodes_falsenodeids")),
        modes_(op.Texts("nodes_modes")) {}

  std::optional<forest::TreeEnsemble> Read(int32_t targets, int32_t features) {
    ensemble_.targets = targets;
    if (!CheckLengths() || !SortNodes() || !PlaceNodes() || !LinkNodes() || !ReadWeights()) {
      return std::nullopt;
    }
    FindRoots();
    return Checked(op_, std::move(ensemble_), features, false);
  }

 private:
  size_t size() const { return trees_.size(); }

  bool CheckLengths() {
    const TreeNumbers values = ReadTreeNumbers(op_, "nodes_values");
    const std::vector<int64_t>& features = op_.Integers("nodes_featureids");
    const std::vector<int64_t>& missing = op_.Integers("nodes_missing_value_tracks_true");
    if (op_.failed()) return false;
    const size_t n = size();
    if (n == 0 || n > kNodesMax || ids_.size() != n || on_true_.size() != n ||
        on_false_.size() != n || modes_.size() != n || features.size() != n ||
        values.numbers.size() != n || (!missing.empty() && missing.size() != n)) {
      op_.Malformed("the lists of the nodes are not equally long");
      return false;
    }
    doubles_ = values.is_double;
    return true;
  }

  bool SortNodes() {
    order_.resize(size());
    std::iota(order_.begin(), order_.end(), 0);
    std::sort(order_.begin(), order_.end(), [&](uint32_t a, uint32_t b) {
      return std::tie(trees_[a], ids_[a]) < std::tie(trees_[b], ids_[b]);
    });
    for (size_t i = 1; i < order_.size(); ++i) {
      if (trees_[order_[i]] == trees_[order_[i - 1]] && ids_[order_[i]] == ids_[order_[i - 1]]) {
        op_.Malformed(NameOf(order_[i]) + " is there twice");
        return false;
      }
    }
    return true;
  }

  std::string NameOf(size_t node) const { return NameOf(trees_[node], ids_[node]); }
  static std::string NameOf(int64_t tree, int64_t id) {
    return "node " + std::to_string(id) + " of tree " + std::to_string(tree);
  }

  std::optional<size_t> Find(int64_t tree, int64_t id) const {
    const auto found = std::lower_bound(
        order_.begin(), order_.end(), std::pair(tree, id),
        [&](uint32_t a, const auto& key) { return std::pair(trees_[a], ids_[a]) < key; });
    if (found == order_.end() || trees_[*found] != tree || ids_[*found] != id) return std::nullopt;
    return *found;
  }

  // Gives every node its place among the splits or the leaves.
  bool PlaceNodes() {
    const TreeNumbers values = ReadTreeNumbers(op_, "nodes_values");
    const std::vector<int64_t>& features = op_.Integers("nodes_featureids");
    const std::vector<int64_t>& missing = op_.Integers("nodes_missing_value_tracks_true");
    int32_t leaves = 0;
    for (size_t i = 0; i < size(); ++i) {
      if (modes_[i] == "LEAF") {
        places_.push_back(~leaves++);
        continue;
      }
      const std::optional<forest::SplitMode> mode = ModeOf(modes_[i]);
      if (!mode) {
        op_.Malformed(NameOf(i) + " has the mode `" + std::string(modes_[i]) + "`");
        return false;
      }
      if (features[i] < 0 || features[i] > forest::kFeaturesMax) {
        op_.Malformed(NameOf(i) + " asks for feature " + std::to_string(features[i]));
        return false;
      }
      places_.push_back(static_cast<int32_t>(ensemble_.nodes.size()));
      forest::EnsembleNode& node = ensemble_.nodes.emplace_back();
      node.mode = *mode;
      node.feature = static_cast<int32_t>(features[i]);
      node.threshold = values.numbers[i];
      node.missing_is_true = !missing.empty() && missing[i] != 0;
    }
    ensemble_.leaves.assign(static_cast<size_t>(leaves) + 1, 0);
    return true;
  }

  static std::optional<forest::SplitMode> ModeOf(std::string_view name) {
    constexpr std::pair<std::string_view, forest::SplitMode> kModes[] = {
        {"BRANCH_LEQ", forest::SplitMode::kLeq}, {"BRANCH_LT", forest::SplitMode::kLt},
        {"BRANCH_GTE", forest::SplitMode::kGte}, {"BRANCH_GT", forest::SplitMode::kGt},
        {"BRANCH_EQ", forest::SplitMode::kEq},   {"BRANCH_NEQ", forest::SplitMode::kNeq}};
    for (const auto& [text, mode] : kModes) {
      if (text == name) return mode;
    }
    return std::nullopt;
  }

  bool LinkNodes() {
    has_parent_.assign(size(), false);
    for (size_t i = 0; i < size(); ++i) {
      if (places_[i] < 0) continue;
      forest::EnsembleNode& node = ensemble_.nodes[static_cast<size_t>(places_[i])];
      for (const bool side : {true, false}) {
        const int64_t id = (side ? on_true_ : on_false_)[i];
        const std::optional<size_t> child = Find(trees_[i], id);
        if (!child) {
          op_.Malformed(NameOf(i) + " has the child " + std::to_string(id) +
                        ", which is not there");
          return false;
        }
        has_parent_[*child] = true;
        (side ? node.on_true : node.on_false) = places_[*child];
      }
    }
    return true;
  }

  // A tree without a root, or with two, has nodes that are not reached: Check finds them.
  void FindRoots() {
    for (size_t i = 0; i < size(); ++i) {
      if (!has_parent_[i]) ensemble_.roots.push_back(places_[i]);
    }
    std::vector<int64_t> trees = trees_;
    std::sort(trees.begin(), trees.end());
    trees.erase(std::unique(trees.begin(), trees.end()), trees.end());
    if (trees.size() != ensemble_.roots.size()) {
      op_.Malformed(std::to_string(trees.size()) + " trees have " +
                    std::to_string(ensemble_.roots.size()) +
                    " nodes that are no other's child, where each has one: its root");
    }
  }

  bool ReadWeights() {
    const std::vector<int64_t>& trees = op_.Integers(stem_ + "_treeids");
    const std::vector<int64_t>& nodes = op_.Integers(stem_ + "_nodeids");
    const std::vector<int64_t>& targets = op_.Integers(stem_ + "_ids");
    const TreeNumbers weights = ReadTreeNumbers(op_, stem_ + "_weights");
    const size_t n = trees.size();
    if (nodes.size() != n || targets.size() != n || weights.numbers.size() != n) {
      op_.Malformed("the lists of the weights are not equally long");
    }
    ensemble_.arithmetic = ArithmeticOf(op_, doubles_ || weights.is_double);
    if (op_.failed()) return false;
    std::vector<uint32_t> leaf_of(n);
    for (size_t i = 0; i < n; ++i) {
      const std::optional<size_t> node = Find(trees[i], nodes[i]);
      if (!node || places_[*node] >= 0) {
        op_.Malformed("a weight for " + NameOf(trees[i], nodes[i]) + ", which is no leaf");
        return false;
      }
      if (targets[i] < 0 || targets[i] >= ensemble_.targets) {
        op_.Malformed("target " + std::to_string(targets[i]) + " of " +
                      std::to_string(ensemble_.targets));
        return false;
      }
      leaf_of[i] = static_cast<uint32_t>(~places_[*node]);
      ++ensemble_.leaves[leaf_of[i] + 1];
    }
    std::partial_sum(ensemble_.leaves.begin(), ensemble_.leaves.end(), ensemble_.leaves.begin());
    std::vector<uint32_t> next = ensemble_.leaves;
    ensemble_.weights.resize(n);
    for (size_t i = 0; i < n; ++i) {
      ensemble_.weights[next[leaf_of[i]]++] = {static_cast<int32_t>(targets[i]),
                                               weights.numbers[i]};
    }
    return true;
  }

  OnnxOp& op_;
  std::string stem_;
  const std::vector<int64_t>& trees_;
  const std::vector<int64_t>& ids_;
  const std::vector<int64_t>& on_true_;
  const std::vector<int64_t>& on_false_;
  const std::vector<std::string_view>& modes_;
  bool doubles_ = false;
  std::vector<uint32_t> order_;   // by tree and number
  std::vector<int32_t> places_;   // of each node: a child, as in EnsembleNode
  std::vector<bool> has_parent_;  // of each node
  forest::TreeEnsemble ensemble_;
};

// Reads the form in which nodes and leaves are named by their places.
class PlacedNodes {
 public:
  explicit PlacedNodes(OnnxOp& op) : op_(op) {}

  std::optional<forest::TreeEnsemble> Read(int32_t targets, int32_t features) {
    ensemble_.targets = targets;
    const TreeNumbers weights = ReadTreeNumbers(op_, "leaf_weights");
    const TreeNumbers splits = ReadTreeNumbers(op_, "nodes_splits");
    ensemble_.arithmetic = ArithmeticOf(op_, weights.is_double);
    if (!ReadLeaves(weights.numbers) || !ReadNodes(splits.numbers) || !ReadMembers()) {
      return std::nullopt;
    }
    for (int64_t root : op_.Integers("tree_roots")) {
      if (root < 0 || static_cast<size_t>(root) >= ensemble_.nodes.size()) {
        op_.Malformed("the root " + std::to_string(root) + " is not there");
        return std::nullopt;
      }
      ensemble_.roots.push_back(static_cast<int32_t>(root));
    }
    return Checked(op_, std::move(ensemble_), features, true);
  }

 private:
  bool ReadLeaves(const std::vector<double>& weights) {
    const std::vector<int64_t>& targets = op_.Integers("leaf_targetids");
    if (targets.size() != weights.size() || weights.empty()) {
      op_.Malformed("the lists of the leaves are not equally long");
      return false;
    }
    for (size_t i = 0; i < weights.size(); ++i) {
      if (targets[i] < 0 || targets[i] >= ensemble_.targets) {
        op_.Malformed("target " + std::to_string(targets[i]) + " of " +
                      std::to_string(ensemble_.targets));
        return false;
      }
      ensemble_.weights.push_back({static_cast<int32_t>(targets[i]), weights[i]});
      ensemble_.leaves.push_back(static_cast<uint32_t>(i + 1));
    }
    return !op_.failed();
  }

  bool ReadNodes(const std::vector<double>& splits) {
    const std::vector<int64_t>& features = op_.Integers("nodes_featureids");
    const std::vector<int64_t>& missing = op_.Integers("nodes_missing_value_tracks_true");
    const OnnxTensor* modes = op_.Tensor("nodes_modes");
    const size_t n = features.size();
    if (modes == nullptr || modes->numbers.size() != n || splits.size() != n || n == 0 ||
        (!missing.empty() && missing.size() != n)) {
      op_.Malformed("the lists of the nodes are not equally long");
      return false;
    }
    for (size_t i = 0; i < n; ++i) {
      const double mode = modes->numbers[i];
      if (!(mode >= 0 && mode <= 6) || features[i] < 0 || features[i] > forest::kFeaturesMax) {
        op_.Malformed("node " + std::to_string(i) + " has an unknown mode or feature");
        return false;
      }
      forest::EnsembleNode& node = ensemble_.nodes.emplace_back();
      node.mode = static_cast<forest::SplitMode>(mode);
      node.feature = static_cast<int32_t>(features[i]);
      node.threshold = splits[i];
      node.missing_is_true = !missing.empty() && missing[i] != 0;
    }
    return ReadChildren("nodes_truenodeids", "nodes_trueleafs", &forest::EnsembleNode::on_true) &&
           ReadChildren("nodes_falsenodeids", "nodes_falseleafs", &forest::EnsembleNode::on_false);
  }

  bool ReadChildren(std::string_view ids_name, std::string_view leaf_name,
                    int32_t forest::EnsembleNode::* child) {
    const std::vector<int64_t>& ids = op_.Integers(ids_name);
    const std::vector<int64_t>& leaf = op_.Integers(leaf_name);
    if (ids.size() != ensemble_.nodes.size() || leaf.size() != ids.size()) {
      op_.Malformed("the lists of the nodes are not equally long");
      return false;
    }
    for (size_t i = 0; i < ids.size(); ++i) {
      const size_t end = leaf[i] != 0 ? ensemble_.leaf_count() : ensemble_.nodes.size();
      if (ids[i] < 0 || static_cast<size_t>(ids[i]) >= end) {
        op_.Malformed("node " + std::to_string(i) + " has the child " + std::to_string(ids[i]) +
                      ", which is not there");
        return false;
      }
      const auto place = static_cast<int32_t>(ids[i]);
      ensemble_.nodes[i].*child = leaf[i] != 0 ? ~place : place;
    }
    return true;
  }

  // One list holds the members of all nodes that ask for them, each part ended by a NaN.
  bool ReadMembers() {
    const TreeNumbers values = ReadTreeNumbers(op_, "membership_values");
    size_t next = 0;
    for (forest::EnsembleNode& node : ensemble_.nodes) {
      if (node.mode != forest::SplitMode::kMember) continue;
      node.members = static_cast<int32_t>(ensemble_.members.size());
      std::vector<double>& members = ensemble_.members.emplace_back();
      while (next < values.numbers.size() && !std::isnan(values.numbers[next])) {
        members.push_back(values.numbers[next++]);
      }
      if (members.empty()) {
        op_.Malformed("a set without members");
        return false;
      }
      ++next;
      std::sort(members.begin(), members.end());
    }
    return !op_.failed();
  }

  OnnxOp& op_;
  forest::TreeEnsemble ensemble_;
};

}  // namespace

TreeNumbers ReadTreeNumbers(OnnxOp& op, const std::string& name) {
  // Version 5 has tensors only, under the plain name; before, a tensor has its own.
  for (const std::string& tensor_name : {name + "_as_tensor", name}) {
    const bool plain = tensor_name == name;
    if (!op.HasAttribute(tensor_name) ||
        (plain && op.HasAttribute("nodes_modes") && !op.HasAttribute("tree_roots"))) {
      continue;
    }
    const OnnxTensor* tensor = op.Tensor(tensor_name);
    if (tensor == nullptr) return {};
    const bool wide = tensor->type == ElementType::kDouble;
    if (!wide && tensor->type != ElementType::kFloat) op.Malformed(name + " is not of floats");
    return {tensor->numbers, wide};
  }
  const std::vector<float>& floats = op.Numbers(name);
  return {{floats.begin(), floats.end()}, false};
}

std::optional<forest::TreeEnsemble> ReadTreeAttributes(OnnxOp& op, const std::string& stem,
                                                       int32_t targets, int32_t features) {
  return NumberedNodes(op, stem).Read(targets, features);
}

std::optional<forest::TreeEnsemble> ReadTreeTensors(OnnxOp& op, int32_t targets, int32_t features) {
  return PlacedNodes(op).Read(targets, features);
}

}  // namespace headrace::onnx
