#pragma once

#include <span>

#include "model/forest.h"

namespace headrace::model {

// Scores rows by walking the plain forest: one comparison at a time, no limits on kinds of splits
// and leaves. Slow; it is what every faster way must equal to the last bit.
void ScoreForest(const Forest& forest, std::span<const double> features, size_t rows,
                 std::span<double> raw);

}  // namespace headrace::model
