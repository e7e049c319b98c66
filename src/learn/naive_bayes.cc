#include "learn/naive_bayes.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/portable_math.h"

namespace headrace::learn {

double NaiveBayes::Moment::LogDensity(double value) const {
  constexpr double kTau = 6.28318530717958647693;
  constexpr double kLeast = 1e-9;
  const double variance = count > 0 ? squares / count : 0;
  if (!(variance > 0) || !std::isfinite(variance)) return base::Log(kLeast);
  const double off = value - mean;
  const double exponent = off * off / (-2 * variance);
  return base::Log(kLeast + base::Exp(exponent) / std::sqrt(kTau * variance));
}

void NaiveBayes::Vote(Features x, Votes& votes) const {
  votes.assign(counts_.size(), 0);
  double most = -std::numeric_limits<double>::infinity();
  for (size_t k = 0; k < votes.size(); ++k) {
    if (counts_[k] == 0) continue;
    double likelihood = base::Log(counts_[k] / examples_);
    for (size_t f = 0; f < features_; ++f)
      if (!std::isnan(x[f])) likelihood += moments_[k * features_ + f].LogDensity(x[f]);
    votes[k] = likelihood;
    most = std::max(most, likelihood);
  }
  for (size_t k = 0; k < votes.size(); ++k)
    votes[k] = counts_[k] == 0 ? 0 : base::Exp(votes[k] - most);
  Normalize(votes);
}

void NaiveBayes::Learn(Features x, size_t label, Votes& before) {
  Vote(x, before);
  if (label >= counts_.size()) {
    counts_.resize(label + 1);
    moments_.resize(counts_.size() * features_);
  }
  examples_ += 1;
  counts_[label] += 1;
  for (size_t f = 0; f < features_; ++f) {
    if (std::isnan(x[f])) continue;
    Moment& moment = moments_[label * features_ + f];
    moment.count += 1;
    const double off = x[f] - moment.mean;
    moment.mean += off / moment.count;
    moment.squares += off * (x[f] - moment.mean);
  }
}

void NaiveBayes::Save(base::ByteWriter& writer) const {
  SaveDouble(examples_, writer);
  SaveDoubles(counts_, writer);
  for (const Moment& moment : moments_)
    for (double value : {moment.count, moment.mean, moment.squares})
      SaveDouble(value, writer);
}

bool NaiveBayes::Load(base::ByteReader& reader) {
  examples_ = LoadDouble(reader);
  if (!LoadDoubles(kClassesMax, counts_, reader) ||
      counts_.size() * features_ > reader.remaining() / (3 * sizeof(double)))
    return false;
  moments_.resize(counts_.size() * features_);
  for (Moment& moment : moments_)
    for (double* value : {&moment.count, &moment.mean, &moment.squares})
      *value = LoadDouble(reader);
  return reader.ok();
}

size_t NaiveBayes::memory() const {
  return sizeof *this + counts_.size() * sizeof(double) + moments_.size() * sizeof(Moment);
}

}  // namespace headrace::learn
