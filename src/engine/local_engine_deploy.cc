// How LocalEngine deploys: at once, or beside live traffic.

#include <algorithm>

#include "engine/backfill.h"
#include "engine/comparison.h"
#include "engine/drop.h"
#include "engine/local_engine.h"
#include "engine/replay.h"

namespace headrace::engine {
namespace {

constexpr size_t kEditsMax = 4096;  // of models, that wait to be durable

using catalog::Change;
using catalog::ChangeKind;

constexpr int64_t kTellNanos = 10'000'000'000;

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string Listed(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names)
    all += (all.empty() ? "" : ", ") + name;
  return all;
}

Change Joining(const std::string& statement) {
  Change change;
  change.kind = ChangeKind::kJoin;
  change.name = statement;
  return change;
}

bool IsOfModel(const Change& change) {
  using enum ChangeKind;
  return change.kind == kAddVersion || change.kind == kActivateVersion ||
         change.kind == kShadowVersion || change.kind == kRetireVersion ||
         change.kind == kCanaryVersion;
}

bool IsDrop(const Change& change) {
  return change.kind == ChangeKind::kDrop || change.kind == ChangeKind::kDropTopic;
}

// A statement that the draft makes, or makes anew.
bool IsOfStatement(const Change& change, const Draft& draft) {
  const Deployed* item = draft.deployment.Find(change.name);
  return !IsOfModel(change) && item->statement != nullptr;
}

// Adds the statement and, behind it, its side outputs: they are computed and join together.
void AddWithSideOutput(const Deployment& deployment, const std::string& name,
                       std::vector<std::string>& names) {
  names.push_back(name);
  const std::vector<std::string> sides = deployment.Find(name)->statement->sides();
  names.insert(names.end(), sides.begin(), sides.end());
}

bool OnlyModels(const Draft& draft) {
  return std::all_of(draft.changes.begin(), draft.changes.end(), IsOfModel);
}

bool OnlyDrops(const Draft& draft) {
  return std::all_of(draft.changes.begin(), draft.changes.end(), IsDrop);
}

bool AnyDrop(const Draft& draft) {
  return std::any_of(draft.changes.begin(), draft.changes.end(), IsDrop);
}

// A declared stream over events that were taken for another: they have to be run for it.
bool TakesOverEvents(const Draft& draft, const log::Log& log) {
  return std::any_of(draft.changes.begin(), draft.changes.end(), [&](const Change& change) {
    const Deployed* item = draft.deployment.Find(change.name);
    if (change.kind != ChangeKind::kCreate || !item->source) return false;
    bool any = false;
    for (int32_t p = 0; p < log.topic_config(item->topic()).partitions; ++p) {
      any = any || log.next_offset(item->topic(), p) > log.start_offset(item->topic(), p);
    }
    return any;
  });
}

bool NoStatements(const Draft& draft) {
  return std::none_of(draft.changes.begin(), draft.changes.end(),
                      [&](const Change& change) { return IsOfStatement(change, draft); });
}

Error NoSpace() {
  return Error(ErrorKind::kNoSpace, "HR5002", "no space left for the journal")
      .WithHint("free disk space");
}

// New statements exist from now on, replaced ones as they were until their state is there: one that
// reads the other as it will be can only begin with it.
bool NewReadsReplaced(const Draft& draft) {
  std::vector<std::string> replaced;
  for (const Change& change : draft.changes) {
    if (change.kind == ChangeKind::kReplace)
      AddWithSideOutput(draft.deployment, change.name, replaced);
  }
  return std::any_of(draft.changes.begin(), draft.changes.end(), [&](const Change& change) {
    return change.kind == ChangeKind::kCreate && IsOfStatement(change, draft) &&
           Contains(replaced, draft.deployment.Find(change.name)->statement->input());
  });
}

// Policies are state of the live graph, which a statement cannot bring along from another one.
bool UsesPolicies(const Draft& draft) {
  return std::any_of(draft.changes.begin(), draft.changes.end(), [&](const Change& change) {
    return IsOfStatement(change, draft) && !PoliciesOf(*draft.deployment.Find(change.name)).empty();
  });
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
  return CreateAnswersTopic(deployment);
}

// Answers are kept as long as the events that may need them again.
Status LocalEngine::CreateAnswersTopic(const Deployment& deployment) {
  bool asks = false;
  log::TopicConfig config;
  config.retention_ms = 0;
  for (const Deployed& item : deployment.items) {
    asks = asks || (item.statement && item.statement->asks());
    if (!item.source || config.retention_ms < 0) continue;
    const int64_t ms = item.retention.bytes < 0 ? item.retention.ms : -1;
    config.retention_ms = ms < 0 ? -1 : std::max(config.retention_ms, ms);
  }
  if (!asks || log_->HasTopic(flow::kRemoteAnswersTopic)) return Ok();
  return log_->CreateTopic(flow::kRemoteAnswersTopic, config);
}

void LocalEngine::Use(std::shared_ptr<const Deployment> deployment) {
  if (group_) CountTotals();
  Publish(std::move(deployment));
  halted_.Set(static_cast<double>(halted().size()));
  group_ = std::make_unique<GroupBuilder>(this->deployment(), *log_, &health_);
  counted_ = {};
}

// --- at once
// --------------------------------------------------------------------------------------

Status LocalEngine::Execute(std::string_view script, const std::string& file) {
  HR_TRY(CheckOpen());
  HR_TRY(FinishDeployments());
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
  Status rebuilt = Rebuild(From::kBeginning, nullptr);
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
  return ForgetDropped(changes);
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
    if (!item.joined() && item.statement->side_of.empty()) changes.push_back(Joining(item.name));
  }
  if (changes.empty()) return Ok();
  HR_ASSIGN(auto next, deployer_.DeployBehind(changes, *base, log_->last_lsn()));
  entries_ = ControlsOf(changes);
  for (size_t i = 0; i < changes.size(); ++i)
    comparison.Join(changes[i].name, NextLsn(i));
  group_->TakeEntries(entries_);
  HR_TRY(AppendGroup());
  Use(next);
  std::vector<std::string> joined;
  for (const Change& change : changes)
    AddWithSideOutput(*next, change.name, joined);
  for (const std::string& name : joined)
    graph_->Redate(next->Find(name)->statement);
  return Ok();
}

// --- beside live traffic
// --------------------------------------------------------------------------

void LocalEngine::Deploy(std::string_view script, const std::string& file, Done done) {
  if (Status open = CheckOpen(); !open.ok()) return done(open);
  if ((deploying_ || !scripts_.empty()) && !unappended_) {
    // Another version of a model need not wait until a feature is computed.
    Result<Draft> draft = deployer_.Plan(script, file, *deployment());
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
  if (state == Backfill::State::kFailed) {
    EndDeployment(Error(backfill.failure())
                      .WithHint("new statements of it are computed when the program starts again"));
  }
  if (state != Backfill::State::kDone) return !deploying_ && !scripts_.empty();
  Status taken = TakeOver();
  if (!taken.ok() && !unappended_) EndDeployment(taken);
  return !unappended_;
}

bool LocalEngine::BeginNext() {
  if (scripts_.empty() || !trims_.empty()) return false;
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
  HR_ASSIGN(Draft draft, deployer_.Plan(waiting.script, waiting.file, *deployment()));
  if (draft.changes.empty()) return false;
  // Behind a loss the offsets of rows are those of the salvage, which Rebuild alone counts.
  const bool damaged = !deployment()->catalog.losses().empty();
  if (OnlyModels(draft)) {
    HR_TRY(DeployAtOnce(draft));
    deployed_.emplace_back(log_->last_lsn(), std::move(waiting.done));
    return true;
  }
  const bool at_once = AnyDrop(draft) || TakesOverEvents(draft, *log_) || NewReadsReplaced(draft) ||
                       UsesPolicies(draft);
  if (at_once || unfinished_ || damaged) {
    HR_TRY(DeployAtOnce(draft));
    return false;
  }
  HR_TRY(BeginComputing(draft, waiting));
  return true;
}

Status LocalEngine::BeginComputing(const Draft& draft, WaitingScript& waiting) {
  std::vector<Change> now;
  std::vector<Change> later;
  std::vector<Change> replacements;
  auto next = std::make_unique<Deploying>();
  Backfill::Job job;
  for (const Change& change : draft.changes) {
    if (change.kind == ChangeKind::kReplace) {
      replacements.push_back(change);
      continue;
    }
    now.push_back(change);
    if (!IsOfStatement(change, draft)) continue;
    now.back().kind = ChangeKind::kPrepare;
    later.push_back(Joining(change.name));
    AddWithSideOutput(draft.deployment, change.name, job.emitting);
  }
  // Without a new statement there is nothing to be seen before all is there.
  if (later.empty() && !NoStatements(draft)) {
    later = draft.changes;
    now.clear();
  }
  if (!job.emitting.empty()) later.insert(later.end(), replacements.begin(), replacements.end());
  HR_ASSIGN(auto target, Announce(now, later));
  if (later.empty()) {
    deployed_.emplace_back(log_->last_lsn(), std::move(waiting.done));
    return Ok();
  }
  for (const Change& change : draft.changes) {
    if (IsOfStatement(change, draft))
      AddWithSideOutput(draft.deployment, change.name, next->statements);
  }
  std::stable_partition(next->statements.begin(), next->statements.end(),
                        [&](const auto& name) { return Contains(job.emitting, name); });
  job.part = PartFor(*target, next->statements);
  job.models = [this, target](const std::string& name) {
    const Deployed* known = deployment()->Find(name);
    return (known != nullptr ? known : target->Find(name))->models;
  };
  job.spill = spill();
  job.wake = [this] { Wake(); };
  next->later = std::move(later);
  next->done = std::move(waiting.done);
  next->began_nanos = next->told_nanos = clock_.MonotonicNanoseconds();
  next->backfill = std::make_unique<Backfill>(*log_, snapshot_store(), std::move(job), backfilled_);
  deploying_ = std::move(next);
  return Ok();
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
      if (item->source && !base->Find(change.name)) graph_->AddSource(item->source);
    }
    // Those that were taken before are of no use any more.
    if (later.empty()) ForgetSnapshots(SnapshotCycle::Forget::kLater);
    estimate_.SnapshotsForgotten();
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
  for (const std::string& name : deploying.statements) {
    const Deployed* item = next->Find(name);
    if (!item->former.empty()) graph_->Redate(item->former.back());
    graph_->Adopt(deploying.backfill->graph(), *deploying.backfill->part().Find(name)->statement,
                  item->statement);
  }
  ForgetSnapshots(SnapshotCycle::Forget::kLater);
  deployed_.emplace_back(NextLsn(0) + entries_.size() - 1, std::move(deploying.done));
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
  if (!deploying_) return Ok();
  if (log_->no_space()) return NoSpace();
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

void LocalEngine::TellDeployed() const {
  if (!options_.notice) return;
  const int64_t nanos = clock_.MonotonicNanoseconds() - deploying_->began_nanos;
  options_.notice("deployed " + Listed(deploying_->statements) + " at LSN " +
                  std::to_string(log_->last_lsn() + 1) + ", computed over " +
                  std::to_string(deploying_->backfill->events()) + " events in " +
                  std::to_string(nanos / 1'000'000) + " ms");
}

void LocalEngine::TellProgress() {
  if (!options_.notice) return;
  const int64_t now = clock_.MonotonicNanoseconds();
  if (now - deploying_->told_nanos < kTellNanos) return;
  deploying_->told_nanos = now;
  options_.notice("computing " + Listed(deploying_->statements) + " over the past: " +
                  std::to_string(deploying_->backfill->events()) + " events so far");
}

}  // namespace headrace::engine
