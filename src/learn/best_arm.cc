#include "learn/best_arm.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/portable_math.h"

namespace headrace::learn {
namespace {

constexpr double kMany = 20;  // parameters of a beta distribution that is nearly normal
constexpr double kFar = 5;    // deviations below a mean where nothing is left
// Where the cells of a distribution end, in deviations from its mean. The beta distribution has a
// long tail to one side.
constexpr double kNormalSteps[] = {-5, -3, -2, -1.4, -0.8, -0.3, 0.3, 0.8, 1.4, 2, 3, 5};
constexpr double kBetaSteps[] = {-5, -3, -2, -1.4, -0.8, -0.3, 0.3, 0.8, 1.4, 2, 3, 4.5, 7, 11};

// The normal distribution function from a table: within 4e-6.
class NormalTable {
 public:
  NormalTable() {
    for (size_t i = 0; i < table_.size(); ++i) {
      const double z = static_cast<double>(i) / kPerUnit - kEnd;
      table_[i] = 0.5 * (1 + base::Erf(z * 0.70710678118654752440));
    }
  }
  double At(double z) const {
    if (!(z > -kEnd)) return 0;
    if (z >= kEnd) return 1;
    const double place = (z + kEnd) * kPerUnit;
    const auto at = static_cast<size_t>(place);
    const double part = place - static_cast<double>(at);
    return table_[at] + part * (table_[at + 1] - table_[at]);
  }

 private:
  static constexpr double kEnd = 8;
  static constexpr double kPerUnit = 128;
  std::array<double, 2 * 8 * 128 + 2> table_{};
};

const NormalTable& Normal() {
  static const NormalTable kTable;
  return kTable;
}

double PeizerPratt(double a, double b, double x) {
  const auto g = [](double r) {
    if (std::abs(1 - r) < 1e-4) return (1 - r) / 3;
    return (1 - r * r + 2 * r * base::Log(r)) / ((1 - r) * (1 - r));
  };
  // The chance of at least a successes among n, each with probability x.
  const double n = a + b - 1;
  const double k = a - 1;
  const double q = 1 - x;
  const double d =
      k + 2.0 / 3 - (n + 1.0 / 3) * x + 0.02 * (q / (k + 1) - x / (n - k) + (q - 0.5) / (n + 1));
  const double spread =
      (1 + q * g((k + 0.5) / (n * x)) + x * g((n - k - 0.5) / (n * q))) / ((n + 1.0 / 6) * x * q);
  return 1 - Normal().At(d * std::sqrt(spread));
}

// The continued fraction by Lentz's method, where x is below the mean.
double Fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  const auto guarded = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / guarded(1 - (a + b) * x / (a + 1));
  double result = d;
  for (int m = 1; m <= 400; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / guarded(1 + even * d);
    c = guarded(1 + even / c);
    result *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / guarded(1 + odd * d);
    c = guarded(1 + odd / c);
    result *= d * c;
    if (std::abs(d * c - 1) < 1e-9) break;
  }
  return result;
}

}  // namespace

double LogGamma(double x) {
  double shift = 0;
  for (; x < 8; x += 1)
    shift += base::Log(x);
  const double r = 1 / (x * x);
  const double series = (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r / 1680))) / x;
  return (x - 0.5) * base::Log(x) - x + 0.91893853320467274178 + series - shift;
}

BetaDistribution::BetaDistribution(double a, double b) : a_(a), b_(b) {
  if (a < kMany || b < kMany) log_front_ = LogGamma(a + b) - LogGamma(a) - LogGamma(b);
}

double BetaDistribution::Cdf(double x) const {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (a_ >= kMany && b_ >= kMany) return PeizerPratt(a_, b_, x);
  const double front = base::Exp(log_front_ + a_ * base::Log(x) + b_ * base::Log(1 - x));
  if (x < (a_ + 1) / (a_ + b_ + 2)) return std::min(1.0, front * Fraction(a_, b_, x) / a_);
  return std::max(0.0, 1 - front * Fraction(b_, a_, 1 - x) / b_);
}

void BestArm::Prepare(std::span<const double> means, std::span<const double> deviations,
                      std::span<const double> steps) {
  double lowest = -INFINITY;  // something is above this
  double highest = -INFINITY;
  for (size_t k = 0; k < means.size(); ++k) {
    lowest = std::max(lowest, means[k] - kFar * deviations[k]);
    highest = std::max(highest, means[k] + steps.back() * deviations[k]);
  }
  able_.clear();
  double narrowest = INFINITY;
  double widest = 0;
  for (size_t k = 0; k < means.size(); ++k) {
    if (means[k] + steps.back() * deviations[k] < lowest) continue;
    able_.push_back(k);
    narrowest = std::min(narrowest, deviations[k]);
    widest = std::max(widest, deviations[k]);
  }
  edges_.clear();
  if (widest <= kAlike * narrowest) return SpreadEdges(lowest, highest, kEvenEdges);
  if (able_.size() * steps.size() > kEdgesMax) return SpreadEdges(lowest, highest, kEdgesMax);
  edges_.push_back(lowest);
  for (size_t k : able_) {
    for (double step : steps) {
      const double edge = means[k] + step * deviations[k];
      if (edge > lowest) edges_.push_back(edge);
    }
  }
  std::sort(edges_.begin(), edges_.end());
}

void BestArm::SpreadEdges(double lowest, double highest, size_t count) {
  const double width = (highest - lowest) / static_cast<double>(count - 1);
  for (size_t i = 0; i < count; ++i)
    edges_.push_back(lowest + width * static_cast<double>(i));
}

template <typename Cdf>
void BestArm::Integrate(const Cdf& cdf, std::span<double> shares) {
  std::fill(shares.begin(), shares.end(), 0.0);
  const size_t count = able_.size();
  before_.resize(count);
  now_.resize(count);
  mean_.resize(count);
  left_.resize(count + 1);
  for (size_t i = 0; i < count; ++i)
    before_[i] = cdf(able_[i], edges_.front());
  for (size_t e = 1; e < edges_.size(); ++e) {
    left_[0] = 1;
    for (size_t i = 0; i < count; ++i) {
      now_[i] = cdf(able_[i], edges_[e]);
      mean_[i] = 0.5 * (before_[i] + now_[i]);
      left_[i + 1] = left_[i] * mean_[i];
    }
    double right = 1;
    for (size_t i = count; i-- > 0;) {
      shares[able_[i]] += (now_[i] - before_[i]) * left_[i] * right;
      right *= mean_[i];
    }
    std::swap(before_, now_);
  }
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (sum > 0) {
    for (double& share : shares)
      share /= sum;
    return;
  }
  for (size_t k : able_)
    shares[k] = 1 / static_cast<double>(count);
}

void BestArm::OfNormals(std::span<const double> means, std::span<const double> deviations,
                        std::span<double> shares) {
  const NormalTable& normal = Normal();
  // What has no deviation is a step at its mean: a very narrow one, that ties may be shared.
  deviations_.assign(deviations.begin(), deviations.end());
  for (size_t k = 0; k < means.size(); ++k)
    deviations_[k] = std::max(deviations_[k], 1e-9 * (1 + std::abs(means[k])));
  Prepare(means, deviations_, kNormalSteps);
  for (double& deviation : deviations_)
    deviation = 1 / deviation;
  Integrate([&](size_t k, double x) { return normal.At((x - means[k]) * deviations_[k]); }, shares);
}

void BestArm::OfBetas(std::span<const double> a, std::span<const double> b,
                      std::span<double> shares) {
  means_.clear();
  deviations_.clear();
  for (size_t k = 0; k < a.size(); ++k) {
    const double n = a[k] + b[k];
    means_.push_back(a[k] / n);
    deviations_.push_back(std::sqrt(a[k] * b[k] / (n + 1)) / n);
  }
  Prepare(means_, deviations_, kBetaSteps);
  for (double& edge : edges_)
    edge = std::clamp(edge, 0.0, 1.0);
  edges_.erase(std::unique(edges_.begin(), edges_.end()), edges_.end());
  betas_.clear();
  for (size_t k = 0; k < a.size(); ++k)
    betas_.emplace_back(a[k], b[k]);
  Integrate([&](size_t k, double x) { return betas_[k].Cdf(x); }, shares);
}

}  // namespace headrace::learn
