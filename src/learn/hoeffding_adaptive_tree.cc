#include "learn/hoeffding_adaptive_tree.h"

#include <cmath>
#include <utility>

#include "base/portable_math.h"
#include "headrace/check.h"

namespace headrace::learn {
namespace {

Adwin Detector(double delta) {
  Adwin::Options options;
  options.delta = delta;
  return Adwin(options);
}

// How often something was wrong.
struct ErrorRate {
  double seen = 0;
  double rate = 0;

  void Add(double error) {
    seen += 1;
    rate += (error - rate) / seen;
  }
};

}  // namespace

struct HoeffdingAdaptiveTree::Node {
  explicit Node(Adwin detector) : drift(std::move(detector)) {}

  double threshold = 0;
  double weight = 0;  // of the examples that came by
  uint16_t feature = 0;
  uint16_t depth = 0;
  std::unique_ptr<Leaf> leaf;  // null: a test
  std::unique_ptr<Node> left;
  std::unique_ptr<Node> right;
  std::unique_ptr<Node> alternate;  // of a test; null: there is none
  Adwin drift;
  ErrorRate errors;
};

HoeffdingAdaptiveTree::HoeffdingAdaptiveTree(size_t features, const AdaptiveTreeOptions& options,
                                             uint64_t seed)
    : features_(features), options_(options), draws_(seed) {
  HR_CHECK(features >= 1 && features <= kFeaturesMax);
  root_ = NewLeaf(0, {});
}

HoeffdingAdaptiveTree::~HoeffdingAdaptiveTree() = default;

std::unique_ptr<HoeffdingAdaptiveTree::Node> HoeffdingAdaptiveTree::NewLeaf(
    size_t depth, std::vector<double> class_weights) {
  auto node = std::make_unique<Node>(Detector(options_.drift_delta));
  node->depth = static_cast<uint16_t>(depth);
  node->leaf = std::make_unique<Leaf>(features_);
  node->leaf->SetClassWeights(std::move(class_weights));
  node->weight = node->leaf->weight();
  ++nodes_;
  return node;
}

HoeffdingAdaptiveTree::Node& HoeffdingAdaptiveTree::Next(const Node& node, Features x) {
  const double value = x[node.feature];
  if (std::isnan(value)) return node.left->weight < node.right->weight ? *node.right : *node.left;
  return value <= node.threshold ? *node.left : *node.right;
}

const HoeffdingAdaptiveTree::Node& HoeffdingAdaptiveTree::LeafBelow(const Node& node, Features x) {
  const Node* at = &node;
  while (at->leaf == nullptr)
    at = &Next(*at, x);
  return *at;
}

void HoeffdingAdaptiveTree::Vote(Features x, Votes& votes) const {
  votes.clear();
  Votes own;
  const auto add = [&](const Node& node) {
    node.leaf->Vote(x, own);
    if (own.size() > votes.size()) votes.resize(own.size());
    const double rate = node.errors.rate;
    for (size_t k = 0; k < own.size(); ++k)
      votes[k] += rate > 0 ? own[k] / (rate * rate) : own[k];
  };
  const Node* at = root_.get();
  for (; at->leaf == nullptr; at = &Next(*at, x))
    if (at->alternate != nullptr) add(LeafBelow(*at->alternate, x));
  add(*at);
  Normalize(votes);
}

void HoeffdingAdaptiveTree::Learn(Features x, size_t label, Votes& before) {
  Vote(x, before);
  LearnBelow(root_, x, label, false);
}

void HoeffdingAdaptiveTree::LearnBelow(std::unique_ptr<Node>& at, Features x, size_t label,
                                       bool is_alternate) {
  Votes votes;
  LeafBelow(*at, x).leaf->Vote(x, votes);
  const bool wrong = MostVotes(votes) != static_cast<int>(label);
  LearnPath(at, x, label, wrong, is_alternate);
}

void HoeffdingAdaptiveTree::LearnPath(std::unique_ptr<Node>& at, Features x, size_t label,
                                      bool wrong, bool is_alternate) {
  Node& node = *at;
  node.weight += 1;
  WatchErrors(node, wrong, is_alternate);
  if (node.leaf != nullptr) return LearnLeaf(node, x, label);
  if (node.alternate != nullptr) {
    const Node* alternate = node.alternate.get();
    Compare(at);
    if (at.get() == alternate) return LearnBelow(at, x, label, is_alternate);
    if (node.alternate != nullptr) LearnBelow(node.alternate, x, label, true);
  }
  std::unique_ptr<Node>& next = &Next(node, x) == node.left.get() ? node.left : node.right;
  LearnPath(next, x, label, wrong, is_alternate);
}

// Errors that become rarer are no reason to grow anything.
void HoeffdingAdaptiveTree::WatchErrors(Node& node, bool wrong, bool is_alternate) {
  const double error = wrong ? 1 : 0;
  const double rate = node.errors.rate;
  const bool changed = node.drift.Add(error);
  node.errors.Add(error);
  if (!changed) return;
  const bool falls = rate > node.errors.rate;
  if (falls) node.errors = {};
  if (falls || node.leaf != nullptr || is_alternate || !HasRoom()) return;
  node.errors = {};
  Drop(node.alternate);
  node.alternate = NewLeaf(node.depth, {});
}

void HoeffdingAdaptiveTree::Compare(std::unique_ptr<Node>& at) {
  const ErrorRate& own = at->errors;
  const ErrorRate& other = at->alternate->errors;
  if (own.seen <= options_.compare_after || other.seen <= options_.compare_after) return;
  const double bound =
      std::sqrt(2 * own.rate * (1 - own.rate) * base::Log(2 / options_.switch_significance) *
                (1 / other.seen + 1 / own.seen));
  if (own.rate - other.rate > bound) {
    std::unique_ptr<Node> alternate = std::move(at->alternate);
    Drop(at);
    at = std::move(alternate);
  } else if (other.rate - own.rate > bound) {
    Drop(at->alternate);
  }
}

void HoeffdingAdaptiveTree::LearnLeaf(Node& node, Features x, size_t label) {
  constexpr double kExpOfMinusOne = 0.36787944117144232160;
  const int drawn = draws_.Poisson(kExpOfMinusOne);
  Votes before;
  Leaf& leaf = *node.leaf;
  const size_t observers = leaf.observers();
  leaf.Learn(x, label, drawn > 0 ? drawn : 1, HasRoom(), before);
  observers_ += leaf.observers() - observers;
  if (leaf.HasTaken(options_.tree.grace_period) && node.depth < options_.tree.max_depth &&
      HasRoom())
    TrySplit(node);
}

void HoeffdingAdaptiveTree::TrySplit(Node& node) {
  Split split;
  const size_t observers = node.leaf->observers();
  const bool should = ShouldSplit(*node.leaf, options_.tree, split);
  observers_ -= observers - node.leaf->observers();
  if (!should) return;
  observers_ -= node.leaf->observers();
  node.leaf.reset();
  node.feature = static_cast<uint16_t>(split.feature);
  node.threshold = split.threshold;
  node.left = NewLeaf(node.depth + size_t{1}, std::move(split.left));
  node.right = NewLeaf(node.depth + size_t{1}, std::move(split.right));
  node.drift.Reset();
  node.errors = {};
}

void HoeffdingAdaptiveTree::Drop(std::unique_ptr<Node>& node) {
  if (node == nullptr) return;
  if (node->leaf != nullptr) observers_ -= node->leaf->observers();
  Drop(node->left);
  Drop(node->right);
  Drop(node->alternate);
  node.reset();
  --nodes_;
}

bool HoeffdingAdaptiveTree::HasRoom() const {
  return observers_ * sizeof(Observer) < options_.tree.memory_max && nodes_ + 2 <= kNodesMax;
}

void HoeffdingAdaptiveTree::Save(base::ByteWriter& writer) const {
  draws_.Save(writer);
  SaveNode(*root_, writer);
}

void HoeffdingAdaptiveTree::SaveNode(const Node& node, base::ByteWriter& writer) {
  SaveDouble(node.weight, writer);
  SaveDouble(node.errors.seen, writer);
  SaveDouble(node.errors.rate, writer);
  node.drift.Save(writer);
  const bool has_alternate = node.alternate != nullptr;
  writer.U8(node.leaf != nullptr ? 0 : (has_alternate ? 2 : 1));
  if (node.leaf != nullptr) return node.leaf->Save(writer);
  writer.Varint(node.feature);
  SaveDouble(node.threshold, writer);
  SaveNode(*node.left, writer);
  SaveNode(*node.right, writer);
  if (has_alternate) SaveNode(*node.alternate, writer);
}

bool HoeffdingAdaptiveTree::Load(base::ByteReader& reader) {
  draws_.Load(reader);
  nodes_ = 0;
  observers_ = 0;
  root_ = LoadNode(0, false, reader);
  return root_ != nullptr && reader.ok();
}

std::unique_ptr<HoeffdingAdaptiveTree::Node> HoeffdingAdaptiveTree::LoadNode(
    size_t depth, bool is_alternate, base::ByteReader& reader) {
  if (depth > options_.tree.max_depth || nodes_ == kNodesMax) return nullptr;
  ++nodes_;
  auto node = std::make_unique<Node>(Detector(options_.drift_delta));
  node->depth = static_cast<uint16_t>(depth);
  node->weight = LoadDouble(reader);
  node->errors.seen = LoadDouble(reader);
  node->errors.rate = LoadDouble(reader);
  if (!node->drift.Load(reader)) return nullptr;
  const uint8_t kind = reader.U8();
  if (kind > 2 || (kind == 2 && is_alternate)) return nullptr;
  if (kind == 0) {
    node->leaf = std::make_unique<Leaf>(features_);
    if (!node->leaf->Load(features_, reader)) return nullptr;
    observers_ += node->leaf->observers();
    return node;
  }
  if (!LoadBranch(*node, is_alternate, reader)) return nullptr;
  if (kind == 1) return node;
  node->alternate = LoadNode(depth, true, reader);
  return node->alternate != nullptr ? std::move(node) : nullptr;
}

bool HoeffdingAdaptiveTree::LoadBranch(Node& node, bool is_alternate, base::ByteReader& reader) {
  const uint64_t feature = reader.Varint();
  if (feature >= features_) return false;
  node.feature = static_cast<uint16_t>(feature);
  node.threshold = LoadDouble(reader);
  const size_t depth = node.depth + size_t{1};
  node.left = LoadNode(depth, is_alternate, reader);
  if (node.left == nullptr) return false;
  node.right = LoadNode(depth, is_alternate, reader);
  return node.right != nullptr;
}

size_t HoeffdingAdaptiveTree::memory() const {
  return nodes_ * (sizeof(Node) + sizeof(Leaf)) + observers_ * sizeof(Observer);
}

}  // namespace headrace::learn
