#include <algorithm>
#include <charconv>

#include "cli/commands.h"
#include "cli/fold_table.h"
#include "cli/train_order.h"
#include "cli/training_table.h"
#include "os/file_system.h"
#include "train/trainer.h"
#include "train/training_baseline.h"
#include "train/tune.h"

namespace headrace::cli {
namespace {

// NAME=LOW:HIGH
Result<std::vector<train::Range>> ReadRanges(const Arguments& arguments) {
  HR_ASSIGN(const auto pairs, arguments.Pairs("--range"));
  std::vector<train::Range> ranges;
  for (const auto& [name, text] : pairs) {
    train::Range range;
    range.name = name;
    const char* const end = text.data() + text.size();
    const auto low = std::from_chars(text.data(), end, range.low);
    const bool middle = low.ec == std::errc() && low.ptr < end && *low.ptr == ':';
    const auto high = std::from_chars(middle ? low.ptr + 1 : end, end, range.high);
    if (!middle || high.ec != std::errc() || high.ptr != end) {
      return BadUsage("--range takes NAME=LOW:HIGH, not `" + name + "=" + text + "`");
    }
    const bool twice = std::any_of(ranges.begin(), ranges.end(),
                                   [&](const train::Range& r) { return r.name == name; });
    if (twice) return BadUsage("there are two ranges of " + name);
    ranges.push_back(range);
  }
  if (ranges.empty()) return BadUsage("--range is missing");
  return ranges;
}

Result<train::Search> ReadSearch(const Arguments& arguments, const TrainOrder& order) {
  if (!train::NeedsLabels(order.options.algorithm)) {
    return BadUsage("model tune needs an algorithm that learns from labels");
  }
  for (const char* flag : {"--output", "--folds"}) {
    if (!arguments.Has(flag)) return BadUsage(std::string(flag) + " is missing");
  }
  train::Search search;
  search.options = order.options;
  HR_ASSIGN(search.ranges, ReadRanges(arguments));
  HR_ASSIGN(const int64_t budget,
            arguments.Integer("--budget", 20, 1, static_cast<int64_t>(train::kBudgetMax)));
  search.budget = static_cast<size_t>(budget);
  search.measure = arguments.Get("--measure", train::UsualMeasure(order.options.objective));
  return search;
}

Listing TableOf(const train::Search& search, const train::Tuned& tuned) {
  std::vector<std::string> names = {"candidate"};
  for (const train::Range& range : search.ranges)
    names.push_back(range.name);
  names.push_back(search.measure);
  const size_t folds = tuned.candidates[0].results.size();
  for (size_t fold = 0; fold < folds; ++fold)
    names.push_back("fold_" + std::to_string(fold + 1));
  names.emplace_back("best");
  Listing listing(names);
  for (size_t i = 0; i < tuned.candidates.size(); ++i) {
    const train::Candidate& candidate = tuned.candidates[i];
    std::vector<Cell> row = {Cell::Number(uint64_t{i})};
    for (double value : candidate.values)
      row.push_back(NumberCell(value));
    row.push_back(NumberCell(candidate.mean));
    for (const train::FoldResult& result : candidate.results)
      row.push_back(NumberCell(train::MeanOf({result}, search.measure)));
    row.push_back(Cell::Boolean(i == tuned.best));
    listing.Add(std::move(row));
  }
  return listing;
}

Status Run(const Arguments& arguments, const TrainOrder& order, const train::Search& search,
           Console& console) {
  HR_ASSIGN(TrainingTable read, ReadTrainingTable(arguments, order));
  if (!read.told.empty()) console.Note(read.told);
  HR_ASSIGN(const auto folds, MakeFolds(read.table, order));
  HR_ASSIGN(const train::Tuned tuned, train::Tune(read.table, folds, search));
  HR_ASSIGN(const train::Trained trained,
            train::LearnWithBaseline(std::move(read.table), nullptr,
                                     tuned.candidates[tuned.best].options));
  std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  HR_TRY(os::ReplaceFile(*files, arguments.Get("--output", ""), trained.text));
  const Listing table = TableOf(search, tuned);
  if (const std::string* path = arguments.Find("--table")) {
    HR_TRY(os::ReplaceFile(*files, *path, table.Csv()));
  }
  table.Print(arguments, console);
  return Ok();
}

ExitCode RunModelTune(const Arguments& arguments, Console& console) {
  Result<TrainOrder> order = ReadTrainOrder(arguments);
  if (!order.ok()) return console.FailUsage(order.error().message(), "model tune");
  Result<train::Search> search = ReadSearch(arguments, *order);
  if (!search.ok()) return console.FailUsage(search.error().message(), "model tune");
  const Status done = Run(arguments, *order, *search, console);
  return done.ok() ? ExitCode::kOk : FailTraining(done.error(), "model tune", console);
}

std::vector<Flag> AllFlags() {
  std::vector<Flag> flags = TrainingRowsFlags();
  for (const Flag& flag : TrainFlags())
    flags.push_back(flag);
  flags.push_back({"--range", "NAME=LOW:HIGH", "a flag's value to search for", true});
  flags.push_back({"--budget", "N", "candidates, the first with the flags as they are (20)"});
  flags.push_back({"--measure", "NAME", "whose mean over the folds decides"});
  flags.push_back({"--output", "FILE", "the best, learned from all rows"});
  flags.push_back({"--table", "FILE.csv", "all candidates, as on standard output"});
  return ListingFlags(std::move(flags));
}

}  // namespace

Command ModelTuneCommand() {
  return {
      .name = "model tune",
      .group = "Models",
      .summary = "search for the flags of model train by cross-validation",
      .flags = AllFlags(),
      .more =
          "  headrace model tune --input rows.csv --label is_fraud --objective binary \\\n"
          "    --folds 4 --time ts --range learning-rate=0.02:0.3 --range leaves=7:127 \\\n"
          "    --budget 30 --output fraud.lgb.txt --table candidates.csv\n\n"
          "Searches for trees, leaves, min-leaf-rows, learning-rate and l2 (boosting), trees,\n"
          "leaves, min-leaf-rows and feature-share (forest), penalty and l1-share (linear), by\n"
          "chance that follows from --seed. Without --measure: roc_auc (binary), log_loss\n"
          "(multiclass), rmse (regression), pinball (quantile).\n",
      .run = RunModelTune};
}

}  // namespace headrace::cli
