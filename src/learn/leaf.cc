#include "learn/leaf.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/portable_math.h"
#include "headrace/check.h"

namespace headrace::learn {
namespace {

constexpr int kThresholds = 10;                         // tried between the extremes of a feature
constexpr double kBranchShareMin = 0.01;                // of the weight, in each of two branches
constexpr double kHalfLogTau = 0.91893853320467274178;  // log(2 pi) / 2
constexpr double kRootHalf = 0.70710678118654752440;
constexpr double kInverseLn2 = 1.4426950408889634074;

double Sum(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

// In bits, times the sum of the weights.
double WeightedEntropy(std::span<const double> weights, double sum) {
  if (!(sum > 0)) return 0;
  double entropy = sum * base::Log(sum);
  for (double weight : weights)
    if (weight > 0) entropy -= weight * base::Log(weight);
  return entropy * kInverseLn2;
}

}  // namespace

void Observer::Add(double value, double add_weight) {
  if (weight == 0) min = max = value;
  min = std::min(min, value);
  max = std::max(max, value);
  weight += add_weight;
  const double off = value - mean;
  mean += add_weight / weight * off;
  squares += add_weight * off * (value - mean);
  Derive();
}

void Observer::Derive() {
  const double variance = weight > 1 ? squares / (weight - 1) : 0;
  const bool known = variance >= std::numeric_limits<double>::min() && std::isfinite(variance);
  log_scale = known ? -kHalfLogTau - 0.5 * base::Log(variance) : 0;
  steepness = known ? -0.5 / variance : 0;
}

double Observer::WeightUpTo(double value) const {
  if (value < min) return 0;
  if (value >= max) return weight;
  if (steepness == 0) return 0;
  const double z = (value - mean) * std::sqrt(-2 * steepness);
  return weight * 0.5 * (1 + base::Erf(z * kRootHalf));
}

Leaf::Leaf(size_t features) : watched_(features) {
  std::iota(watched_.begin(), watched_.end(), uint16_t{0});
}

Leaf::Leaf(size_t features, size_t watched, Draws& draws) : Leaf(features) {
  HR_CHECK(watched <= features);
  if (watched == features) return;
  for (size_t i = 0; i < watched; ++i)
    std::swap(watched_[i], watched_[i + draws.Below(features - i)]);
  watched_.resize(watched);
  watched_.shrink_to_fit();
  std::sort(watched_.begin(), watched_.end());
}

std::span<const Observer> Leaf::Row(size_t label) const {
  const size_t width = watched_.size();
  if ((label + 1) * width > observers_.size()) return {};
  return std::span(observers_).subspan(label * width, width);
}

void Leaf::SetClassWeights(std::vector<double> weights) {
  class_weights_ = std::move(weights);
  weight_ = Sum(class_weights_);
  last_attempt_ = weight_;
}

bool Leaf::HasTaken(double weight) {
  constexpr double kSlack = 1e-6;  // the weights of a new leaf are no whole numbers
  if (weight_ - last_attempt_ < weight - kSlack) return false;
  last_attempt_ = weight_;
  return true;
}

void Leaf::Vote(Features x, Votes& votes) const {
  if (bayes_right_ >= majority_right_) return NaiveBayes(x, votes);
  votes.assign(class_weights_.begin(), class_weights_.end());
  Normalize(votes);
}

// Sums of logarithms; the largest becomes 0 before they are taken back.
void Leaf::NaiveBayes(Features x, Votes& votes) const {
  votes.assign(class_weights_.size(), 0);
  if (!(weight_ > 0)) return;
  double most = -std::numeric_limits<double>::infinity();
  for (size_t k = 0; k < votes.size(); ++k) {
    if (!(class_weights_[k] > 0)) continue;
    double likelihood = base::Log(class_weights_[k] / weight_);
    const std::span<const Observer> row = Row(k);
    for (size_t i = 0; i < row.size(); ++i) {
      const double off = x[watched_[i]] - row[i].mean;
      const double term = off * off * row[i].steepness + row[i].log_scale;
      if (!std::isnan(term)) likelihood += term;
    }
    votes[k] = likelihood;
    most = std::max(most, likelihood);
  }
  if (!std::isfinite(most)) {  // beyond all that was seen: as often as they came
    for (size_t k = 0; k < votes.size(); ++k)
      votes[k] = class_weights_[k] / weight_;
    return;
  }
  double sum = 0;
  for (size_t k = 0; k < votes.size(); ++k) {
    if (!(class_weights_[k] > 0)) continue;
    votes[k] = base::Exp(votes[k] - most);
    sum += votes[k];
  }
  for (double& vote : votes)
    vote /= sum;
}

void Leaf::Learn(Features x, size_t label, double weight, bool room, Votes& before) {
  NaiveBayes(x, before);
  const bool bayes_is_right = MostVotes(before) == static_cast<int>(label);
  if (bayes_right_ < majority_right_) {
    before.assign(class_weights_.begin(), class_weights_.end());
    Normalize(before);
  }
  const int most = MostVotes(class_weights_);
  if (most < 0 || most == static_cast<int>(label)) majority_right_ += weight;
  if (bayes_is_right) bayes_right_ += weight;
  Count(x, label, weight, room);
}

void Leaf::Count(Features x, size_t label, double weight, bool room) {
  if (label >= class_weights_.size()) class_weights_.resize(label + 1);
  class_weights_[label] += weight;
  weight_ += weight;
  Observe(x, label, weight, room);
}

void Leaf::Observe(Features x, size_t label, double weight, bool room) {
  const size_t width = watched_.size();
  if ((label + 1) * width > observers_.size()) {
    if (!room) return;
    observers_.resize((label + 1) * width);
  }
  for (size_t i = 0; i < width; ++i) {
    const double value = x[watched_[i]];
    if (!std::isnan(value)) observers_[label * width + i].Add(value, weight);
  }
}

double Leaf::Merit(double before, const std::vector<double>& left,
                   const std::vector<double>& right) {
  const double left_sum = Sum(left);
  const double right_sum = Sum(right);
  const double sum = left_sum + right_sum;
  if (!(left_sum > kBranchShareMin * sum && right_sum > kBranchShareMin * sum)) return -1;
  return before - (WeightedEntropy(left, left_sum) + WeightedEntropy(right, right_sum)) / sum;
}

void Leaf::BestThreshold(size_t at, Split& best) const {
  const size_t width = watched_.size();
  double min = std::numeric_limits<double>::infinity();
  double max = -min;
  for (size_t i = at; i < observers_.size(); i += width) {
    if (observers_[i].weight == 0) continue;
    min = std::min(min, observers_[i].min);
    max = std::max(max, observers_[i].max);
  }
  if (!(min < max)) return;
  const double step = (max - min) / (kThresholds + 1);
  const double before = WeightedEntropy(class_weights_, weight_) / weight_;
  std::vector<double> left(class_weights_.size());
  std::vector<double> right(class_weights_.size());
  for (int t = 1; t <= kThresholds; ++t) {
    const double threshold = min + step * t;
    if (!(min < threshold && threshold < max)) continue;
    for (size_t i = at, k = 0; i < observers_.size(); i += width, ++k) {
      left[k] = observers_[i].WeightUpTo(threshold);
      right[k] = observers_[i].weight - left[k];
    }
    const double merit = Merit(before, left, right);
    if (merit > best.merit) best = {merit, watched_[at], threshold, left, right};
  }
}

Split Leaf::BestSplit(double* second) const {
  Split best;
  *second = 0;
  for (size_t at = 0; at < watched_.size(); ++at) {
    Split split;
    BestThreshold(at, split);
    if (split.merit < 0) continue;
    if (split.merit < best.merit) {
      *second = std::max(*second, split.merit);
    } else {
      *second = std::max(*second, best.merit);
      best = std::move(split);
    }
  }
  return best;
}

Split Leaf::BestSplitOf(size_t feature) const {
  Split best;
  for (size_t at = 0; at < watched_.size(); ++at)
    if (watched_[at] == feature) BestThreshold(at, best);
  return best;
}

bool Leaf::IsPure() const {
  return ClassCount() < 2;
}

size_t Leaf::ClassCount() const {
  return static_cast<size_t>(std::count_if(class_weights_.begin(), class_weights_.end(),
                                           [](double weight) { return weight > 0; }));
}

double Leaf::LargestShare() const {
  if (class_weights_.empty()) return 1;
  return *std::max_element(class_weights_.begin(), class_weights_.end()) / weight_;
}

void Leaf::Save(base::ByteWriter& writer) const {
  writer.Varint(watched_.size());
  for (uint16_t feature : watched_)
    writer.Varint(feature);
  SaveDoubles(class_weights_, writer);
  for (double value : {weight_, majority_right_, bayes_right_, last_attempt_})
    SaveDouble(value, writer);
  writer.Varint(observers_.size());
  for (const Observer& observer : observers_)
    for (double value :
         {observer.weight, observer.mean, observer.squares, observer.min, observer.max})
      SaveDouble(value, writer);
}

bool Leaf::Load(size_t features, base::ByteReader& reader) {
  const uint64_t watched = reader.Varint();
  if (watched > features) return false;
  watched_.resize(watched);
  for (uint16_t& feature : watched_) {
    const uint64_t number = reader.Varint();
    if (number >= features) return false;
    feature = static_cast<uint16_t>(number);
  }
  if (!LoadDoubles(kClassesMax, class_weights_, reader)) return false;
  for (double* value : {&weight_, &majority_right_, &bayes_right_, &last_attempt_})
    *value = LoadDouble(reader);
  return LoadObservers(reader);
}

bool Leaf::LoadObservers(base::ByteReader& reader) {
  constexpr size_t kBytes = 5 * sizeof(double);
  const uint64_t count = reader.Varint();
  if (count > class_weights_.size() * watched_.size() || count > reader.remaining() / kBytes ||
      (count > 0 && count % watched_.size() != 0))
    return false;
  observers_.resize(count);
  for (Observer& observer : observers_) {
    for (double* value :
         {&observer.weight, &observer.mean, &observer.squares, &observer.min, &observer.max})
      *value = LoadDouble(reader);
    observer.Derive();
  }
  return reader.ok();
}

}  // namespace headrace::learn
