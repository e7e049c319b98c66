#include "learn/extremely_fast_tree.h"

#include <cmath>
#include <utility>

#include "headrace/check.h"

namespace headrace::learn {

struct ExtremelyFastTree::Node {
  explicit Node(size_t features) : examples(features) {}

  double threshold = 0;
  uint16_t feature = 0;
  uint16_t depth = 0;
  Leaf examples;               // of a test, too
  std::unique_ptr<Node> left;  // null: a leaf
  std::unique_ptr<Node> right;
};

ExtremelyFastTree::ExtremelyFastTree(size_t features, const FastTreeOptions& options)
    : features_(features), options_(options) {
  HR_CHECK(features >= 1 && features <= kFeaturesMax);
  root_ = NewLeaf(0, {});
}

ExtremelyFastTree::~ExtremelyFastTree() = default;

std::unique_ptr<ExtremelyFastTree::Node> ExtremelyFastTree::NewLeaf(
    size_t depth, std::vector<double> class_weights) {
  auto node = std::make_unique<Node>(features_);
  node->depth = static_cast<uint16_t>(depth);
  node->examples.SetClassWeights(std::move(class_weights));
  ++nodes_;
  return node;
}

bool ExtremelyFastTree::IsTest(const Node& node) {
  return node.left != nullptr;
}

std::unique_ptr<ExtremelyFastTree::Node>& ExtremelyFastTree::Next(Node& node, Features x) {
  const double value = x[node.feature];
  const bool heavier_right = node.left->examples.weight() < node.right->examples.weight();
  const bool to_right = std::isnan(value) ? heavier_right : value > node.threshold;
  return to_right ? node.right : node.left;
}

void ExtremelyFastTree::Vote(Features x, Votes& votes) const {
  Node* at = root_.get();
  while (IsTest(*at))
    at = Next(*at, x).get();
  at->examples.Vote(x, votes);
}

void ExtremelyFastTree::Learn(Features x, size_t label, Votes& before) {
  Vote(x, before);
  Node* at = root_.get();
  for (; IsTest(*at); at = Next(*at, x).get()) {
    LearnTest(*at, x, label);
    if (!IsTest(*at)) return;
  }
  Votes unused;
  LearnLeaf(*at, x, label, unused);
}

void ExtremelyFastTree::LearnTest(Node& node, Features x, size_t label) {
  const size_t observers = node.examples.observers();
  node.examples.Count(x, label, 1, HasRoom());
  observers_ += node.examples.observers() - observers;
  if (node.examples.HasTaken(options_.reevaluate_after)) Reconsider(node);
}

void ExtremelyFastTree::LearnLeaf(Node& node, Features x, size_t label, Votes& before) {
  const size_t observers = node.examples.observers();
  node.examples.Learn(x, label, 1, HasRoom(), before);
  observers_ += node.examples.observers() - observers;
  if (node.examples.HasTaken(options_.tree.grace_period) && node.depth < options_.tree.max_depth &&
      HasRoom())
    TrySplit(node);
}

void ExtremelyFastTree::TrySplit(Node& node) {
  if (node.examples.IsPure()) return;
  double second = 0;
  Split best = node.examples.BestSplit(&second);
  const double bound =
      HoeffdingBound(node.examples.ClassCount(), options_.tree.delta, node.examples.weight());
  if (best.merit <= 0 || !(best.merit > bound || bound < options_.tree.tau)) return;
  SplitAs(node, std::move(best));
}

void ExtremelyFastTree::Reconsider(Node& node) {
  double second = 0;
  Split best = node.examples.BestSplit(&second);
  if (best.merit <= 0) return;
  const double bound =
      HoeffdingBound(node.examples.ClassCount(), options_.tree.delta, node.examples.weight());
  const double current = node.examples.BestSplitOf(node.feature).merit;
  if (!(best.merit - current > bound || bound < options_.tree.tau)) return;
  if (best.feature == node.feature) {
    node.threshold = best.threshold;
    return;
  }
  Drop(node.left);
  Drop(node.right);
  SplitAs(node, std::move(best));
}

void ExtremelyFastTree::SplitAs(Node& node, Split split) {
  node.feature = static_cast<uint16_t>(split.feature);
  node.threshold = split.threshold;
  node.left = NewLeaf(node.depth + size_t{1}, std::move(split.left));
  node.right = NewLeaf(node.depth + size_t{1}, std::move(split.right));
}

void ExtremelyFastTree::Drop(std::unique_ptr<Node>& node) {
  if (node == nullptr) return;
  observers_ -= node->examples.observers();
  Drop(node->left);
  Drop(node->right);
  node.reset();
  --nodes_;
}

bool ExtremelyFastTree::HasRoom() const {
  return observers_ * sizeof(Observer) < options_.tree.memory_max && nodes_ + 2 <= kNodesMax;
}

void ExtremelyFastTree::Save(base::ByteWriter& writer) const {
  SaveNode(*root_, writer);
}

void ExtremelyFastTree::SaveNode(const Node& node, base::ByteWriter& writer) {
  writer.U8(IsTest(node) ? 1 : 0);
  node.examples.Save(writer);
  if (!IsTest(node)) return;
  writer.Varint(node.feature);
  SaveDouble(node.threshold, writer);
  SaveNode(*node.left, writer);
  SaveNode(*node.right, writer);
}

bool ExtremelyFastTree::Load(base::ByteReader& reader) {
  nodes_ = 0;
  observers_ = 0;
  root_ = LoadNode(0, reader);
  return root_ != nullptr && reader.ok();
}

std::unique_ptr<ExtremelyFastTree::Node> ExtremelyFastTree::LoadNode(size_t depth,
                                                                     base::ByteReader& reader) {
  const uint8_t kind = reader.U8();
  if (kind > 1 || nodes_ == kNodesMax || depth > options_.tree.max_depth) return nullptr;
  std::unique_ptr<Node> node = NewLeaf(depth, {});
  if (!node->examples.Load(features_, reader)) return nullptr;
  observers_ += node->examples.observers();
  if (kind == 0) return node;
  const uint64_t feature = reader.Varint();
  if (feature >= features_) return nullptr;
  node->feature = static_cast<uint16_t>(feature);
  node->threshold = LoadDouble(reader);
  node->left = LoadNode(depth + 1, reader);
  if (node->left == nullptr) return nullptr;
  node->right = LoadNode(depth + 1, reader);
  return node->right != nullptr ? std::move(node) : nullptr;
}

size_t ExtremelyFastTree::memory() const {
  return nodes_ * sizeof(Node) + observers_ * sizeof(Observer);
}

}  // namespace headrace::learn
