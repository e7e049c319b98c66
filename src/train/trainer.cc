#include "train/trainer.h"

#include <algorithm>

#include "headrace/check.h"
#include "train/binned_rows.h"
#include "train/boosting.h"
#include "train/design.h"
#include "train/forest.h"
#include "train/histogram.h"
#include "train/isolation_forest.h"
#include "train/kmeans.h"
#include "train/linear.h"
#include "train/tree.h"

namespace headrace::train {
namespace {

// Bytes a row of growing trees: rows and gradients, twice (row_partition.h).
constexpr size_t kPartitionRowBytes = 2 * (sizeof(uint32_t) + sizeof(Gradient));

size_t HistogramBytes(const Table& table, const Options& options) {
  const size_t bins = std::min(kValueBinsMax, table.rows()) + 1;
  const size_t leaves = std::min(options.leaves, table.rows());
  return (leaves + 2 * options.threads) * table.columns.size() * bins * sizeof(Cell);
}

// A design's columns, where each category is one.
size_t DesignColumns(const Table& table) {
  size_t columns = 1;
  for (const Column& column : table.columns)
    columns += column.categorical ? kValueBinsMax : 1;
  return std::min(columns, kDesignColumnsMax);
}

}  // namespace

bool NeedsLabels(Algorithm algorithm) {
  return algorithm != Algorithm::kIsolation && algorithm != Algorithm::kKMeans;
}

size_t MemoryOf(const Table& table, const Options& options) {
  const size_t rows = table.rows();
  const size_t features = table.columns.size();
  const size_t outputs = options.task() == Task::kMulticlass ? table.classes : 1;
  const size_t values = rows * (features + 1) * sizeof(double);
  switch (options.algorithm) {
    case Algorithm::kBoosting:
      return values + rows * features + rows * (kPartitionRowBytes + outputs * 20) +
             HistogramBytes(table, options);
    case Algorithm::kForest:
      return values + rows * features + rows * (2 * kPartitionRowBytes + 16 + outputs * 20) +
             HistogramBytes(table, options);
    case Algorithm::kLinear: {
      const size_t columns = DesignColumns(table);
      return values + rows * (outputs + 1) * sizeof(double) +
             (options.threads + 2) * columns * columns * sizeof(double);
    }
    case Algorithm::kIsolation:
      return values + rows * (sizeof(uint32_t) + sizeof(double)) +
             options.trees * 2 * options.sample_rows * (sizeof(TreeNode) + sizeof(TreeLeaf));
    case Algorithm::kKMeans:
      return values + rows * (sizeof(uint32_t) + sizeof(double)) +
             (options.threads + 2) * options.clusters * features * 2 * sizeof(double);
  }
  return values;
}

Result<Trained> Learn(Table table, const Table* validation, const Options& options) {
  const size_t needed = MemoryOf(table, options);
  if (needed > options.memory) {
    return OverLimit("to learn from " + std::to_string(table.rows()) + " rows and " +
                     std::to_string(table.columns.size()) + " columns may take " +
                     std::to_string((needed >> 20) + 1) + " MiB, and --memory allows " +
                     std::to_string(options.memory >> 20) + " MiB")
        .WithHint("allow more, or learn from fewer rows, columns or leaves");
  }
  switch (options.algorithm) {
    case Algorithm::kBoosting:
      return Train(std::move(table), validation, options);
    case Algorithm::kForest:
      return TrainForest(std::move(table), validation, options);
    case Algorithm::kLinear:
      return TrainLinear(std::move(table), validation, options);
    case Algorithm::kIsolation:
      return TrainIsolationForest(table, validation, options);
    case Algorithm::kKMeans:
      return TrainKMeans(std::move(table), validation, options);
  }
  HR_CHECK(false);
  return OverLimit("unknown");
}

}  // namespace headrace::train
