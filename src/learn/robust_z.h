#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "learn/running_mean.h"

namespace headrace::learn {

// The modified z-score of a value among the `window` values before it: 0.6745 (x - median) / MAD,
// where MAD is the median distance from the median, so that single wild values do not hide the next
// ones. Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993.
//
// A value costs a search and a move in a sorted array of the window. State is a function of the
// values added. Confined.
class RobustZ {
 public:
  struct Options {
    int32_t window = 100;     // values, at most kWindowMax
    int64_t warm_start = 30;  // values before the first score, at most `window`
  };
  static constexpr int32_t kWindowMax = 10'000;

  explicit RobustZ(const Options& options);

  // The score by the values before this one; nothing for the first `warm_start`. Infinite where
  // more than half of them were the same and this one is not. `value` is finite and below 1e150 in
  // size.
  std::optional<double> Add(double value);

  size_t memory() const { return (ring_.capacity() + sorted_.capacity()) * sizeof(double); }
  // Without the options. Load: false for bytes that Save did not write.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);

 private:
  void Insert(double value);
  double MedianDistance(double median) const;

  Options options_;
  std::vector<double> ring_;  // the oldest at `oldest_` once it is full
  size_t oldest_ = 0;
  std::vector<double> sorted_;
};

}  // namespace headrace::learn
