#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "learn/classifier.h"
#include "learn/hoeffding_tree.h"
#include "learn/leaf.h"

namespace headrace::learn {

struct FastTreeOptions {
  double reevaluate_after =
      20;  // weight that a test takes between two looks whether it is the best
  TreeOptions tree{};
};

// A Hoeffding tree that splits as soon as a split is better than none, and puts it right later:
// each test goes on observing its examples, and gives way to a better one, with what grew below it.
// Manapragada, Webb and Salehi, "Extremely Fast Decision Tree", KDD 2018; after River's
// ExtremelyFastDecisionTreeClassifier, but the weight until the next look counts from the last
// look. Memory: FastTreeOptions::tree (tests hold observers, too), and 150 bytes a node.
class ExtremelyFastTree final : public Classifier {
 public:
  ExtremelyFastTree(size_t features, const FastTreeOptions& options);
  ~ExtremelyFastTree() override;

  void Vote(Features x, Votes& votes) const override;
  void Learn(Features x, size_t label, Votes& before) override;
  void Save(base::ByteWriter& writer) const override;
  bool Load(base::ByteReader& reader) override;
  size_t memory() const override;

 private:
  struct Node;
  static constexpr size_t kNodesMax = 1 << 18;

  std::unique_ptr<Node> NewLeaf(size_t depth, std::vector<double> class_weights);
  static std::unique_ptr<Node>& Next(Node& node, Features x);
  static bool IsTest(const Node& node);
  void LearnTest(Node& node, Features x, size_t label);
  void LearnLeaf(Node& node, Features x, size_t label, Votes& before);
  // Puts another test in the place of the node's, when that is better.
  void Reconsider(Node& node);
  void TrySplit(Node& node);
  void SplitAs(Node& node, Split split);
  void Drop(std::unique_ptr<Node>& node);
  bool HasRoom() const;
  static void SaveNode(const Node& node, base::ByteWriter& writer);
  std::unique_ptr<Node> LoadNode(size_t depth, base::ByteReader& reader);

  size_t features_;
  FastTreeOptions options_;
  size_t nodes_ = 0;
  size_t observers_ = 0;
  std::unique_ptr<Node> root_;
};

}  // namespace headrace::learn
