#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "learn/adwin.h"
#include "learn/classifier.h"
#include "learn/draws.h"
#include "learn/hoeffding_tree.h"

namespace headrace::learn {

// Which features a tree of a forest sees.
enum class Subspace : uint8_t {
  kLeaf,  // each leaf watches a draw of its own
  kTree,  // each tree sees a draw of its own
};

struct ForestOptions {
  size_t models = 10;
  double lambda = 6;  // mean of the Poisson weight of an example in a tree
  Subspace subspace = Subspace::kLeaf;
  size_t max_features = 0;  // of a draw; 0: 60% of them, as in MOA
  double drift_delta = 0.001;
  double warning_delta = 0.01;
  TreeOptions tree{50, 0.01, 0.05, 100, 0, size_t{64} << 20};  // memory_max: of the whole forest
};

// Hoeffding trees that differ by what they are given: each example with a weight from a Poisson
// distribution, and a random part of the features. Two ADWIN detectors watch the errors of each
// tree: a warning begins a new tree in the background, a drift puts it in its place. Trees vote
// with the weight of their accuracy since they took their place.
//
// With Subspace::kLeaf adaptive random forest: Gomes et al., "Adaptive Random Forests for Evolving
// Data Stream Classification", Machine Learning 106, 2017. With kTree streaming random patches:
// Gomes, Read and Bifet, "Streaming Random Patches for Evolving Data Stream Classification", ICDM
// 2019. Follows River's ARFClassifier and SRPClassifier. Memory: ForestOptions::tree.
class AdaptiveForest final : public Classifier {
 public:
  AdaptiveForest(size_t features, const ForestOptions& options, uint64_t seed);

  void Vote(Features x, Votes& votes) const override;
  void Learn(Features x, size_t label, Votes& before) override;
  void Save(base::ByteWriter& writer) const override;
  bool Load(base::ByteReader& reader) override;
  size_t memory() const override;

 private:
  // A tree and the features that it sees; empty: all.
  struct Patch {
    std::vector<uint16_t> features;
    std::unique_ptr<HoeffdingTree> tree;

    Features Cut(Features x, std::vector<double>& seen) const;
    void Learn(Features x, size_t label, double weight, Votes& before);
  };
  struct Member {
    Patch patch;
    Patch background;  // without a tree: no warning
    Adwin warning;
    Adwin drift;
    double seen = 0;
    double right = 0;

    double accuracy() const { return seen > 0 ? right / seen : 0; }
  };

  // Up to so many features, all their draws are dealt before one comes again: of three features
  // taken by twos, chance alone would leave the one good pair to too few trees.
  static constexpr size_t kDealtMax = 12;

  Patch NewPatch();
  std::vector<uint16_t> DrawFeatures();
  void FillDeck();
  // In one with as many features as a patch sees.
  std::unique_ptr<HoeffdingTree> NewTree();
  void Watch(Member& member, bool wrong);
  static void AddVotes(const Member& member, const Votes& votes, Votes& sum);
  static void SavePatch(const Patch& patch, base::ByteWriter& writer);
  bool LoadPatch(Patch& patch, base::ByteReader& reader);
  bool LoadDeck(base::ByteReader& reader);

  size_t features_;
  ForestOptions options_;
  double exp_of_minus_lambda_;
  Draws draws_;
  std::vector<uint16_t> deck_;  // draws not dealt yet, a bit for each feature
  std::vector<Member> members_;
};

}  // namespace headrace::learn
