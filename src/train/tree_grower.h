#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "headrace/result.h"
#include "os/random.h"
#include "os/worker_team.h"
#include "train/binned_rows.h"
#include "train/histogram.h"
#include "train/options.h"
#include "train/row_partition.h"
#include "train/split_finder.h"
#include "train/tree.h"

namespace headrace::train {

// The rows that one tree of a forest sees, and those that it does not; both rising. `in` may have a
// row several times, and has no more than there are rows.
struct Bag {
  std::vector<uint32_t> in;
  std::vector<uint32_t> out;
  size_t features = 0;  // so many, drawn anew at each split
  uint64_t seed = 0;    // of these draws
};

// Grows trees over the same rows, leaf-wise: the split with the largest gain anywhere comes next
// (Shi 2007; Ke et al. 2017, LightGBM). The histogram of the smaller child is made from its rows,
// the larger one's is the parent's less that. A tree is a function of rows, gradients and options;
// sums are exact, so the number of threads does not show.
//
// Confined; the rows must outlive it. Memory: a histogram a leaf, within kHistogramBytesMax, and 24
// bytes a row, twice that with bags.
class TreeGrower {
 public:
  // `monotone`: per feature of `rows`. Error: HR3007 (histograms over the limit).
  static Status Check(const BinnedRows& rows, const Options& options);
  TreeGrower(const BinnedRows& rows, std::vector<int8_t> monotone, const Options& options,
             os::WorkerTeam& team);

  // Values are before the learning rate.
  Tree Grow(std::span<const Gradient> gradients, const GradientScale& scale);
  // From the rows of a bag only.
  Tree Grow(std::span<const Gradient> gradients, const GradientScale& scale, const Bag& bag);
  // The rows of a leaf of the last tree, rising.
  std::span<const uint32_t> RowsOf(size_t leaf) const;
  // Those outside of the bag that come to the leaf.
  std::span<const uint32_t> RowsOutside(size_t leaf) const;

 private:
  // A leaf that may still be split.
  struct Open {
    size_t begin = 0;
    size_t end = 0;
    size_t out_begin = 0;  // of the rows outside
    size_t out_end = 0;
    std::vector<uint8_t> takes;  // features that may split it; empty: all
    Sums sums;
    double value = 0;
    Bounds bounds;
    int32_t parent = -1;  // node
    std::vector<Cell> histogram;
    Split best;

    size_t rows() const { return end - begin; }
  };

  // The root is ready.
  Tree GrowFrom(const GradientScale& scale);
  Open& NewRoot(const GradientScale& scale);
  void DrawFeatures(Open* leaf);
  bool MaySplit(const Open& leaf) const;
  // Makes the histogram of `small` from its rows, and that of `large`, which has the parent's, by
  // subtraction; finds the best splits of both. `large` may be null.
  void Examine(Open* small, Open* large, const SplitFinder& finder);
  Split FindSplit(const Open& leaf, size_t feature, const SplitFinder& finder) const;
  // The best of these splits by feature; when the features drawn have none, of the others.
  void TakeBest(std::vector<Split>* splits, const SplitFinder& finder, Open* leaf);
  void FinishGroup(size_t group, Open* small, Open* large, const SplitFinder& finder);
  size_t ChunksOf(size_t rows) const;
  void SplitLeaf(size_t leaf, const SplitFinder& finder, Tree* tree);
  void AddNode(size_t leaf, const SplitFinder& finder, Tree* tree) const;
  RowPartition::Sides SidesOf(const Split& split) const;
  void RunPieces(size_t pieces, size_t rows, const os::WorkerTeam::Piece& piece);

  const BinnedRows& rows_;
  std::vector<int8_t> monotone_;
  Options options_;
  os::WorkerTeam& team_;
  HistogramLayout layout_;
  RowPartition partition_;
  // Of forests only: rows outside of the bag, and how features are drawn.
  std::optional<RowPartition> outside_;
  size_t drawn_features_ = 0;  // 0: all
  std::unique_ptr<os::SeededRandom> random_;
  unsigned count_bits_ = 1;
  std::vector<Open> open_;                          // by leaf
  std::vector<std::vector<Cell>> spare_;            // histograms that nobody uses
  std::vector<std::vector<Cell>> partial_;          // of all chunks but the first
  std::vector<Split> small_splits_, large_splits_;  // by feature
};

inline constexpr size_t kHistogramBytesMax = size_t{4} << 30;

}  // namespace headrace::train
