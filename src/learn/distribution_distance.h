#pragma once

#include <vector>

#include "learn/quantile_sketch.h"

namespace headrace::learn {

// How far two distributions are from each other, by samples of them: all values, or what sketches
// kept. None is empty. Of sketches the errors of the shares (quantile_sketch.h) add up.

// The largest distance of the two shares of values up to a number, in [0, 1]: Kolmogorov and
// Smirnov.
double KolmogorovSmirnov(const WeightedValues& a, const WeightedValues& b);

// The area between the two: how far values must be moved in the mean, in their unit (Vallender
// 1974).
double Wasserstein(const WeightedValues& a, const WeightedValues& b);

// Bounds between `bins` bins that have equal shares of `values`; as many as are different.
std::vector<double> EqualShares(const WeightedValues& values, int bins);

// The share of values in each bin; one that is a bound belongs to the bin below.
std::vector<double> SharesOf(const WeightedValues& values, const std::vector<double>& bounds);

// The population stability index, sum of (b - a) ln(b / a) over bins: above 0.1 is a shift worth
// looking at, above 0.25 a large one (Siddiqi, "Credit Risk Scorecards", 2006). Shares below 0.0001
// count as that, so that an empty bin is not infinite.
double PopulationStability(const std::vector<double>& a, const std::vector<double>& b);

// The square root of the Jensen-Shannon divergence to base 2, in [0, 1] (Endres and Schindelin, "A
// New Metric for Probability Distributions", IEEE Information Theory 2003).
double JensenShannon(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace headrace::learn
