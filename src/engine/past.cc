#include "engine/past.h"

#include <set>
#include <utility>

namespace headrace::engine {
namespace {

using Match = flow::Graph::Match;

// Whether the log holds everything from its first entry on, but for what nobody needs.
bool IsWhole(const PastSource& source) {
  const catalog::Offsets& dropped = source.catalog.begins();
  for (const std::string& topic : source.log.topics()) {
    for (int32_t p = 0; p < source.log.topic_config(topic).partitions; ++p) {
      auto gone = dropped.find({topic, p});
      const int64_t allowed = gone == dropped.end() ? 0 : gone->second;
      if (source.log.start_offset(topic, p) > allowed) return false;
    }
  }
  return true;
}

// Declared streams that were made since: their names may have stood for others.
std::set<std::string> NewerThan(const catalog::Catalog& catalog, uint64_t lsn) {
  std::set<std::string> newer;
  for (const catalog::Object& object : catalog.objects()) {
    if (object.revisions.front().lsn > lsn) newer.insert(object.name);
  }
  return newer;
}

// What was known of objects that were dropped since is not known of those that have their names.
void ForgetDropped(const catalog::Catalog& catalog, Past& past) {
  for (const catalog::Drop& drop : catalog.drops()) {
    if (drop.lsn <= past.lsn) continue;
    past.state.finished.erase(drop.name);
    for (const auto& [of, offset] : drop.ended)
      past.state.next_offsets[of] = offset;
  }
  // Of what was not there then offsets go on where they were.
  for (const auto& [of, offset] : catalog.begins())
    past.state.next_offsets.try_emplace(of, offset);
  for (const auto& [topic, lsn] : catalog.dropped_topics()) {
    if (lsn <= past.lsn) continue;
    std::erase_if(past.state.positions,
                  [&](const auto& position) { return position.first.first == topic; });
  }
}

Result<Past> Load(const PastSource& source, uint64_t lsn, Match match, const MakeGraph& make) {
  HR_ASSIGN(SnapshotManifest manifest, source.store.Read(lsn));
  Past past;
  past.lsn = lsn;
  past.graph = make();
  HR_ASSIGN(past.state, EngineState::Decode(manifest.head));
  HR_TRY(past.graph->BeginLoad(past.state.graph, match, NewerThan(source.catalog, lsn)));
  HR_TRY(source.store.ReadPages(manifest,
                                [&](uint32_t block, uint32_t number, std::string_view bytes) {
                                  return past.graph->LoadPage(block, number, bytes);
                                }));
  past.graph->EndLoad();
  past.state.graph.clear();
  ForgetDropped(source.catalog, past);
  if (match == Match::kExact) past.snapshot = std::move(manifest);
  return past;
}

}  // namespace

Result<Past> LoadBeginning(const PastSource& source, const MakeGraph& make) {
  HR_ASSIGN(uint64_t beginning, source.store.Beginning());
  if (beginning > 0) {
    Result<Past> loaded = Load(source, beginning, Match::kAny, make);
    if (loaded.ok()) return loaded;
    return Error(ErrorKind::kCorruption, "HR5408",
                 "the events before LSN " + std::to_string(beginning + 1) +
                     " were removed, and the snapshot that stands for them is not to be had: " +
                     loaded.error().ToString());
  }
  if (source.catalog.losses().empty() && !IsWhole(source)) {
    return Error(ErrorKind::kCorruption, "HR5408",
                 "events were removed, and the snapshot that stands for them is missing")
        .WithHint("put back the directory `snapshots`, or restore a backup");
  }
  Past past;
  past.graph = make();
  ForgetDropped(source.catalog, past);
  return past;
}

Result<Past> LoadNewest(const PastSource& source, const MakeGraph& make) {
  for (uint64_t lsn : source.store.List()) {
    if (lsn > source.log.durable_lsn()) continue;
    Result<Past> loaded = Load(source, lsn, Match::kAny, make);
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
                     std::to_string(first + 1) + ": what it was made from was removed")
        .WithHint("the row itself is there as long as its own stream keeps it");
  }
  std::vector<std::string> unused;
  for (uint64_t lsn : store.List()) {
    if (lsn > until || lsn <= first) continue;
    Result<Past> loaded = Load(source, lsn, match, make);
    // One of before a drop has the state of all that is left.
    const bool others = !loaded.ok() && loaded.error().kind() == ErrorKind::kConflict;
    if (others && match == Match::kExact && !source.catalog.drops().empty()) {
      loaded = Load(source, lsn, Match::kAll, make);
    }
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
