// How LocalEngine finds its state again: from the newest snapshot and the journal behind it.

#include <algorithm>

#include "engine/comparison.h"
#include "engine/drop.h"
#include "engine/halt.h"
#include "engine/local_engine.h"
#include "engine/replay.h"

namespace headrace::engine {
namespace {

using catalog::Change;

constexpr size_t kBackfillBytes = 2 << 20;  // rows of a backfill that are appended together

Error Stopped() {
  return Error(ErrorKind::kUnavailable, "HR5001", "the program is stopping");
}

constexpr const char* kDiffers = "run `headrace verify` to see every difference";

// How many events the log holds behind the state; 0 when a snapshot of an older format does not
// tell.
uint64_t EventsBehind(const log::Log& log, const Deployment& deployment, const EngineState& state,
                      log::Lsn lsn) {
  uint64_t events = 0;
  bool told = lsn == 0;
  for (const Deployed& item : deployment.items) {
    for (int32_t p = 0; item.source && p < item.partitions; ++p) {
      auto known = state.next_offsets.find({item.topic(), p});
      told = told || known != state.next_offsets.end();
      int64_t from = log.start_offset(item.topic(), p);
      if (known != state.next_offsets.end()) from = std::max(from, known->second);
      events +=
          static_cast<uint64_t>(std::max<int64_t>(0, log.next_offset(item.topic(), p) - from));
    }
  }
  return told ? events : 0;
}

// What the graph is made of.
Deployment Running(const Deployment& deployment, Unjoined unjoined) {
  return unjoined == Unjoined::kNow ? AsJoined(deployment) : JoinedPart(deployment);
}

}  // namespace

Status LocalEngine::Recover(const StartupTaker& progress) {
  HR_ASSIGN(const catalog::Catalog catalog, ReadCatalog(*log_));
  HR_TRY(BeginTopics(catalog, *log_));
  HR_ASSIGN(auto deployment, deployer_.Deploy(catalog, Deployment{}));
  Publish(std::move(deployment));
  recovery_note_ = log_->recovery().text;
  if (options_.read_only) {
    startup_.Finish();
    return Ok();
  }
  if (options_.memory.bytes > 0) {
    HR_ASSIGN(memory_, StateMemory::Make(options_.memory, options_.directory, clock_, metrics_));
  }
  // What had not joined takes no part in the flow: a start need not wait for it. Behind a loss it
  // must: only Rebuild counts the offsets of rows as the salvage did.
  const bool whole = this->deployment()->catalog.losses().empty();
  HR_TRY(Rebuild(From::kSnapshot, whole ? Unjoined::kLater : Unjoined::kNow, progress));
  HR_TRY(answers_.Recover());
  // Gauges are no reason not to start.
  const Status health = health_.Load(*log_, *this->deployment());
  if (!health.ok()) Tell("what watches told is not in the metrics: " + health.error().ToString());
  if (options_.snapshots) HR_TRY(BeginSnapshots());
  TellHalted();
  if (unfinished_) {
    HR_TRY(BeginUnfinished([this](const Status& done) {
      if (!done.ok() && !closed_) Tell("not deployed: " + done.error().ToString());
    }));
    Tell("computing " + Listed(deploying_->statements) +
         " over the past again: the program ended before that was done");
  }
  startup_.Finish();
  GoOnTraining();
  return Ok();
}

Status LocalEngine::BeginSnapshots() {
  SnapshotStore store = snapshot_store();
  HR_TRY(loaded_ ? store.ForgetBehind(loaded_->lsn) : store.Forget());
  if (loaded_ && !store.Beginning().ok()) HR_TRY(store.WriteBeginning(loaded_->lsn));
  constexpr int64_t kNanosPerMilli = 1'000'000;
  snapshots_ = std::make_unique<SnapshotCycle>(
      std::move(store), clock_, metrics_, *log_,
      SnapshotCycle::Pace{options_.snapshot_interval_ms * kNanosPerMilli, options_.snapshot_lsns,
                          [this] { Wake(); }},
      std::move(loaded_));
  return Ok();
}

// State is a function of the journal: run everything logged (what the past does not hold of it)
// through a new graph, compare what comes out with what was logged, and append what had not been.
Status LocalEngine::Rebuild(From from, Unjoined unjoined, const StartupTaker& progress) {
  auto deployment = this->deployment();
  const int64_t began = clock_.MonotonicNanoseconds();
  HR_ASSIGN(Past past, LoadState(from, Running(*deployment, unjoined)));
  const int64_t loaded = clock_.MonotonicNanoseconds();
  estimate_.Loaded(loaded_ ? loaded_->bytes() : 0, loaded - began);
  if (!startup_.done())
    startup_.BeginReplay(EventsBehind(*log_, *deployment, past.state, past.lsn));
  graph_ = std::move(past.graph);
  if (from == From::kSnapshot) {
    positions_ = std::move(past.state.positions);
    finished_ = std::move(past.state.finished);
  }
  group_ = std::make_unique<GroupBuilder>(deployment, *log_, &health_);
  counted_ = {};
  halting_.assign(deployment->items.size(), false);
  Comparison comparison(deployment, *log_, Comparison::Keep::kHashes,
                        [this](size_t stream, const EmittedRow& row) {
                          if (!halting_[stream]) group_->Add(stream, row);
                        });
  if (unjoined == Unjoined::kLater) comparison.PassOverUnjoined();
  comparison.Resume(past.state, past.lsn);
  HR_ASSIGN(uint64_t events, ReplayBehind(past.lsn, comparison, progress));
  comparison.Finish();
  std::string difference;
  if (MarkHalting(comparison)) {
    // What is halted with others must have joined them.
    if (unfinished_ && unjoined == Unjoined::kLater) return Rebuild(from, Unjoined::kNow, progress);
    HR_ASSIGN(difference, DescribeDifference(from, comparison));
    if (!options_.halts)
      return Error(ErrorKind::kCorruption, "HR5401", difference).WithHint(kDiffers);
  }
  estimate_.Replayed(events, EventsBehind(*log_, *deployment, {}, 0),
                     clock_.MonotonicNanoseconds() - loaded);
  // What was scored again until here is no decision's time.
  graph_->SetScoreTimer(&model_reports_.times());
  group_->TakeEntries(entries_);
  HR_TRY(AppendGroup());
  if (unjoined == Unjoined::kNow) HR_TRY(JoinUnfinished(comparison));
  AskAgain();
  if (!difference.empty()) HR_TRY(Halt(std::move(difference)));
  return log_->WaitDurable(log_->last_lsn());
}

bool LocalEngine::MarkHalting(const Comparison& comparison) {
  for (size_t i = 0; i < halting_.size(); ++i)
    halting_[i] = halting_[i] || comparison.differs(i);
  SpreadHalt(*deployment(), halting_);
  return comparison.differences() > 0;
}

// Runs it once more, to have the row that is only known as a hash.
Result<std::string> LocalEngine::DescribeDifference(From from, const Comparison& comparison) {
  auto deployment = this->deployment();
  Difference first = comparison.sample().front();
  const SnapshotStore store = snapshot_store();
  const PastSource source{store, *log_, deployment->catalog};
  const Deployment running = Running(*deployment, Unjoined::kNow);
  const auto make = [&] { return BuildGraph(running, ModelsOf(deployment), {&team_, spill()}); };
  HR_ASSIGN(Past past, from == From::kBeginning ? LoadBeginning(source, make)
                                                : LoadPast(source, log_->last_lsn(), make));
  Comparison rows(deployment, *log_, Comparison::Keep::kRows, [](size_t, const EmittedRow&) {});
  rows.Restrict({first.id.substr(0, first.id.find(':'))});
  rows.Resume(past.state, past.lsn);
  ReplayOptions options;
  options.from_lsn = past.lsn + 1;
  options.until_lsn = log_->last_lsn();
  options.logged = [&](const log::Entry& entry, const LoggedRows& logged) {
    rows.Logged(entry, logged);
  };
  options.frame_done = [&]() -> Status {
    return rows.differences() == 0 ? Ok() : Status(Stopped());
  };
  Result<uint64_t> replayed = Replay(*log_, *past.graph, rows, options);
  if (replayed.ok()) rows.Finish();
  if (rows.differences() > 0) first = rows.sample().front();
  return TextOf(first, *deployment, *log_);
}

Status LocalEngine::Halt(std::string difference) {
  auto base = deployment();
  Change change;
  change.kind = catalog::ChangeKind::kHalt;
  change.name = difference.substr(0, difference.find(':'));
  change.text = MakeHalt(*base, *log_, halting_, std::move(difference)).Encode();
  HR_ASSIGN(auto next, deployer_.DeployBehind({change}, *base, log_->last_lsn()));
  entries_ = ControlsOf({change});
  HR_TRY(AppendGroup());
  Use(next);
  for (const Deployed& item : next->items) {
    if (item.halted()) graph_->Redate(item.statement);
  }
  return Ok();
}

void LocalEngine::TellHalted() {
  const std::vector<HaltedStream> streams = halted();
  halted_.Set(static_cast<double>(streams.size()));
  std::string names;
  for (const HaltedStream& stream : streams) {
    names += (names.empty() ? "" : ", ") + stream.name;
    if (&stream != &streams.back() && (&stream + 1)->lsn == stream.lsn) continue;
    recovery_note_ += (recovery_note_.empty() ? "HR5401: " : "\nHR5401: ") + names +
                      " halted at LSN " + std::to_string(stream.lsn) + ": " + stream.why;
    names.clear();
  }
}

Result<uint64_t> LocalEngine::ReplayBehind(log::Lsn lsn, Comparison& comparison,
                                           const StartupTaker& progress) {
  const bool starts = !startup_.done();
  ReplayOptions options;
  options.from_lsn = lsn + 1;
  options.until_lsn = log_->last_lsn();
  options.logged = [&](const log::Entry& entry, const LoggedRows& rows) {
    comparison.Logged(entry, rows);
  };
  options.input = [&](const log::Entry& entry, const InputNote& note) {
    if (!note.source.empty()) {
      positions_[{entry.topic, note.source}] = {note.source_bytes, note.source_events};
    }
  };
  options.frame_done = [&]() -> Status {
    if (starts && startup_.stopped()) return Stopped();
    KeepWithinMemory();
    if (std::optional<Error> full = MemoryFull()) return *full;
    if (comparison.differences() > 0) MarkHalting(comparison);
    if (group_->bytes() < kBackfillBytes) return Ok();
    group_->TakeEntries(entries_);
    return AppendGroup();
  };
  options.progress = [&](uint64_t events) {
    if (starts) startup_.Reach(events);
    if (starts && progress) progress(startup_.Now());
  };
  return Replay(*log_, *graph_, comparison, options);
}

}  // namespace headrace::engine
