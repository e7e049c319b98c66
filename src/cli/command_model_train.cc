#include <algorithm>
#include <charconv>
#include <optional>

#include "cli/commands.h"
#include "cli/fold_table.h"
#include "cli/model_file.h"
#include "cli/train_order.h"
#include "cli/training_table.h"
#include "os/clock.h"
#include "train/trainer.h"
#include "train/training_baseline.h"

namespace headrace::cli {
namespace {

std::string TextOf(double number) {
  char digits[32];
  return {digits,
          std::to_chars(digits, digits + sizeof digits, number, std::chars_format::general, 6).ptr};
}

Result<std::optional<train::Table>> ReadValidation(const Arguments& arguments,
                                                   const TrainOrder& order,
                                                   const train::Table& like) {
  const std::string* path = arguments.Find("--validation");
  if (path == nullptr) return std::optional<train::Table>{};
  std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  HR_ASSIGN(const std::string csv, ReadRowsFile(*files, *path));
  Result<train::Table> read =
      train::ReadTableLike(csv, order.columns.label, like, order.options.task());
  if (!read.ok()) return InFile(*path, read.error());
  return std::optional<train::Table>(std::move(*read));
}

// Learns, writes the file, and says what came out in one line.
Result<std::string> Run(const Arguments& arguments, const TrainOrder& order, Console& console) {
  HR_ASSIGN(TrainingTable read, ReadTrainingTable(arguments, order));
  if (!read.told.empty()) console.Note(read.told);
  train::Table& table = read.table;
  HR_ASSIGN(const auto validation, ReadValidation(arguments, order, table));
  if (order.folds > 0) {
    HR_ASSIGN(const auto folds, MakeFolds(table, order));
    HR_ASSIGN(const auto results, train::CrossValidate(table, folds, order.options));
    FoldTable(results).Print(arguments, console);
  }
  std::string told =
      "rows=" + std::to_string(table.rows()) + " features=" + std::to_string(table.columns.size());
  HR_ASSIGN(const train::Trained trained,
            train::LearnWithBaseline(std::move(table), validation ? &*validation : nullptr,
                                     order.options));
  std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  HR_TRY(os::ReplaceFile(*files, arguments.Get("--output", ""), trained.text));
  told += " trees=" + std::to_string(trained.rounds) + " loss=" + TextOf(trained.loss);
  if (validation) told += " validation_loss=" + TextOf(trained.validation_loss);
  return told;
}

Result<TrainOrder> ReadOrder(const Arguments& arguments) {
  HR_ASSIGN(TrainOrder order, ReadTrainOrder(arguments));
  if (!arguments.Has("--output")) return BadUsage("--output is missing");
  if (order.options.early_stopping > 0 && !arguments.Has("--validation")) {
    return BadUsage("--early-stopping needs --validation FILE");
  }
  return order;
}

ExitCode RunModelTrain(const Arguments& arguments, Console& console) {
  Result<TrainOrder> order = ReadOrder(arguments);
  if (!order.ok()) return console.FailUsage(order.error().message(), "model train");
  const os::SystemClock clock;
  const int64_t start = clock.MonotonicNanoseconds();
  Result<std::string> told = Run(arguments, *order, console);
  if (!told.ok()) return FailTraining(told.error(), "model train", console);
  const double seconds = static_cast<double>(clock.MonotonicNanoseconds() - start) / 1e9;
  console.Note(*told + " seconds=" + TextOf(seconds) + "\n");
  return ExitCode::kOk;
}

std::vector<Flag> AllFlags() {
  std::vector<Flag> flags = TrainingRowsFlags();
  for (const Flag& flag : TrainFlags())
    flags.push_back(flag);
  flags.push_back({"--validation", "ROWS.csv", "rows that are not learned from"});
  flags.push_back({"--early-stopping", "N", "end after N trees that do not help on these"});
  flags.push_back({"--output", "FILE", "the model, in LightGBM's text format"});
  return ListingFlags(std::move(flags));
}

}  // namespace

Command ModelTrainCommand() {
  return {
      .name = "model train",
      .group = "Models",
      .summary = "learn a model from rows: boosting, forest, linear, anomalies, clusters",
      .flags = AllFlags(),
      .more =
          "  headrace model train --input rows.csv --label is_fraud --objective binary \\\n"
          "    --output fraud.lgb.txt\n"
          "  headrace model train --training-set decisions --data DIR --labels chargebacks \\\n"
          "    --on tx_id --label is_fraud --objective binary --folds 4 --time ts \\\n"
          "    --output fraud.lgb.txt\n\n"
          "The same rows and flags give the same bytes on every machine. LightGBM loads the\n"
          "file too, and scores it alike. --folds prints how well each part of the rows was\n"
          "told by a model that had not seen it; the file is learned from all rows. Algorithms\n"
          "isolation and kmeans take neither --label nor --objective.\n",
      .run = RunModelTrain};
}

}  // namespace headrace::cli
