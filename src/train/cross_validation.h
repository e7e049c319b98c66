#pragma once

#include <string_view>
#include <vector>

#include "headrace/result.h"
#include "train/evaluate.h"
#include "train/folds.h"
#include "train/options.h"
#include "train/table.h"

namespace headrace::train {

// How a model did that was learned from one fold's rows, on those to be tested.
struct FoldResult {
  size_t learned = 0;  // rows
  size_t tested = 0;
  std::vector<Measure> measures;  // those of evaluate.h; of a quantile `pinball` comes first
};

// Learns and measures fold after fold, through the files that Learn writes. Memory: a copy of the
// rows. Errors: those of Learn, HR3072 (a fold learns from one class only).
Result<std::vector<FoldResult>> CrossValidate(const Table& table, const std::vector<Fold>& folds,
                                              const Options& options);

// The mean of a measure over the folds; NaN when one of them has none.
double MeanOf(const std::vector<FoldResult>& results, std::string_view measure);

// What a search looks at unless told otherwise.
std::string_view UsualMeasure(Objective objective);
// Whether less of it is better.
bool LessIsBetter(std::string_view measure);

}  // namespace headrace::train
