#pragma once

#include <vector>

#include "train/design.h"
#include "train/tree.h"

namespace headrace::train {

// Weights of a design, by output and column, as trees over the features as they come: a round for
// each feature with a weight, in it a tree an output; the first carries the intercepts. Without any
// weight a round of constants.
std::vector<Tree> LinearTrees(const Design& design,
                              const std::vector<std::vector<double>>& weights);

}  // namespace headrace::train
