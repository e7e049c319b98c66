#pragma once

#include "headrace/result.h"
#include "train/options.h"
#include "train/table.h"
#include "train/trained.h"

namespace headrace::train {

// Gradient boosting over histograms (Friedman 2001; Ke et al. 2017, LightGBM; quantized sums after
// Shi et al. 2022): each tree is fitted to the derivatives of the loss at the sum of those before.
//
// The bytes are a function of the rows, their order, and the options but `threads`, the same on
// every machine. `validation` (may be null) decides with early_stopping how many trees are kept: as
// many as had the smallest loss. Takes the values out of `table`. Memory: a byte a value, 44 bytes
// a row and output, and histograms. Error: HR3007.
Result<Trained> Train(Table table, const Table* validation, const Options& options);

}  // namespace headrace::train
