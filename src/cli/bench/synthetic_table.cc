#include "cli/bench/synthetic_table.h"

#include <cmath>

#include "cli/bench/synthetic_model.h"

namespace headrace::cli {

train::Table SyntheticTable(size_t rows, uint64_t seed) {
  BenchRandom random(seed);
  train::Table table;
  std::vector<double> scores(rows);
  for (size_t f = 0; f < kTableFeatures; ++f) {
    train::Column& column = table.columns.emplace_back();
    column.name = "f" + std::to_string(f);
    column.values.reserve(rows);
    for (size_t row = 0; row < rows; ++row) {
      const double x = random.Unit() + random.Unit() + random.Unit() - 1.5;
      const bool missing = f % 3 == 2 && random.Below(10) == 0;
      column.values.push_back(missing ? std::nan("") : x);
      if (f < 8) scores[row] += f % 2 == 0 ? 2 * x : x * x * (scores[row] > 0 ? 3 : -1);
    }
  }
  for (size_t row = 0; row < rows; ++row)
    table.labels.push_back(scores[row] + random.Unit() * 4 > 3 ? 1 : 0);
  return table;
}

}  // namespace headrace::cli
