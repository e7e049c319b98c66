#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "train/labels.h"

namespace headrace::train {

enum class Objective : uint8_t { kBinary, kRegression, kQuantile, kMulticlass };

enum class Algorithm : uint8_t {
  kBoosting,
  kForest,
  kLinear,     // linear or logistic regression, by the objective
  kIsolation,  // looks at no label
  kKMeans,     // looks at no label
};

// What is learned and how. The defaults are those of boosting, and LightGBM's.
struct Options {
  Objective objective = Objective::kBinary;
  size_t trees = 100;  // of each class
  size_t leaves = 31;
  double learning_rate = 0.1;
  size_t min_leaf_rows = 20;
  double l2 = 0;                    // added to the sum of second derivatives of a leaf
  double quantile = 0.5;            // of kQuantile
  double positive_weight = 1;       // kBinary: of the rows with label 1
  bool balanced = false;            // classes weigh the same together
  size_t early_stopping = 0;        // trees without progress on the validation rows; 0: never stop
  uint64_t seed = 1;                // of every draw
  size_t threads = 1;               // the result does not depend on it
  size_t memory = size_t{8} << 30;  // bytes that rows and training may take

  Algorithm algorithm = Algorithm::kBoosting;
  double feature_share = 0;  // kForest: of the features, at each split; 0: the usual
  double penalty = 1e-4;     // kLinear: of the size of the weights
  double l1_share = 0;       // kLinear: how much of it is of their absolute values
  size_t sample_rows = 256;  // kIsolation: rows that a tree sees
  size_t clusters = 8;       // kKMeans

  // What `algorithm` needs to differ from the defaults above.
  static Options For(Algorithm algorithm) {
    Options options;
    options.algorithm = algorithm;
    if (algorithm == Algorithm::kForest) {
      options.leaves = 1024;
      options.min_leaf_rows = 5;
    }
    return options;
  }

  // What labels must be; those that are not looked at may be anything.
  Task task() const {
    if (algorithm == Algorithm::kIsolation || algorithm == Algorithm::kKMeans) {
      return Task::kRegression;
    }
    if (objective == Objective::kBinary) return Task::kBinary;
    return objective == Objective::kMulticlass ? Task::kMulticlass : Task::kRegression;
  }
};

// Which columns of a table are taken for what.
struct ColumnChoice {
  std::string label;
  std::vector<std::string> features;  // in this order; empty: all but the label and those ignored
  std::vector<std::string> ignored;
  std::vector<std::string> categorical;
  std::vector<std::pair<std::string, int8_t>> monotone;  // +1: never falls, -1: never rises
  // Says which rows are tested together (folds.h); no feature. Empty: none.
  std::string fold;
  bool fold_by_time = false;
};

inline constexpr size_t kTrainingTreesMax = 10'000;
inline constexpr size_t kTrainingLeavesMax = 8192;
inline constexpr size_t kClustersMax = 256;
inline constexpr size_t kSampleRowsMax = 65'536;

}  // namespace headrace::train
