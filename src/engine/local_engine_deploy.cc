// How LocalEngine deploys: at once, or beside live traffic.

#include <algorithm>
#include <utility>

#include "engine/backfill.h"
#include "engine/comparison.h"
#include "engine/draft_kind.h"
#include "engine/drop.h"
#include "engine/local_engine.h"
#include "engine/replay.h"

namespace headrace::engine {
namespace {

constexpr size_t kEditsMax = 4096;  // of models, that wait to be durable

using catalog::Change;
using catalog::ChangeKind;

constexpr int64_t kTellNanos = 10'000'000'000;

Change Joining(const std::string& statement) {
  Change change;
  change.kind = ChangeKind::kJoin;
  change.name = statement;
  return change;
}

Error NoSpace() {
  return Error(ErrorKind::kNoSpace, "HR5002", "no space left for the journal")
      .WithHint("free disk space");
}

// Of a script that makes a new statement: what is written now of a statement that it makes or
// replaces. From then on a start knows the whole script, and so does the planner.
ChangeKind Prepared(ChangeKind kind) {
  return kind == ChangeKind::kReplace ? ChangeKind::kPrepareReplace : ChangeKind::kPrepare;
}

// Answers are kept as long as the events that may need them again.
Status CreateAnswersTopic(const Deployment& deployment, log::Log& log) {
  bool asks = false;
  log::TopicConfig config;
  config.retention_ms = 0;
  for (const Deployed& item : deployment.items) {
    asks = asks || (item.statement && item.newest()->asks());
    if (!item.source || config.retention_ms < 0) continue;
    const int64_t ms = item.retention.bytes < 0 ? item.retention.ms : -1;
    config.retention_ms = ms < 0 ? -1 : std::max(config.retention_ms, ms);
  }
  if (!asks || log.HasTopic(flow::kRemoteAnswersTopic)) return Ok();
  return log.CreateTopic(flow::kRemoteAnswersTopic, config);
}

}  // namespace

Status LocalEngine::CheckOpen() const {
  if (!closed_ && log_->failure() == nullptr) return Ok();
  return Error(ErrorKind::kUnavailable, "HR5001", "the journal takes no more statements");
}

bool LocalEngine::MayAppend() const {
  return options_.waits_for_log || log_->has_room();
}

Status LocalEngine::CreateTopics(const Deployment& deployment) {
  for (const Deployed& item : deployment.items) {
    const bool there = !item.is_model() && log_->HasTopic(item.topic());
    // One that something had which was dropped is what the new one says.
    const bool known = there && this->deployment()->FindByTopic(item.topic()) != nullptr;
    if (item.is_model() || known) continue;
    log::TopicConfig config;
    config.partitions = item.partitions;
    config.retention_ms = item.retention.ms;
    config.retention_bytes = item.retention.bytes;
    HR_TRY(there ? log_->ChangeTopic(item.topic(), config)
                 : log_->CreateTopic(item.topic(), config));
  }
  return CreateAnswersTopic(deployment, *log_);
}

void LocalEngine::Use(std::shared_ptr<const Deployment> deployment) {
  if (group_) CountTotals();
  Publish(std::move(deployment));
  halted_.Set(static_cast<double>(halted().size()));
  group_ = std::make_unique<GroupBuilder>(this->deployment(), *log_, &health_);
  counted_ = {};
  if (startup_.done()) GoOnTraining();
}

// --- at once
// --------------------------------------------------------------------------------------

Status LocalEngine::Execute(std::string_view script, const std::string& file) {
  HR_TRY(CheckOpen());
  HR_TRY(FinishDeployments());
  if (unfinished_) {
    Status joined = Ok();
    HR_TRY(log_->WaitDurable(log_->last_lsn()));
    HR_TRY(BeginUnfinished([&joined](const Status& done) { joined = done; }));
    HR_TRY(FinishDeployments());
    HR_TRY(joined);
  }
  // A group that waits for disk space goes first: its events are in the state already.
  if (unappended_) HR_TRY(AppendGroup());
  HR_ASSIGN(Draft draft, deployer_.Plan(script, file, *deployment()));
  if (draft.changes.empty()) return Ok();
  HR_TRY(DeployAtOnce(draft));
  HR_TRY(log_->WaitDurable(log_->last_lsn()));
  Complete();
  return Ok();
}

// What is of models alone is in use then, and durable when the last LSN is: a disk that is full, or
// hangs, must not stop the worker.
Status LocalEngine::DeployAtOnce(const Draft& draft) {
  HR_TRY(GiveUpAsks(draft.changes));
  auto base = deployment();
  HR_ASSIGN(auto planned, deployer_.DeployBehind(draft.changes, *base, log_->last_lsn()));
  HR_TRY(CreateTopics(*planned));
  // Topics take LSNs too: only now it is known which the changes get.
  // Which version decides is looked up when a row is scored: the flow goes on as it is.
  if (OnlyModels(draft)) return Apply(draft.changes);
  if (OnlyDrops(draft)) return ApplyDrops(draft.changes);
  std::vector<Change> changes = draft.changes;
  FillDrops(changes, *base, *log_);
  HR_TRY(ApplyAtOnce(changes));
  HR_TRY(ForgetDropped(changes));
  ForgetSnapshots(SnapshotCycle::Forget::kNow);
  Status rebuilt = Rebuild(From::kBeginning, Unjoined::kLater, nullptr);
  if (!rebuilt.ok()) Abandon(rebuilt.error());
  return rebuilt;
}

// What is left goes on as it is, with its state.
Status LocalEngine::ApplyDrops(std::vector<Change> changes) {
  // One that is being taken has the blocks of now.
  if (snapshots_) snapshots_->Settle(*graph_);
  auto base = deployment();
  FillDrops(changes, *base, *log_);
  HR_TRY(ApplyAtOnce(changes));
  for (const Change& change : changes) {
    const Deployed* item = base->Find(change.name);
    if (change.kind != ChangeKind::kDrop) continue;
    if (item->statement) graph_->RemoveStatement(change.name);
    if (item->source) graph_->RemoveSource(change.name);
  }
  if (snapshots_) snapshots_->WholeNext();
  HR_TRY(ForgetDropped(changes));
  AskAgain();  // but not for what is gone
  return Ok();
}

// What was known of it besides the flow.
Status LocalEngine::ForgetDropped(const std::vector<Change>& changes) {
  auto left = deployment();
  HR_TRY(BeginTopics(left->catalog, *log_));
  for (const Change& change : changes) {
    if (change.kind == ChangeKind::kDrop) {
      finished_.erase(change.name);
      times_.Forget(change.name);
    } else if (change.kind == ChangeKind::kDropTopic) {
      std::erase_if(positions_,
                    [&](const auto& position) { return position.first.first == change.name; });
    }
  }
  features_.Forget();
  // Requests that waited for what is no more.
  std::deque<IngestRequest> queued = std::exchange(queue_, {});
  CountQueued(-static_cast<int64_t>(queued_events_), -static_cast<int64_t>(queued_bytes_));
  for (IngestRequest& request : queued)
    Submit(std::move(request));
  return Ok();
}

// In use from here on; durable when the last LSN is.
Status LocalEngine::Apply(const std::vector<Change>& changes) {
  HR_ASSIGN(auto next, deployer_.DeployBehind(changes, *deployment(), log_->last_lsn()));
  std::vector<log::Entry> controls = ControlsOf(changes);
  HR_TRY(log_->Append(controls));
  Use(std::move(next));
  return Ok();
}

Status LocalEngine::ApplyAtOnce(const std::vector<Change>& changes) {
  HR_ASSIGN(auto next, deployer_.DeployBehind(changes, *deployment(), log_->last_lsn()));
  std::vector<log::Entry> controls = ControlsOf(changes);
  HR_TRY(log_->Append(controls));
  HR_TRY(log_->WaitDurable(log_->last_lsn()));
  Use(std::move(next));
  Complete();
  return Ok();
}

void LocalEngine::EditModel(ModelEdit edit) {
  if (deployed_.size() >= kEditsMax) {
    return edit.done(Error(ErrorKind::kUnavailable, "HR5009", "too many changes of models wait")
                         .WithHint("send it again when the disk has caught up"));
  }
  Result<int32_t> version = EditModelAtOnce(edit);
  if (!version.ok()) return edit.done(std::move(version));
  deployed_.emplace_back(log_->last_lsn(), [done = std::move(edit.done), version](Status durable) {
    done(durable.ok() ? version : Result<int32_t>(durable.error()));
  });
}

// A model is no part of the flow until a statement asks for it: nothing is computed again.
Result<int32_t> LocalEngine::EditModelAtOnce(const ModelEdit& edit) {
  HR_TRY(CheckOpen());
  if (unappended_ || !MayAppend()) return NoSpace();
  HR_ASSIGN(PlannedEdit planned, PlanModelEdit(deployer_, *deployment(), edit));
  HR_TRY(Apply(planned.changes));
  return planned.version;
}

Status LocalEngine::JoinUnfinished(Comparison& comparison) {
  auto base = deployment();
  std::vector<Change> changes;
  for (const Deployed& item : base->items) {
    // A side output joins with its statement.
    const bool unfinished = !item.joined() || item.pending;
    if (unfinished && item.statement->side_of.empty()) changes.push_back(Joining(item.name));
  }
  if (changes.empty()) return Ok();
  HR_TRY(GiveUpAsks(changes));
  HR_ASSIGN(auto next, deployer_.DeployBehind(changes, *base, log_->last_lsn()));
  entries_ = ControlsOf(changes);
  for (size_t i = 0; i < changes.size(); ++i)
    comparison.Join(changes[i].name, NextLsn(i));
  group_->TakeEntries(entries_);
  HR_TRY(AppendGroup());
  Use(next);
  std::vector<std::string> joined;
  for (const Change& change : changes)
    AddWithSides(*next, change.name, joined);
  for (const std::string& name : joined) {
    for (const StatementPtr& revision : next->Find(name)->revisions())
      graph_->Redate(revision);
  }
  return Ok();
}

// --- beside live traffic
// --------------------------------------------------------------------------

void LocalEngine::Deploy(std::string_view script, const std::string& file, Done done) {
  if (Status open = CheckOpen(); !open.ok()) return done(open);
  if ((deploying_ || !scripts_.empty()) && !unappended_) {
    // Another version of a model need not wait until a feature is computed.
    Result<Draft> draft = deployer_.Plan(script, file, AsJoined(*deployment()));
    if (draft.ok() && !draft->changes.empty() && OnlyModels(*draft) && MayAppend()) {
      Status begun = DeployAtOnce(*draft);
      if (!begun.ok()) return done(begun);
      deployed_.emplace_back(log_->last_lsn(), std::move(done));
      return;
    }
  }
  if (scripts_.size() >= kDeploymentsMax) {
    return done(Error(ErrorKind::kUnavailable, "HR5009", "too many deployments are waiting")
                    .WithHint("send it again when the one under way is done"));
  }
  scripts_.push_back({std::string(script), file, std::move(done)});
  if (MayAppend()) StepDeployment();
}

bool LocalEngine::StepDeployment() {
  if (closed_ || unappended_) return false;
  if (!deploying_) return BeginNext();
  if (const Error* failure = log_->failure()) {
    EndDeployment(*failure);
    return false;
  }
  KeepWithinMemory();
  TellProgress();
  Backfill& backfill = *deploying_->backfill;
  // One flush has rows of the past of one chunk at most: live events wait behind no more.
  if (log_->durable_lsn() < deploying_->rows_lsn) {
    backfill.GoOn();
    return false;
  }
  const Backfill::State state = backfill.state();  // first: behind kDone no chunk is added
  if (HandOnRows()) return false;
  if (state == Backfill::State::kNear) FixEnd();
  if (state == Backfill::State::kFailed && backfill.differs()) {
    RebuildOtherwise();
  } else if (state == Backfill::State::kFailed) {
    EndDeployment(Error(backfill.failure())
                      .WithHint("new statements of it are computed again for the next script, and "
                                "when the program starts"));
  }
  if (state != Backfill::State::kDone) return !deploying_ && !scripts_.empty();
  Status taken = TakeOver();
  if (!taken.ok() && !unappended_) EndDeployment(taken);
  return !unappended_;
}

// What was computed and logged before is computed otherwise now: that is for a start, which halts
// it. The flow stands still meanwhile.
void LocalEngine::RebuildOtherwise() {
  std::unique_ptr<Deploying> ended = std::move(deploying_);
  ended->backfill.reset();
  ForgetSnapshots(SnapshotCycle::Forget::kNow);
  Status rebuilt = Rebuild(From::kBeginning, Unjoined::kNow, nullptr);
  recovery_note_.clear();
  TellHalted();
  Tell(recovery_note_);
  if (!rebuilt.ok()) Abandon(rebuilt.error());
  ended->done(rebuilt);
}

bool LocalEngine::BeginNext() {
  if (scripts_.empty() || !trims_.empty()) return false;
  // What was computed before is compared: all of it must be there.
  if (unfinished_ && log_->durable_lsn() < log_->last_lsn()) return false;
  if (snapshots_ && !snapshots_->idle()) return snapshots_->taking();
  WaitingScript next = std::move(scripts_.front());
  scripts_.pop_front();
  Result<bool> begun = Begin(next);
  if (!begun.ok()) next.done(std::move(begun).error());
  if (begun.ok() && !*begun) next.done(Ok());
  return !scripts_.empty();
}

// True when it goes on, and `done` was taken.
Result<bool> LocalEngine::Begin(WaitingScript& waiting) {
  HR_TRY(CheckOpen());
  // A script is planned over statements that are there.
  if (unfinished_) {
    HR_TRY(BeginUnfinished([this, waiting](const Status& done) {
      if (!done.ok()) return waiting.done(done);
      scripts_.push_front(waiting);
    }));
    return true;
  }
  HR_ASSIGN(Draft draft, deployer_.Plan(waiting.script, waiting.file, *deployment()));
  if (draft.changes.empty()) return false;
  // Behind a loss the offsets of rows are those of the salvage, which Rebuild alone counts.
  const bool damaged = !deployment()->catalog.losses().empty();
  if (OnlyModels(draft)) {
    HR_TRY(DeployAtOnce(draft));
    deployed_.emplace_back(log_->last_lsn(), std::move(waiting.done));
    return true;
  }
  const bool at_once =
      AnyDrop(draft) || TakesOverEvents(draft, *log_) || UsesPolicies(draft) || MakesTwice(draft);
  if (at_once || damaged) {
    HR_TRY(DeployAtOnce(draft));
    return false;
  }
  HR_TRY(BeginComputing(draft, waiting));
  return true;
}

Status LocalEngine::BeginComputing(const Draft& draft, WaitingScript& waiting) {
  std::vector<Change> now;
  std::vector<std::string> emitting;
  auto next = std::make_unique<Deploying>();
  for (const Change& change : draft.changes) {
    now.push_back(change);
    if (!IsOfStatement(change, draft)) continue;
    now.back().kind = Prepared(change.kind);
    next->later.push_back(Joining(change.name));
    AddWithSides(draft.deployment, change.name, next->statements);
    if (change.kind != ChangeKind::kReplace) AddWithSides(draft.deployment, change.name, emitting);
  }
  // Without a new statement there is nothing to be seen before all is there.
  if (emitting.empty() && !NoStatements(draft)) {
    next->later = draft.changes;
    now.clear();
  }
  HR_ASSIGN(auto target, Announce(now, next->later));
  if (next->later.empty()) {
    deployed_.emplace_back(log_->last_lsn(), std::move(waiting.done));
    return Ok();
  }
  next->done = std::move(waiting.done);
  StartComputing(target, std::move(next), std::move(emitting));
  return Ok();
}

Status LocalEngine::BeginUnfinished(Done done) {
  HR_TRY(CheckOpen());
  auto target = deployment();
  std::map<uint64_t, const catalog::Object*> unfinished;  // as their texts came
  for (const catalog::Object& object : target->catalog.objects()) {
    if (object.pending) unfinished[object.pending->made_lsn] = &object;
    if (object.latest().joined_lsn == UINT64_MAX) unfinished[object.latest().made_lsn] = &object;
  }
  auto next = std::make_unique<Deploying>();
  std::vector<std::string> emitting;
  for (const auto& [lsn, object] : unfinished) {
    next->later.push_back(Joining(object->name));
    AddWithSides(*target, object->name, next->statements);
    if (!object->pending) AddWithSides(*target, object->name, emitting);
  }
  next->done = std::move(done);
  StartComputing(target, std::move(next), std::move(emitting));
  return Ok();
}

void LocalEngine::StartComputing(const std::shared_ptr<const Deployment>& target,
                                 std::unique_ptr<Deploying> next,
                                 std::vector<std::string> emitting) {
  Backfill::Job job;
  job.part = PartFor(*target, next->statements);
  job.emitting = std::move(emitting);
  job.models = [this, target](const std::string& name) {
    const Deployed* known = deployment()->Find(name);
    return (known != nullptr ? known : target->Find(name))->models;
  };
  job.spill = spill();
  job.wake = [this] { Wake(); };
  next->began_nanos = next->told_nanos = clock_.MonotonicNanoseconds();
  next->backfill = std::make_unique<Backfill>(*log_, snapshot_store(), std::move(job), backfilled_);
  deploying_ = std::move(next);
}

Result<std::shared_ptr<const Deployment>> LocalEngine::Announce(const std::vector<Change>& now,
                                                                const std::vector<Change>& later) {
  if (!now.empty()) {
    auto base = deployment();
    HR_ASSIGN(auto planned, deployer_.DeployBehind(now, *base, log_->last_lsn()));
    HR_TRY(CreateTopics(*planned));
    HR_ASSIGN(auto announced, deployer_.DeployBehind(now, *base, log_->last_lsn()));
    std::vector<log::Entry> controls = ControlsOf(now);
    HR_TRY(log_->Append(controls));
    Use(announced);
    for (const Change& change : now) {
      const Deployed* item = announced->Find(change.name);
      if (!item->source || base->Find(change.name)) continue;
      graph_->AddSource(item->source);
      // The blocks of statements have other numbers from now on.
      if (snapshots_) snapshots_->WholeNext();
    }
    // A start can do with the snapshots there are until the new statements are part of the flow.
  }
  // What is replaced is muted as long as it is computed apart.
  std::vector<Change> open;
  for (const Change& change : later) {
    if (change.kind != ChangeKind::kJoin) open.push_back(change);
  }
  return deployer_.DeployBehind(open, *deployment(), UINT64_MAX - 1 - open.size());
}

bool LocalEngine::HandOnRows() {
  std::optional<Backfill::Chunk> chunk = deploying_->backfill->TakeChunk();
  if (!chunk) return false;
  entries_ = std::move(chunk->entries);
  deploying_->rows_lsn = NextLsn(0) + entries_.size() - 1;
  totals_.rows += chunk->rows;
  emitted_.Add(chunk->rows);
  Status appended = AppendGroup();
  static_cast<void>(appended.ok());  // without space it is offered again before anything else
  return true;
}

void LocalEngine::FixEnd() {
  if (deploying_->end_fixed) return;
  // Without disk space that would take long: events are refused by then, and it is tried again.
  deploying_->finishing = !log_->no_space();
  if (!deploying_->finishing || !GiveUpAsks(deploying_->later).ok()) return;
  if (log_->durable_lsn() < log_->last_lsn()) return;
  deploying_->end_fixed = true;
  deploying_->backfill->FinishAt(log_->last_lsn());
}

Status LocalEngine::TakeOver() {
  Deploying& deploying = *deploying_;
  HR_ASSIGN(auto planned, deployer_.DeployBehind(deploying.later, *deployment(), log_->last_lsn()));
  HR_TRY(CreateTopics(*planned));
  HR_ASSIGN(auto next, deployer_.DeployBehind(deploying.later, *deployment(), log_->last_lsn()));
  entries_ = ControlsOf(deploying.later);
  std::vector<std::pair<std::string, log::Lsn>> joins;
  for (size_t i = 0; i < deploying.later.size(); ++i) {
    if (deploying.later[i].kind == ChangeKind::kJoin)
      joins.emplace_back(deploying.later[i].name, NextLsn(i));
  }
  for (log::Entry& entry : deploying.backfill->Letters(joins))
    entries_.push_back(std::move(entry));
  auto base = deployment();
  // Before it is appended: who sees its LSN knows that the statements have joined.
  Use(next);
  for (const Change& change : deploying.later) {
    const Deployed* item = next->Find(change.name);
    if (item->source && !base->Find(change.name)) graph_->AddSource(item->source);
  }
  // As a start would add them.
  std::stable_sort(deploying.statements.begin(), deploying.statements.end(),
                   [&](const std::string& a, const std::string& b) {
                     return next->Find(a)->statement->created_lsn <
                            next->Find(b)->statement->created_lsn;
                   });
  for (const std::string& name : deploying.statements) {
    const Deployed* item = next->Find(name);
    if (!item->former.empty()) graph_->Redate(item->former.back());
    graph_->Adopt(deploying.backfill->graph(), *deploying.backfill->part().Find(name)->statement,
                  item->statement);
  }
  forget_at_ = NextLsn(0) + entries_.size() - 1;
  deployed_.emplace_back(forget_at_, std::move(deploying.done));
  TellDeployed();
  deploying_.reset();
  return AppendGroup();
}

void LocalEngine::EndDeployment(const Status& status) {
  if (!deploying_) return;
  std::unique_ptr<Deploying> ended = std::move(deploying_);
  ended->backfill.reset();
  ended->done(status);
}

void LocalEngine::StopDeployments() {
  const Error stopping = Error(ErrorKind::kUnavailable, "HR5001", "the program is stopping")
                             .WithHint("give the script again when it has started");
  EndDeployment(stopping);
  for (WaitingScript& waiting : std::exchange(scripts_, {}))
    waiting.done(stopping);
  for (Trimming& trim : std::exchange(trims_, {}))
    trim.order.done(stopping);
}

Status LocalEngine::FinishDeployments() {
  HR_TRY(FinishTrims());
  while (deploying_ || !scripts_.empty()) {
    if (!deploying_ && snapshots_) snapshots_->Settle(*graph_);
    HR_TRY(StepToTheEnd());
  }
  if (!deployed_.empty() && !log_->no_space()) HR_TRY(log_->WaitDurable(log_->last_lsn()));
  AnswerDeployed();
  return Ok();
}

// One step, and waits for what makes the next possible.
Status LocalEngine::StepToTheEnd() {
  if (unappended_) HR_TRY(AppendGroup());
  StepDeployment();
  if (!deploying_ && !unfinished_) return Ok();
  if (log_->no_space()) return NoSpace();
  if (!deploying_) return log_->WaitDurable(log_->last_lsn());
  const bool rows = log_->durable_lsn() < deploying_->rows_lsn;
  const bool end = deploying_->finishing && !deploying_->end_fixed;
  if (rows || end) return log_->WaitDurable(log_->last_lsn());
  deploying_->backfill->Wait();
  return Ok();
}

void LocalEngine::AnswerDeployed() {
  while (!deployed_.empty()) {
    const bool durable = deployed_.front().first <= log_->durable_lsn();
    if (!durable && log_->failure() == nullptr && !closed_) return;
    Done done = std::move(deployed_.front().second);
    deployed_.pop_front();
    done(durable ? Ok() : CheckOpen());
  }
}

Status LocalEngine::Settle() {
  if (unappended_) HR_TRY(AppendGroup());
  while (deploying_ && deploying_->finishing)
    HR_TRY(StepToTheEnd());
  return Ok();
}

void LocalEngine::Tell(const std::string& line) const {
  if (options_.notice) options_.notice(line);
}

void LocalEngine::TellDeployed() const {
  const int64_t nanos = clock_.MonotonicNanoseconds() - deploying_->began_nanos;
  Tell("deployed " + Listed(deploying_->statements) + " at LSN " +
       std::to_string(log_->last_lsn() + 1) + ", computed over " +
       std::to_string(deploying_->backfill->events()) + " events in " +
       std::to_string(nanos / 1'000'000) + " ms");
}

void LocalEngine::TellProgress() {
  const int64_t now = clock_.MonotonicNanoseconds();
  if (now - deploying_->told_nanos < kTellNanos) return;
  deploying_->told_nanos = now;
  Tell("computing " + Listed(deploying_->statements) +
       " over the past: " + std::to_string(deploying_->backfill->events()) + " events so far");
}

}  // namespace headrace::engine
