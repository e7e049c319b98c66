#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace headrace::train {

// slope . d + d' curvature d / 2 around a point, d being the way from there.
struct Quadratic {
  explicit Quadratic(size_t size = 0) : curvature(size * size), slope(size) {}

  size_t size() const { return slope.size(); }
  const double* row(size_t i) const { return curvature.data() + i * size(); }
  double* row(size_t i) { return curvature.data() + i * size(); }

  std::vector<double> curvature;  // size x size, symmetric
  std::vector<double> slope;
};

// l1 |w| + l2 w^2 / 2 of every weight but the first, which is the intercept.
struct ElasticNet {
  double l1 = 0;
  double l2 = 0;
  std::vector<int8_t> signs;  // of each weight: +1 not below 0, -1 not above, 0 free

  double Of(const std::vector<double>& weights) const;
};

// Minimises the quadratic around `at` plus the penalty by cyclic coordinate descent with soft
// thresholds (Friedman, Hastie, Tibshirani 2010, glmnet; Zou and Hastie 2005, the elastic net),
// until no weight moves by more than `tolerance`. Pure. False when kSweepsMax do not do.
bool Descend(const Quadratic& quadratic, const std::vector<double>& at, const ElasticNet& penalty,
             double tolerance, std::vector<double>* weights);

// How much to take from the weights of one feature in all classes, which changes no probability, so
// that their penalty is least: between their mean and their median (Friedman, Hastie, Tibshirani
// 2010, section 4.1). Not both penalties 0.
double BestShift(std::vector<double> weights, double l1, double l2);

inline constexpr size_t kSweepsMax = 100'000;

}  // namespace headrace::train
