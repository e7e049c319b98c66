#pragma once

#include <string>
#include <vector>

#include "headrace/result.h"
#include "train/cross_validation.h"
#include "train/folds.h"
#include "train/options.h"
#include "train/table.h"

namespace headrace::train {

// An option of the trainer that may be searched for, by the name of its flag without the dashes.
struct Tunable {
  std::string_view name;
  double low;  // the least and the most that the trainer takes
  double high;
  bool whole;    // a whole number
  bool by_size;  // drawn so that 1 to 10 is as likely as 10 to 100; else evenly
};

// Those that `algorithm` looks at.
std::vector<Tunable> TunablesOf(Algorithm algorithm);

struct Range {
  std::string name;  // of a tunable
  double low = 0;
  double high = 0;
};

struct Search {
  Options options;  // what is not searched for
  std::vector<Range> ranges;
  size_t budget = 20;   // candidates, the first being the options as they are
  std::string measure;  // of evaluate.h; its mean over the folds decides
};

struct Candidate {
  Options options;
  std::vector<double> values;  // by range
  std::vector<FoldResult> results;
  double mean = 0;  // of the measure
};

struct Tuned {
  std::vector<Candidate> candidates;
  size_t best = 0;  // the first of equals
};

// Random search (Bergstra and Bengio 2012) by cross-validation: the draws follow from
// options.seed, so the same rows, ranges and budget give the same table. Errors: those of
// CrossValidate, HR3073 (a range that cannot be, a measure that the folds do not have).
Result<Tuned> Tune(const Table& table, const std::vector<Fold>& folds, const Search& search);

inline constexpr size_t kBudgetMax = 10'000;

}  // namespace headrace::train
