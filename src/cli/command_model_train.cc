#include <algorithm>
#include <charconv>
#include <optional>
#include <thread>

#include "cli/commands.h"
#include "cli/model_file.h"
#include "os/clock.h"
#include "os/worker_team.h"
#include "train/boosting.h"
#include "train/training_baseline.h"

namespace headrace::cli {
namespace {

// What the command line asks for.
struct Order {
  train::Options options;
  train::ColumnChoice columns;
  std::string input;
  std::string output;
  std::string validation;  // empty: none
};

std::vector<std::string> Listed(const Arguments& arguments, std::string_view flag) {
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

Result<double> Number(const Arguments& arguments, std::string_view flag, double otherwise,
                      double above, double most) {
  const std::string* word = arguments.Find(flag);
  if (word == nullptr) return otherwise;
  double number = 0;
  const auto [end, error] = std::from_chars(word->data(), word->data() + word->size(), number);
  const bool whole = error == std::errc() && end == word->data() + word->size();
  if (whole && number > above && number <= most) return number;
  return BadUsage(std::string(flag) + " takes a number above " + std::to_string(above) + " up to " +
                  std::to_string(most) + ", not `" + *word + "`");
}

Result<size_t> Count(const Arguments& arguments, std::string_view flag, size_t otherwise,
                     size_t least, size_t most) {
  HR_ASSIGN(const int64_t count,
            arguments.Integer(flag, static_cast<int64_t>(otherwise), static_cast<int64_t>(least),
                              static_cast<int64_t>(most)));
  return static_cast<size_t>(count);
}

Result<train::Objective> ReadObjective(const std::string& word) {
  if (word == "binary") return train::Objective::kBinary;
  if (word == "regression") return train::Objective::kRegression;
  if (word == "quantile") return train::Objective::kQuantile;
  if (word == "multiclass") return train::Objective::kMulticlass;
  return BadUsage("--objective takes binary, regression, quantile or multiclass, not `" + word +
                  "`");
}

Status ReadWeights(const Arguments& arguments, train::Options* options) {
  const std::string* balance = arguments.Find("--class-weight");
  if (balance != nullptr && *balance != "balanced") {
    return BadUsage("--class-weight takes balanced, not `" + *balance + "`");
  }
  options->balanced = balance != nullptr;
  HR_ASSIGN(options->positive_weight, Number(arguments, "--positive-weight", 1, 0, 1e6));
  const bool binary = options->objective == train::Objective::kBinary;
  if (arguments.Has("--positive-weight") && (!binary || options->balanced)) {
    return BadUsage("--positive-weight is for --objective binary without --class-weight");
  }
  if (options->balanced && options->task() == train::Task::kRegression) {
    return BadUsage("--class-weight is for --objective binary and multiclass");
  }
  return Ok();
}

Status ReadOptions(const Arguments& arguments, train::Options* options) {
  HR_ASSIGN(options->objective, ReadObjective(arguments.Get("--objective", "")));
  HR_ASSIGN(options->trees,
            Count(arguments, "--trees", options->trees, 1, train::kTrainingTreesMax));
  HR_ASSIGN(options->leaves,
            Count(arguments, "--leaves", options->leaves, 2, train::kTrainingLeavesMax));
  HR_ASSIGN(options->min_leaf_rows,
            Count(arguments, "--min-leaf-rows", options->min_leaf_rows, 1, train::kRowsMax));
  HR_ASSIGN(options->early_stopping,
            Count(arguments, "--early-stopping", 0, 1, train::kTrainingTreesMax));
  HR_ASSIGN(options->learning_rate,
            Number(arguments, "--learning-rate", options->learning_rate, 0, 1));
  HR_ASSIGN(options->quantile, Number(arguments, "--quantile", options->quantile, 0, 1));
  if (arguments.Has("--quantile") != (options->objective == train::Objective::kQuantile)) {
    return BadUsage("--objective quantile needs --quantile, and no other takes it");
  }
  HR_ASSIGN(options->seed, Count(arguments, "--seed", options->seed, 0, INT64_MAX));
  const size_t cores = std::max(1U, std::thread::hardware_concurrency());
  HR_ASSIGN(options->threads,
            Count(arguments, "--threads", std::min(cores, os::WorkerTeam::kWorkersMax), 1,
                  os::WorkerTeam::kWorkersMax));
  return ReadWeights(arguments, options);
}

Status ReadColumns(const Arguments& arguments, const train::Options& options,
                   train::ColumnChoice* columns) {
  columns->label = arguments.Get("--label", "");
  columns->features = Listed(arguments, "--features");
  columns->ignored = Listed(arguments, "--ignore");
  columns->categorical = Listed(arguments, "--categorical");
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

Result<Order> ReadOrder(const Arguments& arguments) {
  for (const char* flag : {"--input", "--label", "--objective", "--output"}) {
    if (!arguments.Has(flag)) return BadUsage(std::string(flag) + " is missing");
  }
  Order order;
  order.input = arguments.Get("--input", "");
  order.output = arguments.Get("--output", "");
  order.validation = arguments.Get("--validation", "");
  HR_TRY(ReadOptions(arguments, &order.options));
  HR_TRY(ReadColumns(arguments, order.options, &order.columns));
  if (order.options.early_stopping > 0 && order.validation.empty()) {
    return BadUsage("--early-stopping needs --validation FILE");
  }
  return order;
}

std::string TextOf(double number) {
  char digits[32];
  return {digits,
          std::to_chars(digits, digits + sizeof digits, number, std::chars_format::general, 6).ptr};
}

// Learns, writes the file, and says what came out in one line.
Result<std::string> Run(const Order& order) {
  std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  const train::Task task = order.options.task();
  train::Table table;
  {
    HR_ASSIGN(const std::string csv, ReadRowsFile(*files, order.input));
    Result<train::Table> read = train::ReadTable(csv, order.columns, task);
    if (!read.ok()) return InFile(order.input, read.error());
    table = std::move(*read);
  }
  std::optional<train::Table> validation;
  if (!order.validation.empty()) {
    HR_ASSIGN(const std::string csv, ReadRowsFile(*files, order.validation));
    Result<train::Table> read = train::ReadTableLike(csv, order.columns.label, table, task);
    if (!read.ok()) return InFile(order.validation, read.error());
    validation = std::move(*read);
  }
  std::string told =
      "rows=" + std::to_string(table.rows()) + " features=" + std::to_string(table.columns.size());
  model::Baseline baseline = train::BaselineOfInputs(table);
  HR_ASSIGN(train::Trained trained,
            train::Train(std::move(table), validation ? &*validation : nullptr, order.options));
  HR_TRY(train::KeepBaseline(std::move(baseline), trained));
  HR_TRY(os::ReplaceFile(*files, order.output, trained.text));
  told += " trees=" + std::to_string(trained.rounds) + " loss=" + TextOf(trained.loss);
  if (validation) told += " validation_loss=" + TextOf(trained.validation_loss);
  return told;
}

ExitCode RunModelTrain(const Arguments& arguments, Console& console) {
  Result<Order> order = ReadOrder(arguments);
  if (!order.ok()) return console.FailUsage(order.error().message(), "model train");
  const os::SystemClock clock;
  const int64_t start = clock.MonotonicNanoseconds();
  Result<std::string> told = Run(*order);
  if (!told.ok()) return console.Fail(told.error());
  const double seconds = static_cast<double>(clock.MonotonicNanoseconds() - start) / 1e9;
  console.Note(*told + " seconds=" + TextOf(seconds) + "\n");
  return ExitCode::kOk;
}

}  // namespace

Command ModelTrainCommand() {
  return {
      .name = "model train",
      .group = "Models",
      .summary = "learn a model from a labelled CSV, by gradient boosting",
      .flags = {{"--input", "ROWS.csv", "with a header; `-`: standard input"},
                {"--label", "COLUMN", "what was true: 0 or 1, a number, or a class from 0"},
                {"--objective", "NAME", "binary, regression, quantile or multiclass"},
                {"--output", "FILE", "the model, in LightGBM's text format"},
                {"--features", "LIST", "the columns to learn from; all others by default", true},
                {"--ignore", "LIST", "columns not to learn from", true},
                {"--categorical", "LIST", "columns of words or codes without an order", true},
                {"--monotone", "COLUMN=+1|-1", "answers never fall, never rise with it", true},
                {"--trees", "N", "of each class (100)"},
                {"--leaves", "N", "of a tree, at most (31)"},
                {"--learning-rate", "X", "share of each tree that is taken (0.1)"},
                {"--min-leaf-rows", "N", "rows in a leaf, at least (20)"},
                {"--quantile", "X", "which one, with --objective quantile"},
                {"--class-weight", "balanced", "classes weigh the same together"},
                {"--positive-weight", "X", "of the rows with label 1 (1)"},
                {"--validation", "ROWS.csv", "rows that are not learned from"},
                {"--early-stopping", "N", "end after N trees that do not help on these"},
                {"--seed", "N", "of the sample of rows that bins are made from (1)"},
                {"--threads", "N", "the bytes of the model do not depend on it (all cores)"}},
      .more =
          "  headrace model train --input rows.csv --label is_fraud --objective binary \\\n"
          "    --output fraud.lgb.txt\n\n"
          "The same rows and flags give the same bytes on every machine. LightGBM loads the\n"
          "file too, and scores it alike.\n",
      .run = RunModelTrain};
}

}  // namespace headrace::cli
