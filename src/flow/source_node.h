#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "flow/collector.h"
#include "flow/plan.h"
#include "headrace/result.h"
#include "os/worker_team.h"
#include "row/batch.h"
#include "schema/codec.h"
#include "state/group_table.h"

namespace headrace::flow {

// An event whose time is further ahead of its arrival than this goes to the dead letters.
inline constexpr int64_t kFutureMaxMicros = 3'600'000'000;
// A partition without events for this long, while the source received some, does not hold the
// watermark.
inline constexpr int64_t kIdleMicros = 10'000'000;
inline constexpr int64_t kActivityGapMicros = 1'000'000;

// When a batch of events came, as the log keeps it.
struct Arrival {
  int64_t micros = 0;    // since 1970
  bool bounded = false;  // read from an input that ends: no partition of it is ever idle
};

// How the time of one partition stands.
struct PartitionState {
  int64_t watermark = INT64_MIN;  // before its first event
  bool idle = false;              // silent for so long that it holds nothing back
  bool holds = false;             // the watermark of the source waits for it
  int64_t silent_micros = 0;      // for so long the source received events, and it had none
};

// Turns payloads of one topic into rows: decodes, computes columns, checks, drops repeats, advances
// the watermark event by event.
//
// The live path admits a payload before it is appended (so that bad events can be refused and
// repeats never reach the log) and stamps it afterwards; recovery and replay do both in one go. The
// result depends only on the sequence of payloads and their journalled arrival times. Confined.
class SourceNode {
 public:
  // The spill file, if any, must outlive it.
  explicit SourceNode(std::shared_ptr<const SourcePlan> plan, os::SpillFile* spill = nullptr);

  const SourcePlan& plan() const { return *plan_; }

  // Appends one row for the payload, which must outlive the batch. An error means that the event is
  // not fit (its row is then marked failed): HR22xx with a JSON pointer as place.
  Status Admit(std::string_view payload, bool padded, int64_t arrival_micros, row::Batch& batch);
  // The same for many at once, by a team. Appends to `unfit` those that are not fit: number and
  // error, in order.
  void AdmitAll(std::span<const std::string_view> payloads, bool padded, int64_t arrival_micros,
                row::Batch& batch, os::WorkerTeam& team,
                std::vector<std::pair<size_t, Error>>& unfit);
  // Before IsRepeat of the rows: what that needs of the spill file is read together.
  void ExpectRepeats(std::span<const row::Row> rows);
  // True when DEDUPLICATE BY knows the row already; remembers it otherwise.
  bool IsRepeat(const row::Row& row);
  // The partition that the row's key belongs to.
  int32_t PartitionOf(const row::Row& row) const;

  // Walks the rows in log order: gives each the watermark before it, then advances the watermark.
  // Appends a step for each advance.
  void Stamp(row::Batch& batch, const Arrival& arrival, std::vector<WatermarkStep>& steps);
  // The input's end: nothing is held back any more.
  WatermarkStep Finish(row::Place at);

  int64_t watermark() const { return watermark_; }
  // The newest event time so far; INT64_MIN before the first.
  int64_t newest() const;

  // By partition. One holds: of those furthest behind the first.
  std::vector<PartitionState> partition_states() const;

  // For snapshots: what it knows of the events so far; what DEDUPLICATE BY remembers goes page by
  // page (null: there is nothing to remember). Load: kCorruption.
  void Save(std::string& out) const;
  Status Load(std::string_view bytes);
  state::PagedState* paged() { return deduplicator_ ? &*deduplicator_ : nullptr; }
  // What a program of before that saved: the same, then a string, the de-duplicator as a whole.
  Status LoadWhole(std::string_view bytes);

 private:
  struct PartitionTime {
    int64_t watermark = INT64_MIN;
    int64_t last_activity = 0;  // activity_ at its last event: a silent one holds back at first
  };

  // Decodes and checks into the row's slots; says in row.failed, too, whether it is fit.
  Status Fill(schema::JsonDecoder& decoder, bool padded, int64_t arrival_micros, base::Arena& arena,
              row::Row& row) const;
  Status CheckRow(const row::Row& row, int64_t arrival_micros) const;
  Status LoadTime(base::ByteReader& reader);
  // What DEDUPLICATE BY compares.
  void AppendDedupKey(const row::Row& row, std::string& key) const;
  void CountActivity(const Arrival& arrival);
  bool IsIdle(const PartitionTime& partition) const;
  int64_t CombinedWatermark() const;

  std::shared_ptr<const SourcePlan> plan_;
  std::vector<std::unique_ptr<schema::JsonDecoder>> decoders_;  // by worker
  std::optional<state::Deduplicator> deduplicator_;
  std::vector<PartitionTime> partitions_;
  int64_t watermark_ = INT64_MIN;
  // How long the source has been receiving, in microseconds: the time between two arrivals counts
  // for at most kActivityGapMicros, so that a stop, a crash or a quiet night makes nobody idle.
  int64_t activity_ = 0;
  int64_t last_arrival_ = INT64_MIN;
  // The watermark by which repeats are forgotten. It moves as events are admitted, because
  // watermark_ moves when their frame is run: what a frame holds must not show. No partition is
  // ever idle here.
  std::vector<int64_t> newest_;  // by partition: event time
  int64_t forgetting_ = INT64_MIN;
  std::string key_;
  std::vector<std::string> expected_;
};

}  // namespace headrace::flow
