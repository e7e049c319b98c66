#include "flow/column_watch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/hash.h"

namespace headrace::flow {

ColumnReference ColumnReference::Of(learn::WeightedValues values, double least, double most,
                                    double null_share) {
  ColumnReference reference;
  reference.null_share = null_share;
  reference.least = least;
  reference.most = most;
  if (!values.empty()) {
    reference.bounds = learn::EqualShares(values, kBins);
    reference.shares = learn::SharesOf(values, reference.bounds);
  }
  reference.values = std::move(values);
  return reference;
}

ColumnReference ColumnReference::Of(const model::ColumnBaseline& baseline) {
  learn::WeightedValues values;
  for (double quantile : baseline.quantiles) {
    if (!values.empty() && values.back().value == quantile) {
      ++values.back().weight;
    } else {
      values.push_back({quantile, 1});
    }
  }
  const double least = values.empty() ? 0 : values.front().value;
  const double most = values.empty() ? 0 : values.back().value;
  return Of(std::move(values), least, most, baseline.null_share);
}

void ColumnWatch::Add(double value, size_t level, int64_t time, const ColumnReference* reference) {
  const uint64_t weight = uint64_t{1} << level;
  ++sampled_;
  weight_ += weight;
  if (!std::isfinite(value)) {
    nulls_ += weight;
    return;
  }
  newest_ = std::max(newest_, time);
  sum_ += static_cast<double>(weight) * value;
  const bool ranged = reference != nullptr && !reference->values.empty();
  if (ranged && (value < reference->least || value > reference->most)) outside_ += weight;
  values_.AddAt(level, value);
  const double one_zero = value == 0 ? 0 : value;
  const auto bits = std::bit_cast<uint64_t>(one_zero);
  distinct_.Add(base::Hash64({reinterpret_cast<const char*>(&bits), sizeof bits}));
}

void ColumnWatch::Clear() {
  values_.Clear();
  distinct_ = learn::DistinctSketch(kPrecision);
  sampled_ = weight_ = nulls_ = outside_ = 0;
  sum_ = 0;
}

std::optional<ColumnDistances> ColumnWatch::DistancesFrom(
    const ColumnReference& reference, const learn::WeightedValues& values) const {
  if (reference.values.empty() || values.empty() || sampled_ < kLeastValues) return {};
  ColumnDistances distances;
  const std::vector<double> shares = learn::SharesOf(values, reference.bounds);
  distances.psi = learn::PopulationStability(reference.shares, shares);
  distances.js = learn::JensenShannon(reference.shares, shares);
  distances.ks = learn::KolmogorovSmirnov(reference.values, values);
  distances.wasserstein = learn::Wasserstein(reference.values, values);
  return distances;
}

ColumnReference ColumnWatch::AsReference() const {
  return ColumnReference::Of(Values(), least(), most(), null_share());
}

void ColumnWatch::Save(base::ByteWriter& writer) const {
  values_.Save(writer);
  distinct_.Save(writer);
  writer.Varint(sampled_);
  writer.Varint(weight_);
  writer.Varint(nulls_);
  writer.Varint(outside_);
  writer.U64Le(std::bit_cast<uint64_t>(sum_));
  writer.Zigzag(newest_);
}

bool ColumnWatch::Load(base::ByteReader& reader) {
  if (!values_.Load(reader) || !distinct_.Load(reader)) return false;
  sampled_ = reader.Varint();
  weight_ = reader.Varint();
  nulls_ = reader.Varint();
  outside_ = reader.Varint();
  sum_ = std::bit_cast<double>(reader.U64Le());
  newest_ = reader.Zigzag();
  return reader.ok() && nulls_ <= weight_ && values_.count() == weight_ - nulls_ &&
         outside_ <= values_.count() && sampled_ <= weight_;
}

}  // namespace headrace::flow
