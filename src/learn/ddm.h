#pragma once

#include <cstddef>
#include <cstdint>

#include "learn/running_mean.h"

namespace headrace::learn {

// DDM: the share of errors is further above its lowest value than so many of its standard
// deviations. Gama, Medas, Castillo and Rodrigues, "Learning with Drift Detection", SBIA 2004;
// arithmetic and defaults are those of River 0.26.
//
// The value behind a reported change begins anew. State is a function of the values added.
// Confined.
class Ddm {
 public:
  struct Options {
    int64_t warm_start = 30;  // no report before more values than this
    double warning_threshold = 2;
    double drift_threshold = 3;
  };

  explicit Ddm(const Options& options);

  // True when a change is reported. `error`: 1 a wrong prediction, 0 a right one; a number between
  // counts as a share of an error.
  bool Add(double error);
  // Whether the last value showed that a change may be coming; not when it showed a change.
  bool warned() const { return state_.warned; }

  size_t memory() const { return 0; }
  // Without the options. Load: false for bytes that Save did not write.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);

 private:
  struct State {
    RunningMean errors;
    double p_min = 0;
    double s_min = 0;
    double sum_min = 0;
    bool changed = false;
    bool warned = false;
  };
  static State Fresh();

  Options options_;
  State state_ = Fresh();
};

}  // namespace headrace::learn
