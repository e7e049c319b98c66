#include "cli/train_order.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <thread>

#include "cli/workspace.h"
#include "os/worker_team.h"

namespace headrace::cli {
namespace {

using train::Algorithm;

// Which algorithms a flag says something to; others refuse it.
struct Applies {
  std::string_view flag;
  std::initializer_list<Algorithm> algorithms;
};

constexpr Algorithm kBoosting = Algorithm::kBoosting;
constexpr Algorithm kForest = Algorithm::kForest;
constexpr Algorithm kLinear = Algorithm::kLinear;
constexpr Algorithm kIsolation = Algorithm::kIsolation;
constexpr Algorithm kKMeans = Algorithm::kKMeans;

const Applies kApplies[] = {
    {"--objective", {kBoosting, kForest, kLinear}},
    {"--label", {kBoosting, kForest, kLinear}},
    {"--categorical", {kBoosting, kForest, kLinear}},
    {"--class-weight", {kBoosting, kForest, kLinear}},
    {"--positive-weight", {kBoosting, kForest, kLinear}},
    {"--folds", {kBoosting, kForest, kLinear}},
    {"--monotone", {kBoosting, kLinear}},
    {"--quantile", {kBoosting, kForest}},
    {"--trees", {kBoosting, kForest, kIsolation}},
    {"--leaves", {kBoosting, kForest}},
    {"--min-leaf-rows", {kBoosting, kForest}},
    {"--learning-rate", {kBoosting}},
    {"--l2", {kBoosting}},
    {"--early-stopping", {kBoosting}},
    {"--feature-share", {kForest}},
    {"--penalty", {kLinear}},
    {"--l1-share", {kLinear}},
    {"--sample-rows", {kIsolation}},
    {"--clusters", {kKMeans}},
};

Result<Algorithm> ReadAlgorithm(const std::string& word) {
  if (word == "boosting") return kBoosting;
  if (word == "forest") return kForest;
  if (word == "linear") return kLinear;
  if (word == "isolation") return kIsolation;
  if (word == "kmeans") return kKMeans;
  return BadUsage("--algorithm takes boosting, forest, linear, isolation or kmeans, not `" + word +
                  "`");
}

Result<train::Objective> ReadObjective(const std::string& word) {
  if (word == "binary") return train::Objective::kBinary;
  if (word == "regression") return train::Objective::kRegression;
  if (word == "quantile") return train::Objective::kQuantile;
  if (word == "multiclass") return train::Objective::kMulticlass;
  return BadUsage("--objective takes binary, regression, quantile or multiclass, not `" + word +
                  "`");
}

Result<size_t> Count(const Arguments& arguments, std::string_view flag, size_t otherwise,
                     size_t least, size_t most) {
  HR_ASSIGN(const int64_t count,
            arguments.Integer(flag, static_cast<int64_t>(otherwise), static_cast<int64_t>(least),
                              static_cast<int64_t>(most)));
  return static_cast<size_t>(count);
}

Status CheckFlags(const Arguments& arguments, Algorithm algorithm, const std::string& name) {
  for (const Applies& applies : kApplies) {
    const bool fits = std::find(applies.algorithms.begin(), applies.algorithms.end(), algorithm) !=
                      applies.algorithms.end();
    if (!fits && arguments.Has(applies.flag)) {
      return BadUsage(std::string(applies.flag) + " does not go with --algorithm " + name);
    }
  }
  for (const char* flag : {"--label", "--objective"}) {
    const bool needed = algorithm != kIsolation && algorithm != kKMeans;
    if (needed && !arguments.Has(flag)) return BadUsage(std::string(flag) + " is missing");
  }
  return Ok();
}

Status ReadWeights(const Arguments& arguments, train::Options* options) {
  const std::string* balance = arguments.Find("--class-weight");
  if (balance != nullptr && *balance != "balanced") {
    return BadUsage("--class-weight takes balanced, not `" + *balance + "`");
  }
  options->balanced = balance != nullptr;
  HR_ASSIGN(options->positive_weight,
            ReadNumber(arguments, "--positive-weight", 1, {.low = 0, .high = 1e6}));
  const bool binary = options->objective == train::Objective::kBinary;
  if (arguments.Has("--positive-weight") && (!binary || options->balanced)) {
    return BadUsage("--positive-weight is for --objective binary without --class-weight");
  }
  if (options->balanced && options->task() == train::Task::kRegression) {
    return BadUsage("--class-weight is for --objective binary and multiclass");
  }
  return Ok();
}

Status ReadTreeOptions(const Arguments& arguments, train::Options* options) {
  HR_ASSIGN(options->trees,
            Count(arguments, "--trees", options->trees, 1, train::kTrainingTreesMax));
  HR_ASSIGN(options->leaves,
            Count(arguments, "--leaves", options->leaves, 2, train::kTrainingLeavesMax));
  HR_ASSIGN(options->min_leaf_rows,
            Count(arguments, "--min-leaf-rows", options->min_leaf_rows, 1, train::kRowsMax));
  HR_ASSIGN(options->early_stopping,
            Count(arguments, "--early-stopping", 0, 1, train::kTrainingTreesMax));
  HR_ASSIGN(options->learning_rate,
            ReadNumber(arguments, "--learning-rate", options->learning_rate, {}));
  HR_ASSIGN(options->l2, ReadNumber(arguments, "--l2", 0, {.high = 1e6, .low_too = true}));
  HR_ASSIGN(options->feature_share, ReadNumber(arguments, "--feature-share", 0, {}));
  HR_ASSIGN(options->sample_rows,
            Count(arguments, "--sample-rows", options->sample_rows, 2, train::kSampleRowsMax));
  return Ok();
}

Status ReadOptions(const Arguments& arguments, train::Options* options) {
  const std::string name = arguments.Get("--algorithm", "boosting");
  HR_ASSIGN(const Algorithm algorithm, ReadAlgorithm(name));
  HR_TRY(CheckFlags(arguments, algorithm, name));
  *options = train::Options::For(algorithm);
  HR_ASSIGN(options->objective, ReadObjective(arguments.Get("--objective", "regression")));
  if (algorithm == kLinear && options->objective == train::Objective::kQuantile) {
    return BadUsage("--algorithm linear has no --objective quantile");
  }
  HR_TRY(ReadTreeOptions(arguments, options));
  HR_ASSIGN(options->quantile, ReadNumber(arguments, "--quantile", options->quantile, {}));
  if (arguments.Has("--quantile") != (options->objective == train::Objective::kQuantile)) {
    return BadUsage("--objective quantile needs --quantile, and no other takes it");
  }
  HR_ASSIGN(options->penalty,
            ReadNumber(arguments, "--penalty", options->penalty, {.high = 1e6, .low_too = true}));
  HR_ASSIGN(options->l1_share, ReadNumber(arguments, "--l1-share", 0, {.low_too = true}));
  HR_ASSIGN(options->clusters,
            Count(arguments, "--clusters", options->clusters, 1, train::kClustersMax));
  HR_ASSIGN(options->seed, Count(arguments, "--seed", options->seed, 0, INT64_MAX));
  const size_t cores = std::max(1U, std::thread::hardware_concurrency());
  HR_ASSIGN(options->threads,
            Count(arguments, "--threads", std::min(cores, os::WorkerTeam::kWorkersMax), 1,
                  os::WorkerTeam::kWorkersMax));
  HR_ASSIGN(const uint64_t memory, ReadMemory(arguments));
  if (memory > 0) options->memory = memory;
  return ReadWeights(arguments, options);
}

Status ReadColumns(const Arguments& arguments, const train::Options& options,
                   train::ColumnChoice* columns) {
  columns->label = arguments.Get("--label", "");
  columns->features = ReadList(arguments, "--features");
  columns->ignored = ReadList(arguments, "--ignore");
  columns->categorical = ReadList(arguments, "--categorical");
  HR_ASSIGN(const auto constraints, arguments.Pairs("--monotone"));
  for (const auto& [column, direction] : constraints) {
    if (direction != "+1" && direction != "1" && direction != "-1") {
      return BadUsage("--monotone takes COLUMN=+1 or COLUMN=-1, not `" + direction + "`");
    }
    columns->monotone.emplace_back(column, static_cast<int8_t>(direction == "-1" ? -1 : 1));
  }
  if (!constraints.empty() && options.objective == train::Objective::kQuantile) {
    return BadUsage("--monotone does not hold with --objective quantile");
  }
  return Ok();
}

Status ReadFolds(const Arguments& arguments, TrainOrder* order) {
  HR_ASSIGN(order->folds, Count(arguments, "--folds", 0, 2, train::kFoldsMax));
  const bool by_time = arguments.Has("--time");
  if (by_time && arguments.Has("--group")) return BadUsage("--time and --group exclude each other");
  if ((by_time || arguments.Has("--group")) != (order->folds > 0)) {
    return BadUsage("--folds N needs --time COLUMN or --group COLUMN, and these need --folds");
  }
  if (order->folds > 0 && arguments.Has("--early-stopping")) {
    return BadUsage(
        "--early-stopping does not go with --folds; search for --trees with model tune");
  }
  order->columns.fold = arguments.Get(by_time ? "--time" : "--group", "");
  order->columns.fold_by_time = by_time;
  return Ok();
}

}  // namespace

Result<double> ReadNumber(const Arguments& arguments, std::string_view flag, double otherwise,
                          const NumberLimits& limits) {
  const std::string* word = arguments.Find(flag);
  if (word == nullptr) return otherwise;
  double number = 0;
  const auto [end, error] = std::from_chars(word->data(), word->data() + word->size(), number);
  const bool whole = error == std::errc() && end == word->data() + word->size();
  const bool high_enough = limits.low_too ? number >= limits.low : number > limits.low;
  if (whole && high_enough && number <= limits.high) return number;
  return BadUsage(std::string(flag) + " takes a number " + (limits.low_too ? "from " : "above ") +
                  std::to_string(limits.low) + " up to " + std::to_string(limits.high) + ", not `" +
                  *word + "`");
}

std::vector<std::string> ReadList(const Arguments& arguments, std::string_view flag) {
  std::vector<std::string> names;
  for (const std::string& list : arguments.All(flag)) {
    size_t at = 0;
    while (at <= list.size()) {
      const size_t end = std::min(list.find(',', at), list.size());
      if (end > at) names.push_back(list.substr(at, end - at));
      at = end + 1;
    }
  }
  return names;
}

Result<TrainOrder> ReadTrainOrder(const Arguments& arguments) {
  TrainOrder order;
  HR_TRY(ReadOptions(arguments, &order.options));
  HR_TRY(ReadColumns(arguments, order.options, &order.columns));
  HR_TRY(ReadFolds(arguments, &order));
  return order;
}

Result<std::vector<train::Fold>> MakeFolds(const train::Table& table, const TrainOrder& order) {
  return order.columns.fold_by_time ? train::FoldsByTime(table.folds, order.folds)
                                    : train::FoldsByGroup(table.folds, order.folds);
}

std::vector<Flag> TrainFlags() {
  return {{"--label", "COLUMN", "what was true: 0 or 1, a number, or a class from 0"},
          {"--objective", "NAME", "binary, regression, quantile or multiclass"},
          {"--algorithm", "NAME", "boosting (default), forest, linear, isolation or kmeans"},
          {"--features", "LIST", "the columns to learn from; all others by default", true},
          {"--ignore", "LIST", "columns not to learn from", true},
          {"--categorical", "LIST", "columns of words or codes without an order", true},
          {"--monotone", "COLUMN=+1|-1", "answers never fall, never rise with it", true},
          {"--trees", "N", "of each class (100)"},
          {"--leaves", "N", "of a tree, at most (31; forest: 1024)"},
          {"--learning-rate", "X", "boosting: share of each tree that is taken (0.1)"},
          {"--min-leaf-rows", "N", "rows in a leaf, at least (20; forest: 5)"},
          {"--l2", "X", "boosting: draws leaves towards 0 (0)"},
          {"--quantile", "X", "which one, with --objective quantile"},
          {"--class-weight", "balanced", "classes weigh the same together"},
          {"--positive-weight", "X", "of the rows with label 1 (1)"},
          {"--feature-share", "X", "forest: looked at by a split (a root; of numbers a third)"},
          {"--penalty", "X", "linear: on the size of weights (0.0001)"},
          {"--l1-share", "X", "linear: of the penalty, on absolute values (0)"},
          {"--sample-rows", "N", "isolation: rows that a tree sees (256)"},
          {"--clusters", "N", "kmeans: how many (8)"},
          {"--folds", "N", "test on so many parts of the rows what the others teach"},
          {"--time", "COLUMN", "parts follow each other; only the past teaches"},
          {"--group", "COLUMN", "rows with the same text stay together"},
          {"--seed", "N", "of every draw (1)"},
          {"--threads", "N", "the bytes of the model do not depend on it (all cores)"},
          {"--memory", "SIZE", "what rows and training may take (8GiB)"}};
}

}  // namespace headrace::cli
