#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "learn/distinct_sketch.h"
#include "learn/distribution_distance.h"
#include "learn/quantile_sketch.h"
#include "model/baseline.h"

namespace headrace::flow {

// What a column's values are compared with. Immutable; value type.
struct ColumnReference {
  static constexpr int kBins = 10;

  double null_share = 0;
  double least = 0;
  double most = 0;
  learn::WeightedValues values;  // empty: the baseline had no value
  std::vector<double> bounds;
  std::vector<double> shares;

  static ColumnReference Of(learn::WeightedValues values, double least, double most,
                            double null_share);
  static ColumnReference Of(const model::ColumnBaseline& baseline);
};

// How far a window's values are from the reference; nothing where one has too few.
struct ColumnDistances {
  double psi = 0;
  double ks = 0;
  double js = 0;
  double wasserstein = 0;
};

// What a watch has seen of one column within a window, or within the first rows of a version: a
// sample whose rows stand for 2^level rows each. The sketches are mergeable; their errors are those
// of quantile_sketch.h with kQuantiles and distinct_sketch.h with kPrecision, besides that of the
// sample. A value that is NaN or infinite counts as missing. Confined.
class ColumnWatch {
 public:
  static constexpr int32_t kQuantiles = 200;
  static constexpr int kPrecision = 10;
  static constexpr uint64_t kLeastValues = 100;  // fewer are compared with nothing

  ColumnWatch() : values_(kQuantiles), distinct_(kPrecision) {}

  // `reference`: what the value should lie in; null: not known yet.
  void Add(double value, size_t level, int64_t time, const ColumnReference* reference);
  void Clear();

  uint64_t weight() const { return weight_; }
  bool empty() const { return values_.count() == 0; }
  double null_share() const { return Share(nulls_); }
  double out_of_range() const { return Share(outside_); }
  double mean() const { return sum_ / static_cast<double>(values_.count()); }
  double least() const { return values_.min(); }
  double most() const { return values_.max(); }
  learn::WeightedValues Values() const { return values_.Values(); }
  double distinct() const { return distinct_.Estimate(); }
  int64_t newest() const { return newest_; }  // event time of the newest value; INT64_MIN: none yet

  // `values` are Values().
  std::optional<ColumnDistances> DistancesFrom(const ColumnReference& reference,
                                               const learn::WeightedValues& values) const;
  ColumnReference AsReference() const;

  size_t memory() const { return values_.memory() + distinct_.memory(); }
  void Save(base::ByteWriter& writer) const;
  // False for bytes that Save did not write.
  bool Load(base::ByteReader& reader);

 private:
  double Share(uint64_t part) const {
    return weight_ == 0 ? 0 : static_cast<double>(part) / static_cast<double>(weight_);
  }

  learn::QuantileSketch values_;
  learn::DistinctSketch distinct_;
  uint64_t sampled_ = 0;
  uint64_t weight_ = 0;
  uint64_t nulls_ = 0;
  uint64_t outside_ = 0;
  double sum_ = 0;
  int64_t newest_ = INT64_MIN;  // stays when a window closes
};

}  // namespace headrace::flow
