#include "engine/snapshot_cycle.h"

namespace headrace::engine {

SnapshotCycle::SnapshotCycle(SnapshotStore store, const os::Clock& clock,
                             base::MetricsRegistry& metrics, log::Log& log, Pace pace,
                             std::optional<SnapshotManifest> base)
    : clock_(clock),
      pace_(std::move(pace)),
      writer_(std::move(store), clock, metrics, log, base, pace_.rested),
      last_lsn_(base ? base->lsn : 0),
      last_nanos_(clock.MonotonicNanoseconds()),
      retained_nanos_(last_nanos_) {}

void SnapshotCycle::Step(flow::Graph& graph, uint64_t lsn, const Head& head) {
  if (taking_) {
    if (writer_.has_room()) Take(graph, kPieceBytes);
    return;
  }
  const int64_t now = clock_.MonotonicNanoseconds();
  const bool due =
      due_ || now - last_nanos_ >= pace_.interval_nanos || lsn - last_lsn_ >= pace_.lsns;
  const bool idle = now - retained_nanos_ >= kRetainEveryNanos;
  if ((!due && !idle) || writer_.busy()) return;
  if (due && (due_ || lsn > last_lsn_)) return Begin(graph, lsn, head);
  if (!idle) return;
  retained_nanos_ = now;
  writer_.RetainNow();
}

Status SnapshotCycle::Finish(flow::Graph& graph, uint64_t lsn, const Head& head) {
  if (taking_) Take(graph, SIZE_MAX);
  Status written = writer_.Wait();
  if (written.ok() && lsn <= last_lsn_) return written;
  Begin(graph, lsn, head);
  while (taking_)
    Take(graph, SnapshotWriter::kQueueBytes);
  return writer_.Wait();
}

void SnapshotCycle::Settle(flow::Graph& graph) {
  if (taking_) Take(graph, SIZE_MAX);
  Status written = writer_.Wait();
  static_cast<void>(written.ok());  // the writer counts it
}

void SnapshotCycle::Restart(Forget forget) {
  writer_.Forget();
  if (forget == Forget::kNow) {
    Status forgotten = writer_.Wait();
    static_cast<void>(forgotten.ok());  // it is tried again before the next one
  }
  taking_ = false;
  whole_ = true;
}

void SnapshotCycle::Begin(flow::Graph& graph, uint64_t lsn, const Head& head) {
  // What was written at the same LSN is of no use, or none would be asked for.
  const bool whole =
      whole_ || lsn <= last_lsn_ || writer_.needs_whole() || graph.needs_whole_snapshot();
  writer_.Begin(lsn, head(graph.BeginSnapshot(whole)), whole);
  taking_ = true;
  whole_ = due_ = false;
  last_lsn_ = lsn;
  last_nanos_ = retained_nanos_ = clock_.MonotonicNanoseconds();
}

void SnapshotCycle::Take(flow::Graph& graph, size_t bytes_max) {
  std::vector<flow::BlockPage> pages;
  const bool more = graph.TakePages(bytes_max, pages);
  if (!pages.empty()) writer_.Append(std::move(pages));
  if (more) return;
  taking_ = false;
  writer_.Finish();
}

}  // namespace headrace::engine
