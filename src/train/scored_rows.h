#pragma once

#include <string_view>
#include <vector>

#include "headrace/result.h"
#include "model/model.h"
#include "train/labels.h"
#include "train/table.h"

namespace headrace::train {

// What a model says of rows, and what was true. Value type.
struct ScoredRows {
  std::vector<double> labels;
  std::vector<double> values;  // rows x width
  size_t width = 1;
};

enum class ScoreStage : uint8_t { kRaw, kPrediction };

// Scores a CSV as model::ScoreCsv does, a block of rows at a time. Errors: HR3005 (not a CSV that
// fits the model), HR3008 (a label that does not fit the task).
Result<ScoredRows> ScoreRows(const model::Model& model, std::string_view csv,
                             std::string_view label, Task task,
                             ScoreStage stage = ScoreStage::kPrediction);

// The predictions for a table that has the model's features in their order.
ScoredRows ScoreTable(const model::Model& model, const Table& table);

}  // namespace headrace::train
