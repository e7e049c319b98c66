#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "learn/classifier.h"
#include "learn/draws.h"
#include "learn/leaf.h"

namespace headrace::learn {

struct TreeOptions {
  double grace_period = 200;  // weight that a leaf takes between two attempts to split it
  double delta = 1e-7;        // probability that a split is not the best one
  double tau = 0.05;          // below this bound the best split is taken even if others are as good
  size_t max_depth = 100;
  size_t max_features = 0;  // that a leaf watches, drawn for each leaf; 0: all
  // For what is observed; the tree does not grow beyond it, but goes on counting in its leaves.
  size_t memory_max = size_t{32} << 20;
};

// How far the merit of a split that was seen on examples of this weight may be from the true one,
// but for a probability of `delta`. Hoeffding, JASA 1963.
double HoeffdingBound(size_t classes, double delta, double weight);
// Whether the leaf is to be split: into `split`, how.
bool ShouldSplit(Leaf& leaf, const TreeOptions& options, Split& split);

// A decision tree that grows from a stream: a leaf is split when the best split is better than the
// next with probability 1 - delta, by information gain over ten thresholds a feature between
// observed normal distributions. Domingos and Hulten, "Mining High-Speed Data Streams", KDD 2000
// (VFDT), with leaves as in learn/leaf.h; follows River's HoeffdingTreeClassifier, but for one
// thing: not to split is worth 0 to it, as in MOA, not minus infinity.
//
// An example that lacks the feature of a test goes where more weight went. Classifier; Learn with a
// weight is for ensembles. Memory: TreeOptions::memory_max, and 100 bytes a node.
class HoeffdingTree final : public Classifier {
 public:
  // `draws` gives the features that a leaf watches, and must outlive the tree; may be null when
  // they watch all.
  HoeffdingTree(size_t features, const TreeOptions& options, Draws* draws = nullptr);

  void Vote(Features x, Votes& votes) const override;
  void Learn(Features x, size_t label, Votes& before) override { Learn(x, label, 1, before); }
  void Learn(Features x, size_t label, double weight, Votes& before);
  void Save(base::ByteWriter& writer) const override;
  bool Load(base::ByteReader& reader) override;
  size_t memory() const override;

  size_t nodes() const { return nodes_.size(); }

 private:
  static constexpr size_t kNodesMax = 1 << 20;

  struct Node {
    double threshold = 0;
    double weight = 0;  // of the examples that came by
    uint32_t left = 0;  // 0: a leaf
    uint32_t right = 0;
    uint16_t feature = 0;
    uint16_t depth = 0;
    std::unique_ptr<Leaf> leaf;
  };

  uint32_t Next(const Node& node, Features x) const;
  uint32_t AddLeaf(size_t depth, std::vector<double> class_weights);
  void TrySplit(uint32_t at);
  bool HasRoom() const;
  bool LoadNode(size_t at, size_t count, base::ByteReader& reader);

  size_t features_;
  TreeOptions options_;
  Draws* draws_;
  std::vector<Node> nodes_;
  size_t observers_ = 0;  // in all leaves
};

}  // namespace headrace::learn
