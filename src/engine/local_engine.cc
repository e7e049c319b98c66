#include "engine/local_engine.h"

#include <algorithm>

#include "engine/comparison.h"
#include "engine/replay.h"

namespace headrace::engine {
namespace {

constexpr size_t kBackfillBytes = 2 << 20;  // rows of a backfill that are appended together

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Open(
    os::FileSystem& files, os::Clock& clock, base::MetricsRegistry& metrics, EngineOptions options,
    const std::function<void(uint64_t, uint64_t)>& progress) {
  HR_ASSIGN(auto engine, LocalEngine::Open(files, clock, metrics, std::move(options), progress));
  return std::unique_ptr<Engine>(std::move(engine));
}

Result<std::unique_ptr<LocalEngine>> LocalEngine::Open(
    os::FileSystem& files, os::Clock& clock, base::MetricsRegistry& metrics, EngineOptions options,
    const std::function<void(uint64_t, uint64_t)>& progress) {
  options.log.read_only = options.read_only;
  HR_ASSIGN(auto log, log::Log::Open(files, clock, metrics, options.directory, options.log));
  auto engine =
      std::make_unique<LocalEngine>(files, clock, metrics, std::move(options), std::move(log));
  HR_TRY(engine->Recover(progress));
  return engine;
}

LocalEngine::LocalEngine(os::FileSystem& files, os::Clock& clock, base::MetricsRegistry& metrics,
                         EngineOptions options, std::unique_ptr<log::Log> log)
    : files_(files),
      clock_(clock),
      metrics_(metrics),
      options_(std::move(options)),
      log_(std::move(log)),
      deployer_(files, options_.directory, options_.read_only),
      received_(
          metrics.GetCounter("headrace_events_ingested_total", "Events appended to the log.")),
      repeats_(metrics.GetCounter("headrace_duplicate_events_total",
                                  "Events dropped by DEDUPLICATE BY.")),
      dead_(metrics.GetCounter("headrace_dead_letters_total", "Rows sent to dead letters.")),
      late_(metrics.GetCounter("headrace_late_rows_total",
                               "Rows later than their statement allows.")),
      emitted_(metrics.GetCounter("headrace_rows_emitted_total", "Rows of derived streams.")),
      backfilled_(metrics.GetCounter("headrace_backfill_events_total",
                                     "Events that new statements were computed over.")),
      answered_again_(metrics.GetCounter("headrace_idempotent_repeats_total",
                                         "Requests that got the answer kept for their key.")),
      overload_refusals_(
          metrics.GetCounter("headrace_errors_total", "Requests refused or failed.",
                             R"(component="ingest",stage="receiving",error_type="overload")")),
      backpressure_(metrics.GetGauge("headrace_backpressure_ratio",
                                     "What waits to be taken, as a share of its limit.",
                                     R"(component="ingest")")),
      deployment_(std::make_shared<Deployment>()),
      team_(options_.workers),
      answers_(*log_, options_.kept_answers_max) {}

LocalEngine::~LocalEngine() {
  Status closed = Close();
  static_cast<void>(closed.ok());  // whoever cares about the last flush calls Close
}

Status LocalEngine::Recover(const std::function<void(uint64_t, uint64_t)>& progress) {
  catalog::Catalog catalog;
  HR_ASSIGN(auto cursor, log_->ScanControls());
  log::Entry entry;
  while (true) {
    HR_ASSIGN(bool more, cursor->Next(&entry));
    if (!more) break;
    HR_ASSIGN(catalog::Change change, catalog::Change::Decode(entry.bytes));
    HR_TRY(catalog.Apply(change, entry.lsn));
  }
  HR_ASSIGN(auto deployment, deployer_.Deploy(catalog, Deployment{}));
  Publish(std::move(deployment));
  recovery_note_ = log_->recovery().text;
  if (options_.read_only) return Ok();
  if (options_.state_memory > 0) {
    HR_ASSIGN(spill_, os::SpillFile::Create(options_.directory, options_.state_memory));
  }
  HR_TRY(Rebuild(From::kSnapshot, progress));
  HR_TRY(answers_.Recover());
  if (!options_.snapshots) return Ok();
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

void LocalEngine::Publish(std::shared_ptr<const Deployment> deployment) {
  unfinished_ = !AllJoined(*deployment);
  std::lock_guard lock(mutex_);
  deployment_ = std::move(deployment);
}

std::shared_ptr<const Deployment> LocalEngine::deployment() const {
  std::lock_guard lock(mutex_);
  return deployment_;
}

// State is a function of the journal: run everything logged (what the past does not hold of it)
// through a new graph, compare what comes out with what was logged, and append what had not been.
Status LocalEngine::Rebuild(From from, const std::function<void(uint64_t, uint64_t)>& progress) {
  auto deployment = this->deployment();
  HR_ASSIGN(Past past, LoadState(from));
  graph_ = std::move(past.graph);
  if (from == From::kSnapshot) {
    positions_ = std::move(past.state.positions);
    finished_ = std::move(past.state.finished);
  }
  group_ = std::make_unique<GroupBuilder>(deployment, *log_);
  counted_ = {};
  Comparison comparison(deployment, *log_, Comparison::Keep::kHashes,
                        [this](size_t stream, const EmittedRow& row) { group_->Add(stream, row); });
  for (const auto& [of, offset] : past.state.next_offsets)
    comparison.Resume(of.first, of.second, offset);
  ReplayOptions options;
  options.from_lsn = past.lsn + 1;
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
    if (spill_) spill_->KeepWithin();
    if (group_->bytes() < kBackfillBytes) return Ok();
    group_->TakeEntries(entries_);
    return AppendGroup();
  };
  if (progress) options.progress = [&](uint64_t events) { progress(events, log_->last_lsn()); };
  HR_ASSIGN(uint64_t events, Replay(*log_, *graph_, comparison, options));
  static_cast<void>(events);
  comparison.Finish();
  if (comparison.differences() > 0) {
    const Difference& first = comparison.sample().front();
    return Error(ErrorKind::kCorruption, "HR5401",
                 "the recomputed row differs from the logged one: " + first.logged + " was logged")
        .AtPlace(first.id)
        .WithHint("run `headrace verify` to see every difference");
  }
  group_->TakeEntries(entries_);
  HR_TRY(AppendGroup());
  HR_TRY(JoinUnfinished(comparison));
  return log_->WaitDurable(log_->last_lsn());
}

// State is not that of the journal: nothing may be computed with it. A start builds it anew.
void LocalEngine::Abandon(const Error& error) {
  abandoned_ = true;
  Status closed = Close();
  static_cast<void>(closed.ok());  // the first error is the one to tell
  for (IngestRequest& request : queue_) {
    IngestReply reply;
    reply.error = error;
    request.done(std::move(reply));
  }
  queue_.clear();
  CountQueued(-static_cast<int64_t>(queued_events_), -static_cast<int64_t>(queued_bytes_));
}

void LocalEngine::SetWakeCallback(std::function<void()> wake) {
  log_->SetDurableCallback(wake);
  std::lock_guard lock(wake_mutex_);
  wake_ = std::move(wake);
}

void LocalEngine::Wake() {
  std::lock_guard lock(wake_mutex_);
  if (wake_) wake_();
}

void LocalEngine::SetTap(const std::string& stream, Tap tap) {
  group_->SetTap(stream, std::move(tap));
}

ReadPosition LocalEngine::PositionOf(const std::string& topic, const std::string& source) const {
  auto found = positions_.find({topic, source});
  return found == positions_.end() ? ReadPosition{} : found->second;
}

bool LocalEngine::ready() const {
  return !closed_ && log_->failure() == nullptr;
}

std::vector<StreamInfo> LocalEngine::streams() const {
  auto deployment = this->deployment();
  std::vector<StreamInfo> infos;
  for (const Deployed& item : deployment->items) {
    if (item.is_model()) continue;
    StreamInfo info;
    info.name = item.name;
    bool view = item.statement && item.statement->view;
    info.kind = !item.dead_of.empty() ? "dead letters" : view ? "view" : "stream";
    info.topic = item.topic();
    info.partitions = item.partitions;
    info.schema = deployment->SchemaOf(item);
    if (const catalog::Object* object = deployment->ObjectOf(item)) {
      info.definition = object->latest().text;
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

Status LocalEngine::Close() {
  if (closed_.exchange(true)) return Ok();
  StopDeployments();
  FinishSnapshot();
  // The log first: a snapshot that waits for its flush gives up then.
  Status closed = log_->Close();
  snapshots_.reset();
  AnswerDeployed();
  return closed;
}

}  // namespace headrace::engine
