#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "learn/adwin.h"
#include "learn/classifier.h"
#include "learn/draws.h"
#include "learn/hoeffding_tree.h"
#include "learn/leaf.h"

namespace headrace::learn {

struct AdaptiveTreeOptions {
  double drift_delta = 0.002;
  // Errors that a subtree and its alternate must each have been seen to make or not, before they
  // are compared, and how sure the comparison must be.
  double compare_after = 300;
  double switch_significance = 0.05;
  TreeOptions tree{};
};

// A Hoeffding tree whose subtrees are replaced when they get worse: ADWIN watches the errors of
// each node's subtree; when they rise, an alternate tree grows beside it, which takes its place
// once it is better, and is dropped once it is worse. Leaves take each example with a Poisson
// weight, and their votes, those of alternates among them, count by the inverse square of their
// error.
//
// Bifet and Gavaldà, "Adaptive Learning from Evolving Data Streams", IDA 2009 (HAT-ADWIN), after
// River's HoeffdingAdaptiveTreeClassifier; but an alternate tree that splits stays one, and has no
// alternates of its own. Memory: AdaptiveTreeOptions::tree, and 300 bytes a node.
class HoeffdingAdaptiveTree final : public Classifier {
 public:
  HoeffdingAdaptiveTree(size_t features, const AdaptiveTreeOptions& options, uint64_t seed);
  ~HoeffdingAdaptiveTree() override;

  void Vote(Features x, Votes& votes) const override;
  void Learn(Features x, size_t label, Votes& before) override;
  void Save(base::ByteWriter& writer) const override;
  bool Load(base::ByteReader& reader) override;
  size_t memory() const override;

 private:
  struct Node;
  static constexpr size_t kNodesMax = 1 << 18;

  std::unique_ptr<Node> NewLeaf(size_t depth, std::vector<double> class_weights);
  static const Node& LeafBelow(const Node& node, Features x);
  static Node& Next(const Node& node, Features x);
  void LearnBelow(std::unique_ptr<Node>& at, Features x, size_t label, bool is_alternate);
  // In the path of an example from a node on: whether its leaf was wrong.
  void LearnPath(std::unique_ptr<Node>& at, Features x, size_t label, bool wrong,
                 bool is_alternate);
  void LearnLeaf(Node& node, Features x, size_t label);
  void WatchErrors(Node& node, bool wrong, bool is_alternate);
  // Puts the alternate in the place of the node, or drops it, when it is time.
  void Compare(std::unique_ptr<Node>& at);
  void TrySplit(Node& node);
  void Drop(std::unique_ptr<Node>& node);
  bool HasRoom() const;
  static void SaveNode(const Node& node, base::ByteWriter& writer);
  std::unique_ptr<Node> LoadNode(size_t depth, bool is_alternate, base::ByteReader& reader);
  bool LoadBranch(Node& node, bool is_alternate, base::ByteReader& reader);

  size_t features_;
  AdaptiveTreeOptions options_;
  Draws draws_;
  size_t nodes_ = 0;
  size_t observers_ = 0;  // in all leaves
  std::unique_ptr<Node> root_;
};

}  // namespace headrace::learn
