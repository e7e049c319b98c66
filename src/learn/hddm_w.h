#pragma once

#include <cstddef>
#include <cstdint>

#include "learn/running_mean.h"

namespace headrace::learn {

// HDDM-W: as HDDM-A with means that forget, and McDiarmid's bound. Frías-Blanco et al., "Online and
// Non-Parametric Drift Detection Methods Based on Hoeffding's Bounds", IEEE TKDE 2015; arithmetic
// and defaults are those of River 0.26.
//
// The value behind a reported change begins anew. State is a function of the values added.
// Confined.
class HddmW {
 public:
  struct Options {
    double drift_confidence = 0.001;    // in (0, 1)
    double warning_confidence = 0.005;  // in (0, 1)
    double lambda = 0.05;               // weight of a new value, in (0, 1)
    bool two_sided = false;             // reports a mean that falls, too
  };

  explicit HddmW(const Options& options);

  // True when a change is reported. `value` in [0, 1]: what the bound is for.
  bool Add(double value);
  // Whether the last value showed that a change may be coming; not when it showed a change.
  bool warned() const { return warned_; }

  size_t memory() const { return 0; }
  // Without the options. Load: false for bytes that Save did not write.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);

 private:
  // A mean that forgets, and the weight of its bound.
  struct Sample {
    bool begun = false;
    double mean = 0;
    double weight = 1;
  };
  // The values up to a cut point and those behind it.
  struct Cut {
    Sample before;
    Sample after;
    double level = 0;
  };

  void Add(double value, Sample& sample) const;
  bool Differ(const Sample& low, const Sample& high, double log_term) const;
  void Reset();

  Options options_;
  double drift_log_;  // ln(1 / confidence)
  double warning_log_;
  Sample all_;
  Cut rise_;
  Cut fall_;
  bool changed_ = false;
  bool warned_ = false;
};

}  // namespace headrace::learn
