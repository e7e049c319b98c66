#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "headrace/result.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace headrace::engine {

// What one pass over a directory's files found. Value type. Kept in the file `scrub` of the
// directory, for `doctor`.
struct ScrubReport {
  struct Finding {
    std::string code;
    std::string place;  // file, or file@byte
    std::string message;
  };
  int64_t ended_micros = 0;
  uint64_t bytes = 0;
  std::vector<Finding> findings;  // at most kFindingsMax
  uint64_t found = 0;             // how many there were

  static constexpr size_t kFindingsMax = 1000;

  std::string Encode() const;
  // kCorruption HR5262.
  static Result<ScrubReport> Decode(std::string_view bytes);
};

// The last pass, if there was one.
Result<std::optional<ScrubReport>> ReadScrubReport(os::FileSystem& files,
                                                   const std::string& directory);

// Reads all files of a directory again and again and checks every checksum, while its program goes
// on: segments and their indexes, the manifest, snapshots, models. Slowly, on a thread of its own
// that lets all others go first; it takes no lock that anybody waits for. What is damaged is a line
// for people, a metric, and in the report; nothing is mended.
//
// Start begins the thread, the destructor ends it. Pass may be called instead, by one thread.
// `files`, `clock` and `metrics` must outlive it.
class Scrubber {
 public:
  struct Options {
    uint64_t bytes_per_second = uint64_t{4} << 20;  // 0: as fast as it goes
    int64_t pause_ms = 3'600'000;                   // between two passes
    std::function<void(const std::string&)> notice{};
  };
  Scrubber(os::FileSystem& files, const os::Clock& clock, base::MetricsRegistry& metrics,
           std::string directory, Options options);
  ~Scrubber();

  void Start();
  // One pass, and its report. Errors: reading the directory, writing the report; kUnavailable when
  // it was stopped.
  Result<ScrubReport> Pass();

 private:
  void Run();
  // Waits until so many bytes may be read; false: stopped.
  bool Allow(size_t bytes);
  bool Pause(int64_t nanos);
  Status CheckSegments(os::FileSystem& paced);
  Status CheckSnapshots(os::FileSystem& paced);
  Status CheckModels(os::FileSystem& paced);
  void Found(const Error& finding);

  os::FileSystem& files_;
  const os::Clock& clock_;
  const std::string directory_;
  const Options options_;
  base::Counter& bytes_;
  base::Counter& passes_;
  base::Gauge& damaged_;

  // Confined to who makes the pass.
  ScrubReport report_;
  int64_t began_nanos_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace headrace::engine
