#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "headrace/result.h"

namespace headrace::train {

// Rows to learn from and rows to test on, both rising.
struct Fold {
  std::vector<uint32_t> learned;
  std::vector<uint32_t> tested;
};

// By time: the rows in the order of their times are cut into folds + 1 parts of about as many rows,
// between different times; each part but the first is tested by what was learned from all before it
// (Bergmeir and Benitez 2012 tell why not at random). Error: HR3072 (too few different times).
Result<std::vector<Fold>> FoldsByTime(std::span<const double> times, size_t folds);

// By group: the rows of a group, a whole number, are tested together; the largest group goes to the
// fold with the fewest rows, then the next. Each fold is tested by what was learned from the
// others. Error: HR3072 (fewer groups than folds).
Result<std::vector<Fold>> FoldsByGroup(std::span<const double> groups, size_t folds);

inline constexpr size_t kFoldsMax = 100;

}  // namespace headrace::train
