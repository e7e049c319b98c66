#include "engine/trainer_thread.h"

#include <chrono>
#include <utility>

#include "os/thread_priority.h"

namespace headrace::engine {

TrainerThread::TrainerThread(TrainingMeans means, std::function<void()> wake)
    : means_(std::move(means)), wake_(std::move(wake)) {
  thread_ = std::thread([this] { Run(); });
}

TrainerThread::~TrainerThread() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void TrainerThread::GoOn(std::shared_ptr<const Deployment> deployment) {
  {
    const std::lock_guard lock(mutex_);
    deployment_ = std::move(deployment);
    ++generation_;
  }
  changed_.notify_all();
}

bool TrainerThread::has_outcome() const {
  const std::lock_guard lock(mutex_);
  return outcome_ && deployment_;
}

std::optional<TrainingOutcome> TrainerThread::Take() {
  const std::lock_guard lock(mutex_);
  if (!outcome_) return std::nullopt;
  deployment_.reset();
  return std::exchange(outcome_, std::nullopt);
}

void TrainerThread::Rest(const std::string& trainer) {
  const std::lock_guard lock(mutex_);
  resting_[trainer] = generation_ + 1;  // that of the GoOn behind
}

std::vector<std::string> TrainerThread::TakeFailures() {
  const std::lock_guard lock(mutex_);
  return std::exchange(failures_, {});
}

void TrainerThread::Await(log::Lsn lsn) {
  std::unique_lock lock(mutex_);
  changed_.notify_all();
  changed_.wait(lock,
                [&] { return outcome_ || (looked_generation_ == generation_ && looked_ >= lsn); });
}

void TrainerThread::Run() {
  os::LowerThreadPriority();
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (outcome_ || !deployment_) {
      changed_.wait(lock);
      continue;
    }
    const log::Lsn until = means_.log.durable_lsn();
    if (looked_generation_ == generation_ && looked_ >= until) {
      changed_.wait_for(lock, std::chrono::milliseconds(kLookMillis));
      continue;
    }
    const std::shared_ptr<const Deployment> deployment = deployment_;
    const uint64_t generation = generation_;
    std::erase_if(resting_, [&](const auto& rests) { return rests.second < generation; });
    lock.unlock();
    std::optional<TrainingOutcome> outcome = Look(*deployment, until);
    const bool found = outcome.has_value();
    lock.lock();
    outcome_ = std::move(outcome);
    if (!found) {
      looked_ = until;
      looked_generation_ = generation;
    }
    const bool wake = found || !failures_.empty();
    lock.unlock();
    changed_.notify_all();
    if (wake) wake_();
    lock.lock();
  }
}

std::optional<TrainingOutcome> TrainerThread::Look(const Deployment& deployment, log::Lsn until) {
  for (const Deployed& item : deployment.items) {
    if (!item.trainer || stop_) continue;
    {
      const std::lock_guard lock(mutex_);
      if (resting_.contains(item.name)) continue;
    }
    Result<std::optional<TrainingOutcome>> outcome = Look(deployment, item, until);
    if (outcome.ok() && *outcome) return std::move(**outcome);
    if (outcome.ok() || stop_) continue;
    scans_.erase(item.name);
    const std::lock_guard lock(mutex_);
    resting_[item.name] = generation_;
    failures_.push_back("`" + item.name + "` rests: " + outcome.error().ToString());
  }
  return std::nullopt;
}

Result<std::optional<TrainingOutcome>> TrainerThread::Look(const Deployment& deployment,
                                                           const Deployed& trainer,
                                                           log::Lsn until) {
  const catalog::Object& object = *deployment.catalog.Find(trainer.name);
  auto known = scans_.find(trainer.name);
  const bool goes_on = known != scans_.end() &&
                       known->second.created_lsn() == object.revisions.front().lsn &&
                       known->second.run() == object.trained.run;
  if (!goes_on) {
    scans_.erase(trainer.name);
    known = scans_.try_emplace(trainer.name, means_.log, trainer.trainer, object).first;
  }
  known->second.Answered(object.trained);
  HR_ASSIGN(const std::optional<TrainingTrigger> trigger,
            known->second.Next(deployment, until, stop_));
  if (!trigger) return std::optional<TrainingOutcome>{};
  HR_ASSIGN(TrainingOutcome outcome, RunTraining(means_, deployment, trainer, *trigger, stop_));
  return std::optional<TrainingOutcome>(std::move(outcome));
}

}  // namespace headrace::engine
