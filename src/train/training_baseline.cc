#include "train/training_baseline.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "headrace/check.h"
#include "model/model.h"
#include "train/trainer.h"

namespace headrace::train {
namespace {

// Of so many rows, every one, every second ... is looked at.
size_t StepOf(size_t rows) {
  return std::max<size_t>((rows + kBaselineRows - 1) / kBaselineRows, 1);
}

std::vector<double> SampleOf(const std::vector<double>& values) {
  std::vector<double> sample;
  for (size_t i = 0; i < values.size(); i += StepOf(values.size()))
    sample.push_back(values[i]);
  return sample;
}

// The same rows of all columns, one after the other.
std::vector<double> RowsOf(const Table& table) {
  std::vector<double> rows;
  for (size_t i = 0; i < table.rows(); i += StepOf(table.rows())) {
    for (const Column& column : table.columns)
      rows.push_back(column.values[i]);
  }
  return rows;
}

// Of algorithms that do not leave their scores behind.
Status ScoreSample(const std::vector<double>& rows, Trained& trained) {
  HR_ASSIGN(const auto model, model::Model::Load(trained.text));
  if (model->info().outputs != 1) return Ok();
  const size_t count = rows.size() / model->info().features.size();
  model->ScoreRaw(rows, count, trained.scores.emplace_back(count));
  return Ok();
}

}  // namespace

model::Baseline BaselineOfInputs(const Table& table) {
  model::Baseline baseline;
  baseline.rows = table.rows();
  for (const Column& column : table.columns)
    baseline.columns.push_back(model::ColumnBaseline::Of(SampleOf(column.values)));
  return baseline;
}

void KeepBaseline(model::Baseline inputs, Trained& trained) {
  model::ColumnBaseline& scores = inputs.columns.emplace_back();
  if (trained.scores.size() == 1) {
    scores = model::ColumnBaseline::Of(SampleOf(trained.scores.front()));
  }
  HR_CHECK(inputs.AddTo(trained.text));
}

Result<Trained> LearnWithBaseline(Table table, const Table* validation, const Options& options) {
  model::Baseline baseline = BaselineOfInputs(table);
  const bool leaves_scores = options.algorithm == Algorithm::kBoosting;
  const std::vector<double> sample = leaves_scores ? std::vector<double>{} : RowsOf(table);
  HR_ASSIGN(Trained trained, Learn(std::move(table), validation, options));
  if (!leaves_scores) HR_TRY(ScoreSample(sample, trained));
  KeepBaseline(std::move(baseline), trained);
  return trained;
}

}  // namespace headrace::train
