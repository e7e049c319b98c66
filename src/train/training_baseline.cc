#include "train/training_baseline.h"

#include <utility>
#include <vector>

#include "headrace/check.h"
#include "train/trainer.h"

namespace headrace::train {
namespace {

std::vector<double> SampleOf(const std::vector<double>& values) {
  const size_t step = (values.size() + kBaselineRows - 1) / kBaselineRows;
  std::vector<double> sample;
  for (size_t i = 0; i < values.size(); i += step)
    sample.push_back(values[i]);
  return sample;
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
  HR_ASSIGN(Trained trained, Learn(std::move(table), validation, options));
  KeepBaseline(std::move(baseline), trained);
  return trained;
}

}  // namespace headrace::train
