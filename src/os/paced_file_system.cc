#include "os/paced_file_system.h"

#include <algorithm>

namespace headrace::os {
namespace {

Error ReadsOnly(const std::string& path) {
  return Error(ErrorKind::kUnavailable, "HR7061", "a reader in the background changes nothing")
      .AtPlace(path);
}

}  // namespace

class PacedFileSystem::Handle final : public File {
 public:
  Handle(std::unique_ptr<File> file, std::string path, const Allow& allow)
      : file_(std::move(file)), path_(std::move(path)), allow_(allow) {}

  Result<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) const override {
    size_t done = 0;
    while (done < size) {
      const size_t piece = std::min(size - done, kPieceBytes);
      if (!allow_(piece)) {
        return Error(ErrorKind::kUnavailable, "HR7060", "reading in the background was stopped")
            .AtPlace(path_);
      }
      HR_ASSIGN(size_t read, file_->ReadAt(offset + done, buffer + done, piece));
      done += read;
      if (read < piece) break;
    }
    return done;
  }
  Status WriteAt(uint64_t /*offset*/, std::string_view /*bytes*/) override {
    return ReadsOnly(path_);
  }
  Status Sync() override { return ReadsOnly(path_); }
  Status Truncate(uint64_t /*size*/) override { return ReadsOnly(path_); }
  Result<uint64_t> Size() const override { return file_->Size(); }
  bool is_pipe() const override { return file_->is_pipe(); }

 private:
  std::unique_ptr<File> file_;
  std::string path_;
  const Allow& allow_;
};

Result<std::unique_ptr<File>> PacedFileSystem::Open(const std::string& path, OpenOptions options) {
  if (options.writable || options.create) return ReadsOnly(path);
  HR_ASSIGN(auto file, wrapped_.Open(path, options));
  return std::unique_ptr<File>(std::make_unique<Handle>(std::move(file), path, allow_));
}

Status PacedFileSystem::CreateDirectories(const std::string& path) {
  return ReadsOnly(path);
}

Status PacedFileSystem::SyncDirectory(const std::string& path) {
  return ReadsOnly(path);
}

Status PacedFileSystem::Rename(const std::string& from, const std::string& /*to*/) {
  return ReadsOnly(from);
}

Status PacedFileSystem::Remove(const std::string& path) {
  return ReadsOnly(path);
}

Result<std::unique_ptr<File>> PacedFileSystem::Lock(const std::string& path) {
  return ReadsOnly(path);
}

}  // namespace headrace::os
