#include "train/elastic_net.h"

#include <algorithm>
#include <cmath>

namespace headrace::train {
namespace {

// The best weight for a curvature and a pull, within its sign.
double Best(double pull, double l1, double below, int8_t sign) {
  double weight = 0;
  if (pull > l1) weight = (pull - l1) / below;
  if (pull < -l1) weight = (pull + l1) / below;
  return sign > 0 ? std::max(weight, 0.0) : sign < 0 ? std::min(weight, 0.0) : weight;
}

}  // namespace

double ElasticNet::Of(const std::vector<double>& weights) const {
  double absolute = 0;
  double squares = 0;
  for (size_t j = 1; j < weights.size(); ++j) {
    absolute += std::abs(weights[j]);
    squares += weights[j] * weights[j];
  }
  return l1 * absolute + l2 * squares / 2;
}

bool Descend(const Quadratic& quadratic, const std::vector<double>& at, const ElasticNet& penalty,
             double tolerance, std::vector<double>* weights) {
  const size_t size = quadratic.size();
  *weights = at;
  std::vector<double> slope = quadratic.slope;  // where the weights are
  for (size_t sweep = 0; sweep < kSweepsMax; ++sweep) {
    double farthest = 0;
    for (size_t j = 0; j < size; ++j) {
      const double l1 = j == 0 ? 0 : penalty.l1;
      const double l2 = j == 0 ? 0 : penalty.l2;
      const double curvature = quadratic.row(j)[j];
      if (!(curvature + l2 > 0)) continue;
      double& weight = (*weights)[j];
      const double pull = curvature * weight - slope[j];
      const double moved = Best(pull, l1, curvature + l2, penalty.signs[j]) - weight;
      if (moved == 0) continue;
      weight += moved;
      const double* row = quadratic.row(j);
      for (size_t i = 0; i < size; ++i)
        slope[i] += moved * row[i];
      farthest = std::max(farthest, std::abs(moved));
    }
    if (farthest <= tolerance) return true;
  }
  return false;
}

double BestShift(std::vector<double> weights, double l1, double l2) {
  std::sort(weights.begin(), weights.end());
  double sum = 0;
  for (double weight : weights)
    sum += weight;
  const auto count = static_cast<double>(weights.size());
  // Between two weights, with so many below, the slope is straight.
  for (size_t below = 1; below < weights.size(); ++below) {
    const double more_above = count - 2 * static_cast<double>(below);
    if (l2 == 0 && more_above <= 0) return weights[below - 1];
    if (l2 == 0) continue;
    const double level = (sum + l1 / l2 * more_above) / count;
    if (level <= weights[below - 1]) return weights[below - 1];
    if (level < weights[below]) return level;
  }
  return weights.back();
}

}  // namespace headrace::train
