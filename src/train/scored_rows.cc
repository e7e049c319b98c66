#include "train/scored_rows.h"

#include <algorithm>

#include "headrace/check.h"
#include "model/csv_features.h"
#include "model/csv_records.h"

namespace headrace::train {
namespace {

constexpr size_t kBlockRows = 256;

// Takes rows, and scores them a block at a time.
class Scorer {
 public:
  Scorer(const model::Model& model, ScoreStage stage) : model_(model), stage_(stage) {
    const bool raw = stage == ScoreStage::kRaw;
    scored_.width = static_cast<size_t>(raw ? model.info().outputs : model.info().predictions);
  }

  std::vector<double>* features() { return &features_; }

  // The features of one more row were appended.
  void Add(double label) {
    scored_.labels.push_back(label);
    if (++rows_ == kBlockRows) Flush();
  }

  ScoredRows Finish() {
    Flush();
    return std::move(scored_);
  }

 private:
  void Flush() {
    std::vector<double> scores(rows_ * static_cast<size_t>(model_.info().outputs));
    model_.ScoreRaw(features_, rows_, scores);
    if (stage_ == ScoreStage::kPrediction) model_.Transform(rows_, scores);
    scored_.values.insert(scored_.values.end(), scores.begin(),
                          scores.begin() + static_cast<std::ptrdiff_t>(rows_ * scored_.width));
    features_.clear();
    rows_ = 0;
  }

  const model::Model& model_;
  ScoreStage stage_;
  std::vector<double> features_;
  size_t rows_ = 0;
  ScoredRows scored_;
};

}  // namespace

Result<ScoredRows> ScoreRows(const model::Model& model, std::string_view csv,
                             std::string_view label, Task task, ScoreStage stage) {
  // A model that answers with the class alone has as many as it has outputs.
  const auto classes =
      static_cast<size_t>(std::max(model.info().predictions, model.info().outputs));
  model::CsvFeatures builder(model.info());
  model::CsvRecords records(csv);
  std::vector<std::string> cells;
  HR_ASSIGN(const bool any, records.Next(&cells));
  if (!any) return model::BadCsv(1, "the CSV is empty; it needs a line of column names");
  HR_ASSIGN(const size_t label_at, LabelColumn(cells, label));
  HR_TRY(builder.MatchColumns(cells, label));
  Scorer scorer(model, stage);
  for (;;) {
    HR_ASSIGN(const bool more, records.Next(&cells));
    if (!more) break;
    if (model::IsEmptyLine(cells, builder.columns())) continue;
    HR_TRY(builder.Append(cells, records.line(), scorer.features()));
    HR_ASSIGN(const double value, ReadLabel(task, classes, cells[label_at], records.line()));
    scorer.Add(value);
  }
  return scorer.Finish();
}

ScoredRows ScoreTable(const model::Model& model, const Table& table) {
  HR_CHECK(table.columns.size() == model.info().features.size());
  Scorer scorer(model, ScoreStage::kPrediction);
  for (size_t row = 0; row < table.rows(); ++row) {
    for (const Column& column : table.columns)
      scorer.features()->push_back(column.values[row]);
    scorer.Add(table.labels[row]);
  }
  return scorer.Finish();
}

}  // namespace headrace::train
