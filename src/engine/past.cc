#include "engine/past.h"

#include <utility>

namespace headrace::engine {
namespace {

using Match = flow::Graph::Match;

Result<Past> Load(const SnapshotStore& store, uint64_t lsn, Match match, const MakeGraph& make) {
  HR_ASSIGN(SnapshotManifest manifest, store.Read(lsn));
  Past past;
  past.lsn = lsn;
  past.graph = make();
  HR_ASSIGN(past.state, EngineState::Decode(manifest.head));
  HR_TRY(past.graph->BeginLoad(past.state.graph, match));
  HR_TRY(store.ReadPages(manifest, [&](uint32_t block, uint32_t number, std::string_view bytes) {
    return past.graph->LoadPage(block, number, bytes);
  }));
  past.graph->EndLoad();
  past.state.graph.clear();
  if (match == Match::kExact) past.snapshot = std::move(manifest);
  return past;
}

// Whether the log holds everything from its first entry on.
bool IsWhole(const log::Log& log) {
  for (const std::string& topic : log.topics()) {
    for (int32_t p = 0; p < log.topic_config(topic).partitions; ++p) {
      if (log.start_offset(topic, p) > 0) return false;
    }
  }
  return true;
}

}  // namespace

Result<Past> LoadBeginning(const PastSource& source, const MakeGraph& make) {
  HR_ASSIGN(uint64_t beginning, source.store.Beginning());
  if (beginning > 0) {
    Result<Past> loaded = Load(source.store, beginning, Match::kAny, make);
    if (loaded.ok()) return loaded;
    return Error(ErrorKind::kCorruption, "HR5408",
                 "retention removed the events before LSN " + std::to_string(beginning + 1) +
                     ", and the snapshot that stands for them is not to be had: " +
                     loaded.error().ToString());
  }
  if (source.catalog.losses().empty() && !IsWhole(source.log)) {
    return Error(ErrorKind::kCorruption, "HR5408",
                 "retention removed events, and the snapshot that stands for them is missing")
        .WithHint("put back the directory `snapshots`, or restore a backup");
  }
  Past past;
  past.graph = make();
  return past;
}

Result<Past> LoadNewest(const PastSource& source, const MakeGraph& make) {
  for (uint64_t lsn : source.store.List()) {
    if (lsn > source.log.durable_lsn()) continue;
    Result<Past> loaded = Load(source.store, lsn, Match::kAny, make);
    if (loaded.ok()) return loaded;
  }
  return LoadBeginning(source, make);
}

Result<Past> LoadPast(const PastSource& source, uint64_t until, const MakeGraph& make,
                      Match match) {
  const SnapshotStore& store = source.store;
  Result<uint64_t> beginning = store.Beginning();
  const uint64_t first = beginning.ok() ? *beginning : 0;
  if (until < first) {
    return Error(ErrorKind::kNotFound, "HR4103",
                 "LSN " + std::to_string(until + 1) + " is before the beginning, LSN " +
                     std::to_string(first + 1) + ": retention removed what it was made from")
        .WithHint("the row itself is there as long as its own stream keeps it");
  }
  std::vector<std::string> unused;
  for (uint64_t lsn : store.List()) {
    if (lsn > until || lsn <= first) continue;
    Result<Past> loaded = Load(store, lsn, match, make);
    if (loaded.ok()) {
      loaded->unused = std::move(unused);
      return loaded;
    }
    // Other statements are no damage: something was deployed since.
    if (loaded.error().kind() == ErrorKind::kConflict) continue;
    unused.push_back("snapshot " + std::to_string(lsn) +
                     " is not used: " + loaded.error().ToString());
  }
  HR_ASSIGN(Past past, LoadBeginning(source, make));
  past.unused = std::move(unused);
  return past;
}

}  // namespace headrace::engine
