#include "engine/backup.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/drop.h"
#include "engine/snapshot_store.h"
#include "log/log.h"

namespace headrace::engine {
namespace {

constexpr uint64_t kModelBytesMax = uint64_t{1} << 30;
// A writer frees journal files while they are read: so often a moment is tried to be seen.
constexpr int kAttempts = 20;

Result<bool> IsEmpty(os::FileSystem& files, const std::string& directory) {
  if (!files.Exists(directory)) return true;
  HR_ASSIGN(std::vector<std::string> names, files.List(directory));
  return names.empty();
}

// Empty, a backup, or what a first one left that was stopped.
Result<bool> MayHoldBackup(os::FileSystem& files, const std::string& directory) {
  constexpr std::string_view kOurs[] = {"lock",    "manifest",  "journal/",  "topics/",
                                        "models/", "controls/", "snapshots/"};
  HR_ASSIGN(bool empty, IsEmpty(files, directory));
  if (empty || files.Exists(directory + "/journal")) return true;
  HR_ASSIGN(std::vector<std::string> names, files.List(directory));
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    return name.starts_with("manifest.") ||
           std::find(std::begin(kOurs), std::end(kOurs), name) != std::end(kOurs);
  });
}

Result<std::unique_ptr<log::Log>> OpenMoment(os::FileSystem& files, os::Clock& clock,
                                             base::MetricsRegistry& metrics,
                                             const std::string& directory) {
  log::LogOptions options;
  options.read_only = true;
  options.beside_writer = true;
  for (int attempt = 1;; ++attempt) {
    Result<std::unique_ptr<log::Log>> opened =
        log::Log::Open(files, clock, metrics, directory, options);
    if (opened.ok() || attempt == kAttempts) return opened;
    const ErrorKind kind = opened.error().kind();
    if (kind != ErrorKind::kCorruption && kind != ErrorKind::kNotFound) return opened;
    if (!files.Exists(directory)) return opened;
  }
}

// Models are named by their bytes: one that is there is the same.
Status CopyModels(os::FileSystem& files, const std::string& from, const std::string& to) {
  const std::string source = from + "/models";
  const std::string target = to + "/models";
  if (!files.Exists(source)) return Ok();
  HR_TRY(files.CreateDirectories(target));
  HR_ASSIGN(std::vector<std::string> names, files.List(source));
  for (const std::string& name : names) {
    const std::string file = "/" + name;
    if (files.Exists(target + file)) continue;
    HR_ASSIGN(std::string bytes, os::ReadFile(files, source + file, kModelBytesMax));
    HR_TRY(os::ReplaceFile(files, target + file, bytes));
  }
  return Ok();
}

// The snapshot that stands for what retention removed of `source`; none: nothing was.
Result<std::optional<SnapshotManifest>> ReadBeginning(const SnapshotStore& store) {
  HR_ASSIGN(uint64_t lsn, store.Beginning());
  if (lsn == 0) return std::optional<SnapshotManifest>();
  Result<SnapshotManifest> manifest = store.Read(lsn);
  if (manifest.ok()) return std::optional<SnapshotManifest>(std::move(manifest).value());
  return Error(ErrorKind::kCorruption, "HR5408",
               "the snapshot that stands for what retention removed is not to be had: " +
                   manifest.error().ToString());
}

class Copying {
 public:
  Copying(os::FileSystem& files, os::Clock& clock, std::string from, std::string to)
      : files_(files),
        clock_(clock),
        from_(std::move(from)),
        to_(std::move(to)),
        source_(files, from_),
        target_(files, to_) {}

  // Retention may move the beginning meanwhile, and take what is being read.
  Result<log::CopyReport> Run() {
    for (int attempt = 1;; ++attempt) {
      Result<uint64_t> before = source_.Beginning();
      Result<log::CopyReport> copied = RunOnce();
      if (copied.ok() || attempt == kAttempts || !before.ok()) return copied;
      Result<uint64_t> after = source_.Beginning();
      if (after.ok() && *after == *before) return copied;
    }
  }

 private:
  Result<log::CopyReport> RunOnce() {
    base::MetricsRegistry metrics;
    HR_ASSIGN(auto log, OpenMoment(files_, clock_, metrics, from_));
    HR_ASSIGN(const catalog::Catalog catalog, ReadCatalog(*log));
    HR_TRY(BeginTopics(catalog, *log));
    // Read behind the opening: retention removes nothing that lies behind the beginning, so the log
    // that was opened has everything behind this one.
    HR_ASSIGN(auto beginning, ReadBeginning(source_));
    if (beginning && beginning->lsn > log->durable_lsn()) {
      return Error(ErrorKind::kConflict, "HR5261", "the beginning moved past what is copied")
          .AtPlace(from_)
          .WithHint("try again");
    }
    HR_ASSIGN(auto copy, log::LogCopy::Open(files_, clock_, *log, to_));
    // What the log names is there, because it was written first.
    HR_TRY(CopyModels(files_, from_, to_));
    const bool moves = beginning && (copy->fresh() || !IsHeld(beginning->lsn));
    if (moves) HR_TRY(source_.CopySnapshot(*beginning, target_));
    // A copy that nobody takes for whole yet gets its beginning first. One that is carried on holds
    // everything behind its old beginning until the new one is in force.
    if (moves && copy->fresh()) HR_TRY(target_.WriteBeginning(beginning->lsn));
    HR_ASSIGN(log::CopyReport report, copy->Append());
    if (moves && !copy->fresh()) HR_TRY(target_.WriteBeginning(beginning->lsn));
    HR_TRY(copy->DropOld());
    target_.RemoveOld();
    return report;
  }

  // Whether the beginning of the copy is this one or a later one.
  bool IsHeld(uint64_t lsn) const {
    Result<uint64_t> held = target_.Beginning();
    return held.ok() && *held >= lsn;
  }

  os::FileSystem& files_;
  os::Clock& clock_;
  const std::string from_;
  const std::string to_;
  const SnapshotStore source_;
  const SnapshotStore target_;
};

}  // namespace

Result<log::CopyReport> Backup(os::FileSystem& files, os::Clock& clock, const std::string& from,
                               const std::string& to) {
  HR_ASSIGN(bool fits, MayHoldBackup(files, to));
  if (!fits) {
    return Error(ErrorKind::kConflict, "HR5406", "the directory holds something else")
        .AtPlace(to)
        .WithHint("give a new or empty directory, or an earlier backup of the same data");
  }
  return Copying(files, clock, from, to).Run();
}

Result<log::CopyReport> Restore(os::FileSystem& files, os::Clock& clock, const std::string& from,
                                const std::string& to) {
  HR_ASSIGN(bool empty, IsEmpty(files, to));
  if (!empty) {
    return Error(ErrorKind::kConflict, "HR5405", "the directory is not empty")
        .AtPlace(to)
        .WithHint("restore into a new directory");
  }
  HR_ASSIGN(log::VerifyReport report, log::Verify(files, from));
  for (const Error& finding : report.findings) {
    // A copy that was stopped may have written the index of a segment that is not longer yet.
    if (finding.code() != "HR5213") return finding;
  }
  const std::vector<Error> snapshots = SnapshotStore(files, from).Verify();
  if (!snapshots.empty()) return snapshots.front();
  return Copying(files, clock, from, to).Run();
}

}  // namespace headrace::engine
