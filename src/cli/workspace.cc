#include "cli/workspace.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "cli/progress.h"
#include "os/worker_team.h"

namespace headrace::cli {
namespace {

constexpr uint64_t kSmallJournalBytes = 1 << 20;
// What is not windows: the program, buffers of journal and batches.
constexpr uint64_t kMemoryMin = 96 << 20;

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

Result<size_t> ReadWorkers(const Arguments& arguments) {
  constexpr auto kMax = static_cast<int64_t>(os::WorkerTeam::kWorkersMax);
  // A core is left to the threads that flush and write: with all of them computing, two workers on
  // two cores are slower than one (docs/decisions/0008-a-team-over-one-batch.md).
  const int64_t spare = int64_t{std::thread::hardware_concurrency()} - 1;
  HR_ASSIGN(int64_t workers,
            arguments.Integer("--workers", std::clamp<int64_t>(spare, 1, kMax), 1, kMax));
  return static_cast<size_t>(workers);
}

}  // namespace

Result<uint64_t> ReadMemory(const Arguments& arguments) {
  const std::string* given = arguments.Find("--memory");
  if (given == nullptr) return uint64_t{0};
  char* unit = nullptr;
  const double number = std::strtod(given->c_str(), &unit);
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"", 1},          {"kB", 1e3},      {"MB", 1e6},     {"GB", 1e9},
      {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
  for (const auto& [name, factor] : kUnits) {
    if (name != unit || unit == given->c_str()) continue;
    if (number * factor >= static_cast<double>(kMemoryMin) && number * factor < 1e15) {
      return static_cast<uint64_t>(number * factor);
    }
  }
  return BadUsage("--memory " + *given +
                  ": a size of at least 101MB (96MiB) is meant, such as 192MB or 2GiB");
}

Result<WorkspaceOptions> ReadWorkspace(const Arguments& arguments) {
  WorkspaceOptions options;
  if (arguments.Has("--data")) options.directory = arguments.Get("--data", "");
  HR_ASSIGN(options.workers, ReadWorkers(arguments));
  HR_ASSIGN(options.memory, ReadMemory(arguments));
  return options;
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
  engine_options.notice = options.notice;
  engine_options.memory.bytes = options.memory;
  engine_options.waits_for_log = !options.serves;
  if (options.small) engine_options.log.journal_file_bytes = kSmallJournalBytes;
  HR_ASSIGN(made->engine_,
            engine::Engine::OpenLog(*made->files_, made->clock_, made->metrics_, engine_options));
  if (!options.recovers_later) HR_TRY(made->engine_->Recover(nullptr));
  return made;
}

Result<std::unique_ptr<Workspace>> Workspace::Open(WorkspaceOptions options, Console& console) {
  options.recovers_later = true;
  HR_ASSIGN(std::unique_ptr<Workspace> made, Open(options));
  HR_TRY(made->Recover(console));
  return made;
}

Status Workspace::Recover(Console& console) {
  Progress progress(console, clock_, "recovering");
  Status recovered = engine_->Recover([&](const engine::StartupProgress& startup) {
    progress.Update(startup.events, startup.share().value_or(0));
  });
  progress.Clear();
  if (!recovered.ok()) return recovered;
  const std::string& said = engine_->recovery_note();
  if (!said.empty()) console.Note(said + "\n");
  return Ok();
}

Workspace::~Workspace() {
  // Whoever wants to know how closing went calls Close.
  if (engine_ != nullptr) (void)engine_->Close();
}

Status Workspace::Close() {
  return engine_->Close();
}

}  // namespace headrace::cli
