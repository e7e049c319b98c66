#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"
#include "model/model.h"
#include "train/labels.h"

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

// Scores a CSV as model::ScoreCsv does and compares with its column `label`. Binary: roc_auc,
// pr_auc (average precision), log_loss, brier, ece, ks, accuracy, rmse; log_loss, brier and ece
// only when predictions are probabilities. Regression: rmse, mae, r2. Several classes: accuracy,
// log_loss, roc_auc (mean over one class against the rest). Memory: labels and predictions.
// Errors: HR3005 (not a CSV that fits the model), HR3008 (a label that does not fit).
Result<Evaluation> EvaluateCsv(const model::Model& model, std::string_view csv,
                               std::string_view label);

}  // namespace headrace::train
