#pragma once

#include <cstddef>
#include <cstdint>

#include "learn/running_mean.h"

namespace headrace::learn {

// The Page-Hinkley test for a change of the mean: the sum of the values' distances from their mean,
// slowly forgotten, is further from its lowest or highest point than a threshold. E. S. Page,
// "Continuous Inspection Schemes", Biometrika 1954; arithmetic and defaults are those of River
// 0.26.
//
// The value behind a reported change begins anew. State is a function of the values added.
// Confined.
class PageHinkley {
 public:
  enum class Mode : uint8_t { kBoth, kUp, kDown };  // which changes are reported
  struct Options {
    int64_t min_instances = 30;  // no report before so many values
    double delta = 0.005;        // a distance that is no change
    double threshold = 50;       // above 0
    double alpha = 1 - 0.0001;   // share of the sum that is kept at each value, in (0, 1]
    Mode mode = Mode::kBoth;
  };

  explicit PageHinkley(const Options& options);

  // True when a change is reported. `value` is finite.
  bool Add(double value);

  size_t memory() const { return 0; }
  // Without the options. Load: false for bytes that Save did not write.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);

 private:
  struct State {
    RunningMean mean;
    double increase = 0;
    double decrease = 0;
    double lowest = 0;
    double highest = -1;
    bool changed = false;
  };
  static State Fresh();

  Options options_;
  State state_ = Fresh();
};

}  // namespace headrace::learn
