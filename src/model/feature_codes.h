#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/forest.h"

namespace headrace::model {

// Turns the value of one feature into a small number such that every split of the forest decides
// the same for all values of one number. Numeric splits cut the line at their thresholds;
// categorical splits make one number per category. Missing and zero have numbers of their own where
// a split treats them so. Immutable, thread-safe.
class FeatureCodes {
 public:
  // `nodes` are the splits on this feature. Not usable (see usable()) when numeric and categorical
  // splits are mixed, or there would be more than kCodesMax codes.
  FeatureCodes(const Forest& forest, const std::vector<const TreeNode*>& nodes);

  bool usable() const { return usable_; }
  size_t size() const { return representatives_.size(); }
  // A cleaned value that has this code.
  double representative(size_t code) const { return representatives_[code]; }

  // The code of a cleaned value.
  uint32_t CodeOf(double x) const {
    if (category_end_ >= 0) return CodeOfCategory(x);
    // Lower bound without branches: how many thresholds are below x. As integers, because a compare
    // and a conditional move take a third of the time of their floating-point counterparts.
    const int64_t key = KeyOf(x);
    const int64_t* below = thresholds_.data();
    for (uint32_t half = half_; half != 0; half /= 2) {
      const int64_t* above = below + half;
      below = above[-1] < key ? above : below;
    }
    auto code = static_cast<uint32_t>(below - thresholds_.data());
    code = x == 0 ? zero_code_ : code;
    return x != x ? nan_code_ : code;
  }

  // An integer that orders like the double; both zeros have the same. Not for NaN.
  static int64_t KeyOf(double x) {
    const auto bits = std::bit_cast<int64_t>(x + 0.0);
    return bits ^ ((bits >> 63) & INT64_MAX);
  }

 private:
  void CutLine(const std::vector<const TreeNode*>& nodes);
  void ListCategories(const Forest& forest, const std::vector<const TreeNode*>& nodes);
  uint32_t CodeOfCategory(double x) const;

  std::vector<int64_t> thresholds_;  // KeyOf, rising, padded with the largest to 2 half_ - 1
  uint32_t half_ = 0;                // a power of two, or 0 without thresholds
  uint32_t zero_code_ = 0;
  uint32_t nan_code_ = 0;
  double category_end_ = -1;  // above the highest category in a set; -1 for numeric splits
  bool cut_before_sign_ = false;
  bool usable_ = true;
  std::vector<double> representatives_;
};

inline constexpr size_t kCodesMax = 4096;

}  // namespace headrace::model
