#include "learn/off_policy.h"

#include <algorithm>
#include <cmath>

namespace headrace::learn {
namespace {

constexpr double kTwoSided95 = 1.959963984540054;

}  // namespace

void OffPolicy::Moments::Add(double value, double count) {
  const double off = value - mean;
  mean += off / count;
  squares += off * (value - mean);
}

void OffPolicy::Add(const Row& row) {
  ++rows_;
  double w = row.share / row.propensity;
  largest_ = std::max(largest_, w);
  if (w > clip_) {
    w = clip_;
    ++clipped_;
  }
  const auto count = static_cast<double>(rows_);
  reward_.Add(row.reward, count);
  ips_.Add(w * row.reward, count);
  robust_.Add(row.expected + w * (row.reward - row.predicted), count);
  w_ += w;
  ww_ += w * w;
  wr_ += w * row.reward;
  wwr_ += w * w * row.reward;
  wwrr_ += w * w * row.reward * row.reward;
}

double OffPolicy::effective_rows() const {
  return ww_ > 0 ? w_ * w_ / ww_ : 0;
}

double OffPolicy::mean_weight() const {
  return rows_ > 0 ? w_ / static_cast<double>(rows_) : 0;
}

OffPolicy::Estimate OffPolicy::Of(const Moments& moments) const {
  if (rows_ < 2) return {moments.mean, moments.mean, moments.mean};
  const auto count = static_cast<double>(rows_);
  const double half = kTwoSided95 * std::sqrt(moments.squares / (count - 1) / count);
  return {moments.mean, moments.mean - half, moments.mean + half};
}

OffPolicy::Estimate OffPolicy::Logged() const {
  return Of(reward_);
}

OffPolicy::Estimate OffPolicy::Ips() const {
  return Of(ips_);
}

OffPolicy::Estimate OffPolicy::DoublyRobust() const {
  return Of(robust_);
}

OffPolicy::Estimate OffPolicy::Snips() const {
  if (!(w_ > 0)) return {};
  const double value = wr_ / w_;
  const double square = std::max(0.0, wwrr_ - 2 * value * wwr_ + value * value * ww_);
  const double half = kTwoSided95 * std::sqrt(square) / w_;
  return {value, value - half, value + half};
}

}  // namespace headrace::learn
