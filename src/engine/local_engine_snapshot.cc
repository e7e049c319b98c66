// How LocalEngine takes snapshots of its state, and starts from one.

#include "engine/comparison.h"
#include "engine/local_engine.h"

namespace headrace::engine {

log::Lsn LocalEngine::LoadSnapshot(Comparison& comparison) {
  SnapshotStore store(files_, options_.directory);
  for (uint64_t lsn : store.List()) {
    if (lsn > log_->last_lsn()) continue;  // of another log: its state is not this one's
    Result<SnapshotManifest> manifest = store.Read(lsn);
    EngineState state;
    Status loaded = manifest.ok() ? LoadState(store, *manifest, &state) : Status(manifest.error());
    if (loaded.ok()) {
      positions_ = std::move(state.positions);
      finished_ = std::move(state.finished);
      for (const auto& [of, offset] : state.next_offsets)
        comparison.Resume(of.first, of.second, offset);
      loaded_ = std::move(manifest).value();
      return lsn;
    }
    MakeGraph();
    // Other statements are no damage: something was deployed since.
    if (loaded.error().kind() == ErrorKind::kConflict) continue;
    recovery_note_ += (recovery_note_.empty() ? "" : "\n") + std::string("snapshot ") +
                      std::to_string(lsn) + " is not used: " + loaded.error().ToString();
  }
  return 0;
}

Status LocalEngine::LoadState(const SnapshotStore& store, const SnapshotManifest& manifest,
                              EngineState* state) {
  HR_ASSIGN(*state, EngineState::Decode(manifest.head));
  HR_TRY(graph_->BeginLoad(state->graph));
  HR_TRY(store.ReadPages(manifest, [this](uint32_t block, uint32_t number, std::string_view bytes) {
    return graph_->LoadPage(block, number, bytes);
  }));
  graph_->EndLoad();
  return Ok();
}

std::string LocalEngine::SnapshotHead(std::string graph) const {
  EngineState state;
  state.positions = positions_;
  state.finished = finished_;
  state.graph = std::move(graph);
  for (const Deployed& item : deployment()->items) {
    if (item.models || item.source) continue;
    for (int32_t p = 0; p < item.partitions; ++p)
      state.next_offsets[{item.topic(), p}] = log_->next_offset(item.topic(), p);
  }
  return state.Encode();
}

// Between two groups: the state is that of what was appended.
void LocalEngine::StepSnapshot() {
  if (!snapshots_ || unappended_ || closed_) return;
  snapshots_->Step(*graph_, log_->last_lsn(),
                   [this](std::string graph) { return SnapshotHead(std::move(graph)); });
}

// At a clean end, so that the next start has nothing to replay.
void LocalEngine::FinishSnapshot() {
  const bool sound = snapshots_ && !unappended_ && !abandoned_ && log_->failure() == nullptr &&
                     log_->durable_lsn() == log_->last_lsn();
  if (!sound) return;
  Status written = snapshots_->Finish(*graph_, log_->last_lsn(), [this](std::string graph) {
    return SnapshotHead(std::move(graph));
  });
  static_cast<void>(written.ok());  // without it the next start takes longer; the writer counts it
}

}  // namespace headrace::engine
