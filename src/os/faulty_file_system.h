#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "os/file_system.h"

namespace headrace::os {

// What a fault waits for.
enum class FaultPoint { kOpen, kRead, kWrite, kSync };

// Another file system that fails on demand.
//
// Thread-safe. Lifetime: longer than every handle; the wrapped one must outlive this. Operations
// that change something (creating open, write, sync, truncate, rename, remove, directory sync) are
// counted from 1, so that a test can run a workload once, ask operations(), and run it again with a
// crash at each of them. Creating directories and locking are not counted.
class FaultyFileSystem final : public FileSystem {
 public:
  explicit FaultyFileSystem(FileSystem& wrapped) : wrapped_(wrapped) {}

  // The nth (from 1, counted from now) operation of this sort fails with `kind` (kIo, kNoSpace),
  // and so do the `repeat` - 1 after it. A write first passes on `short_bytes` of its bytes.
  // `path_part` restricts it to paths that contain it.
  struct Fault {
    FaultPoint point = FaultPoint::kWrite;
    uint64_t nth = 1;
    ErrorKind kind = ErrorKind::kIo;
    uint64_t repeat = 1;
    uint64_t short_bytes = 0;
    std::string path_part = {};
  };
  void Add(Fault fault);
  void ClearFaults();

  // Operation n and every later one, reads included, fails. If it is a write, half of it happens.
  void CrashAtOperation(uint64_t n);
  // From now on everything fails.
  void CrashNow();
  bool crashed() const;
  // From now on every flush of a file waits, as on a disk that hangs, until Resume or a crash. Then
  // it happens.
  void StallFlushes();
  void Resume();
  // From now on, or no longer, whatever would change something fails, as on a file system that was
  // remounted read-only. It counts as an operation.
  void SetReadOnly(bool read_only);
  // So many files may be open at a time; one more fails to open (EMFILE). Those that are open stay.
  void LimitOpenFiles(uint64_t files_max);
  uint64_t open_files() const;
  uint64_t operations() const;

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenOptions options) override;
  Status CreateDirectories(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  bool Exists(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& directory) override;
  Result<uint64_t> FreeBytes(const std::string& path) override;
  Result<std::unique_ptr<File>> Lock(const std::string& path) override;

 private:
  class Handle;
  struct Armed {
    Fault fault;
    uint64_t seen = 0;
  };
  struct Verdict {
    std::optional<Error> error;
    uint64_t bytes_through = 0;  // of a failing write
  };

  // Counts an operation that changes something and says whether it fails.
  Verdict Change(const std::string& path, std::optional<FaultPoint> point, uint64_t size = 0);
  Verdict Judge(const std::string& path, FaultPoint point);
  // A handle that counts as an open file until it dies.
  Result<std::unique_ptr<File>> Hand(Result<std::unique_ptr<File>> opened, const std::string& path);
  Status CheckOpenFiles(const std::string& path) const;
  Status Look(const std::string& path) const;
  void WaitWhileStalled();

  FileSystem& wrapped_;
  mutable std::mutex mutex_;
  std::condition_variable resumed_;
  bool stalled_ = false;
  bool read_only_ = false;
  uint64_t open_files_ = 0;
  uint64_t open_files_max_ = UINT64_MAX;
  std::vector<Armed> faults_;
  uint64_t operations_ = 0;
  uint64_t crash_at_ = UINT64_MAX;
  bool crashed_ = false;
};

}  // namespace headrace::os
