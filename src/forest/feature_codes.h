#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "forest/forest.h"
#include "forest/simd.h"
#include "forest/thresholds.h"

namespace headrace::forest {

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
    return WithSpecial(x, thresholds_.CountBelow(x));
  }
  HR_AVX512_INLINE uint32_t CodeOf512(double x) const {
    if (category_end_ >= 0) return CodeOfCategory(x);
    return WithSpecial(x, thresholds_.CountBelow512(x));
  }

 private:
  uint32_t WithSpecial(double x, uint32_t code) const {
    code = x == 0 ? zero_code_ : code;
    return x != x ? nan_code_ : code;
  }
  void CutLine(const std::vector<const TreeNode*>& nodes);
  void ListCategories(const Forest& forest, const std::vector<const TreeNode*>& nodes);
  uint32_t CodeOfCategory(double x) const;

  Thresholds thresholds_;
  uint32_t zero_code_ = 0;
  uint32_t nan_code_ = 0;
  double category_end_ = -1;  // above the highest category in a set; -1 for numeric splits
  bool cut_before_sign_ = false;
  bool usable_ = true;
  std::vector<double> representatives_;
};

inline constexpr size_t kCodesMax = 4096;

}  // namespace headrace::forest
