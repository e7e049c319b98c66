#include "learn/linear.h"

#include <algorithm>
#include <cmath>

#include "base/portable_math.h"

namespace headrace::learn {
namespace {

constexpr double kSlopeMax = 1e12;
constexpr double kGradientMax = 1e100;  // sums of its square stay finite

double Probability(double sum) {
  constexpr double kCertain = 30;  // beyond it 0 or 1, as in River
  if (sum < -kCertain) return 0;
  return sum > kCertain ? 1 : base::Sigmoid(sum);
}

// The features as the units take them: standardized, or with 0 for what is missing.
void Prepare(const Standardizer& standardizer, bool standardize, Features x,
             std::vector<double>& z) {
  if (standardize) return standardizer.Transform(x, z);
  z.assign(x.begin(), x.end());
  for (double& value : z)
    if (std::isnan(value)) value = 0;
}

}  // namespace

void Standardizer::Learn(Features x) {
  for (size_t i = 0; i < moments_.size(); ++i) {
    if (std::isnan(x[i])) continue;
    Moment& moment = moments_[i];
    moment.count += 1;
    const double off = x[i] - moment.mean;
    moment.mean += off / moment.count;
    moment.variance += (off * (x[i] - moment.mean) - moment.variance) / moment.count;
  }
}

void Standardizer::Transform(Features x, std::vector<double>& z) const {
  z.resize(moments_.size());
  for (size_t i = 0; i < moments_.size(); ++i) {
    const Moment& moment = moments_[i];
    const bool known = !std::isnan(x[i]) && moment.variance > 0;
    z[i] = known ? (x[i] - moment.mean) / std::sqrt(moment.variance) : 0;
  }
}

void Standardizer::Save(base::ByteWriter& writer) const {
  for (const Moment& moment : moments_)
    for (double value : {moment.count, moment.mean, moment.variance})
      SaveDouble(value, writer);
}

void Standardizer::Load(base::ByteReader& reader) {
  for (Moment& moment : moments_)
    for (double* value : {&moment.count, &moment.mean, &moment.variance})
      *value = LoadDouble(reader);
}

LinearUnit::LinearUnit(size_t features, const LinearOptions& options)
    : options_(options), weights_(features) {
  if (options.optimizer != Optimizer::kFtrl) return;
  sums_.resize(features);
  squares_.resize(features);
}

double LinearUnit::Sum(Features z) const {
  double sum = 0;
  for (size_t i = 0; i < weights_.size(); ++i)
    sum += weights_[i] * z[i];
  return sum + intercept_;
}

void LinearUnit::Step(Features z, double slope) {
  if (std::isnan(slope)) return;
  slope = std::clamp(slope, -kSlopeMax, kSlopeMax);
  intercept_ -= options_.intercept_rate * slope;
  if (options_.optimizer == Optimizer::kFtrl) return StepFtrl(z, slope);
  for (size_t i = 0; i < weights_.size(); ++i)
    weights_[i] -= options_.rate * (slope * z[i] + options_.l2 * weights_[i]);
}

void LinearUnit::StepFtrl(Features z, double slope) {
  for (size_t i = 0; i < weights_.size(); ++i) {
    const double root = std::sqrt(squares_[i]);
    if (std::abs(sums_[i]) > options_.l1) {
      const double beyond = sums_[i] - (sums_[i] > 0 ? options_.l1 : -options_.l1);
      weights_[i] = -(1 / ((options_.beta + root) / options_.rate + options_.l2)) * beyond;
    }
    const double gradient = std::clamp(slope * z[i], -kGradientMax, kGradientMax);
    const double square = gradient * gradient;
    const double step = (std::sqrt(squares_[i] + square) - root) / options_.rate;
    sums_[i] += gradient - step * weights_[i];
    squares_[i] += square;
  }
}

LinearUnit LinearUnit::Negated() const {
  LinearUnit unit = *this;
  unit.intercept_ = -intercept_;
  for (double& weight : unit.weights_)
    weight = -weight;
  for (double& sum : unit.sums_)
    sum = -sum;
  return unit;
}

void LinearUnit::Save(base::ByteWriter& writer) const {
  SaveDouble(intercept_, writer);
  for (const auto* values : {&weights_, &sums_, &squares_})
    for (double value : *values)
      SaveDouble(value, writer);
}

void LinearUnit::Load(base::ByteReader& reader) {
  intercept_ = LoadDouble(reader);
  for (auto* values : {&weights_, &sums_, &squares_})
    for (double& value : *values)
      value = LoadDouble(reader);
}

LogisticRegression::LogisticRegression(size_t features, const LinearOptions& options)
    : features_(features), options_(options), standardizer_(features) {}

void LogisticRegression::Vote(Features x, Votes& votes) const {
  std::vector<double> z;
  Prepare(standardizer_, options_.standardize, x, z);
  VoteOn(z, votes);
}

// Before a second class is known the first has what the second's unit leaves it.
void LogisticRegression::VoteOn(Features z, Votes& votes) const {
  votes.assign(classes_, 0);
  if (classes_ == 0) return;
  if (classes_ <= 2) {
    const double second = Probability(units_[0].Sum(z));
    votes[0] = 1 - second;
    if (classes_ == 2) votes[1] = second;
    return;
  }
  for (size_t k = 0; k < classes_; ++k)
    votes[k] = Probability(units_[k].Sum(z));
  Normalize(votes);
}

void LogisticRegression::Learn(Features x, size_t label, Votes& before) {
  std::vector<double> z;
  Prepare(standardizer_, options_.standardize, x, z);
  VoteOn(z, before);
  MakeUnits(label);
  standardizer_.Learn(x);
  Prepare(standardizer_, options_.standardize, x, z);
  for (size_t i = 0; i < units_.size(); ++i) {
    const size_t of = units_.size() == 1 ? 1 : i;
    units_[i].Step(z, Probability(units_[i].Sum(z)) - (label == of ? 1 : 0));
  }
}

void LogisticRegression::MakeUnits(size_t label) {
  classes_ = std::max(classes_, label + 1);
  if (units_.empty()) units_.emplace_back(features_, options_);
  if (classes_ <= 2) return;
  if (units_.size() == 1) units_.insert(units_.begin(), units_[0].Negated());
  while (units_.size() < classes_)
    units_.emplace_back(features_, options_);
}

void LogisticRegression::Save(base::ByteWriter& writer) const {
  standardizer_.Save(writer);
  writer.Varint(classes_);
  for (const LinearUnit& unit : units_)
    unit.Save(writer);
}

bool LogisticRegression::Load(base::ByteReader& reader) {
  standardizer_.Load(reader);
  const uint64_t classes = reader.Varint();
  const size_t units = classes <= 2 ? std::min<size_t>(classes, 1) : classes;
  if (!reader.ok() || classes > kClassesMax ||
      units * features_ > reader.remaining() / sizeof(double))
    return false;
  if (classes > 0) MakeUnits(classes - 1);
  for (LinearUnit& unit : units_)
    unit.Load(reader);
  return reader.ok();
}

size_t LogisticRegression::memory() const {
  return sizeof *this + features_ * (24 + 24 * units_.size());
}

LinearRegression::LinearRegression(size_t features, const LinearOptions& options)
    : features_(features), options_(options), standardizer_(features), unit_(features, options) {}

double LinearRegression::Estimate(Features x) const {
  std::vector<double> z;
  Prepare(standardizer_, options_.standardize, x, z);
  return unit_.Sum(z);
}

void LinearRegression::Learn(Features x, double label) {
  std::vector<double> z;
  standardizer_.Learn(x);
  Prepare(standardizer_, options_.standardize, x, z);
  unit_.Step(z, 2 * (unit_.Sum(z) - label));
}

void LinearRegression::Save(base::ByteWriter& writer) const {
  standardizer_.Save(writer);
  unit_.Save(writer);
}

bool LinearRegression::Load(base::ByteReader& reader) {
  standardizer_.Load(reader);
  unit_.Load(reader);
  return reader.ok();
}

size_t LinearRegression::memory() const {
  return sizeof *this + features_ * 48;
}

}  // namespace headrace::learn
