#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/metrics.h"
#include "engine/feature_request.h"
#include "engine/model_edit.h"
#include "engine/served_model.h"
#include "engine/startup.h"
#include "engine/state_memory.h"
#include "engine/training_set.h"
#include "engine/trim.h"
#include "engine/what_if.h"
#include "headrace/result.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "os/http_caller.h"
#include "row/batch.h"
#include "row/schema.h"

namespace headrace::engine {

struct EngineOptions {
  std::string directory;  // the data directory; created when missing
  log::LogOptions log{};
  bool read_only = false;  // no journal writes: for `sql`, `why`, `verify` on a stopped directory
  // Threads that compute a batch together, the caller of Pump among them. Neither results nor
  // state depend on it.
  size_t workers = 1;
  MemoryLimit memory{};
  // One group: so many events or bytes of requests, and what the last request has more.
  size_t batch_events_max = 256;
  uint64_t batch_bytes_max = 4 << 20;
  // What waits to be taken; Submit refuses beyond (HTTP 429).
  size_t pending_events_max = 100'000;
  uint64_t pending_bytes_max = 64 << 20;
  // Pump waits while the log has no room; false: it takes nothing then, because its thread has
  // others to serve. The wake callback comes when there is room.
  bool waits_for_log = true;
  size_t kept_answers_max = 1'000'000;  // see KeptAnswers
  // A request that nobody waits behind is flushed by the worker itself; false: by the journal's
  // thread always, for measuring what a decision costs without the disk.
  bool worker_flushes = true;
  // Snapshots of the state, so that a start need not replay everything. None in a directory that is
  // thrown away.
  bool snapshots = true;
  int64_t snapshot_interval_ms = 10'000;
  uint64_t snapshot_lsns = UINT64_MAX;  // also after so many entries of the journal
  // A start that computes rows otherwise than they were logged halts the statements concerned, and
  // what is made from them; false: it fails with HR5401.
  bool halts = true;
  // Calls remote models; null: every question to one gets its default value. Must outlive the
  // engine.
  os::HttpCaller* caller = nullptr;
  // Told what goes on beside events, one line for people; on the worker thread. May be null.
  std::function<void(const std::string&)> notice{};
};

// Deployments that may wait for the one under way.
inline constexpr size_t kDeploymentsMax = 16;

// One refused event of a request.
struct Rejection {
  size_t index = 0;
  Error error;  // place is the JSON pointer
};

// A run of consecutive offsets that the request's events got.
struct Placed {
  int32_t partition = 0;
  int64_t first_offset = 0;
  int64_t count = 0;
};

struct IngestReply {
  std::optional<Error> error;  // the whole request failed; nothing was taken
  size_t accepted = 0;         // taken, repeats dropped by DEDUPLICATE included
  std::vector<Rejection> rejected;
  std::vector<Placed> placed;
  std::vector<std::string> rows;  // JSON objects with `_id` first, in the order of their causes
  bool repeated = false;  // the answer of an earlier request with this key; nothing was taken now
};

struct IngestRequest {
  std::string topic;
  std::vector<std::string> payloads;  // JSON objects
  bool atomic = false;                // all or none
  bool reject_bad = true;     // refuse undecodable events; false: they go to the dead letters
  std::string return_stream;  // empty: no rows wanted
  // When set, a request with the same key for the same topic gets the answer of this one and stores
  // nothing, for 24 hours; it waits when this one is under way. Nothing is kept of a request of
  // which no event was accepted.
  std::string idempotency_key;
  uint64_t fingerprint = 0;  // of everything the client sent: another one with this key is refused
  std::function<void(IngestReply)> done;  // called once, from Pump or Complete, after the flush
};

struct QueryResult {
  row::Schema columns;
  std::vector<std::vector<row::Value>> rows;
  std::shared_ptr<base::Arena> arena;  // owns the bytes of the values
};

// Where reading goes on: a count over all partitions (partition -1) or an offset.
struct RowPosition {
  int64_t from = 0;
  int32_t partition = -1;
};

struct RowRange {
  int64_t from = 0;  // counted over all partitions in cause order, or an offset of `partition`
  bool latest = false;
  int32_t partition = -1;  // -1: all
  size_t limit = 1000;
  bool with_ids = false;
  RowPosition* next = nullptr;  // when given, set to the place behind the last row read
};

// A finding of Verify: a logged row that differs from the recomputed one.
struct Difference {
  std::string id;
  row::Place cause;
  std::string logged;
  std::string recomputed;
};
struct VerifyResult {
  uint64_t from_lsn = 1;  // retention removed what is before
  uint64_t events = 0;
  uint64_t rows = 0;
  uint64_t differences = 0;
  std::vector<Difference> sample;  // at most 10
  // Rows that were not compared: events before them are lost (log salvage). What the events that
  // are left give differs for some.
  uint64_t behind_loss = 0;
  uint64_t behind_loss_differ = 0;
};

// A stream or view that emits no more: a start computed rows of it otherwise than they were logged.
struct HaltedStream {
  std::string name;
  uint64_t lsn = 0;  // it emits for earlier causes alone
  std::string why;
};

// What a script would change of one object.
struct PlannedChange {
  struct Feature {
    std::string name;
    std::string change;  // "kept", "computed", "dropped"
  };
  std::string name;
  std::string change;             // "none", "new", "replaced", "version 2", "activate 2"
  std::vector<Feature> features;  // of a statement: its window aggregates
  // Computed over: what the log holds of the sources behind it, from this LSN on.
  uint64_t events = 0;
  uint64_t from_lsn = 0;          // 0: over nothing
  uint64_t bytes = 0;             // as segments hold them
  std::optional<double> seconds;  // of the whole script, in one pass; nothing: not measured
  std::string estimate;           // where that is from
};

struct StreamInfo {
  std::string name;
  std::string kind;   // "stream", "view", "dead letters"
  std::string topic;  // empty for a view
  int32_t partitions = 1;
  row::Schema schema;
  std::string definition;  // the statement's canonical text
};

// What is damaged of the directory's snapshots. They can be removed without loss.
std::vector<Error> VerifySnapshots(os::FileSystem& files, const std::string& directory);

// Runs statements over one data directory: what `run`, `serve`, `sql`, `why` and `verify` share.
//
// Threads: confined to one worker thread (Execute, Deploy, Submit, Pump, Complete), except Query,
// Why, ReadRows, ViewRows, streams and the health calls, which are thread-safe and read durable
// data. A `done` callback runs on the worker thread. Lifetime: files, clock, metrics outlive it.
class Engine {
 public:
  // Opens the log and recovers. `progress` (may be null) is told how far that is.
  static Result<std::unique_ptr<Engine>> Open(os::FileSystem& files, os::Clock& clock,
                                              base::MetricsRegistry& metrics, EngineOptions options,
                                              const StartupTaker& progress);
  // Opens the log alone: the directory is this program's, and nothing more is known. Until Recover
  // has returned Ok, only startup, StopRecovery and ready may be called from other threads.
  static Result<std::unique_ptr<Engine>> OpenLog(os::FileSystem& files, os::Clock& clock,
                                                 base::MetricsRegistry& metrics,
                                                 EngineOptions options);
  virtual ~Engine() = default;

  // Replays the catalogue and the state from the log and compares recomputed outputs with the
  // logged ones. On any thread, which may hand the engine on to another that is its worker then.
  // kUnavailable (HR5001) when it was stopped. After an error the engine can only be closed.
  virtual Status Recover(const StartupTaker& /*progress*/) { return Ok(); }

  // --- worker thread -----------------------------------------------------------------------------
  // Deploys a script's statements. All errors of the script, rendered with place, source line and
  // caret, are in the Error's message (code of the first one); nothing is deployed then. Statements
  // that stand in the catalogue with the same text are left as they are. `file` names the script.
  virtual Status Execute(std::string_view script, const std::string& file) = 0;
  // The same while events go on: what the statements make of the past is computed by another thread
  // and handed on by Pump, and they take part in the flow from one LSN on. `done` is called once,
  // from here, Pump or Complete, when that is durable, or with the error. One at a time: others
  // wait, but for those of models alone. kUnavailable HR5009 when kDeploymentsMax wait. A new
  // stream can be read as soon as it exists; a program that ends meanwhile computes the rest as it
  // starts.
  virtual void Deploy(std::string_view script, const std::string& file,
                      std::function<void(Status)> done) = 0;
  // See ModelEdit. In use at once; kUnavailable HR5009 when too many wait to be durable.
  virtual void EditModel(ModelEdit edit) = 0;
  // Removes the first events of a topic, for good: for readers once that is durable, then whole
  // segments. What was computed from them stands; it is computed again behind a snapshot that holds
  // it, which is written first. Errors: of PlanTrim; kConflict HR5007, something is being computed
  // from them; kUnavailable HR5008, HR5009. `done` is called once, as Deploy's.
  virtual void Trim(TrimOrder order) = 0;
  // Deployments are given up that would keep their callers waiting: the program wants to end.
  virtual void StopDeployments() = 0;
  // What Execute would do, without doing it. Errors as Execute.
  virtual Result<std::vector<PlannedChange>> Plan(std::string_view script,
                                                  const std::string& file) = 0;
  // Queues events. Refuses at once (through done) an unknown topic (kNotFound), a failed journal
  // (kUnavailable), a full queue (kLimitExceeded, HR5003), full memory
  // (HR5065).
  virtual void Submit(IngestRequest request) = 0;
  // Whether so many bytes more would be too much to wait: the error that Submit would give, which
  // is cheaper to know before a body is taken apart. Counts as a refusal.
  virtual std::optional<Error> RefuseNow(uint64_t /*bytes*/) { return std::nullopt; }
  // Takes up to batch_events_max queued events through the flow and appends the group. True when
  // there is more to do and it can be done.
  virtual bool Pump() = 0;
  // Answers what has become durable since. Call when the wake callback fired.
  virtual void Complete() = 0;
  // Set once: called from the journal thread when Complete has something to do. Must not block.
  virtual void SetWakeCallback(std::function<void()> wake) = 0;
  // Blocks until a remote model has answered something that rows wait for; at once when none do.
  // For whoever has nothing else to do meanwhile.
  virtual void AwaitAnswer() {}
  // Events queued or appended and not yet answered.
  virtual size_t in_flight() const = 0;

  // --- any thread --------------------------------------------------------------------------------
  // SELECT, SHOW, DESCRIBE, EXPLAIN over durable rows and views. Error: HR1xxx with line and column
  // in place ("line:column").
  virtual Result<QueryResult> Query(std::string_view sql) const = 0;
  // True when the text is a statement that Execute, not Query, must run (CREATE, ALTER, DROP,
  // INSERT).
  virtual bool IsDefinition(std::string_view sql) const = 0;
  // The `why` document of contract.md as JSON. kNotFound for an unknown ID.
  virtual Result<std::string> Why(std::string_view id) const = 0;
  virtual Result<VerifyResult> Verify(const std::vector<std::string>& streams) const = 0;
  // See ModelReports::Describe.
  virtual Result<std::string> ModelReport(const std::string& model,
                                          const std::optional<LabelRequest>& labels) const = 0;
  // See engine::ModelImportance.
  virtual Result<std::string> Importance(const std::string& model, const WhatIfRequest& range,
                                         const std::function<void(uint64_t)>& progress) const = 0;
  // Nothing: no such model.
  virtual std::optional<ServedModel> FindModel(const std::string& name) const = 0;
  virtual std::vector<ServedModel> models() const = 0;  // by name
  // See FeatureReader::Read.
  virtual Result<std::optional<FeatureAnswer>> ReadFeatures(const FeatureRequest& request,
                                                            bool wait) const = 0;
  // See DescribeFeatures.
  virtual Result<std::string> FeatureReport(const std::string& only) const = 0;
  // See MakeTrainingSet.
  virtual Result<TrainingSetReport> TrainingSet(const TrainingSetRequest& request,
                                                const TrainingSetTaker& taker) const = 0;
  // See RunWhatIf.
  virtual Result<WhatIfReport> WhatIf(const WhatIfRequest& request, const TakeBytes& take,
                                      const std::function<void(uint64_t)>& progress) const = 0;
  // JSON lines.
  virtual Result<std::string> ReadRows(const std::string& stream, const RowRange& range) const = 0;
  // {"rows":[...]} of the view, those whose first key column has this text form when `key` is
  // given.
  virtual Result<std::string> ViewRows(const std::string& view,
                                       const std::optional<std::string>& key) const = 0;
  virtual std::vector<StreamInfo> streams() const = 0;
  virtual log::Log& log() const = 0;
  virtual bool ready() const = 0;  // recovered, journal not failed
  virtual std::vector<HaltedStream> halted() const { return {}; }
  // How far Recover is, or was.
  virtual StartupProgress startup() const { return {}; }
  // Recover gives up at its next step: the program wants to end.
  virtual void StopRecovery() {}
  // What the start found and did, for people; empty when there is nothing to say.
  virtual std::string recovery_note() const { return log().recovery().text; }
  // Flushes and closes. The engine takes nothing any more.
  virtual Status Close() = 0;
};

}  // namespace headrace::engine
