#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/metrics.h"
#include "cli/arguments.h"
#include "cli/console.h"
#include "cli/temporary_directory.h"
#include "engine/engine.h"
#include "headrace/result.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace headrace::cli {

struct WorkspaceOptions {
  std::optional<std::string> directory;  // absent: a temporary one
  bool read_only = false;                // also: the directory must exist
  bool small = false;                    // for a few statements: the smallest journal
  size_t workers = 1;
  uint64_t memory = 0;  // of the process, bytes; 0: no limit
  bool serves = false;  // the worker's thread serves sockets: it never waits for the log
  std::function<void(const std::string&)> notice{};  // see EngineOptions; may be empty
  bool recovers_later = false;                       // the log alone is opened; Recover must follow
};

// What a command works on: the real file system and clock, the metrics, a data directory and the
// engine over it. Composition of the parts happens here. Confined, but for what Engine allows.
class Workspace {
 public:
  // Errors: HR9003 (read_only and no such data directory), and those of Engine::Open.
  static Result<std::unique_ptr<Workspace>> Open(const WorkspaceOptions& options);
  // The same, and says on standard error how far recovering is when it takes long.
  static Result<std::unique_ptr<Workspace>> Open(WorkspaceOptions options, Console& console);
  Status Recover(Console& console);
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  os::FileSystem& files() { return *files_; }
  os::Clock& clock() { return clock_; }
  base::MetricsRegistry& metrics() { return metrics_; }
  engine::Engine& engine() { return *engine_; }
  const std::string& directory() const { return directory_; }
  bool is_temporary() const { return temporary_.has_value(); }
  // Flushes and closes the engine; says whether all is on disk.
  Status Close();

 private:
  Workspace() : files_(os::MakePosixFileSystem()) {}

  std::unique_ptr<os::FileSystem> files_;
  os::SystemClock clock_;
  base::MetricsRegistry metrics_;
  std::optional<TemporaryDirectory> temporary_;
  std::string directory_;
  std::unique_ptr<engine::Engine> engine_;
};

// What --data, --workers (absent: one per core but one) and --memory (`192MB`, `2GiB`, or bytes)
// say. Error: HR9001.
Result<WorkspaceOptions> ReadWorkspace(const Arguments& arguments);
// --memory; 0 when it is not given. Error: HR9001.
Result<uint64_t> ReadMemory(const Arguments& arguments);
inline constexpr Flag kMemoryFlag{
    "--memory", "SIZE", "what the process may have resident; state beyond goes to a file (2GiB)"};
inline constexpr Flag kWorkersFlag{
    "--workers", "N", "threads that compute (one per core but one); results do not depend on it"};

// An error when `path` is no data directory, with what to do.
Status CheckDataDirectory(os::FileSystem& files, const std::string& path);

// The whole file, or standard input for "-". Error: kNotFound HR7xxx, kLimitExceeded.
Result<std::string> ReadInput(os::FileSystem& files, const std::string& path);

// A script's text is at most this long.
inline constexpr uint64_t kScriptBytesMax = 16 << 20;

}  // namespace headrace::cli
