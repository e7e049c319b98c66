#pragma once

#include <cstddef>
#include <cstdint>

#include "learn/running_mean.h"

namespace headrace::learn {

// EDDM: errors come closer to each other than they ever were, measured by the mean of the distances
// between two of them and their standard deviation. Baena-García et al., "Early Drift Detection
// Method", Knowledge Discovery from Data Streams 2006; arithmetic and defaults are those of River
// 0.26.
//
// The value behind a reported change begins anew. State is a function of the values added.
// Confined.
class Eddm {
 public:
  struct Options {
    int64_t warm_start = 30;  // no report before more values, and more errors, than this
    double alpha = 0.95;      // of a warning; at least `beta`
    double beta = 0.9;        // of a change: the share of the largest distance that is left
  };

  explicit Eddm(const Options& options);

  // True when a change is reported. `error`: 1 a wrong prediction, any other number a right one.
  bool Add(double error);
  // Whether errors come closer, though not yet close enough for a change; not when there is one.
  bool warned() const { return state_.warned; }

  size_t memory() const { return 0; }
  // Without the options. Load: false for bytes that Save did not write.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);

 private:
  struct State {
    uint64_t values = 0;
    uint64_t last_error = 0;  // its number among the values
    RunningMean distances;
    double deviations = 0;  // sum of their squared deviations
    double largest = -1;
    bool changed = false;
    bool warned = false;
  };

  void AddError();

  Options options_;
  State state_;
};

}  // namespace headrace::learn
