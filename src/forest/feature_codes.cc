#include "forest/feature_codes.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace headrace::forest {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool IsZero(double x) {
  return std::abs(x) <= kZeroThreshold;
}

}  // namespace

FeatureCodes::FeatureCodes(const Forest& forest, const std::vector<const TreeNode*>& nodes) {
  const auto categorical = std::count_if(
      nodes.begin(), nodes.end(), [](const TreeNode* node) { return node->category_set >= 0; });
  if (categorical == 0) {
    CutLine(nodes);
  } else if (static_cast<size_t>(categorical) == nodes.size()) {
    ListCategories(forest, nodes);
  } else {
    usable_ = false;
  }
  usable_ = usable_ && size() <= kCodesMax;
}

void FeatureCodes::CutLine(const std::vector<const TreeNode*>& nodes) {
  std::vector<double> cuts;
  bool zero_apart = false;
  for (const TreeNode* node : nodes) {
    if (!std::isnan(node->threshold)) cuts.push_back(node->threshold);
    zero_apart = zero_apart || node->missing == MissingRule::kZero;
  }
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  for (size_t i = 0; i <= cuts.size(); ++i) {
    double inside = i < cuts.size() ? cuts[i] : kInfinity;
    // A value that stands for its stretch must not be one that counts as missing.
    if (zero_apart && IsZero(inside)) {
      inside = i == 0 ? -kInfinity : std::nextafter(cuts[i - 1], kInfinity);
    }
    representatives_.push_back(inside);
  }
  zero_code_ =
      static_cast<uint32_t>(std::lower_bound(cuts.begin(), cuts.end(), 0.0) - cuts.begin());
  if (zero_apart) {
    zero_code_ = static_cast<uint32_t>(representatives_.size());
    representatives_.push_back(0.0);
  }
  nan_code_ = static_cast<uint32_t>(representatives_.size());
  representatives_.push_back(std::numeric_limits<double>::quiet_NaN());
  thresholds_ = Thresholds(cuts);
}

void FeatureCodes::ListCategories(const Forest& forest, const std::vector<const TreeNode*>& nodes) {
  size_t words = 0;
  for (const TreeNode* node : nodes) {
    const auto& set = forest.category_sets[static_cast<size_t>(node->category_set)];
    words = std::max(words, set.words.size());
  }
  usable_ = words * 32 + 2 <= kCodesMax;
  if (!usable_) return;
  cut_before_sign_ = forest.arithmetic == Arithmetic::kFloat64;
  category_end_ = static_cast<double>(words * 32);
  for (double category = 0; category < category_end_; ++category) {
    representatives_.push_back(category);
  }
  zero_code_ = static_cast<uint32_t>(representatives_.size());  // in no set
  representatives_.push_back(-1);
  nan_code_ = static_cast<uint32_t>(representatives_.size());
  representatives_.push_back(std::numeric_limits<double>::quiet_NaN());
}

uint32_t FeatureCodes::CodeOfCategory(double x) const {
  if (std::isnan(x)) return nan_code_;
  const bool valid = (cut_before_sign_ ? x > -1 : x >= 0) && x < category_end_;
  return valid ? static_cast<uint32_t>(static_cast<int32_t>(x)) : zero_code_;
}

}  // namespace headrace::forest
