#pragma once

#include "headrace/result.h"
#include "model/baseline.h"
#include "train/options.h"
#include "train/table.h"
#include "train/trained.h"

namespace headrace::train {

// Of more rows, every second, every third ... is looked at.
inline constexpr size_t kBaselineRows = 1 << 16;

// How the inputs lie in the rows; the scores are still missing. Before Train takes the values.
model::Baseline BaselineOfInputs(const Table& table);

// Keeps the baseline with the model: its text gets that of the inputs, and of the raw scores of the
// rows learned from when there is one a row.
void KeepBaseline(model::Baseline inputs, Trained& trained);

// Learns by options.algorithm, and keeps the baseline of the rows with the model. Errors: those of
// Learn.
Result<Trained> LearnWithBaseline(Table table, const Table* validation, const Options& options);

}  // namespace headrace::train
