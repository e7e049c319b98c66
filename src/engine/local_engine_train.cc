// How LocalEngine answers the triggers of trainers: the steps, the version and that the trigger was
// answered are one group of the journal.

#include <algorithm>

#include "engine/local_engine.h"
#include "engine/taken.h"
#include "engine/training_steps.h"

namespace headrace::engine {

void LocalEngine::GoOnTraining() {
  auto deployment = this->deployment();
  const bool any = std::any_of(deployment->items.begin(), deployment->items.end(),
                               [](const Deployed& item) { return item.trainer != nullptr; });
  if (closed_ || (!any && !trainers_)) return;
  if (!trainers_)
    trainers_ = std::make_unique<TrainerThread>(TrainingMeans{files_, *log_, snapshot_store()},
                                                [this] { Wake(); });
  trainers_->GoOn(std::move(deployment));
}

bool LocalEngine::StepTraining() {
  if (!trainers_ || closed_ || unappended_ || (deploying_ && deploying_->finishing)) return false;
  for (const std::string& failure : trainers_->TakeFailures()) {
    if (options_.notice) options_.notice(failure);
  }
  if (!MayAppend()) return false;
  std::optional<TrainingOutcome> outcome = trainers_->Take();
  if (!outcome) return false;
  const Status answered = AnswerTraining(*outcome);
  if (!answered.ok() && !unappended_) {
    if (options_.notice) {
      options_.notice("`" + outcome->trainer + "` rests: " + answered.error().ToString());
    }
    trainers_->Rest(outcome->trainer);
  }
  GoOnTraining();
  return true;
}

Status LocalEngine::AnswerTraining(TrainingOutcome& outcome) {
  auto base = deployment();
  const Deployed* trainer = base->Find(outcome.trainer);
  const catalog::Object* object = base->catalog.Find(outcome.trainer);
  const bool there = trainer != nullptr && trainer->trainer &&
                     object->revisions.front().lsn == outcome.created_lsn;
  flow::SourceNode* source = graph_->FindSource(StepsName(outcome.trainer));
  if (!there || source == nullptr) return Ok();  // it was dropped meanwhile
  HR_ASSIGN(const PlannedTraining planned, PlanTraining(deployer_, *base, outcome));
  // What can go wrong goes wrong before the state has taken anything.
  HR_TRY(deployer_.DeployBehind(planned.changes, *base, log_->last_lsn()));
  BeginGroup(*source, clock_.NowMicros());
  for (const std::string& payload : planned.payloads) {
    const Status admitted =
        source->Admit(payload, false, admitted_.note.arrival_micros, admitted_.batch);
    HR_CHECK(admitted.ok());
  }
  for (const row::Row& row : admitted_.batch.rows())
    Place(*source, row, std::nullopt);
  RunLanes(*source);
  TakeAsks(Wanted{});
  // Behind the steps, whose LSNs are given by their place in the group.
  const log::Lsn last = NextLsn(0) + entries_.size() - 1;
  Result<std::shared_ptr<const Deployment>> next =
      deployer_.DeployBehind(planned.changes, *base, last);
  HR_CHECK(next.ok());
  for (log::Entry& control : ControlsOf(planned.changes))
    entries_.push_back(std::move(control));
  Use(std::move(*next));
  return AppendGroup();
}

Status LocalEngine::FinishTraining() {
  while (trainers_ && !closed_) {
    if (unappended_) HR_TRY(AppendGroup());
    if (const Error* failure = log_->failure()) return *failure;
    HR_TRY(log_->WaitDurable(log_->last_lsn()));
    trainers_->Await(log_->durable_lsn());
    if (!StepTraining()) break;
  }
  return Ok();
}

}  // namespace headrace::engine
