#include "learn/distribution_shift.h"

#include "headrace/check.h"

namespace headrace::learn {

DistributionShift::DistributionShift(const Options& options)
    : options_(options), baseline_(options.k, 1), recent_(options.k, 2) {
  HR_CHECK(options.baseline >= 2 && options.window >= 2 && options.bins >= 2 &&
           options.bins <= kBinsMax);
}

std::optional<double> DistributionShift::Add(double value) {
  if (!HasBaseline()) {
    baseline_.Add(value);
    if (HasBaseline()) FixBaseline();
    return {};
  }
  recent_.Add(value);
  if (recent_.count() == static_cast<uint64_t>(options_.window)) {
    distance_ = Distance();
    recent_.Clear();
  }
  return distance_;
}

void DistributionShift::FixBaseline() {
  baseline_values_ = baseline_.Values();
  bounds_ = EqualShares(baseline_values_, options_.bins);
  shares_ = SharesOf(baseline_values_, bounds_);
}

double DistributionShift::Distance() const {
  const WeightedValues recent = recent_.Values();
  switch (options_.measure) {
    case Measure::kPsi:
      return PopulationStability(shares_, SharesOf(recent, bounds_));
    case Measure::kKs:
      return KolmogorovSmirnov(baseline_values_, recent);
    case Measure::kJs:
      return JensenShannon(shares_, SharesOf(recent, bounds_));
    case Measure::kWasserstein:
      break;
  }
  return Wasserstein(baseline_values_, recent);
}

void DistributionShift::Save(base::ByteWriter& writer) const {
  baseline_.Save(writer);
  recent_.Save(writer);
  writer.U8(distance_ ? 1 : 0);
  SaveNumber(distance_.value_or(0), writer);
}

bool DistributionShift::Load(base::ByteReader& reader) {
  if (!baseline_.Load(reader) || !recent_.Load(reader)) return false;
  const uint8_t known = reader.U8();
  const double distance = LoadNumber(reader);
  if (known == 1) distance_ = distance;
  if (!reader.ok() || known > 1) return false;
  if (baseline_.count() > static_cast<uint64_t>(options_.baseline) ||
      recent_.count() >= static_cast<uint64_t>(options_.window)) {
    return false;
  }
  if (HasBaseline()) FixBaseline();
  return true;
}

}  // namespace headrace::learn
