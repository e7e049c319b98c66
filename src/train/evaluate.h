#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"
#include "model/model.h"
#include "train/labels.h"
#include "train/metrics.h"

namespace headrace::train {

// One measure of a model. NaN when it has no meaning for these rows.
struct Measure {
  std::string name;
  double value = 0;
};

struct Evaluation {
  Task task = Task::kRegression;
  size_t rows = 0;
  std::vector<Measure> measures;
};

// What the labels of a model are, by its objective.
Task TaskOf(const model::ModelInfo& info);

// All measures that a task has; those without a meaning for these rows are NaN. Binary: roc_auc,
// pr_auc (average precision), log_loss, brier, ece, ks, accuracy, rmse; log_loss, brier and ece
// only when predictions are probabilities. Regression: rmse, mae, r2. Several classes: accuracy,
// log_loss, roc_auc (mean over one class against the rest).
std::vector<Measure> MeasuresOf(Task task, const Answers& answers);

// Scores a CSV as model::ScoreCsv does and compares with its column `label`, as `task` says, or
// else the model. Memory: labels and predictions. Errors: HR3005 (not a CSV that fits the model),
// HR3008 (a label that does not fit).
Result<Evaluation> EvaluateCsv(const model::Model& model, std::string_view csv,
                               std::string_view label, std::optional<Task> task = std::nullopt);

}  // namespace headrace::train
