#include "engine/local_engine.h"

namespace headrace::engine {
Result<std::unique_ptr<Engine>> Engine::Open(os::FileSystem& files, os::Clock& clock,
                                             base::MetricsRegistry& metrics, EngineOptions options,
                                             const StartupTaker& progress) {
  HR_ASSIGN(auto engine, OpenLog(files, clock, metrics, std::move(options)));
  HR_TRY(engine->Recover(progress));
  return engine;
}

Result<std::unique_ptr<Engine>> Engine::OpenLog(os::FileSystem& files, os::Clock& clock,
                                                base::MetricsRegistry& metrics,
                                                EngineOptions options) {
  options.log.read_only = options.read_only;
  HR_ASSIGN(auto log, log::Log::Open(files, clock, metrics, options.directory, options.log));
  return std::unique_ptr<Engine>(
      std::make_unique<LocalEngine>(files, clock, metrics, std::move(options), std::move(log)));
}

Result<std::unique_ptr<LocalEngine>> LocalEngine::Open(os::FileSystem& files, os::Clock& clock,
                                                       base::MetricsRegistry& metrics,
                                                       EngineOptions options,
                                                       const StartupTaker& progress) {
  HR_ASSIGN(auto engine, Engine::Open(files, clock, metrics, std::move(options), progress));
  // OpenLog makes no other.
  return std::unique_ptr<LocalEngine>(static_cast<LocalEngine*>(engine.release()));
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
      halted_(metrics.GetGauge("headrace_halted_streams",
                               "Streams that emit no more: a start computed them otherwise.")),
      startup_(clock),
      deployment_(std::make_shared<Deployment>()),
      features_(*log_),
      model_reports_(clock, metrics),
      estimate_(metrics),
      times_(metrics),
      health_(metrics),
      team_(options_.workers),
      answers_(*log_, options_.kept_answers_max),
      asker_(std::make_unique<RemoteAsker>(options_.caller, clock, metrics, [this] { Wake(); })) {}

LocalEngine::~LocalEngine() {
  Status closed = Close();
  static_cast<void>(closed.ok());  // whoever cares about the last flush calls Close
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
  for (const AskingRequests::Shared& request : asking_.TakeLost({})) {
    request->repeats.push_back(std::move(request->done));
    for (auto& done : request->repeats) {
      IngestReply reply;
      reply.error = error;
      done(std::move(reply));
    }
  }
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
  return startup_.done() && !closed_ && log_->failure() == nullptr;
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
  trainers_.reset();
  StopDeployments();
  FinishSnapshot();
  // The log first: a snapshot that waits for its flush gives up then.
  Status closed = log_->Close();
  snapshots_.reset();
  AnswerDeployed();
  return closed;
}

}  // namespace headrace::engine
