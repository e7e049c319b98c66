// Any bytes as a table to learn from: read or refused, and what is learned loads and gives the
// scores that the trainer had. The other algorithms may refuse what they cannot learn from.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "headrace/check.h"
#include "model/csv_features.h"
#include "model/csv_records.h"
#include "model/model.h"
#include "train/boosting.h"
#include "train/calibration.h"
#include "train/evaluate.h"
#include "train/trainer.h"

namespace {

using namespace headrace;

constexpr train::Objective kObjectives[] = {
    train::Objective::kBinary, train::Objective::kRegression, train::Objective::kQuantile,
    train::Objective::kMulticlass};

// The raw scores of the rows by our own evaluator, beside those that the trainer had.
void CheckScores(const model::Model& model, const std::string& csv, const train::Planes& planes) {
  model::CsvFeatures features(model.info());
  model::CsvRecords records(csv);
  std::vector<std::string> cells;
  HR_CHECK(records.Next(&cells).value() && features.MatchColumns(cells, "y").ok());
  std::vector<double> raw(static_cast<size_t>(model.info().outputs));
  for (size_t row = 0; records.Next(&cells).value();) {
    if (model::IsEmptyLine(cells, features.columns())) continue;
    std::vector<double> values;
    HR_CHECK(features.Append(cells, records.line(), &values).ok());
    model.ScoreRaw(values, 1, raw);
    for (size_t k = 0; k < raw.size(); ++k)
      HR_CHECK(raw[k] == planes[k][row]);
    ++row;
  }
}

// Learns by another algorithm, calibrates what is binary, and loads what comes out.
void LearnOtherwise(const std::string& csv, const train::ColumnChoice& choice, uint8_t which,
                    train::Options options) {
  constexpr train::Algorithm kOthers[] = {train::Algorithm::kForest, train::Algorithm::kLinear,
                                          train::Algorithm::kIsolation, train::Algorithm::kKMeans};
  options.algorithm = kOthers[which % 4];
  options.clusters = 3;
  options.penalty = 0.1;
  options.sample_rows = 16;
  if (options.objective == train::Objective::kQuantile) {
    options.objective = train::Objective::kRegression;
  }
  Result<train::Table> table = train::ReadTable(csv, choice, options.task());
  if (!table.ok() || table->classes > 20) return;
  const Result<train::Trained> trained = train::Learn(std::move(*table), nullptr, options);
  if (!trained.ok()) return;
  HR_CHECK(model::Model::Load(trained->text).ok());
  for (auto method : {train::Calibration::kPlatt, train::Calibration::kIsotonic}) {
    const auto calibrated = train::Calibrate(trained->text, csv, choice.label, method);
    HR_CHECK(!calibrated.ok() || model::Model::Load(*calibrated).ok());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  std::string csv(reinterpret_cast<const char*>(data) + 2, size - 2);
  if ((data[0] & 128) == 0) csv = "a,y,b,c\n" + csv;
  train::Options options;
  options.objective = kObjectives[data[0] % 4];
  options.trees = 3;
  options.leaves = 2 + data[1] % 8;
  options.min_leaf_rows = 1 + data[1] / 64;
  options.balanced = (data[0] & 64) != 0;
  train::ColumnChoice choice;
  choice.label = "y";
  if ((data[0] & 32) != 0) choice.categorical = {"b"};
  if ((data[0] & 16) != 0) choice.monotone = {{"a", 1}};
  if ((data[0] & 8) != 0) {
    LearnOtherwise(csv, choice, data[1] / 8, options);
    return 0;
  }
  Result<train::Table> table = train::ReadTable(csv, choice, options.task());
  if (!table.ok() || table->classes > 20) return 0;
  Result<train::Trained> trained = train::Train(std::move(*table), nullptr, options);
  HR_CHECK(trained.ok());
  const auto model = model::Model::Load(trained->text);
  HR_CHECK(model.ok());
  CheckScores(**model, csv, trained->scores);
  HR_CHECK(train::EvaluateCsv(**model, csv, "y").ok() ||
           options.task() == train::Task::kMulticlass);
  return 0;
}
