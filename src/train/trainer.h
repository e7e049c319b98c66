#pragma once

#include "headrace/result.h"
#include "train/options.h"
#include "train/table.h"
#include "train/trained.h"

namespace headrace::train {

// Learns by options.algorithm: boosting.h, forest.h, linear.h, isolation_forest.h, kmeans.h say
// what each does. `validation` may be null. Errors: theirs, and HR3007 when rows and training would
// take more than options.memory.
Result<Trained> Learn(Table table, const Table* validation, const Options& options);

// What it would take in memory, rows included, from above; bytes.
size_t MemoryOf(const Table& table, const Options& options);

// Whether an algorithm looks at labels.
bool NeedsLabels(Algorithm algorithm);

}  // namespace headrace::train
