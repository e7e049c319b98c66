#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "os/file_system.h"

namespace headrace::os {

// Another file system for somebody who reads in the background: asked for each piece of at most
// kPieceBytes before it is read, and for nothing but reading. When the answer is no, reading fails
// with kUnavailable HR7060. Thread-safe as far as `allow` is; the wrapped one must outlive it.
class PacedFileSystem final : public FileSystem {
 public:
  static constexpr size_t kPieceBytes = 256 << 10;
  // Returns when so many bytes may be read; false: never again.
  using Allow = std::function<bool(size_t bytes)>;

  PacedFileSystem(FileSystem& wrapped, Allow allow) : wrapped_(wrapped), allow_(std::move(allow)) {}

  // Writable: refused, like all that changes something, with kUnavailable HR7061.
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenOptions options) override;
  Status CreateDirectories(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  bool Exists(const std::string& path) override { return wrapped_.Exists(path); }
  Result<std::vector<std::string>> List(const std::string& directory) override {
    return wrapped_.List(directory);
  }
  Result<uint64_t> FreeBytes(const std::string& path) override { return wrapped_.FreeBytes(path); }
  Result<std::unique_ptr<File>> Lock(const std::string& path) override;

 private:
  class Handle;

  FileSystem& wrapped_;
  Allow allow_;
};

}  // namespace headrace::os
