#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/snapshot_store.h"
#include "engine/training_scan.h"
#include "flow/plan.h"
#include "train/evaluate.h"
#include "train/table.h"

namespace headrace::engine {

// What a training reads from. All but the store must outlive it.
struct TrainingMeans {
  os::FileSystem& files;
  const log::Log& log;
  SnapshotStore store;
};

// What the gate says of a version.
struct GateAnswer {
  int32_t version = 0;  // 0: it was not asked
  bool open = false;
  std::string why;
  int32_t promotes = 0;  // the version, when that is done
};

// Asks the gate (promotion_gate.h) for the version that waits: a fork in which it decides is
// compared with the decisions behind the training's trigger up to this one; on the rows with a
// label there it may not be worse than what decides. No row that it learned from is among them.
// What cannot be compared is refused. Errors: those of reading.
Result<GateAnswer> AskGate(const TrainingMeans& means, const Deployment& deployment,
                           const sql::TrainerPlan& plan, const TrainingTrigger& trigger,
                           const std::atomic<bool>& stop);

// The version that decides for causes of this LSN.
const model::Model& DecidingAt(const flow::ModelVersions& versions, uint64_t lsn);

// Measures of a model on rows with its features in their order.
std::vector<train::Measure> MeasuresOf(train::Task task, const model::Model& model,
                                       const train::Table& rows);

}  // namespace headrace::engine
