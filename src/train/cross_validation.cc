#include "train/cross_validation.h"

#include <algorithm>
#include <cmath>

#include "model/model.h"
#include "train/metrics.h"
#include "train/scored_rows.h"
#include "train/trainer.h"

namespace headrace::train {
namespace {

Status CheckClasses(const Table& learned, size_t fold, const Options& options) {
  if (options.task() == Task::kRegression) return Ok();
  const auto [low, high] = std::minmax_element(learned.labels.begin(), learned.labels.end());
  if (*low != *high) return Ok();
  return Error(ErrorKind::kInvalidArgument, "HR3072",
               "fold " + std::to_string(fold + 1) + " would learn from " +
                   std::to_string(learned.rows()) + " rows of one class")
      .WithHint("fewer --folds, so that each sees more");
}

Result<FoldResult> Run(const Table& table, const Fold& fold, size_t number,
                       const Options& options) {
  FoldResult result;
  result.learned = fold.learned.size();
  result.tested = fold.tested.size();
  Table learned = table.Take(fold.learned);
  HR_TRY(CheckClasses(learned, number, options));
  HR_ASSIGN(const Trained trained, Learn(std::move(learned), nullptr, options));
  HR_ASSIGN(const auto model, model::Model::Load(trained.text));
  const ScoredRows scored = ScoreTable(*model, table.Take(fold.tested));
  const Answers answers = {scored.labels, scored.values, {}, scored.width};
  if (options.objective == Objective::kQuantile) {
    result.measures.push_back({"pinball", PinballLoss(answers, options.quantile)});
  }
  for (Measure& measure : MeasuresOf(options.task(), answers))
    result.measures.push_back(std::move(measure));
  return result;
}

}  // namespace

Result<std::vector<FoldResult>> CrossValidate(const Table& table, const std::vector<Fold>& folds,
                                              const Options& options) {
  // All rows stay while a fold's are learned from.
  const size_t held = table.rows() * (table.columns.size() + 2) * sizeof(double);
  Options within = options;
  within.memory -= std::min(held, options.memory);
  std::vector<FoldResult> results;
  for (size_t fold = 0; fold < folds.size(); ++fold) {
    HR_ASSIGN(FoldResult result, Run(table, folds[fold], fold, within));
    results.push_back(std::move(result));
  }
  return results;
}

double MeanOf(const std::vector<FoldResult>& results, std::string_view measure) {
  double sum = 0;
  for (const FoldResult& result : results) {
    const auto found = std::find_if(result.measures.begin(), result.measures.end(),
                                    [&](const Measure& m) { return m.name == measure; });
    sum += found == result.measures.end() ? std::nan("") : found->value;
  }
  return sum / static_cast<double>(results.size());
}

std::string_view UsualMeasure(Objective objective) {
  switch (objective) {
    case Objective::kBinary:
      return "roc_auc";
    case Objective::kMulticlass:
      return "log_loss";
    case Objective::kQuantile:
      return "pinball";
    case Objective::kRegression:
      return "rmse";
  }
  return "";
}

bool LessIsBetter(std::string_view measure) {
  constexpr std::string_view kLess[] = {"log_loss", "brier", "ece", "rmse", "mae", "pinball"};
  return std::find(std::begin(kLess), std::end(kLess), measure) != std::end(kLess);
}

}  // namespace headrace::train
