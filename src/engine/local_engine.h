#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/asking_requests.h"
#include "engine/bulk_chunk.h"
#include "engine/deployer.h"
#include "engine/deploying.h"
#include "engine/deployment.h"
#include "engine/engine.h"
#include "engine/engine_state.h"
#include "engine/feature_reader.h"
#include "engine/frame.h"
#include "engine/group_builder.h"
#include "engine/halt.h"
#include "engine/kept_answers.h"
#include "engine/model_report.h"
#include "engine/past.h"
#include "engine/recovery_estimate.h"
#include "engine/remote_asker.h"
#include "engine/snapshot_cycle.h"
#include "engine/stream_time.h"
#include "engine/trainer_thread.h"
#include "flow/graph.h"
#include "os/worker_team.h"

namespace headrace::engine {

class Comparison;

// The Engine on a log of its own directory. One thread, the worker of engine.h, owns everything; a
// team helps it with the pieces of a batch that need nothing from each other.
//
// Invariant: state has taken exactly the events whose groups were handed to the log. A group that
// the log refused for want of space is kept and offered again before anything else is taken.
class LocalEngine final : public Engine {
 public:
  static Result<std::unique_ptr<LocalEngine>> Open(os::FileSystem& files, os::Clock& clock,
                                                   base::MetricsRegistry& metrics,
                                                   EngineOptions options,
                                                   const StartupTaker& progress);
  LocalEngine(os::FileSystem& files, os::Clock& clock, base::MetricsRegistry& metrics,
              EngineOptions options, std::unique_ptr<log::Log> log);
  ~LocalEngine() override;

  Status Recover(const StartupTaker& progress) override;
  Status Execute(std::string_view script, const std::string& file) override;
  void Deploy(std::string_view script, const std::string& file,
              std::function<void(Status)> done) override;
  void EditModel(ModelEdit edit) override;
  void Trim(TrimOrder order) override;
  void StopDeployments() override;
  // Each runs what is under way or waits to its end: deployments, trims, a snapshot and retention.
  Status FinishDeployments();
  Status FinishTraining();  // answers every trigger of a trainer that stands in the log
  Status FinishTrims();
  void FinishSnapshots();
  Result<std::vector<PlannedChange>> Plan(std::string_view script,
                                          const std::string& file) override;
  void Submit(IngestRequest request) override;
  std::optional<Error> RefuseNow(uint64_t bytes) override;
  bool Pump() override;
  void Complete() override;
  void SetWakeCallback(std::function<void()> wake) override;
  size_t in_flight() const override { return queue_.size() + waiting_.size() + asking_.size(); }
  void AwaitAnswer() override;

  Result<QueryResult> Query(std::string_view sql) const override;
  bool IsDefinition(std::string_view sql) const override;
  Result<std::string> Why(std::string_view id) const override;
  Result<VerifyResult> Verify(const std::vector<std::string>& streams) const override;
  Result<std::string> ModelReport(const std::string& model,
                                  const std::optional<LabelRequest>& labels) const override;
  Result<std::string> Importance(const std::string& model, const WhatIfRequest& range,
                                 const std::function<void(uint64_t)>& progress) const override;
  std::optional<ServedModel> FindModel(const std::string& name) const override;
  std::vector<ServedModel> models() const override;
  Result<std::optional<FeatureAnswer>> ReadFeatures(const FeatureRequest& request,
                                                    bool wait) const override;
  Result<std::string> FeatureReport(const std::string& only) const override;
  Result<TrainingSetReport> TrainingSet(const TrainingSetRequest& request,
                                        const TrainingSetTaker& taker) const override;
  Result<WhatIfReport> WhatIf(const WhatIfRequest& request, const TakeBytes& take,
                              const std::function<void(uint64_t)>& progress) const override;
  Result<std::string> ReadRows(const std::string& stream, const RowRange& range) const override;
  Result<std::string> ViewRows(const std::string& view,
                               const std::optional<std::string>& key) const override;
  std::vector<StreamInfo> streams() const override;
  log::Log& log() const override { return *log_; }
  bool ready() const override;
  StartupProgress startup() const override { return startup_.Now(); }
  void StopRecovery() override { startup_.Stop(); }
  std::vector<HaltedStream> halted() const override { return HaltedStreams(*deployment()); }
  std::string recovery_note() const override { return recovery_note_; }
  Status Close() override;

  // --- the bulk path of `run`, worker thread -----------------------------------------------------
  // Takes one chunk: bad events go to the dead letters. Returns the LSN to wait for.
  Result<log::Lsn> Ingest(const BulkChunk& chunk);
  // Appends the FINISHED control of the stream's input, once, and closes its windows.
  Status FinishInput(const std::string& stream);
  // Takes what remote models have answered; waits until they have answered all.
  Status StepAsks();
  Status FinishAsks();
  // How far the named file had been read into the stream when the log was last durable.
  ReadPosition PositionOf(const std::string& topic, const std::string& source) const;
  void SetTap(const std::string& stream, Tap tap);
  std::shared_ptr<const Deployment> deployment() const;
  using Totals = IngestTotals;
  const Totals& totals() const { return totals_; }

 private:
  struct Taken;   // a request in the group that is being built
  struct Wanted;  // rows that a request in this group wants back
  using Done = std::function<void(Status)>;
  void Abandon(const Error& error);
  enum class From { kSnapshot, kBeginning };
  Status BeginSnapshots();
  Status Rebuild(From from, Unjoined unjoined, const StartupTaker& progress);
  // Runs what the log holds behind the LSN; returns how many events.
  Result<uint64_t> ReplayBehind(log::Lsn lsn, Comparison& comparison, const StartupTaker& progress);
  bool MarkHalting(const Comparison& comparison);  // what was computed otherwise; false: nothing
  Result<std::string> DescribeDifference(From from, const Comparison& comparison);
  Status Halt(std::string difference);  // what is marked, from here on
  void TellHalted();
  bool SnapshotGoesOn() const;
  void NoteSnapshots();
  void ForgetSnapshots(SnapshotCycle::Forget forget);
  bool ForgetFormer();  // false: not yet
  Status CheckOpen() const;
  bool MayAppend() const;  // without waiting, or it may wait
  Status CreateTopics(const Deployment& deployment);
  Status DeployAtOnce(const Draft& draft);
  Status Apply(const std::vector<catalog::Change>& changes);  // done when they are durable
  Status ApplyAtOnce(const std::vector<catalog::Change>& changes);
  Status ApplyDrops(std::vector<catalog::Change> changes);
  Status ForgetDropped(const std::vector<catalog::Change>&);
  Result<int32_t> EditModelAtOnce(const ModelEdit& edit);
  // Appends the changes of a start's unfinished statements, with what they refused of the past.
  Status JoinUnfinished(Comparison& comparison);
  // Computes it beside live traffic: of a program that ended, or a deployment that failed.
  Status BeginUnfinished(Done done);
  bool StepDeployment();  // between two groups; true: there is more to do at once
  bool BeginNext();
  Result<bool> Begin(WaitingScript& waiting);
  Status BeginComputing(const Draft& draft, WaitingScript& waiting);
  // `next` has what will join and what is to be computed, of this deployment.
  void StartComputing(const std::shared_ptr<const Deployment>& target,
                      std::unique_ptr<Deploying> next, std::vector<std::string> emitting);
  // Appends what begins now; returns what is deployed when all is done, at LSNs that never come.
  Result<std::shared_ptr<const Deployment>> Announce(const std::vector<catalog::Change>& now,
                                                     const std::vector<catalog::Change>& later);
  bool HandOnRows();  // appends the next that were computed; false: there are none
  void FixEnd();      // stops taking events, once everything before that is durable
  Status TakeOver();
  void EndDeployment(const Status& status);
  std::optional<Error> MayTrim() const;
  bool StepTrim();
  void CommitTrim(const TrimPlan& plan);
  void RebuildOtherwise();
  void Tell(const std::string& line) const;
  void TellDeployed() const;
  void TellProgress();
  void AnswerDeployed();
  void Use(std::shared_ptr<const Deployment> deployment);  // for what is taken from now on
  Status Settle();  // events can be taken then: no deployment is about to take over
  Status StepToTheEnd();
  void Wake();
  Result<VerifyResult> VerifyBehindBeginning(const std::shared_ptr<const Deployment>& deployment,
                                             const std::vector<std::string>& streams) const;
  Result<Past> LoadState(From from, const Deployment& running);  // what a replay goes on from
  SnapshotStore snapshot_store() const { return {files_, options_.directory}; }
  std::string SnapshotHead(std::string graph) const;
  void GoOnTraining();  // with the trainers of the newest deployment
  bool StepTraining();  // appends what a training made; false: none is done
  Status AnswerTraining(TrainingOutcome& outcome);
  void StepSnapshot();
  void FinishSnapshot();
  void Publish(std::shared_ptr<const Deployment> deployment);
  void BeginGroup(const flow::SourceNode& source, int64_t arrival_micros);
  void TakeQueued(flow::SourceNode& source, std::vector<Taken>& taken, Wanted& wanted);
  void AdmitRequest(Taken& taken, flow::SourceNode& source, Wanted& wanted, size_t index);
  // True when the request's key is known, so that none of its events may be taken.
  bool IsAnswered(Taken& taken) const;
  // Claims the place of the answer; false, with the reply's error set, when it cannot be kept.
  bool ClaimAnswer(Taken& taken);
  void KeepAnswers(const std::vector<Taken>& taken);
  // A request whose topic is not held back is the first of the queue; false: there is none.
  bool FindQueued();
  // Gives the rows that ask to the asker, and notes which requests wait for them.
  void TakeAsks(const Wanted& wanted);
  bool TakeAnswers();  // a group of them; false: there are none
  void RunAnswers(const std::vector<flow::RemoteAnswer>& answers);
  void AppendAnswers(const std::vector<AskingRequests::Shared>& complete,
                     std::vector<flow::Ask> asks);
  void Reply(AskingRequests::Request& request, log::Lsn lsn);
  void AskAgain();
  // Rows of what is replaced wait no more: they get the default value.
  Status GiveUpAsks(const std::vector<catalog::Change>& changes);
  IngestReply ReplyOf(int64_t answer) const;
  // Puts the row into the last lane, or into a new one when that is of another partition: frames of
  // the log hold the events of a group in the order they came in. Returns the lane.
  size_t Place(flow::SourceNode& source, const row::Row& row, std::optional<Error> error);
  // The LSN that the lane's frame will get.
  uint64_t NextLsn(size_t lane) const { return log_->last_lsn() + 1 + lane; }
  // Plan, on any thread.
  Result<std::vector<PlannedChange>> PlanScript(std::string_view script,
                                                const std::string& file) const;
  void RunLanes(flow::SourceNode& source);
  void CountTotals();
  Status AppendGroup(log::FlushedBy by = log::FlushedBy::kThread);
  // Appends what requests caused, by whichever thread answers them sooner.
  Status AppendRequests();
  Error TooManyWait();
  void KeepWithinMemory();
  std::optional<Error> MemoryFull();  // why no more may be taken in, if so
  os::SpillFile* spill() const { return memory_ ? &memory_->file() : nullptr; }
  void CountQueued(int64_t events, int64_t bytes);

  // Constant after construction.
  os::FileSystem& files_;
  os::Clock& clock_;
  base::MetricsRegistry& metrics_;
  EngineOptions options_;
  std::unique_ptr<log::Log> log_;
  Deployer deployer_;
  base::Counter& received_;
  base::Counter& repeats_;
  base::Counter& dead_;
  base::Counter& late_;
  base::Counter& emitted_;
  base::Counter& backfilled_;
  base::Counter& answered_again_;
  base::Counter& overload_refusals_;
  base::Gauge& backpressure_;
  base::Gauge& halted_;
  Startup startup_;  // thread-safe

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::shared_ptr<const Deployment> deployment_;

  mutable FeatureReader features_;      // thread-safe
  mutable ModelReports model_reports_;  // guards itself

  // Guarded by wake_mutex_.
  std::mutex wake_mutex_;
  std::function<void()> wake_;

  // Confined to the worker.
  RecoveryEstimate estimate_;
  TimeMetrics times_;
  HealthMetrics health_;
  uint64_t snapshots_written_ = 0;  // that the estimate knows of
  log::Lsn forget_at_ = 0;          // snapshots are of no use when this is durable; 0: they are
  os::WorkerTeam team_;
  std::unique_ptr<StateMemory> memory_;  // null: without a limit
  std::unique_ptr<flow::Graph> graph_;
  std::unique_ptr<GroupBuilder> group_;
  Frame admitted_;           // owns the memory of the rows in lanes_
  std::deque<Frame> lanes_;  // events of one partition that came in one after the other; reused
  std::vector<int32_t> lane_partitions_;  // of the lanes in use
  std::vector<int64_t> placed_;           // by partition: events in the lanes in use
  log::RecordBatchBuilder builder_;
  std::vector<log::Entry> entries_;  // the group being built; kept when the log had no space
  bool unappended_ = false;
  std::deque<IngestRequest> queue_;
  size_t queued_events_ = 0;
  uint64_t queued_bytes_ = 0;
  int64_t caller_flushes_from_ = INT64_MIN;  // monotonic; until then the journal's thread flushes
  KeptAnswers answers_;
  AskingRequests asking_;
  std::unique_ptr<RemoteAsker> asker_;
  std::deque<WaitingReply> waiting_;
  std::deque<WaitingScript> scripts_;  // at most kDeploymentsMax
  std::unique_ptr<Deploying> deploying_;
  std::deque<Trimming> trims_;                      // at most kTrimsMax
  std::deque<std::pair<log::Lsn, Done>> deployed_;  // not yet durable
  ReadPositions positions_;
  std::map<std::string, int64_t> finished_;  // by stream: its events when its input ended
  Totals totals_;
  Totals counted_;  // what the metrics have seen of the present group builder
  std::atomic<bool> closed_{false};
  bool unfinished_ = false;  // a statement has not joined the others yet
  bool abandoned_ = false;   // the state is not that of the journal
  std::string recovery_note_;
  std::vector<bool> halting_;                 // by item, while the state is built
  std::optional<SnapshotManifest> loaded_;    // what the state was loaded from, as a start
  std::unique_ptr<SnapshotCycle> snapshots_;  // null: none are taken
  std::unique_ptr<TrainerThread> trainers_;   // null: there has been no trainer
};

}  // namespace headrace::engine
