#include <cmath>
#include <thread>

#include "cli/bench/bench.h"
#include "cli/bench/synthetic_model.h"
#include "os/worker_team.h"
#include "train/boosting.h"

namespace headrace::cli {
namespace {

constexpr size_t kRows = 1'000'000;
constexpr size_t kFeatures = 30;

// Rows whose label depends on a few of the features, some alone and some together; a tenth of the
// cells of every third feature is missing.
train::Table SyntheticRows(size_t rows) {
  BenchRandom random(7);
  train::Table table;
  std::vector<double> scores(rows);
  for (size_t f = 0; f < kFeatures; ++f) {
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

}  // namespace

// Binning and boosting; reading the rows is left out.
Status BenchTrain(Bench& bench) {
  train::Options options;
  const size_t cores = std::thread::hardware_concurrency();
  options.threads = std::min(std::max<size_t>(cores, 1), os::WorkerTeam::kWorkersMax);
  train::Table table = SyntheticRows(kRows);
  const int64_t start = bench.clock().MonotonicNanoseconds();
  HR_ASSIGN(const train::Trained trained, train::Train(std::move(table), nullptr, options));
  const int64_t spent = bench.clock().MonotonicNanoseconds() - start;
  if (trained.rounds != options.trees) {
    return Error(ErrorKind::kInternal, "HR9008", "training stopped early");
  }
  bench.Report("train.gbdt.1m.seconds", static_cast<double>(spent) / 1e9, "s");
  return Ok();
}

}  // namespace headrace::cli
