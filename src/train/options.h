#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "train/labels.h"

namespace headrace::train {

enum class Objective : uint8_t { kBinary, kRegression, kQuantile, kMulticlass };

// What is learned and how. The defaults are LightGBM's.
struct Options {
  Objective objective = Objective::kBinary;
  size_t trees = 100;  // of each class
  size_t leaves = 31;
  double learning_rate = 0.1;
  size_t min_leaf_rows = 20;
  double l2 = 0;               // added to the sum of second derivatives of a leaf
  double quantile = 0.5;       // of kQuantile
  double positive_weight = 1;  // kBinary: of the rows with label 1
  bool balanced = false;       // classes weigh the same together
  size_t early_stopping = 0;   // trees without progress on the validation rows; 0: never stop
  uint64_t seed = 1;           // of the sample that bins are made from
  size_t threads = 1;          // the result does not depend on it

  Task task() const {
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
};

inline constexpr size_t kTrainingTreesMax = 10'000;
inline constexpr size_t kTrainingLeavesMax = 8192;

}  // namespace headrace::train
