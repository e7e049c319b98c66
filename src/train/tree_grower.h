#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "headrace/result.h"
#include "os/worker_team.h"
#include "train/binned_rows.h"
#include "train/histogram.h"
#include "train/options.h"
#include "train/row_partition.h"
#include "train/split_finder.h"
#include "train/tree.h"

namespace headrace::train {

// Grows trees over the same rows, leaf-wise: the split with the largest gain anywhere comes next
// (Shi 2007; Ke et al. 2017, LightGBM). The histogram of the smaller child is made from its rows,
// the larger one's is the parent's less that. A tree is a function of rows, gradients and options;
// sums are exact, so the number of threads does not show.
//
// Confined; the rows must outlive it. Memory: a histogram a leaf, within kHistogramBytesMax, and 24
// bytes a row.
class TreeGrower {
 public:
  // `monotone`: per feature of `rows`. Error: HR3007 (histograms over the limit).
  static Status Check(const BinnedRows& rows, const Options& options);
  TreeGrower(const BinnedRows& rows, std::vector<int8_t> monotone, const Options& options,
             os::WorkerTeam& team);

  // Values are before the learning rate.
  Tree Grow(std::span<const Gradient> gradients, const GradientScale& scale);
  // The rows of a leaf of the last tree, rising.
  std::span<const uint32_t> RowsOf(size_t leaf) const;

 private:
  // A leaf that may still be split.
  struct Open {
    size_t begin = 0;
    size_t end = 0;
    Sums sums;
    double value = 0;
    Bounds bounds;
    int32_t parent = -1;  // node
    std::vector<Cell> histogram;
    Split best;

    size_t rows() const { return end - begin; }
  };

  bool MaySplit(const Open& leaf) const;
  // Makes the histogram of `small` from its rows, and that of `large`, which has the parent's, by
  // subtraction; finds the best splits of both. `large` may be null.
  void Examine(Open* small, Open* large, const SplitFinder& finder);
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
  unsigned count_bits_ = 1;
  std::vector<Open> open_;                          // by leaf
  std::vector<std::vector<Cell>> spare_;            // histograms that nobody uses
  std::vector<std::vector<Cell>> partial_;          // of all chunks but the first
  std::vector<Split> small_splits_, large_splits_;  // by feature
};

inline constexpr size_t kHistogramBytesMax = size_t{4} << 30;

}  // namespace headrace::train
