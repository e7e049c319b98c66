#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "os/file_system.h"

namespace headrace::os {
namespace {

Error Failure(int number, const std::string& what, const std::string& path) {
  ErrorKind kind = ErrorKind::kIo;
  std::string code = "HR7001";
  std::string hint;
  switch (number) {
    case ENOENT:
      kind = ErrorKind::kNotFound;
      code = "HR7002";
      break;
    case EEXIST:
      kind = ErrorKind::kAlreadyExists;
      code = "HR7003";
      break;
    case ENOSPC:
    case EDQUOT:
      kind = ErrorKind::kNoSpace;
      code = "HR7004";
      hint = "free disk space";
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      code = "HR7005";
      hint = "check the owner and the permissions";
      break;
    case EMFILE:
    case ENFILE:
      code = "HR7006";
      hint = "raise the limit of open files (ulimit -n)";
      break;
    default:
      break;
  }
  std::string message = what + ": " + std::error_code(number, std::generic_category()).message();
  return Error(kind, code, std::move(message)).AtPlace(path).WithHint(std::move(hint));
}

// A file descriptor of its own; closes it. Thread-safe as pread and pwrite are.
class PosixFile final : public File {
 public:
  PosixFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;
  ~PosixFile() override { ::close(descriptor_); }

  Result<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) const override {
    size_t done = 0;
    while (done < size) {
      ssize_t n = ::pread(descriptor_, buffer + done, size - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Failure(errno, "read", path_);
      if (n == 0) break;
      done += static_cast<size_t>(n);
    }
    return done;
  }

  Status WriteAt(uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      ssize_t n = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Failure(errno, "write", path_);
      bytes.remove_prefix(static_cast<size_t>(n));
      offset += static_cast<uint64_t>(n);
    }
    return Ok();
  }

  Status Sync() override {
    if (::fdatasync(descriptor_) != 0) return Failure(errno, "flush", path_);
    return Ok();
  }

  Status Truncate(uint64_t size) override {
    if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) {
      return Failure(errno, "truncate", path_);
    }
    return Ok();
  }

  Result<uint64_t> Size() const override {
    struct stat info{};
    if (::fstat(descriptor_, &info) != 0) return Failure(errno, "stat", path_);
    return static_cast<uint64_t>(info.st_size);
  }

  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
  std::string path_;
};

// The operating system's files. Stateless, thread-safe.
class Posix final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenOptions options) override {
    HR_ASSIGN(auto file, OpenPosix(path, options));
    return std::unique_ptr<File>(std::move(file));
  }

  Status CreateDirectories(const std::string& path) override {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return Failure(error.value(), "create directory", path);
    return Ok();
  }

  Status SyncDirectory(const std::string& path) override {
    int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return Failure(errno, "open directory", path);
    int result = ::fsync(descriptor);
    int number = errno;
    ::close(descriptor);
    if (result != 0) return Failure(number, "flush directory", path);
    return Ok();
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return Failure(errno, "rename", from);
    return Ok();
  }

  Status Remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return Failure(errno, "remove", path);
    return Ok();
  }

  bool Exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  Result<std::vector<std::string>> List(const std::string& directory) override {
    DIR* handle = ::opendir(directory.c_str());
    if (handle == nullptr) return Failure(errno, "list", directory);
    std::vector<std::string> names;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the handle is this call's own
    while (const dirent* entry = ::readdir(handle)) {
      std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct stat info{};
      bool is_directory =
          ::stat((directory + "/" + name).c_str(), &info) == 0 && S_ISDIR(info.st_mode);
      names.push_back(is_directory ? name + "/" : name);
    }
    ::closedir(handle);
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<uint64_t> FreeBytes(const std::string& path) override {
    struct statvfs info{};
    if (::statvfs(path.c_str(), &info) != 0) return Failure(errno, "free space", path);
    return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  }

  Result<std::unique_ptr<File>> Lock(const std::string& path) override {
    HR_ASSIGN(auto file, OpenPosix(path, {.create = true, .exclusive = false, .writable = true}));
    if (::flock(file->descriptor(), LOCK_EX | LOCK_NB) == 0) {
      return std::unique_ptr<File>(std::move(file));
    }
    if (errno != EWOULDBLOCK) return Failure(errno, "lock", path);
    return Error(ErrorKind::kConflict, "HR7007", "another process holds the lock")
        .AtPlace(path)
        .WithHint("stop it, or ask it over HTTP with --url");
  }

 private:
  static Result<std::unique_ptr<PosixFile>> OpenPosix(const std::string& path,
                                                      OpenOptions options) {
    int flags = O_CLOEXEC | (options.writable ? O_RDWR : O_RDONLY);
    if (options.create) flags |= O_CREAT;
    if (options.exclusive) flags |= O_EXCL;
    int descriptor = ::open(path.c_str(), flags, 0644);
    if (descriptor < 0) return Failure(errno, "open", path);
    return std::make_unique<PosixFile>(descriptor, path);
  }
};

}  // namespace

std::unique_ptr<FileSystem> MakePosixFileSystem() {
  return std::make_unique<Posix>();
}

}  // namespace headrace::os
