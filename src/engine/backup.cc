#include "engine/backup.h"

#include <algorithm>
#include <memory>
#include <vector>

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

// A backup, or what one leaves that ends before its journal is there.
Result<bool> IsBackup(os::FileSystem& files, const std::string& directory) {
  if (!files.Exists(directory)) return true;
  HR_ASSIGN(std::vector<std::string> names, files.List(directory));
  return files.Exists(directory + "/journal") ||
         std::all_of(names.begin(), names.end(),
                     [](const std::string& name) { return name == "models/" || name == "lock"; });
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

Result<log::CopyReport> Copy(os::FileSystem& files, os::Clock& clock, const std::string& from,
                             const std::string& to) {
  base::MetricsRegistry metrics;
  HR_ASSIGN(auto source, OpenMoment(files, clock, metrics, from));
  // Behind the opening: what the log names is there, because it was written first.
  HR_TRY(files.CreateDirectories(to));
  HR_TRY(CopyModels(files, from, to));
  HR_ASSIGN(auto target, log::Log::Open(files, clock, metrics, to, {}));
  HR_ASSIGN(log::CopyReport report, log::CopyLog(*source, *target));
  HR_TRY(target->Close());
  return report;
}

}  // namespace

Result<log::CopyReport> Backup(os::FileSystem& files, os::Clock& clock, const std::string& from,
                               const std::string& to) {
  HR_ASSIGN(bool fit, IsBackup(files, to));
  if (!fit) {
    return Error(ErrorKind::kConflict, "HR5406", "the directory holds something else")
        .AtPlace(to)
        .WithHint("give a new or empty directory, or an earlier backup of the same data");
  }
  return Copy(files, clock, from, to);
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
  if (!report.findings.empty()) return report.findings.front();
  return Copy(files, clock, from, to);
}

}  // namespace headrace::engine
