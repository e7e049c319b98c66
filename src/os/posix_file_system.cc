// The operating system's files: plain POSIX calls through libc, so that a preloaded library sees
// every fdatasync.

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "os/file_system.h"

namespace headrace::os {
namespace {

Error Failure(const std::string& what, const std::string& path, int code) {
  ErrorKind kind = ErrorKind::kIo;
  std::string id = "HR7004";
  std::string hint = "check the disk, the permissions and the limits of the process";
  if (code == ENOENT || code == ENOTDIR) {
    kind = ErrorKind::kNotFound;
    id = "HR7001";
    hint = "check the path";
  } else if (code == EEXIST) {
    kind = ErrorKind::kAlreadyExists;
    id = "HR7002";
    hint = "remove it or choose another path";
  } else if (code == ENOSPC || code == EDQUOT) {
    kind = ErrorKind::kNoSpace;
    id = "HR7003";
    hint = "free disk space; no restart is needed";
  }
  char text[256];
  return Error(kind, id, what + ": " + strerror_r(code, text, sizeof text))
      .AtPlace(path)
      .WithHint(hint);
}

// An open descriptor. Thread-safe: every call names its position.
class PosixFile final : public File {
 public:
  PosixFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~PosixFile() override { close(descriptor_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  Result<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) const override {
    size_t done = 0;
    while (done < size) {
      ssize_t n = pread(descriptor_, buffer + done, size - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Failure("cannot read", path_, errno);
      if (n == 0) break;
      done += static_cast<size_t>(n);
    }
    return done;
  }

  Status WriteAt(uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      ssize_t n = pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Failure("cannot write", path_, errno);
      if (n == 0) return Failure("cannot write", path_, EIO);
      bytes.remove_prefix(static_cast<size_t>(n));
      offset += static_cast<uint64_t>(n);
    }
    return Ok();
  }

  Status Sync() override {
    // Not repeated on EINTR: whatever it says, a second call may claim success for pages the first
    // one lost.
    if (fdatasync(descriptor_) != 0) return Failure("cannot flush", path_, errno);
    return Ok();
  }

  Status Truncate(uint64_t size) override {
    if (ftruncate(descriptor_, static_cast<off_t>(size)) != 0) {
      return Failure("cannot set the size", path_, errno);
    }
    return Ok();
  }

  Result<uint64_t> Size() const override {
    struct stat status{};
    if (fstat(descriptor_, &status) != 0) return Failure("cannot ask for the size", path_, errno);
    return static_cast<uint64_t>(status.st_size);
  }

 private:
  const int descriptor_;
  const std::string path_;
};

// What can only be read on: a pipe, a terminal. Confined.
class PosixPipe final : public File {
 public:
  PosixPipe(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~PosixPipe() override { close(descriptor_); }
  PosixPipe(const PosixPipe&) = delete;
  PosixPipe& operator=(const PosixPipe&) = delete;

  Result<size_t> ReadAt(uint64_t, char* buffer, size_t size) const override {
    ssize_t n = read(descriptor_, buffer, size);
    while (n < 0 && errno == EINTR)
      n = read(descriptor_, buffer, size);
    if (n < 0) return Failure("cannot read", path_, errno);
    return static_cast<size_t>(n);
  }
  Status WriteAt(uint64_t, std::string_view) override {
    return Failure("cannot write", path_, ESPIPE);
  }
  Status Sync() override { return Ok(); }
  Status Truncate(uint64_t) override { return Failure("cannot set the size", path_, ESPIPE); }
  Result<uint64_t> Size() const override { return 0; }
  bool is_pipe() const override { return true; }

 private:
  const int descriptor_;
  const std::string path_;
};

class PosixFiles final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenOptions options) override {
    int flags = O_CLOEXEC | (options.writable ? O_RDWR : O_RDONLY);
    if (options.create) flags |= O_CREAT;
    if (options.exclusive) flags |= O_EXCL;
    int descriptor = open(path.c_str(), flags, 0644);
    while (descriptor < 0 && errno == EINTR)
      descriptor = open(path.c_str(), flags, 0644);
    if (descriptor < 0) return Failure("cannot open", path, errno);
    struct stat status{};
    if (fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
      close(descriptor);
      return Failure("cannot open", path, EISDIR);
    }
    if (!options.writable && lseek(descriptor, 0, SEEK_CUR) < 0 && errno == ESPIPE) {
      return std::unique_ptr<File>(std::make_unique<PosixPipe>(descriptor, path));
    }
    return std::unique_ptr<File>(std::make_unique<PosixFile>(descriptor, path));
  }

  Status CreateDirectories(const std::string& path) override {
    for (size_t end = path.find('/', 1); true; end = path.find('/', end + 1)) {
      std::string part = path.substr(0, end);
      if (!part.empty() && mkdir(part.c_str(), 0755) != 0 && errno != EEXIST) {
        // A parent that cannot be written but is there is fine: only the last step must hold.
        if (end == std::string::npos || errno == ENOSPC || !Exists(part)) {
          return Failure("cannot create the directory", part, errno);
        }
      }
      if (end == std::string::npos) break;
    }
    struct stat status{};
    if (stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
      return Failure("cannot create the directory", path, ENOTDIR);
    }
    return Ok();
  }

  Status SyncDirectory(const std::string& path) override {
    int descriptor = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return Failure("cannot open the directory", path, errno);
    int failed = fsync(descriptor) != 0 ? errno : 0;
    close(descriptor);
    if (failed != 0) return Failure("cannot flush the directory", path, failed);
    return Ok();
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) != 0) return Failure("cannot rename", from, errno);
    return Ok();
  }

  Status Remove(const std::string& path) override {
    if (remove(path.c_str()) != 0) return Failure("cannot remove", path, errno);
    return Ok();
  }

  bool Exists(const std::string& path) override {
    struct stat status{};
    return stat(path.c_str(), &status) == 0;
  }

  Result<std::vector<std::string>> List(const std::string& directory) override {
    DIR* stream = opendir(directory.c_str());
    if (stream == nullptr) return Failure("cannot list", directory, errno);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(stream)) {
      std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct stat status{};
      if (fstatat(dirfd(stream), entry->d_name, &status, 0) == 0 && S_ISDIR(status.st_mode)) {
        name += '/';
      }
      names.push_back(std::move(name));
      errno = 0;
    }
    int failed = errno;
    closedir(stream);
    if (failed != 0) return Failure("cannot list", directory, failed);
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<uint64_t> FreeBytes(const std::string& path) override {
    struct statvfs status{};
    if (statvfs(path.c_str(), &status) != 0) return Failure("cannot ask for space", path, errno);
    return uint64_t{status.f_bavail} * uint64_t{status.f_frsize};
  }

  Result<std::unique_ptr<File>> Lock(const std::string& path) override {
    int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0) return Failure("cannot open the lock", path, errno);
    auto file = std::make_unique<PosixFile>(descriptor, path);
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return Failure("cannot lock", path, errno);
      return Error(ErrorKind::kConflict, "HR7005", "another process holds the lock")
          .AtPlace(path)
          .WithHint("stop the other process, or use another directory");
    }
    return std::unique_ptr<File>(std::move(file));
  }
};

}  // namespace

std::unique_ptr<FileSystem> MakePosixFileSystem() {
  return std::make_unique<PosixFiles>();
}

}  // namespace headrace::os
