#include "train/evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/csv_features.h"
#include "model/csv_records.h"
#include "train/metrics.h"

namespace headrace::train {
namespace {

constexpr size_t kBlockRows = 256;

// Labels and predictions of all rows.
struct Scored {
  std::vector<double> labels;
  std::vector<double> predictions;
};

// Scores the rows of a CSV, a block at a time.
class Scorer {
 public:
  Scorer(const model::Model& model, Task task)
      : model_(model), task_(task), builder_(model.info()) {
    // A model that answers with the class alone has as many as it has outputs.
    classes_ = static_cast<size_t>(std::max(model.info().predictions, model.info().outputs));
  }

  Result<Scored> Run(std::string_view csv, std::string_view label) {
    model::CsvRecords records(csv);
    std::vector<std::string> cells;
    HR_ASSIGN(const bool any, records.Next(&cells));
    if (!any) return model::BadCsv(1, "the CSV is empty; it needs a line of column names");
    HR_ASSIGN(const size_t label_at, LabelColumn(cells, label));
    HR_TRY(builder_.MatchColumns(cells, label));
    for (;;) {
      HR_ASSIGN(const bool more, records.Next(&cells));
      if (!more) break;
      if (model::IsEmptyLine(cells, builder_.columns())) continue;
      HR_TRY(builder_.Append(cells, records.line(), &features_));
      HR_ASSIGN(const double value, ReadLabel(task_, classes_, cells[label_at], records.line()));
      scored_.labels.push_back(value);
      if (++rows_ == kBlockRows) Flush();
    }
    Flush();
    return std::move(scored_);
  }

 private:
  void Flush() {
    std::vector<double> scores(rows_ * static_cast<size_t>(model_.info().outputs));
    model_.ScoreRaw(features_, rows_, scores);
    model_.Transform(rows_, scores);
    const size_t width = static_cast<size_t>(model_.info().predictions);
    scored_.predictions.insert(scored_.predictions.end(), scores.begin(),
                               scores.begin() + static_cast<std::ptrdiff_t>(rows_ * width));
    features_.clear();
    rows_ = 0;
  }

  const model::Model& model_;
  Task task_;
  model::CsvFeatures builder_;
  size_t classes_ = 1;
  std::vector<double> features_;
  size_t rows_ = 0;
  Scored scored_;
};

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

Result<Evaluation> EvaluateCsv(const model::Model& model, std::string_view csv,
                               std::string_view label) {
  Evaluation evaluation;
  evaluation.task = TaskOf(model.info());
  if (evaluation.task != Task::kMulticlass && model.info().predictions != 1) {
    return Error(ErrorKind::kInvalidArgument, "HR3003",
                 "a model with several outputs that are no classes cannot be measured");
  }
  HR_ASSIGN(const Scored scored, Scorer(model, evaluation.task).Run(csv, label));
  evaluation.rows = scored.labels.size();
  if (evaluation.rows == 0) return model::BadCsv(1, "there are no rows to measure");
  const Answers answers = {
      scored.labels, scored.predictions, {}, static_cast<size_t>(model.info().predictions)};
  switch (evaluation.task) {
    case Task::kBinary:
      evaluation.measures = MeasureBinary(answers);
      break;
    case Task::kMulticlass:
      evaluation.measures = MeasureClasses(answers);
      break;
    case Task::kRegression:
      evaluation.measures = {{"rmse", RootMeanSquaredError(answers)},
                             {"mae", MeanAbsoluteError(answers)},
                             {"r2", R2(answers)}};
      break;
  }
  return evaluation;
}

}  // namespace headrace::train
