#pragma once

#include <string>
#include <vector>

#include "headrace/result.h"
#include "train/loss.h"
#include "train/options.h"
#include "train/table.h"

namespace headrace::train {

// A trained model.
struct Trained {
  std::string text;            // LightGBM's text format
  size_t rounds = 0;           // trees of each output
  Planes scores;               // raw scores of the rows learned from, as the model gives them
  double loss = 0;             // mean over the rows learned from
  double validation_loss = 0;  // mean over the validation rows; 0 without
};

// Gradient boosting over histograms (Friedman 2001; Ke et al. 2017, LightGBM; quantized sums after
// Shi et al. 2022): each tree is fitted to the derivatives of the loss at the sum of those before.
//
// The bytes are a function of the rows, their order, and the options but `threads`, the same on
// every machine. `validation` (may be null) decides with early_stopping how many trees are kept: as
// many as had the smallest loss. Takes the values out of `table`. Memory: a byte a value, 44 bytes
// a row and output, and histograms. Error: HR3007.
Result<Trained> Train(Table table, const Table* validation, const Options& options);

}  // namespace headrace::train
