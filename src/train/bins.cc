#include "train/bins.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "headrace/check.h"
#include "os/random.h"

namespace headrace::train {
namespace {

constexpr double kLargest = std::numeric_limits<double>::max();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Distinct {
  double value = 0;
  size_t rows = 0;
};

// The values that are there, rising, each once.
std::vector<Distinct> DistinctOf(const Column& column, const std::vector<uint32_t>& sample) {
  std::vector<double> sorted;
  sorted.reserve(sample.size());
  for (uint32_t row : sample) {
    if (!std::isnan(column.values[row])) sorted.push_back(column.values[row]);
  }
  std::sort(sorted.begin(), sorted.end());
  std::vector<Distinct> distinct;
  for (double value : sorted) {
    if (distinct.empty() || distinct.back().value != value) distinct.push_back({value, 0});
    ++distinct.back().rows;
  }
  return distinct;
}

// A bound with `low` at or below and `high` above it, in the middle where that can be.
double Between(double low, double high) {
  const double middle = low / 2 + high / 2;
  if (middle >= low && middle < high && std::isfinite(middle)) return middle;
  return low == -kInfinity && high > -kLargest ? -kLargest : low;
}

// Closes a bin when it has its share of the rows that are left, or when the next value has that
// much alone.
std::vector<double> BoundsOf(const std::vector<Distinct>& distinct) {
  std::vector<double> upper;
  const bool each = distinct.size() <= kValueBinsMax;
  auto rows_left = static_cast<double>(
      std::accumulate(distinct.begin(), distinct.end(), size_t{0},
                      [](size_t sum, const Distinct& d) { return sum + d.rows; }));
  size_t rows = 0;
  for (size_t i = 0; i + 1 < distinct.size(); ++i) {
    const size_t bins_left = kValueBinsMax - upper.size();
    const double share = rows_left / static_cast<double>(bins_left);
    rows += distinct[i].rows;
    const bool full = static_cast<double>(std::max(rows, distinct[i + 1].rows)) >= share;
    if (!each && (!full || bins_left == 1)) continue;
    upper.push_back(Between(distinct[i].value, distinct[i + 1].value));
    rows_left -= static_cast<double>(rows);
    rows = 0;
  }
  return upper;
}

void MakeCategoryBins(const Column& column, const std::vector<uint32_t>& sample,
                      FeatureBins* feature) {
  std::map<int32_t, size_t> rows;
  for (uint32_t row : sample) {
    if (!std::isnan(column.values[row])) ++rows[static_cast<int32_t>(column.values[row])];
  }
  for (const auto& [category, count] : rows)
    feature->categories.push_back(category);
  std::stable_sort(feature->categories.begin(), feature->categories.end(),
                   [&](int32_t a, int32_t b) { return rows[a] > rows[b]; });
  if (feature->categories.size() > kValueBinsMax) feature->categories.resize(kValueBinsMax);
}

// The first bound that is not below a value, without a branch on the data: bounds are padded to
// 256 with infinity.
class BoundSearch {
 public:
  explicit BoundSearch(const std::vector<double>& upper) {
    HR_CHECK(upper.size() <= kValueBinsMax);
    bounds_.fill(kInfinity);
    std::copy(upper.begin(), upper.end(), bounds_.begin());
  }

  uint8_t Find(double value) const {
    size_t at = 0;
    for (size_t step = 128; step > 0; step /= 2)
      at += bounds_[at + step - 1] < value ? step : 0;
    return static_cast<uint8_t>(at);
  }

 private:
  std::array<double, 256> bounds_{};
};

}  // namespace

FeatureBins MakeBins(const Column& column, const std::vector<uint32_t>& sample) {
  FeatureBins feature;
  feature.categorical = column.categorical;
  bool any = false;
  for (double value : column.values) {
    if (std::isnan(value)) continue;
    feature.low = any ? std::min(feature.low, value) : value;
    feature.high = any ? std::max(feature.high, value) : value;
    any = true;
  }
  if (!any) return feature;
  if (column.categorical) {
    MakeCategoryBins(column, sample, &feature);
  } else {
    feature.upper = BoundsOf(DistinctOf(column, sample));
    feature.upper.push_back(feature.high == kInfinity ? kInfinity : kLargest);
  }
  return feature;
}

std::vector<uint32_t> SampleRows(size_t rows, uint64_t seed) {
  std::vector<uint32_t> sample(std::min(rows, kSampleRows));
  os::SeededRandom random(seed);
  for (size_t i = 0; i < sample.size(); ++i) {
    const size_t begin = i * rows / sample.size();
    const size_t end = (i + 1) * rows / sample.size();
    sample[i] = static_cast<uint32_t>(begin + random.Below(end - begin));
  }
  return sample;
}

void Encode(const Column& column, FeatureBins* feature, uint8_t* bins, size_t stride) {
  const auto last = static_cast<uint8_t>(feature->values());
  bool has_missing = false;
  if (feature->categorical) {
    std::map<int32_t, uint8_t> bin_of;
    for (size_t b = 0; b < feature->categories.size(); ++b)
      bin_of.emplace(feature->categories[b], static_cast<uint8_t>(b));
    for (double value : column.values) {
      const auto found =
          std::isnan(value) ? bin_of.end() : bin_of.find(static_cast<int32_t>(value));
      *bins = found == bin_of.end() ? last : found->second;
      has_missing = has_missing || *bins == last;
      bins += stride;
    }
  } else {
    const BoundSearch search(feature->upper);
    for (double value : column.values) {
      const bool missing = std::isnan(value);
      *bins = missing ? last : search.Find(value);
      has_missing = has_missing || missing;
      bins += stride;
    }
  }
  feature->has_missing = has_missing;
}

}  // namespace headrace::train
