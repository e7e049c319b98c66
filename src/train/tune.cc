#include "train/tune.h"

#include <algorithm>
#include <cmath>

#include "base/portable_math.h"
#include "os/random.h"

namespace headrace::train {
namespace {

constexpr Tunable kTrees = {"trees", 1, static_cast<double>(kTrainingTreesMax), true, true};
constexpr Tunable kLeaves = {"leaves", 2, static_cast<double>(kTrainingLeavesMax), true, true};
constexpr Tunable kMinLeafRows = {"min-leaf-rows", 1, static_cast<double>(kRowsMax), true, true};

Error BadSearch(std::string message, std::string hint) {
  return Error(ErrorKind::kInvalidArgument, "HR3073", std::move(message)).WithHint(std::move(hint));
}

void Set(std::string_view name, double value, Options* options) {
  const auto count = static_cast<size_t>(value);
  if (name == "trees") options->trees = count;
  if (name == "leaves") options->leaves = count;
  if (name == "min-leaf-rows") options->min_leaf_rows = count;
  if (name == "learning-rate") options->learning_rate = value;
  if (name == "l2") options->l2 = value;
  if (name == "feature-share") options->feature_share = value;
  if (name == "penalty") options->penalty = value;
  if (name == "l1-share") options->l1_share = value;
}

double Get(std::string_view name, const Options& options) {
  if (name == "trees") return static_cast<double>(options.trees);
  if (name == "leaves") return static_cast<double>(options.leaves);
  if (name == "min-leaf-rows") return static_cast<double>(options.min_leaf_rows);
  if (name == "learning-rate") return options.learning_rate;
  if (name == "l2") return options.l2;
  if (name == "feature-share") return options.feature_share;
  return name == "penalty" ? options.penalty : options.l1_share;
}

Result<Tunable> Find(const Range& range, Algorithm algorithm) {
  std::string names;
  for (const Tunable& tunable : TunablesOf(algorithm)) {
    names += (names.empty() ? "" : ", ") + std::string(tunable.name);
    if (tunable.name != range.name) continue;
    const bool fits = range.low >= tunable.low && range.high <= tunable.high &&
                      range.low <= range.high && (!tunable.by_size || range.low > 0);
    if (fits) return tunable;
    return BadSearch(
        "the range of " + range.name + " is outside what the trainer takes, or turned round",
        "from " + std::to_string(tunable.low) + " to " + std::to_string(tunable.high));
  }
  return BadSearch(
      "there is nothing called \"" + range.name + "\" to search for",
      names.empty() ? "this algorithm has nothing to search for" : "there are " + names);
}

double Draw(const Range& range, const Tunable& tunable, os::SeededRandom& random) {
  const double share = static_cast<double>(random.Next() >> 11) * 0x1p-53;
  double value = range.low + share * (range.high - range.low);
  if (tunable.by_size) {
    value = base::Exp(base::Log(range.low) * (1 - share) + base::Log(range.high) * share);
  }
  if (tunable.whole) value = std::floor(value + 0.5);
  return std::clamp(value, range.low, range.high);
}

}  // namespace

std::vector<Tunable> TunablesOf(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kBoosting:
      return {kTrees,
              kLeaves,
              kMinLeafRows,
              {"learning-rate", 1e-6, 1, false, true},
              {"l2", 0, 1e6, false, false}};
    case Algorithm::kForest:
      return {kTrees, kLeaves, kMinLeafRows, {"feature-share", 1e-6, 1, false, false}};
    case Algorithm::kLinear:
      return {{"penalty", 1e-12, 1e6, false, true}, {"l1-share", 0, 1, false, false}};
    case Algorithm::kIsolation:
    case Algorithm::kKMeans:
      return {};
  }
  return {};
}

Result<Tuned> Tune(const Table& table, const std::vector<Fold>& folds, const Search& search) {
  std::vector<Tunable> tunables;
  for (const Range& range : search.ranges) {
    HR_ASSIGN(const Tunable tunable, Find(range, search.options.algorithm));
    tunables.push_back(tunable);
  }
  os::SeededRandom random(search.options.seed);
  Tuned tuned;
  for (size_t i = 0; i < search.budget; ++i) {
    Candidate candidate;
    candidate.options = search.options;
    for (size_t r = 0; r < tunables.size(); ++r) {
      const std::string_view name = tunables[r].name;
      if (i > 0) Set(name, Draw(search.ranges[r], tunables[r], random), &candidate.options);
      candidate.values.push_back(Get(name, candidate.options));
    }
    HR_ASSIGN(candidate.results, CrossValidate(table, folds, candidate.options));
    candidate.mean = MeanOf(candidate.results, search.measure);
    if (std::isnan(candidate.mean)) {
      return BadSearch("the folds have no " + search.measure,
                       "another --measure, or fewer --folds, so that each has both classes");
    }
    const double best = tuned.candidates.empty() ? 0 : tuned.candidates[tuned.best].mean;
    const bool better =
        LessIsBetter(search.measure) ? candidate.mean < best : candidate.mean > best;
    if (tuned.candidates.empty() || better) tuned.best = i;
    tuned.candidates.push_back(std::move(candidate));
  }
  return tuned;
}

}  // namespace headrace::train
