#include "learn/distribution_distance.h"

#include <algorithm>
#include <cmath>

#include "base/portable_math.h"

namespace headrace::learn {
namespace {

constexpr double kLeastShare = 1e-4;
constexpr double kLn2 = 0.69314718055994530942;

double Total(const WeightedValues& values) {
  uint64_t total = 0;
  for (const WeightedValue& value : values)
    total += value.weight;
  return static_cast<double>(total);
}

// Calls `see(value, next value, share of a up to it, share of b up to it)` for every value of both.
template <typename See>
void Merge(const WeightedValues& a, const WeightedValues& b, const See& see) {
  const double total_a = Total(a);
  const double total_b = Total(b);
  uint64_t seen_a = 0;
  uint64_t seen_b = 0;
  size_t i = 0;
  size_t j = 0;
  const auto next = [&] {
    return j == b.size() || (i < a.size() && a[i].value < b[j].value) ? a[i].value : b[j].value;
  };
  while (i < a.size() || j < b.size()) {
    const double value = next();
    if (i < a.size() && a[i].value == value) seen_a += a[i++].weight;
    if (j < b.size() && b[j].value == value) seen_b += b[j++].weight;
    const bool last = i == a.size() && j == b.size();
    see(value, last ? value : next(), static_cast<double>(seen_a) / total_a,
        static_cast<double>(seen_b) / total_b);
  }
}

// x ln(x / m); 0 for nothing.
double Divergence(double x, double m) {
  return x > 0 ? x * base::Log(x / m) : 0;
}

}  // namespace

double KolmogorovSmirnov(const WeightedValues& a, const WeightedValues& b) {
  double largest = 0;
  Merge(a, b, [&](double, double, double share_a, double share_b) {
    largest = std::max(largest, std::abs(share_a - share_b));
  });
  return largest;
}

double Wasserstein(const WeightedValues& a, const WeightedValues& b) {
  double area = 0;
  Merge(a, b, [&](double value, double next, double share_a, double share_b) {
    area += std::abs(share_a - share_b) * (next - value);
  });
  return area;
}

std::vector<double> EqualShares(const WeightedValues& values, int bins) {
  std::vector<double> bounds;
  for (int i = 1; i < bins; ++i)
    bounds.push_back(QuantileOf(values, static_cast<double>(i) / bins));
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  return bounds;
}

std::vector<double> SharesOf(const WeightedValues& values, const std::vector<double>& bounds) {
  std::vector<uint64_t> counts(bounds.size() + 1);
  size_t bin = 0;
  for (const WeightedValue& value : values) {
    while (bin < bounds.size() && value.value > bounds[bin])
      ++bin;
    counts[bin] += value.weight;
  }
  const double total = Total(values);
  std::vector<double> shares;
  for (uint64_t count : counts)
    shares.push_back(static_cast<double>(count) / total);
  return shares;
}

double PopulationStability(const std::vector<double>& a, const std::vector<double>& b) {
  double index = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double before = std::max(a[i], kLeastShare);
    const double now = std::max(b[i], kLeastShare);
    index += (now - before) * base::Log(now / before);
  }
  return index;
}

double JensenShannon(const std::vector<double>& a, const std::vector<double>& b) {
  double divergence = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double middle = (a[i] + b[i]) / 2;
    divergence += Divergence(a[i], middle) + Divergence(b[i], middle);
  }
  return std::sqrt(std::max(0.0, divergence / (2 * kLn2)));
}

}  // namespace headrace::learn
