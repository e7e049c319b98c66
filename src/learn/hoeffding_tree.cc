#include "learn/hoeffding_tree.h"

#include <algorithm>
#include <cmath>

#include "base/portable_math.h"
#include "headrace/check.h"

namespace headrace::learn {
namespace {

constexpr double kLargestShareToSplit = 0.99;
constexpr double kInverseLn2 = 1.4426950408889634074;

}  // namespace

double HoeffdingBound(size_t classes, double delta, double weight) {
  const double range = base::Log(static_cast<double>(std::max<size_t>(classes, 2))) * kInverseLn2;
  return std::sqrt(range * range * base::Log(1 / delta) / (2 * weight));
}

bool ShouldSplit(Leaf& leaf, const TreeOptions& options, Split& split) {
  if (leaf.IsPure()) return false;
  if (leaf.LargestShare() > kLargestShareToSplit) return leaf.ForgetObservations(), false;
  double second = 0;
  split = leaf.BestSplit(&second);
  if (split.merit <= 0) return false;
  const double bound = HoeffdingBound(leaf.ClassCount(), options.delta, leaf.weight());
  return split.merit - second > bound || bound < options.tau;
}

HoeffdingTree::HoeffdingTree(size_t features, const TreeOptions& options, Draws* draws)
    : features_(features), options_(options), draws_(draws) {
  HR_CHECK(features >= 1 && features <= kFeaturesMax);
  HR_CHECK(options.max_features == 0 || draws != nullptr);
  AddLeaf(0, {});
}

uint32_t HoeffdingTree::AddLeaf(size_t depth, std::vector<double> class_weights) {
  Node node;
  node.depth = static_cast<uint16_t>(depth);
  const size_t watched = options_.max_features;
  node.leaf = watched == 0
                  ? std::make_unique<Leaf>(features_)
                  : std::make_unique<Leaf>(features_, std::min(watched, features_), *draws_);
  node.leaf->SetClassWeights(std::move(class_weights));
  node.weight = node.leaf->weight();
  nodes_.push_back(std::move(node));
  return static_cast<uint32_t>(nodes_.size() - 1);
}

uint32_t HoeffdingTree::Next(const Node& node, Features x) const {
  const double value = x[node.feature];
  if (std::isnan(value))
    return nodes_[node.left].weight < nodes_[node.right].weight ? node.right : node.left;
  return value <= node.threshold ? node.left : node.right;
}

void HoeffdingTree::Vote(Features x, Votes& votes) const {
  uint32_t at = 0;
  while (nodes_[at].left != 0)
    at = Next(nodes_[at], x);
  nodes_[at].leaf->Vote(x, votes);
}

void HoeffdingTree::Learn(Features x, size_t label, double weight, Votes& before) {
  uint32_t at = 0;
  while (nodes_[at].left != 0) {
    nodes_[at].weight += weight;
    at = Next(nodes_[at], x);
  }
  Node& node = nodes_[at];
  node.weight += weight;
  Leaf& leaf = *node.leaf;
  const size_t observers = leaf.observers();
  leaf.Learn(x, label, weight, HasRoom(), before);
  observers_ += leaf.observers() - observers;
  if (leaf.HasTaken(options_.grace_period) && node.depth < options_.max_depth && HasRoom())
    TrySplit(at);
}

bool HoeffdingTree::HasRoom() const {
  return observers_ * sizeof(Observer) < options_.memory_max && nodes_.size() + 2 <= kNodesMax;
}

void HoeffdingTree::TrySplit(uint32_t at) {
  Split split;
  const size_t observers = nodes_[at].leaf->observers();
  const bool should = ShouldSplit(*nodes_[at].leaf, options_, split);
  observers_ -= observers - nodes_[at].leaf->observers();
  if (!should) return;
  observers_ -= nodes_[at].leaf->observers();
  nodes_[at].leaf.reset();
  const size_t depth = nodes_[at].depth + size_t{1};
  const uint32_t left = AddLeaf(depth, std::move(split.left));
  const uint32_t right = AddLeaf(depth, std::move(split.right));
  Node& node = nodes_[at];
  node.feature = static_cast<uint16_t>(split.feature);
  node.threshold = split.threshold;
  node.left = left;
  node.right = right;
}

void HoeffdingTree::Save(base::ByteWriter& writer) const {
  writer.Varint(nodes_.size());
  for (const Node& node : nodes_) {
    SaveDouble(node.weight, writer);
    writer.Varint(node.left);
    if (node.left == 0) {
      node.leaf->Save(writer);
      continue;
    }
    writer.Varint(node.right);
    writer.Varint(node.feature);
    SaveDouble(node.threshold, writer);
  }
}

// Children come behind their parents, so a depth is known when it is needed.
bool HoeffdingTree::Load(base::ByteReader& reader) {
  const uint64_t count = reader.Varint();
  if (count == 0 || count > kNodesMax || count > reader.remaining()) return false;
  nodes_.clear();
  nodes_.resize(count);
  observers_ = 0;
  size_t children = 0;
  for (size_t at = 0; at < count; ++at) {
    if (!LoadNode(at, count, reader)) return false;
    if (nodes_[at].left != 0) children += 2;
  }
  // Each but the root is the child of a node before it; as many places as nodes: of one.
  return reader.ok() && children + 1 == count;
}

bool HoeffdingTree::LoadNode(size_t at, size_t count, base::ByteReader& reader) {
  Node& node = nodes_[at];
  if (at > 0 && node.depth == 0) return false;
  node.weight = LoadDouble(reader);
  const uint64_t left = reader.Varint();
  if (left == 0) {
    node.leaf = std::make_unique<Leaf>(features_);
    if (!node.leaf->Load(features_, reader)) return false;
    observers_ += node.leaf->observers();
    return true;
  }
  const uint64_t right = reader.Varint();
  const uint64_t feature = reader.Varint();
  node.threshold = LoadDouble(reader);
  if (left <= at || right <= at || left >= count || right >= count || feature >= features_ ||
      node.depth >= options_.max_depth)
    return false;
  node.left = static_cast<uint32_t>(left);
  node.right = static_cast<uint32_t>(right);
  node.feature = static_cast<uint16_t>(feature);
  nodes_[left].depth = nodes_[right].depth = static_cast<uint16_t>(node.depth + 1);
  return true;
}

size_t HoeffdingTree::memory() const {
  return nodes_.size() * (sizeof(Node) + sizeof(Leaf)) + observers_ * sizeof(Observer);
}

}  // namespace headrace::learn
