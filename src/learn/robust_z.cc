#include "learn/robust_z.h"

#include <algorithm>
#include <cmath>

#include "headrace/check.h"

namespace headrace::learn {
namespace {

// Makes a score of the median distance the size of a standard deviation.
constexpr double kNormal = 0.6745;

}  // namespace

RobustZ::RobustZ(const Options& options) : options_(options) {
  HR_CHECK(options.window >= 1 && options.window <= kWindowMax && options.warm_start >= 1 &&
           options.warm_start <= options.window);
  ring_.reserve(static_cast<size_t>(options.window));
  sorted_.reserve(static_cast<size_t>(options.window));
}

std::optional<double> RobustZ::Add(double value) {
  std::optional<double> score;
  const size_t count = sorted_.size();
  if (count >= static_cast<size_t>(options_.warm_start)) {
    const double median = (sorted_[(count - 1) / 2] + sorted_[count / 2]) / 2;
    const double off = value - median;
    score = off == 0 ? 0 : kNormal * off / MedianDistance(median);
  }
  Insert(value);
  return score;
}

void RobustZ::Insert(double value) {
  if (ring_.size() < static_cast<size_t>(options_.window)) {
    ring_.push_back(value);
  } else {
    sorted_.erase(std::lower_bound(sorted_.begin(), sorted_.end(), ring_[oldest_]));
    ring_[oldest_] = value;
    oldest_ = (oldest_ + 1) % ring_.size();
  }
  sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), value), value);
}

// The distances of what lies below the median ascend downwards, of the others upwards: of two
// sorted rows the middle is found by taking k of one and the rest of the other.
double RobustZ::MedianDistance(double median) const {
  const size_t count = sorted_.size();
  const auto split = static_cast<size_t>(std::lower_bound(sorted_.begin(), sorted_.end(), median) -
                                         sorted_.begin());
  const auto below = [&](size_t i) { return median - sorted_[split - 1 - i]; };
  const auto above = [&](size_t i) { return sorted_[split + i] - median; };
  // The `rank`-th smallest distance, from 0.
  const auto nth = [&](size_t rank) {
    size_t low = rank + 1 > count - split ? rank + 1 - (count - split) : 0;
    size_t high = std::min(rank + 1, split);
    while (low < high) {
      const size_t taken = (low + high) / 2;
      if (below(taken) < above(rank - taken)) {
        low = taken + 1;
      } else {
        high = taken;
      }
    }
    const double from_below = low > 0 ? below(low - 1) : 0;
    const double from_above = rank + 1 > low ? above(rank - low) : 0;
    return std::max(from_below, from_above);
  };
  return (nth((count - 1) / 2) + nth(count / 2)) / 2;
}

void RobustZ::Save(base::ByteWriter& writer) const {
  writer.Varint(ring_.size());
  for (size_t i = 0; i < ring_.size(); ++i)
    SaveNumber(ring_[(oldest_ + i) % ring_.size()], writer);
}

bool RobustZ::Load(base::ByteReader& reader) {
  ring_.clear();
  sorted_.clear();
  oldest_ = 0;
  const uint64_t count = reader.Varint();
  if (count > static_cast<uint64_t>(options_.window)) return false;
  for (uint64_t i = 0; i < count; ++i) {
    const double value = LoadNumber(reader);
    if (!std::isfinite(value)) return false;
    Insert(value);
  }
  return reader.ok();
}

}  // namespace headrace::learn
