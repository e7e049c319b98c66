#pragma once

#include <span>
#include <vector>

#include "forest/forest.h"
#include "headrace/result.h"

namespace headrace::forest {

// Contributions of one row of cleaned values to its raw scores: the Shapley values of
// path-dependent TreeSHAP (Lundberg, Erion, Lee 2018), trees in order, in double. outputs x
// (features + 1) values; the last of each output is the expected value over the training data.
// O(leaves * depth). Errors: HR3003 when they are not defined: linear leaves of several features
// or beneath splits, vector leaves, a file without node counts, a tree deeper than kShapDepthMax.
Result<std::vector<double>> TreeShap(const Forest& forest, std::span<const double> cleaned);

inline constexpr int32_t kShapDepthMax = 512;

}  // namespace headrace::forest
