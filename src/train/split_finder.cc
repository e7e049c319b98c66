#include "train/split_finder.h"

#include <algorithm>
#include <cmath>

namespace headrace::train {
namespace {

// LightGBM's rules for categories: max_cat_to_onehot, cat_smooth, cat_l2, max_cat_threshold,
// min_data_per_group.
constexpr size_t kOneAgainstRestMax = 4;
constexpr double kSmooth = 10;
constexpr double kCategoryL2 = 10;
constexpr size_t kLeftCategoriesMax = 32;
constexpr int64_t kMinGroupRows = 100;

// A gain below this share of what it is the difference of is rounding.
constexpr double kGainShareMin = 1e-12;

}  // namespace

struct SplitFinder::Search {
  const FeatureBins& feature;
  int8_t monotone;
  const NodeSums& node;
  const Cell* cells;
  double l2;
  double parent_score;
  Split best;
};

double SplitFinder::ValueOf(const Sums& sums, const Bounds& bounds, double l2) const {
  const double below = SecondOf(sums) + l2;
  const double value = below > 0 ? -FirstOf(sums) / below : 0;
  return std::clamp(value, bounds.low, bounds.high);
}

// What the loss falls, twice, when the rows get `value`: G^2 / (H + l2) for the best value.
double SplitFinder::Score(const Sums& sums, double value, double l2) const {
  return -(2 * FirstOf(sums) + (SecondOf(sums) + l2) * value) * value;
}

bool SplitFinder::Consider(const Sums& left, Search* search) const {
  const Sums right = search->node.sums - left;
  if (SecondOf(left) < rules_.min_second || SecondOf(right) < rules_.min_second) return false;
  double children = 0;
  double left_value = 0;
  double right_value = 0;
  if (search->monotone == 0 && !search->node.bounds.any()) {
    const double first_left = FirstOf(left);
    const double first_right = FirstOf(right);
    children = first_left * first_left / (SecondOf(left) + search->l2) +
               first_right * first_right / (SecondOf(right) + search->l2);
    if (!(children - search->parent_score > search->best.gain)) return false;
    left_value = ValueOf(left, search->node.bounds, search->l2);
    right_value = ValueOf(right, search->node.bounds, search->l2);
  } else {
    left_value = ValueOf(left, search->node.bounds, search->l2);
    right_value = ValueOf(right, search->node.bounds, search->l2);
    if ((right_value - left_value) * search->monotone < 0) return false;
    children = Score(left, left_value, search->l2) + Score(right, right_value, search->l2);
  }
  const double gain = children - search->parent_score;
  const double least = std::max(search->best.gain, kGainShareMin * std::abs(children));
  if (!(gain > least)) return false;
  search->best.gain = gain;
  search->best.left = left;
  search->best.right = right;
  search->best.left_value = left_value;
  search->best.right_value = right_value;
  return true;
}

void SplitFinder::ScanNumbers(bool missing_left, Search* search) const {
  const FeatureBins& feature = search->feature;
  const Sums missing = Unpack(search->cells[feature.values()], count_bits_);
  Sums left;
  if (missing_left) left = missing;
  const int64_t rows = search->node.sums.rows;
  for (size_t bin = 0; bin < feature.values(); ++bin) {
    left += Unpack(search->cells[bin], count_bits_);
    if (left.rows < rules_.min_rows) continue;
    if (rows - left.rows < rules_.min_rows || !std::isfinite(feature.upper[bin])) return;
    if (!Consider(left, search)) continue;
    search->best.bin = bin;
    search->best.missing_left = missing.rows > 0 ? missing_left : left.rows * 2 >= rows;
  }
}

void SplitFinder::FindNumber(Search* search) const {
  ScanNumbers(false, search);
  const Sums missing = Unpack(search->cells[search->feature.values()], count_bits_);
  if (missing.rows > 0) ScanNumbers(true, search);
}

void SplitFinder::ScanCategories(const std::vector<uint8_t>& order, Search* search) const {
  Sums left;
  int64_t group_rows = 0;
  const size_t most = std::min({order.size(), kLeftCategoriesMax, (order.size() + 1) / 2});
  for (size_t i = 0; i < most; ++i) {
    const Sums sums = Unpack(search->cells[order[i]], count_bits_);
    left += sums;
    group_rows += sums.rows;
    if (left.rows < rules_.min_rows || group_rows < kMinGroupRows) continue;
    const int64_t right_rows = search->node.sums.rows - left.rows;
    if (right_rows < std::max(rules_.min_rows, kMinGroupRows)) return;
    group_rows = 0;
    if (!Consider(left, search)) continue;
    search->best.left_bins.assign(order.begin(), order.begin() + static_cast<int64_t>(i) + 1);
  }
}

void SplitFinder::FindCategory(Search* search) const {
  const size_t categories = search->feature.values();
  if (categories <= kOneAgainstRestMax) {
    for (size_t bin = 0; bin < categories; ++bin) {
      const Sums left = Unpack(search->cells[bin], count_bits_);
      if (left.rows < rules_.min_rows || search->node.sums.rows - left.rows < rules_.min_rows) {
        continue;
      }
      if (Consider(left, search)) search->best.left_bins = {static_cast<uint8_t>(bin)};
    }
    return;
  }
  search->l2 += kCategoryL2;
  std::vector<uint8_t> order;
  std::vector<double> slope(categories);
  for (size_t bin = 0; bin < categories; ++bin) {
    const Sums sums = Unpack(search->cells[bin], count_bits_);
    if (static_cast<double>(sums.rows) < kSmooth) continue;
    slope[bin] = FirstOf(sums) / (SecondOf(sums) + kSmooth);
    order.push_back(static_cast<uint8_t>(bin));
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](uint8_t a, uint8_t b) { return slope[a] < slope[b]; });
  ScanCategories(order, search);
  std::reverse(order.begin(), order.end());
  ScanCategories(order, search);
}

Split SplitFinder::Find(const FeatureBins& feature, int8_t monotone, const NodeSums& node,
                        size_t first) const {
  const double value = ValueOf(node.sums, node.bounds, rules_.l2);
  Search search{feature,   monotone,
                node,      node.histogram + first,
                rules_.l2, Score(node.sums, value, rules_.l2),
                {}};
  if (feature.categorical) {
    FindCategory(&search);
  } else {
    FindNumber(&search);
  }
  return std::move(search.best);
}

}  // namespace headrace::train
