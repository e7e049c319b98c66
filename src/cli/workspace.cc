#include "cli/workspace.h"

#include <algorithm>
#include <cstdio>
#include <thread>

#include "os/worker_team.h"

namespace headrace::cli {
namespace {

constexpr uint64_t kSmallJournalBytes = 1 << 20;

Result<std::string> ReadStandardInput() {
  std::string text;
  char buffer[64 << 10];
  while (size_t got = std::fread(buffer, 1, sizeof buffer, stdin)) {
    text.append(buffer, got);
    if (text.size() > kScriptBytesMax) {
      return Error(ErrorKind::kLimitExceeded, "HR9004", "standard input is too long for a script");
    }
  }
  return text;
}

}  // namespace

Result<size_t> ReadWorkers(const Arguments& arguments) {
  constexpr auto kMax = static_cast<int64_t>(os::WorkerTeam::kWorkersMax);
  const int64_t cores = std::clamp<int64_t>(std::thread::hardware_concurrency(), 1, kMax);
  HR_ASSIGN(int64_t workers, arguments.Integer("--workers", cores, 1, kMax));
  return static_cast<size_t>(workers);
}

Status CheckDataDirectory(os::FileSystem& files, const std::string& path) {
  if (files.Exists(path) && files.Exists(path + "/journal")) return Ok();
  return Error(ErrorKind::kNotFound, "HR9003", "no data directory")
      .AtPlace(path)
      .WithHint("give --data DIR, the directory that `headrace run --data DIR` or `serve` wrote");
}

Result<std::string> ReadInput(os::FileSystem& files, const std::string& path) {
  if (path == "-") return ReadStandardInput();
  return os::ReadFile(files, path, kScriptBytesMax);
}

Result<std::unique_ptr<Workspace>> Workspace::Open(const WorkspaceOptions& options) {
  std::unique_ptr<Workspace> made(new Workspace());
  if (options.directory) {
    made->directory_ = *options.directory;
    if (options.read_only) HR_TRY(CheckDataDirectory(*made->files_, made->directory_));
  } else {
    HR_ASSIGN(TemporaryDirectory temporary, TemporaryDirectory::Make());
    made->temporary_.emplace(std::move(temporary));
    made->directory_ = made->temporary_->path();
  }
  engine::EngineOptions engine_options;
  engine_options.directory = made->directory_;
  engine_options.read_only = options.read_only;
  engine_options.log.read_only = options.read_only;
  engine_options.snapshots = options.directory.has_value();
  engine_options.workers = options.workers;
  if (options.small) engine_options.log.journal_file_bytes = kSmallJournalBytes;
  HR_ASSIGN(made->engine_, engine::Engine::Open(*made->files_, made->clock_, made->metrics_,
                                                engine_options, nullptr));
  return made;
}

Workspace::~Workspace() {
  // Whoever wants to know how closing went calls Close.
  if (engine_ != nullptr) (void)engine_->Close();
}

Status Workspace::Close() {
  return engine_->Close();
}

}  // namespace headrace::cli
