#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "forest/forest.h"
#include "forest/forest_kernel.h"
#include "headrace/result.h"

namespace headrace::forest {

// How a split of ONNX's tree ensembles compares; the numbers are those of ai.onnx.ml 5.
enum class SplitMode : uint8_t { kLeq, kLt, kGte, kGt, kEq, kNeq, kMember };

// A split. Children below 0 are leaves: ~child is the leaf's place in the ensemble.
struct EnsembleNode {
  double threshold = 0;
  int32_t feature = 0;
  int32_t on_true = 0;
  int32_t on_false = 0;
  int32_t members = -1;  // index into TreeEnsemble::members, for kMember
  SplitMode mode = SplitMode::kLeq;
  bool missing_is_true = false;
};

struct EnsembleWeight {
  int32_t target = 0;
  double value = 0;
};

enum class Aggregate : uint8_t { kAverage, kSum, kMin, kMax };

// What the trees say of one target of a row. A target that no leaf has a weight for has none.
struct EnsembleScore {
  double value = 0;
  bool there = false;
};

// The trees of an ONNX operator as plain data. Unlike a Forest's, its leaves weigh any of the
// targets, and its splits compare in any way. Immutable once it has passed Check.
struct TreeEnsemble {
  Arithmetic arithmetic = Arithmetic::kFloat32;
  std::vector<int32_t> roots;  // as children, in the order in which the trees are added
  std::vector<EnsembleNode> nodes;
  // leaves[i] to leaves[i + 1] are leaf i's weights.
  std::vector<uint32_t> leaves = {0};
  std::vector<EnsembleWeight> weights;
  std::vector<std::vector<double>> members;  // sorted
  int32_t targets = 1;
  Aggregate aggregate = Aggregate::kSum;

  size_t leaf_count() const { return leaves.size() - 1; }

  // That every split is reached once and every child is there; leaves may be shared when
  // `shared_leaves`. Then: features below `features`, targets in range and once in a leaf, and no
  // threshold or weight that is NaN. Errors: the message only.
  std::string Check(int32_t features, bool shared_leaves) const;

  // The leaf of the tree with that root.
  int32_t LeafOf(int32_t root, const double* x) const;
  // The sum, least or largest of the leaves' weights; an average is not divided yet.
  void Score(const double* x, std::span<EnsembleScore> scores) const;
};

// The same trees for the faster kernels, when every leaf has one weight, that of its tree, and all
// splits are comparisons with < or its kin.
std::unique_ptr<const ForestKernel> MakeEnsembleKernel(const TreeEnsemble& ensemble,
                                                       int32_t features);

}  // namespace headrace::forest
