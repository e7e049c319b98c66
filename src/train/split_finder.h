#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "train/bins.h"
#include "train/gradient.h"
#include "train/histogram.h"

namespace headrace::train {

// What the value of a leaf may be, so that no monotone constraint above it breaks.
struct Bounds {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool any() const {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    return low > -kInfinity || high < kInfinity;
  }
};

// What every split must keep.
struct SplitRules {
  double l2 = 0;
  int64_t min_rows = 1;      // in each child
  double min_second = 1e-3;  // sum of second derivatives in each child
  GradientScale scale;
};

// A way to cut a node in two. Value type.
struct Split {
  double gain = 0;  // how much the loss falls, twice; 0: there is no split
  size_t feature = 0;
  size_t bin = 0;                  // numbers: bins up to this one go left
  std::vector<uint8_t> left_bins;  // categories: these go left, all others right
  bool missing_left = false;       // numbers only
  Sums left;
  Sums right;
  double left_value = 0;  // what a leaf would answer, within the bounds
  double right_value = 0;

  bool found() const { return gain > 0; }
};

// A node as the finder sees it.
struct NodeSums {
  const Cell* histogram = nullptr;
  Sums sums;
  Bounds bounds;
};

// Finds the best split of a node by one feature: the largest gain
//   G_L^2 / (H_L + l2) + G_R^2 / (H_R + l2) - G^2 / (H + l2)
// over the sums G and H of first and second derivatives (Chen and Guestrin 2016, equation 7). Of
// equal gains the first in the order of bins, with missing values on the right, is taken.
//
// Numbers: each bound of bins, missing values on either side; where the node has none, they would
// go to the side with more rows. Categories: each alone when there are at most four, else the best
// cut of the categories in the order of G / H (Fisher 1958), smoothed and bounded as LightGBM does.
// Monotone constraints: a split must not turn the order of its children's values, and both sides
// stay on their side of the middle from there on (LightGBM's "basic" method). Immutable; pure.
class SplitFinder {
 public:
  SplitFinder(const SplitRules& rules, unsigned count_bits)
      : rules_(rules), count_bits_(count_bits) {}

  // `first` is the place of the feature's bins in the histogram.
  Split Find(const FeatureBins& feature, int8_t monotone, const NodeSums& node, size_t first) const;

  // The value of a leaf with these sums.
  double ValueOf(const Sums& sums, const Bounds& bounds, double l2) const;
  double SecondOf(const Sums& sums) const {
    return static_cast<double>(sums.second) / rules_.scale.second;
  }

 private:
  struct Search;

  void FindNumber(Search* search) const;
  void ScanNumbers(bool missing_left, Search* search) const;
  void FindCategory(Search* search) const;
  void ScanCategories(const std::vector<uint8_t>& order, Search* search) const;
  // Takes the split with these rows on the left when it is better than the best so far.
  bool Consider(const Sums& left, Search* search) const;
  double Score(const Sums& sums, double value, double l2) const;
  double FirstOf(const Sums& sums) const {
    return static_cast<double>(sums.first) / rules_.scale.first;
  }

  SplitRules rules_;
  unsigned count_bits_;
};

}  // namespace headrace::train
