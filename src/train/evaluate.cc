#include "train/evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/csv_features.h"
#include "train/scored_rows.h"

namespace headrace::train {
namespace {

std::vector<Measure> MeasureBinary(const Answers& answers) {
  const auto& given = answers.predictions;
  const bool probable =
      std::all_of(given.begin(), given.end(), [](double p) { return p >= 0 && p <= 1; });
  const auto only_if_probable = [&](double (*measure)(const Answers&)) {
    return probable ? measure(answers) : std::numeric_limits<double>::quiet_NaN();
  };
  return {{"roc_auc", RocAuc(answers)},
          {"pr_auc", AveragePrecision(answers)},
          {"log_loss", only_if_probable(LogLoss)},
          {"brier", only_if_probable(BrierScore)},
          {"ece", only_if_probable(CalibrationError)},
          {"ks", KolmogorovSmirnov(answers)},
          {"accuracy", BinaryAccuracy(answers)},
          {"rmse", RootMeanSquaredError(answers)}};
}

std::vector<Measure> MeasureClasses(const Answers& answers) {
  std::vector<Measure> measures = {{"accuracy", ClassAccuracy(answers)}};
  if (answers.classes > 1) {
    measures.push_back({"log_loss", ClassLogLoss(answers)});
    measures.push_back({"roc_auc", ClassRocAuc(answers)});
  }
  return measures;
}

}  // namespace

Task TaskOf(const model::ModelInfo& info) {
  if (info.objective.starts_with("multi")) return Task::kMulticlass;
  const bool binary =
      info.objective.starts_with("binary") || info.objective.starts_with("cross_entropy");
  return binary ? Task::kBinary : Task::kRegression;
}

std::vector<Measure> MeasuresOf(Task task, const Answers& answers) {
  switch (task) {
    case Task::kBinary:
      return MeasureBinary(answers);
    case Task::kMulticlass:
      return MeasureClasses(answers);
    case Task::kRegression:
      return {{"rmse", RootMeanSquaredError(answers)},
              {"mae", MeanAbsoluteError(answers)},
              {"r2", R2(answers)}};
  }
  return {};
}

Result<Evaluation> EvaluateCsv(const model::Model& model, std::string_view csv,
                               std::string_view label, std::optional<Task> task) {
  Evaluation evaluation;
  evaluation.task = task.value_or(TaskOf(model.info()));
  if (evaluation.task != Task::kMulticlass && model.info().predictions != 1) {
    return Error(ErrorKind::kInvalidArgument, "HR3003",
                 "a model with several outputs that are no classes cannot be measured");
  }
  HR_ASSIGN(const ScoredRows scored, ScoreRows(model, csv, label, evaluation.task));
  evaluation.rows = scored.labels.size();
  if (evaluation.rows == 0) return model::BadCsv(1, "there are no rows to measure");
  evaluation.measures =
      MeasuresOf(evaluation.task, {scored.labels, scored.values, {}, scored.width});
  return evaluation;
}

}  // namespace headrace::train
