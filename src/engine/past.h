#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "engine/engine_state.h"
#include "engine/snapshot_manifest.h"
#include "engine/snapshot_store.h"
#include "flow/graph.h"
#include "headrace/result.h"
#include "log/log.h"

namespace headrace::engine {

// A graph with the state of everything up to an LSN, and what the engine knew beside it: where a
// replay goes on. Confined.
struct Past {
  uint64_t lsn = 0;  // 0: nothing has happened yet
  std::unique_ptr<flow::Graph> graph;
  EngineState state;  // its `graph` is used up
  // What it was loaded from, when that holds these statements and no others.
  std::optional<SnapshotManifest> snapshot;
  std::vector<std::string> unused;  // the snapshots that are damaged, as lines for people
};

// Where the past stands.
struct PastSource {
  const SnapshotStore& store;
  const log::Log& log;
  const catalog::Catalog& catalog;
};

// Makes an empty graph of the statements in question.
using MakeGraph = std::function<std::unique_ptr<flow::Graph>()>;

// The beginning of all that can still be computed: of the log, or the snapshot that stands for what
// retention removed. Statements that it does not know are computed from there on.
// Errors: kCorruption, HR5407 and HR5408 when that snapshot is gone or damaged.
// A log of which a salvage found parts lost begins with what it has.
Result<Past> LoadBeginning(const PastSource& source, const MakeGraph& make);

// The same with the newest sound snapshot up to `until` that holds these statements, or all of
// their state, if there is one behind the beginning.
// Errors besides: kNotFound HR4103 when the beginning is behind `until`.
Result<Past> LoadPast(const PastSource& source, uint64_t until, const MakeGraph& make,
                      flow::Graph::Match match = flow::Graph::Match::kExact);

// The newest sound snapshot, whatever else it holds, or the beginning: for what does not depend on
// statements that were deployed since.
Result<Past> LoadNewest(const PastSource& source, const MakeGraph& make);

// What `read` gives when retention does not move the beginning under it: it is called again then.
// For readers beside the engine; `read` replays behind a Past it loads itself.
template <typename Read>
auto ReadPast(const SnapshotStore& store, const Read& read) -> decltype(read()) {
  constexpr int kAttempts = 5;
  for (int attempt = 1;; ++attempt) {
    Result<uint64_t> before = store.Beginning();
    auto result = read();
    Result<uint64_t> after = store.Beginning();
    if (attempt == kAttempts || !before.ok() || !after.ok() || *before == *after) return result;
  }
}

}  // namespace headrace::engine
