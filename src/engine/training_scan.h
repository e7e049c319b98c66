#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "catalog/catalog.h"
#include "engine/deployment.h"
#include "log/log.h"

namespace headrace::engine {

// A place of the log at which a trainer is to train.
struct TrainingTrigger {
  row::Place place;
  int64_t time = 0;        // the newest event time of the stream up to there, microseconds
  std::string why;         // to train; empty: it is the gate's alone
  int32_t gate = 0;        // the version that waits for the gate; 0: none, or not yet
  uint64_t gate_from = 0;  // its decisions behind this LSN are compared
  catalog::Trained state;  // behind it, as the control that answers it will tell
};

// The triggers of a trainer, found in what the log holds of its stream and of the health of the
// model: by EVERY at the row that moves the watermark past a multiple of the interval; by drift at
// the rows of health of which one has a PSI above the limit, and none had at those before; for the
// gate at the row that moves the watermark past its time. So they are a function of the log.
//
// The rows of one place are looked at together. What was there when the trainer was created, and
// what a statement was computed over, triggers nothing. Confined.
class TrainingScan {
 public:
  // Behind the trigger that was answered last. The log must outlive it.
  TrainingScan(const log::Log& log, std::shared_ptr<const sql::TrainerPlan> plan,
               const catalog::Object& object);

  // The next one of a place up to `until`, which is durable; nothing: there is none. Also nothing
  // when told to stop. Errors: those of reading.
  Result<std::optional<TrainingTrigger>> Next(const Deployment& deployment, uint64_t until,
                                              const std::atomic<bool>& stop);

  // The last trigger was answered so.
  void Answered(const catalog::Trained& trained);
  uint64_t run() const { return state_.run; }
  uint64_t created_lsn() const { return created_lsn_; }

 private:
  class Lanes;
  // What the rows of one place say.
  struct Told {
    row::Place place;
    int64_t newest = INT64_MIN;
    std::optional<double> psi;  // the largest
    std::string feature;        // of that
  };
  std::optional<TrainingTrigger> Look(const Told& told, uint64_t since);

  const log::Log& log_;
  std::shared_ptr<const sql::TrainerPlan> plan_;
  uint64_t created_lsn_;
  catalog::Trained state_;
};

// The column of a stream that is its event time; -1: it has none.
int TimeColumnOf(const Deployed& item);

}  // namespace headrace::engine
