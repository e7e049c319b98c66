#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/deployment.h"
#include "engine/training_run.h"
#include "log/log.h"

namespace headrace::engine {

// Looks for the triggers of all trainers in the log and trains, one after the other, beside live
// traffic; the worker appends what came out, and then the next is looked for. A trigger without its
// answer in the journal is found again by the next start.
//
// Invariant: outcomes are a function of the log; only when they come depends on time. Threads: all
// methods belong to the worker; the thread has a low priority and reads durable entries alone.
// Limits: one training at a time, one outcome waits; a training that has begun to learn is ended by
// the program's end only when it is done. A trainer whose rows cannot be read rests until something
// is deployed. Files, log and whatever `wake` needs must
// outlive it.
class TrainerThread {
 public:
  // How often the log is looked at, in milliseconds.
  static constexpr int kLookMillis = 200;

  // `wake` is called by the thread when there is an outcome or a failure.
  TrainerThread(TrainingMeans means, std::function<void()> wake);
  ~TrainerThread();
  TrainerThread(const TrainerThread&) = delete;
  TrainerThread& operator=(const TrainerThread&) = delete;

  // It goes on with the trainers as they are now.
  void GoOn(std::shared_ptr<const Deployment> deployment);
  bool has_outcome() const;
  // It rests until GoOn.
  std::optional<TrainingOutcome> Take();
  // The outcome could not be appended: the trainer rests.
  void Rest(const std::string& trainer);
  // Why trainers rest, since it was asked last.
  std::vector<std::string> TakeFailures();
  // Returns when there is an outcome, or no trigger up to this LSN, which is durable.
  void Await(log::Lsn lsn);

 private:
  void Run();
  // The first outcome that one of the trainers has.
  std::optional<TrainingOutcome> Look(const Deployment& deployment, log::Lsn until);
  Result<std::optional<TrainingOutcome>> Look(const Deployment& deployment, const Deployed& trainer,
                                              log::Lsn until);

  TrainingMeans means_;
  std::function<void()> wake_;
  std::atomic<bool> stop_{false};

  // The thread's.
  std::map<std::string, TrainingScan> scans_;

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<const Deployment> deployment_;  // null: it rests
  uint64_t generation_ = 0;                       // counts the deployments
  uint64_t looked_generation_ = 0;
  log::Lsn looked_ = 0;  // no trigger up to here, in the deployment of that generation
  std::optional<TrainingOutcome> outcome_;
  std::map<std::string, uint64_t> resting_;  // trainers, by the generation in which they began to
  std::vector<std::string> failures_;
  std::thread thread_;
};

}  // namespace headrace::engine
