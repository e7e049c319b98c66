#pragma once

#include "headrace/result.h"
#include "train/options.h"
#include "train/table.h"
#include "train/trained.h"

namespace headrace::train {

// Linear regression (options.objective kRegression), logistic regression (kBinary) and multinomial
// logistic regression (kMulticlass) with an elastic net (Zou and Hastie 2005): minimises
//   mean weighted loss + penalty x (l1_share |w| + (1 - l1_share) w^2 / 2)
// over the weights of standardised features (design.h); intercepts are free. Newton's method, each
// step solved by coordinate descent (Friedman, Hastie, Tibshirani 2010) and shortened until the
// loss falls enough (Lee, Sun, Saunders 2014), class by class; ends when no step moves a weight by
// more than kLinearTolerance, for numbers times the deviation of the labels. Monotone constraints
// bound a weight's sign.
//
// The file has a tree a feature and output: one leaf that is linear in the feature (LightGBM's
// linear_tree), whose plain value, for a missing one, is that of the mean; or a leaf a category.
//
// The bytes are a function of the rows, their order, and the options but `threads`. Changes the
// values of `table`. `validation` may be null. Memory: 16 bytes a row and output, and 8 columns^2 a
// thread. Errors: HR3007, HR3070, HR3071 (no end within kNewtonStepsMax).
Result<Trained> TrainLinear(Table table, const Table* validation, const Options& options);

inline constexpr double kLinearTolerance = 1e-9;
inline constexpr size_t kNewtonStepsMax = 1000;

}  // namespace headrace::train
