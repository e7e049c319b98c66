#pragma once

#include <string>
#include <vector>

#include "train/bins.h"
#include "train/options.h"
#include "train/table.h"
#include "train/tree.h"

namespace headrace::train {

// What a model's file is made of. A view.
struct ModelParts {
  const Table& table;
  const std::vector<FeatureBins>& bins;  // by column
  const std::vector<Tree>& trees;        // round by round, in each the outputs in order
  size_t outputs;
  std::string objective;
  const Options& options;
  // The leaves are those that count: no share of them is taken.
  bool whole_trees = false;
  bool average = false;  // the raw score is the mean over the trees of an output, not their sum
};

// The model in LightGBM's text format, version v4, as LightGBM loads it and scores it to the same
// bits. Numbers have the fewest digits that read back. Words of categories stand in the line of
// pandas' categories.
std::string ModelText(const ModelParts& parts);

}  // namespace headrace::train
