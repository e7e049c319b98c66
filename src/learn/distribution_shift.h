#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "learn/distribution_distance.h"
#include "learn/quantile_sketch.h"

namespace headrace::learn {

// How far the newest values are from the first ones, in distribution: the first `baseline` values
// are kept in a sketch for good, then each `window` values are compared with them and forgotten.
//
// Bins are those of equal shares of the first values. As long as fewer than about 3 k values are
// compared the distance is exact, beyond that within the bounds of the sketches. State is a
// function of the values added. Confined.
class DistributionShift {
 public:
  enum class Measure : uint8_t { kPsi, kKs, kJs, kWasserstein };  // distribution_distance.h
  struct Options {
    Measure measure = Measure::kPsi;
    int64_t baseline = 1000;  // at least 2
    int64_t window = 1000;    // at least 2
    int32_t bins = 10;        // 2 to kBinsMax; of kPsi and kJs
    int32_t k = 1000;         // of the sketches
  };
  static constexpr int32_t kBinsMax = 1000;

  explicit DistributionShift(const Options& options);

  // The distance of the last whole window; nothing before the first is complete. `value` is finite.
  std::optional<double> Add(double value);

  size_t memory() const {
    return baseline_.memory() + recent_.memory() +
           baseline_values_.capacity() * sizeof(WeightedValue) +
           (bounds_.capacity() + shares_.capacity()) * sizeof(double);
  }
  // Without the options. Load: false for bytes that Save did not write.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);

 private:
  bool HasBaseline() const { return baseline_.count() == static_cast<uint64_t>(options_.baseline); }
  void FixBaseline();
  double Distance() const;

  Options options_;
  QuantileSketch baseline_;
  QuantileSketch recent_;
  std::optional<double> distance_;
  // Of the baseline, once it is complete.
  WeightedValues baseline_values_;
  std::vector<double> bounds_;
  std::vector<double> shares_;
};

}  // namespace headrace::learn
