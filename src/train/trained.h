#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace headrace::train {

// Raw scores: a plane per output, in it one per row.
using Planes = std::vector<std::vector<double>>;

// A trained model.
struct Trained {
  std::string text;   // LightGBM's text format
  size_t rounds = 0;  // trees of each output
  Planes scores;      // boosting: raw scores of the rows learned from, as the model gives them
  double loss = 0;    // mean over the rows learned from
  double validation_loss = 0;  // mean over the validation rows; 0 without
};

}  // namespace headrace::train
