#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "headrace/result.h"
#include "model/model.h"

namespace headrace::model {

// Rows that stand for what is usual: contributions are told against their mean score. Row-major.
struct Background {
  std::vector<double> features;
  size_t rows = 0;
};

// outputs x (features + 1) values, the last of each output is the mean raw score of the background.
struct AgainstBackground {
  std::vector<double> values;
  // The standard errors of the values; empty: they are exact.
  std::vector<double> errors;
};

inline constexpr size_t kBackgroundRowsMax = 10'000;
// Ways from a background row to the explained one that are walked at least, where contributions are
// sampled.
inline constexpr size_t kSampledWalks = 1024;

// Interventional Shapley values of one row (Janzing, Minorics, Blöbaum 2020): what is not known of
// a row is taken from the background, feature by feature, whatever the others are.
//
// Trees: exact, each tree walked once for each background row (Lundberg and others 2020, algorithm
// 3), in double, also where the file has no counts of training rows. Everything else: the mean over
// permutations of features, each walked there and back, the background's rows in turn (Castro,
// Gomez, Tejada 2009; antithetic: Mitchell and others 2022), with the standard error of that mean.
// Where a score is linear each walk gives the same but for its background row, and all rows are
// walked equally often: it is exact but for rounding. The permutations are the same each time. A
// raw score that is a text has NaN.
//
// Errors: HR3005 for a background without rows, or with more than kBackgroundRowsMax.
Result<AgainstBackground> ContributionsAgainst(const Model& model, std::span<const double> row,
                                               const Background& background);

}  // namespace headrace::model
