#include <algorithm>
#include <thread>

#include "cli/bench/bench.h"
#include "cli/bench/synthetic_table.h"
#include "model/model.h"
#include "os/worker_team.h"
#include "train/boosting.h"
#include "train/metrics.h"
#include "train/scored_rows.h"

namespace headrace::cli {

// Binning and boosting; reading the rows is left out. bench/peers/train_peers.cc is LightGBM's
// turn.
Status BenchTrain(Bench& bench) {
  train::Options options;
  const size_t cores = std::thread::hardware_concurrency();
  options.threads = std::min(std::max<size_t>(cores, 1), os::WorkerTeam::kWorkersMax);
  train::Table table = SyntheticTable(kTableRows, kTableSeed);
  const int64_t start = bench.clock().MonotonicNanoseconds();
  HR_ASSIGN(const train::Trained trained, train::Train(std::move(table), nullptr, options));
  const int64_t spent = bench.clock().MonotonicNanoseconds() - start;
  if (trained.rounds != options.trees) {
    return Error(ErrorKind::kInternal, "HR9008", "training stopped early");
  }
  bench.Report("train.gbdt.1m.seconds", static_cast<double>(spent) / 1e9, "s");
  HR_ASSIGN(const auto model, model::Model::Load(trained.text));
  const train::ScoredRows scored = train::ScoreTable(*model, SyntheticTable(kTestRows, kTestSeed));
  bench.Report("train.gbdt.1m.roc_auc", train::RocAuc({scored.labels, scored.values, {}}), "share");
  return Ok();
}

}  // namespace headrace::cli
