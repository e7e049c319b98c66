#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "learn/running_mean.h"

namespace headrace::learn {

// How many standard deviations a value lies from where the series has been lately: mean and
// variance forget by a share `alpha` at each value. Roberts, "Control Chart Tests Based on
// Geometric Moving Averages", Technometrics 1959; the variance as in Finch, "Incremental
// calculation of weighted mean and variance", 2009. It equals pandas' ewm(alpha, adjust=False) of
// the values before.
//
// State is a function of the values added. Confined.
class EwmaScore {
 public:
  struct Options {
    double alpha = 0.05;      // in (0, 1)
    int64_t warm_start = 30;  // values before the first score
  };

  explicit EwmaScore(const Options& options);

  // The score by the values before this one; nothing for the first `warm_start`. Infinite where
  // they were all the same and this one is not. `value` is finite and below 1e150 in size.
  std::optional<double> Add(double value);

  size_t memory() const { return 0; }
  // Without the options. Load: false for bytes that Save did not write.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);

 private:
  Options options_;
  uint64_t count_ = 0;
  double mean_ = 0;
  double variance_ = 0;
};

}  // namespace headrace::learn
