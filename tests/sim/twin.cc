// What a mixed run should have given, from the order in which its inputs came.

#include <algorithm>
#include <map>

#include "catalog/change.h"
#include "clients.h"
#include "engine/frame_note.h"
#include "engine/local_engine.h"
#include "mixed_run.h"
#include "naive.h"
#include "os/memory_file_system.h"

namespace headrace::sim {
namespace {

constexpr const char* kPadding =
    "                                                                ";  // the decoder reads on

// An undisturbed engine that is given one entry after the other.
class Twin {
 public:
  explicit Twin(const Workload& workload) : clock_(workload.now) {}

  Status Start() {
    HR_TRY(disk_.CreateDirectories("/in"));
    for (size_t version = 0; version < 2; ++version)
      HR_TRY(os::ReplaceFile(disk_, kModelPaths[version], ModelText(version)));
    engine::EngineOptions options;
    options.directory = "/data";
    options.log.journal_file_bytes = 1 << 20;
    options.snapshots = false;
    HR_ASSIGN(engine_, engine::LocalEngine::Open(disk_, clock_, metrics_, options, nullptr));
    return Ok();
  }

  Status Take(const Seen& seen) {
    if (seen.kind == log::EntryKind::kControl) return TakeControl(seen.values[0]);
    if (seen.topic != "events" && seen.topic != Clients::kTicks) return Ok();
    HR_ASSIGN(engine::InputNote note, engine::InputNote::Decode(seen.note));
    clock_.Set(note.arrival_micros);
    std::vector<std::string> padded;
    std::vector<std::string_view> payloads;
    padded.reserve(seen.values.size());
    for (const std::string& value : seen.values) {
      padded.push_back(value + kPadding);
      payloads.push_back(std::string_view(padded.back()).substr(0, value.size()));
    }
    engine::BulkChunk chunk;
    chunk.topic = seen.topic;
    chunk.payloads = &payloads;
    chunk.end = payloads.size();
    chunk.bounded = note.bounded;
    HR_ASSIGN(log::Lsn lsn, engine_->Ingest(chunk));
    return engine_->log().WaitDurable(lsn);
  }

  Result<std::string> Rows(const std::string& stream) const {
    engine::RowRange range;
    range.limit = SIZE_MAX;
    range.with_ids = true;
    return engine_->ReadRows(stream, range);
  }

 private:
  Status TakeControl(const std::string& bytes) {
    HR_ASSIGN(catalog::Change change, catalog::Change::Decode(bytes));
    const std::string alter = "ALTER MODEL " + change.name;
    const std::string version = " VERSION " + std::to_string(change.number) + ";";
    switch (change.kind) {
      case catalog::ChangeKind::kPrepareReplace:
        prepared_.push_back(change);
        return Ok();
      case catalog::ChangeKind::kPrepare:
        // It may read what its script replaces as that will be.
        if (!prepared_.empty()) {
          prepared_.push_back(change);
          return Ok();
        }
        return engine_->Execute(change.text, change.file);
      case catalog::ChangeKind::kJoin:
        return TakePrepared(change.name);
      case catalog::ChangeKind::kCreate:
      case catalog::ChangeKind::kCreateWatched:
      case catalog::ChangeKind::kReplace:
        return engine_->Execute(change.text, change.file);
      case catalog::ChangeKind::kAddVersion:
        return engine_->Execute(
            alter + " ADD VERSION WITH (path = '" + kModelPaths[change.number - 1] + "');", "a");
      case catalog::ChangeKind::kActivateVersion:
        return engine_->Execute(alter + " ACTIVATE" + version, "a");
      case catalog::ChangeKind::kShadowVersion:
        return engine_->Execute(alter + " SHADOW" + version, "a");
      case catalog::ChangeKind::kRetireVersion:
        return engine_->Execute(alter + " RETIRE" + version, "a");
      case catalog::ChangeKind::kDrop:
        return engine_->Execute(
            (change.name == "of_passing" ? "DROP VIEW " : "DROP STREAM ") + change.name + ";", "d");
      case catalog::ChangeKind::kFinishInput:
        return engine_->FinishInput(change.name);
      default:
        return Ok();
    }
  }

  Status TakePrepared(const std::string& name) {
    auto held = std::find_if(prepared_.begin(), prepared_.end(),
                             [&](const catalog::Change& change) { return change.name == name; });
    if (held == prepared_.end()) return Ok();
    HR_TRY(engine_->Execute(held->text, held->file));
    prepared_.erase(held);
    return Ok();
  }

  os::MemoryFileSystem disk_;
  os::ManualClock clock_;
  base::MetricsRegistry metrics_;
  std::unique_ptr<engine::LocalEngine> engine_;
  std::vector<catalog::Change> prepared_;  // of a script that replaces something and has not joined
};

bool Begins(const catalog::Change& change, const std::string& name) {
  return change.name == name && (change.kind == catalog::ChangeKind::kCreate ||
                                 change.kind == catalog::ChangeKind::kPrepare);
}

}  // namespace

Result<std::map<std::string, std::string>> RunTwin(const Workload& workload, const History& history,
                                                   const std::set<std::string>& streams) {
  Twin twin(workload);
  HR_TRY(twin.Start());
  for (const Seen& seen : history.entries())
    HR_TRY(twin.Take(seen));
  std::map<std::string, std::string> rows;
  for (const std::string& stream : streams) {
    HR_ASSIGN(rows[stream], twin.Rows(stream));
  }
  return rows;
}

std::map<std::string, std::string> NaiveTwin(const Workload& workload, const History& history) {
  std::map<std::string, const Event*> by_payload;
  for (const Event& event : workload.events)
    by_payload[event.json] = &event;
  Workload logged = workload;
  logged.events.clear();
  logged.first = logged.second = SIZE_MAX;
  for (const Seen& seen : history.entries()) {
    if (seen.kind == log::EntryKind::kControl) {
      Result<catalog::Change> change = catalog::Change::Decode(seen.values[0]);
      if (!change.ok()) continue;
      if (Begins(*change, "later")) logged.first = logged.events.size();
      const bool activates = change->kind == catalog::ChangeKind::kActivateVersion;
      if (activates && change->number == 2) logged.second = logged.events.size();
      continue;
    }
    if (seen.topic != "events") continue;
    for (const std::string& value : seen.values) {
      auto known = by_payload.find(value);
      if (known != by_payload.end()) logged.events.push_back(*known->second);
    }
  }
  return NaiveOutputs(logged);
}

}  // namespace headrace::sim
