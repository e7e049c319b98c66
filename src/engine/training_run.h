#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/deployer.h"
#include "engine/training_gate.h"
#include "engine/training_scan.h"
#include "engine/training_steps.h"
#include "model/model.h"

namespace headrace::engine {

// What became of a trigger.
struct TrainingOutcome {
  std::string trainer;
  uint64_t created_lsn = 0;  // of the trainer
  TrainingHead head;
  catalog::Trained state;
  std::vector<TrainingStep> steps;  // so far: what becomes of the model is not among them
  std::string bytes;                // of the model; empty: none was trained
  std::shared_ptr<const model::Model> model;
  GateAnswer gate;
};

// Trains on what the log holds of the stream up to the trigger: the rows with a label, of which the
// newest are held out and measured. A function of the log. Too few rows, or rows that nothing can
// be learned from, are an outcome without a model. Errors: those of reading.
//
// Limits: rows and training take the plan's memory at most; of more rows the newest are taken.
Result<TrainingOutcome> RunTraining(const TrainingMeans& means, const Deployment& deployment,
                                    const Deployed& trainer, const TrainingTrigger& trigger,
                                    const std::atomic<bool>& stop);

// What is journalled of it.
struct PlannedTraining {
  std::vector<catalog::Change> changes;
  std::vector<std::string> payloads;  // of the trainer's stream
};

// What passed the gate decides, if it is a shadow still. A new version is a shadow; the shadow that
// the trainer made before is one no more. Keeps the model's bytes. Errors: those of writing them.
Result<PlannedTraining> PlanTraining(Deployer& deployer, const Deployment& base,
                                     TrainingOutcome& outcome);

}  // namespace headrace::engine
