#pragma once

#include <cstddef>
#include <cstdint>

#include "learn/running_mean.h"

namespace headrace::learn {

// HDDM-A: the mean of all values is further above (or below) the mean up to its best cut point than
// Hoeffding's bound allows. Frías-Blanco et al., "Online and Non-Parametric Drift Detection Methods
// Based on Hoeffding's Bounds", IEEE TKDE 2015; arithmetic and defaults are those of River 0.26.
//
// The value behind a reported change begins anew. State is a function of the values added.
// Confined.
class HddmA {
 public:
  struct Options {
    double drift_confidence = 0.001;    // in (0, 1)
    double warning_confidence = 0.005;  // in (0, 1)
    bool two_sided = false;             // reports a mean that falls, too
  };

  explicit HddmA(const Options& options);

  // True when a change is reported. `value` in [0, 1]: what the bound is for.
  bool Add(double value);
  // Whether the last value showed that a change may be coming; not when it showed a change.
  bool warned() const { return state_.warned; }

  size_t memory() const { return 0; }
  // Without the options. Load: false for bytes that Save did not write.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);

 private:
  struct State {
    RunningMean all;
    RunningMean lowest;   // up to the cut point for a rise
    RunningMean highest;  // up to the cut point for a fall
    bool changed = false;
    bool warned = false;
  };

  double Bound(double n) const;
  // Whether `distance` between the mean of all and that up to a cut point is beyond the bound.
  bool IsFar(const RunningMean& cut, double distance, double log_term) const;

  Options options_;
  double drift_log_;  // ln(1 / confidence), ln(2 / confidence)
  double drift_log2_;
  double warning_log2_;
  State state_;
};

}  // namespace headrace::learn
