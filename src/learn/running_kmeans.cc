#include "learn/running_kmeans.h"

#include <algorithm>
#include <cmath>

#include "headrace/check.h"

namespace headrace::learn {
namespace {

constexpr double kFarthest = 1e300;  // along one feature: sums of distances stay numbers
constexpr size_t kLloydSteps = 20;
constexpr size_t kLloydWork = 100'000'000;  // values that all steps look at, about

}  // namespace

RunningKMeans::RunningKMeans(size_t features, const KMeansOptions& options, uint64_t seed)
    : features_(features), options_(options), draws_(seed), standardizer_(features) {
  HR_CHECK(features >= 1 && options.groups >= 1);
  options_.warm_start = std::max(options.warm_start, options.groups);
}

double RunningKMeans::Distance(Features x, const double* centre) const {
  double sum = 0;
  for (size_t f = 0; f < features_; ++f) {
    const double off = x[f] - centre[f];
    double square = off * off;
    if (options_.standardize) {
      const double variance = standardizer_.variance(f);
      square = variance > 0 ? square / variance : 0;
    }
    if (!std::isnan(square)) sum += std::min(square, kFarthest);
  }
  return sum;
}

size_t RunningKMeans::Nearest(Features x) const {
  size_t best = 0;
  double least = Distance(x, centres_.data());
  for (size_t group = 1; group < options_.groups; ++group) {
    const double distance = Distance(x, centres_.data() + group * features_);
    if (distance < least) {
      least = distance;
      best = group;
    }
  }
  return best;
}

std::optional<double> RunningKMeans::Answer(Features x) const {
  if (centres_.empty()) return {};
  return static_cast<double>(Nearest(x));
}

void RunningKMeans::Move(size_t group, Features x, double decay) {
  double& weight = weights_[group];
  weight = weight * decay + 1;
  double* centre = centres_.data() + group * features_;
  for (size_t f = 0; f < features_; ++f) {
    if (std::isnan(x[f])) continue;
    centre[f] = std::isnan(centre[f]) ? x[f] : centre[f] + (x[f] - centre[f]) / weight;
  }
}

void RunningKMeans::Learn(Features x) {
  standardizer_.Learn(x);
  if (!centres_.empty()) return Move(Nearest(x), x, options_.decay);
  gathered_.insert(gathered_.end(), x.begin(), x.end());
  if (GatheredCount() == options_.warm_start) Seed();
}

size_t RunningKMeans::DrawByDistance(const std::vector<double>& nearest) {
  double total = 0;
  for (double distance : nearest)
    total += distance;
  double left = draws_.Unit() * total;
  for (size_t i = 0; i < nearest.size(); ++i) {
    left -= nearest[i];
    if (left < 0) return i;
  }
  return nearest.size() - 1;
}

void RunningKMeans::Seed() {
  const size_t count = GatheredCount();
  std::vector<double> nearest(count, 1);
  for (size_t group = 0; group < options_.groups; ++group) {
    const Features drawn = Gathered(DrawByDistance(nearest));
    centres_.insert(centres_.end(), drawn.begin(), drawn.end());
    for (size_t i = 0; i < count; ++i) {
      const double distance = Distance(Gathered(i), centres_.data() + group * features_);
      nearest[i] = group == 0 ? distance : std::min(nearest[i], distance);
    }
  }
  std::vector<size_t> groups(count, options_.groups);
  const size_t work = std::max<size_t>(count * options_.groups * features_, 1);
  const size_t steps = std::clamp<size_t>(kLloydWork / work, 1, kLloydSteps);
  for (size_t step = 0; step < steps && LloydStep(groups); ++step) {
  }
  gathered_ = {};
}

bool RunningKMeans::LloydStep(std::vector<size_t>& groups) {
  bool changed = false;
  for (size_t i = 0; i < groups.size(); ++i) {
    const size_t group = Nearest(Gathered(i));
    changed = changed || group != groups[i];
    groups[i] = group;
  }
  // A group without examples stays where it is.
  std::vector<bool> begun(options_.groups);
  weights_.resize(options_.groups);
  for (size_t i = 0; i < groups.size(); ++i) {
    const size_t group = groups[i];
    if (!begun[group]) {
      begun[group] = true;
      weights_[group] = 0;
    }
    Move(group, Gathered(i), 1);
  }
  return changed;
}

void RunningKMeans::Save(base::ByteWriter& writer) const {
  draws_.Save(writer);
  standardizer_.Save(writer);
  writer.U8(centres_.empty() ? 0 : 1);
  writer.Varint(GatheredCount());
  for (const std::vector<double>* values : {&gathered_, &centres_, &weights_})
    for (double value : *values)
      SaveDouble(value, writer);
}

bool RunningKMeans::Load(base::ByteReader& reader) {
  draws_.Load(reader);
  standardizer_.Load(reader);
  const uint8_t seeded = reader.U8();
  const uint64_t gathered = reader.Varint();
  const bool fits = seeded == 1 ? gathered == 0 : gathered < options_.warm_start;
  if (seeded > 1 || !fits) return false;
  gathered_.resize(gathered * features_);
  centres_.resize(seeded * options_.groups * features_);
  weights_.resize(seeded * options_.groups);
  for (std::vector<double>* values : {&gathered_, &centres_, &weights_})
    for (double& value : *values)
      value = LoadDouble(reader);
  return reader.ok();
}

size_t RunningKMeans::memory() const {
  return sizeof *this + features_ * 24 +
         (gathered_.size() + centres_.size() + weights_.size()) * sizeof(double);
}

}  // namespace headrace::learn
