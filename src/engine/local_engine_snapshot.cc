// How LocalEngine takes snapshots of its state, and starts from one.

#include "engine/local_engine.h"
#include "engine/replay.h"

namespace headrace::engine {

Result<Past> LocalEngine::LoadState(From from, const Deployment& running) {
  const auto make = [&] {
    return BuildGraph(
        running, [this](const std::string& name) { return this->deployment()->Find(name)->models; },
        {&team_, spill()});
  };
  const SnapshotStore store = snapshot_store();
  auto deployment = this->deployment();
  const PastSource source{store, *log_, deployment->catalog};
  if (from == From::kBeginning) return LoadBeginning(source, make);
  HR_ASSIGN(Past past, LoadPast(source, log_->last_lsn(), make));
  for (const std::string& line : past.unused)
    recovery_note_ += (recovery_note_.empty() ? "" : "\n") + line;
  loaded_ = std::move(past.snapshot);
  return past;
}

std::string LocalEngine::SnapshotHead(std::string graph) const {
  EngineState state;
  state.positions = positions_;
  state.finished = finished_;
  state.graph = std::move(graph);
  for (const Deployed& item : deployment()->items) {
    if (item.is_model()) continue;  // of sources: how much there is to replay
    for (int32_t p = 0; p < item.partitions; ++p)
      state.next_offsets[{item.topic(), p}] = log_->next_offset(item.topic(), p);
  }
  return state.Encode();
}

// Between two groups: the state is that of what was appended.
void LocalEngine::StepSnapshot() {
  if (!snapshots_ || unappended_ || closed_) return;
  if (!ForgetFormer()) return;
  // What is computed over the past begins where the past began: that must not move meanwhile.
  const bool held = deploying_ != nullptr || !scripts_.empty() || unfinished_;
  if (held && snapshots_->idle()) return;
  snapshots_->Step(*graph_, log_->last_lsn(), [this](std::string graph) {
    NoteSnapshots();
    estimate_.SnapshotBegun();
    return SnapshotHead(std::move(graph));
  });
  NoteSnapshots();
}

// Snapshots of the statements before serve a start until those that took over are durable.
bool LocalEngine::ForgetFormer() {
  if (forget_at_ == 0) return true;
  if (log_->durable_lsn() < forget_at_) return false;
  ForgetSnapshots(SnapshotCycle::Forget::kLater);
  return true;
}

void LocalEngine::ForgetSnapshots(SnapshotCycle::Forget forget) {
  forget_at_ = 0;
  if (snapshots_) snapshots_->Restart(forget);
  estimate_.SnapshotsForgotten();
}

// With nobody to serve a snapshot need not wait for the next event.
bool LocalEngine::SnapshotGoesOn() const {
  return snapshots_ && !closed_ && !unappended_ && waiting_.empty() && snapshots_->goes_on();
}

void LocalEngine::NoteSnapshots() {
  const SnapshotWriter::Written written = snapshots_->written();
  if (written.count == snapshots_written_) return;
  snapshots_written_ = written.count;
  estimate_.SnapshotWritten(written.bytes);
}

void LocalEngine::FinishSnapshots() {
  if (snapshots_) snapshots_->Settle(*graph_);
}

// At a clean end, so that the next start has nothing to replay.
void LocalEngine::FinishSnapshot() {
  const bool sound = snapshots_ && !unappended_ && !abandoned_ && log_->failure() == nullptr &&
                     log_->durable_lsn() == log_->last_lsn() && !unfinished_;
  if (!sound || !ForgetFormer()) return;
  Status written = snapshots_->Finish(*graph_, log_->last_lsn(), [this](std::string graph) {
    return SnapshotHead(std::move(graph));
  });
  static_cast<void>(written.ok());  // without it the next start takes longer; the writer counts it
}

}  // namespace headrace::engine
