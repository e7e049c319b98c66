#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "learn/draws.h"
#include "learn/running_mean.h"

namespace headrace::learn {

// KSWIN: the newest values of a window have another distribution than a sample of the ones before
// them, by the test of Kolmogorov and Smirnov at level `alpha`. Raab, Heusinger and Schleif,
// "Reactive Soft Prototype Computing for Concept Drift Streams", Neurocomputing 2020; defaults are
// those of River 0.26. The p-value of two samples of one size is exact (Gnedenko and Korolyuk
// 1951), so the largest distance of the two is compared with a constant.
//
// Each value draws a sample and costs time linear in the window. The value behind a reported change
// begins a new window. The generator is seeded and part of the state, which is otherwise a function
// of the values added. Confined.
class Kswin {
 public:
  struct Options {
    double alpha = 0.005;       // in (0, 1)
    int32_t window_size = 100;  // values, at least twice stat_size, at most kWindowMax
    int32_t stat_size = 30;     // of the newest ones, and of the sample
    uint64_t seed = 1;
  };
  static constexpr int32_t kWindowMax = 10'000;

  explicit Kswin(const Options& options);

  // The chance that two samples of n values of one distribution are somewhere `distance` / n apart
  // or more. Both above 0.
  static double ChanceOf(int32_t distance, int32_t n);

  // True when a change is reported. `value` is finite.
  bool Add(double value);

  size_t memory() const {
    return window_.capacity() * sizeof(double) + sorted_.capacity() * sizeof(double) +
           order_.capacity() * sizeof(int32_t) + side_.capacity();
  }
  // Without the options. Load: false for bytes that Save did not write.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);

 private:
  void Insert(double value);
  void DropOldest();
  void Draw();
  // Whether the newest values and a sample of the others differ by more than chance.
  bool Differs();

  Options options_;
  int32_t far_;  // distance of the samples, in values, from which on it is no chance
  // A ring: the value of age a behind the oldest stands at (oldest_ + a) mod window_size.
  std::vector<double> window_;
  int32_t oldest_ = 0;
  int32_t count_ = 0;
  std::vector<int32_t> order_;  // places in the ring by value
  std::vector<double> sorted_;  // the values in that order
  Draws draws_;
  bool changed_ = false;

  std::vector<int8_t> side_;  // by place: 1 in the sample, -1 among the newest; scratch
};

}  // namespace headrace::learn
