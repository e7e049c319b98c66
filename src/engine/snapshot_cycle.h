#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/metrics.h"
#include "engine/snapshot_writer.h"
#include "flow/graph.h"
#include "os/clock.h"

namespace headrace::engine {

// Takes a snapshot now and then, a piece between two groups: when it is taken does not show in what
// comes out. Confined to the worker; the graph, the writer's files and the log must outlive it.
class SnapshotCycle {
 public:
  // Taken of the state between two groups: a few hundred keys, tens of microseconds.
  static constexpr size_t kPieceBytes = 32 << 10;
  // Retention runs behind each snapshot, and so often when nothing comes.
  static constexpr int64_t kRetainEveryNanos = 60'000'000'000;

  struct Pace {
    int64_t interval_nanos = 0;    // after so long when anything came
    uint64_t lsns = UINT64_MAX;    // or after so many LSNs
    std::function<void()> rested;  // called by another thread when one is written; may be null
  };
  // Everything of the engine that is no page, given the graph's part.
  using Head = std::function<std::string(std::string graph)>;

  SnapshotCycle(SnapshotStore store, const os::Clock& clock, base::MetricsRegistry& metrics,
                log::Log& log, Pace pace, std::optional<SnapshotManifest> base);

  // The state is that of everything up to `lsn`, and nothing is under way.
  void Step(flow::Graph& graph, uint64_t lsn, const Head& head);
  // Takes one now, if anything came since the last, and waits until it is durable.
  Status Finish(flow::Graph& graph, uint64_t lsn, const Head& head);
  // Other statements take over: what was taken of the former is of no use, but for the beginning.
  // kLater: that is done by the time the next one is begun.
  enum class Forget { kNow, kLater };
  void Restart(Forget forget);
  // The graph counts its blocks otherwise from now on. Nothing is being taken.
  void WholeNext() { whole_ = true; }
  SnapshotWriter::Written written() const { return writer_.written(); }
  // Nothing is being taken or written.
  bool idle() const { return !taking_ && !writer_.busy(); }
  bool taking() const { return taking_; }
  // Step would take a piece at once.
  bool goes_on() const { return taking_ && writer_.has_room(); }
  // For a trim: see SnapshotWriter. Nothing is being taken or written.
  void Cover(TrimRequest request) { writer_.Cover(std::move(request)); }
  std::optional<Result<TrimCover>> TakeCover() { return writer_.TakeCover(); }
  void RemoveTrimmed() { writer_.RemoveTrimmed(); }
  // The next step begins one, whatever the pace.
  void TakeNow() { due_ = true; }
  bool due() const { return due_; }
  // How the last one went. Nothing is being written.
  Status LastWritten() { return writer_.Wait(); }
  // Brings what is under way to its end.
  void Settle(flow::Graph& graph);

 private:
  void Begin(flow::Graph& graph, uint64_t lsn, const Head& head);
  void Take(flow::Graph& graph, size_t bytes_max);

  const os::Clock& clock_;
  Pace pace_;
  SnapshotWriter writer_;
  bool taking_ = false;
  bool whole_ = false;
  bool due_ = false;       // TakeNow
  uint64_t last_lsn_ = 0;  // of the last one begun, or loaded
  int64_t last_nanos_ = 0;
  int64_t retained_nanos_ = 0;
};

}  // namespace headrace::engine
