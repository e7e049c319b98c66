#include "train/training_baseline.h"

#include <utility>
#include <vector>

#include "model/model.h"

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

Status KeepBaseline(model::Baseline inputs, Trained& trained) {
  model::ColumnBaseline& scores = inputs.columns.emplace_back();
  if (trained.scores.size() == 1) {
    HR_ASSIGN(const auto loaded, model::Model::Load(trained.text));
    std::vector<double> sample = SampleOf(trained.scores.front());
    loaded->Transform(sample.size(), sample);
    scores = model::ColumnBaseline::Of(std::move(sample));
  }
  HR_CHECK(inputs.AddTo(trained.text));
  return Ok();
}

}  // namespace headrace::train
