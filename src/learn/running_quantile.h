#pragma once

#include <cstddef>
#include <cstdint>

#include "learn/quantile_sketch.h"

namespace headrace::learn {

// A quantile of all values so far, by a KLL sketch. It is looked up anew when a hundredth more
// values have come, so beside the sketch's error (quantile_sketch.h) the newest hundredth may be
// missing. State is a function of the values added. Confined.
class RunningQuantile {
 public:
  struct Options {
    double share = 0.5;  // in [0, 1]
    int32_t k = 200;     // of the sketch
  };

  explicit RunningQuantile(const Options& options);

  // `value` is finite.
  double Add(double value);

  size_t memory() const { return sketch_.memory(); }
  // Without the options. Load: false for bytes that Save did not write.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);

 private:
  Options options_;
  QuantileSketch sketch_;
  uint64_t next_ = 1;  // count at which it is looked up
  double quantile_ = 0;
};

}  // namespace headrace::learn
