// How LocalEngine trims a topic: a snapshot must stand for what was computed from the events that
// go, then a control says where the topic begins.

#include <utility>

#include "engine/local_engine.h"

namespace headrace::engine {
namespace {

using Phase = Trimming::Phase;

void End(std::deque<Trimming>& trims, Result<std::string> result) {
  auto done = std::move(trims.front().order.done);
  trims.pop_front();
  done(std::move(result));
}

Error Needed(const std::string& by) {
  return Error(ErrorKind::kConflict, "HR5007", by)
      .WithHint("trim again when that is done; what is computed keeps no other copy of them");
}

}  // namespace

std::optional<Error> LocalEngine::MayTrim() const {
  if (Status open = CheckOpen(); !open.ok()) return open.error();
  if (!snapshots_) {
    return Error(ErrorKind::kConflict, "HR5007",
                 "no snapshots are taken here that could stand for the events")
        .WithHint("trim a data directory of its own");
  }
  if (deploying_) {
    return Needed(Listed(deploying_->statements) + " is being computed from the events so far");
  }
  if (!scripts_.empty()) {
    return Needed("`" + scripts_.front().file + "` waits to be deployed over the events so far");
  }
  if (trims_.size() < kTrimsMax) return std::nullopt;
  return Error(ErrorKind::kUnavailable, "HR5009", "too many trims are waiting")
      .WithHint("send it again when the one under way is done");
}

void LocalEngine::Trim(TrimOrder order) {
  if (std::optional<Error> refused = MayTrim()) return order.done(std::move(*refused));
  trims_.push_back({std::move(order)});
  if (MayAppend()) StepTrim();
}

// Whoever wants to deploy waits meanwhile, so that the beginning moves under nobody.
bool LocalEngine::StepTrim() {
  if (trims_.empty() || unappended_) return false;
  if (Status open = CheckOpen(); !open.ok()) {
    End(trims_, open.error());
    return true;
  }
  Trimming& trim = trims_.front();
  if (trim.phase != Phase::kCovering) {
    if (!snapshots_->idle() || snapshots_->due()) return false;
    trim.phase = Phase::kCovering;
    snapshots_->Cover(trim.order.request);
    return false;
  }
  std::optional<Result<TrimCover>> cover = snapshots_->TakeCover();
  if (!cover) return false;
  if (!cover->ok()) {
    End(trims_, cover->error());
  } else if ((*cover)->stands) {
    CommitTrim((*cover)->plan);
  } else if (!trim.taken) {
    trim.phase = Phase::kTaking;
    trim.taken = true;
    snapshots_->TakeNow();
  } else {
    const Status last = snapshots_->LastWritten();
    End(trims_, Error(ErrorKind::kUnavailable, "HR5008",
                      "no snapshot could be written that stands for the events" +
                          (last.ok() ? std::string() : ": " + last.error().ToString()))
                    .WithHint("nothing was removed; free disk space, then trim again"));
  }
  return true;
}

void LocalEngine::CommitTrim(const TrimPlan& plan) {
  const std::string topic = trims_.front().order.request.topic;
  if (plan.begins.empty()) return End(trims_, TrimJson(*log_, topic, 0, 0));
  catalog::Change change;
  change.kind = catalog::ChangeKind::kTrim;
  change.name = topic;
  change.text = catalog::EncodeOffsets(plan.begins);
  if (Status applied = Apply({change}); !applied.ok()) return End(trims_, applied.error());
  const log::Lsn lsn = log_->last_lsn();
  auto done = std::move(trims_.front().order.done);
  trims_.pop_front();
  deployed_.emplace_back(lsn, [this, plan, topic, lsn, done](const Status& durable) {
    if (!durable.ok()) return done(durable.error());
    for (const auto& [of, offset] : plan.begins)
      log_->BeginAt(of.first, of.second, offset);
    features_.Forget();
    if (snapshots_) snapshots_->RemoveTrimmed();
    done(TrimJson(*log_, topic, lsn, plan.events));
  });
}

Status LocalEngine::FinishTrims() {
  while (!trims_.empty()) {
    if (unappended_) HR_TRY(AppendGroup());
    HR_TRY(log_->WaitDurable(log_->last_lsn()));
    StepTrim();
    StepSnapshot();
    snapshots_->Settle(*graph_);
  }
  if (!deployed_.empty() && !log_->no_space()) HR_TRY(log_->WaitDurable(log_->last_lsn()));
  AnswerDeployed();
  return Ok();
}

}  // namespace headrace::engine
