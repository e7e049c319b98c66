#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"

namespace headrace::os {

// An open file. Reads and writes at positions; a write is durable after Sync returned Ok and not
// before. Thread-safe for reads beside one writer.
class File {
 public:
  virtual ~File() = default;
  // Reads up to `size` bytes; fewer only at the end of the file, or when a pipe has no more yet.
  virtual Result<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) const = 0;
  // Writes all or fails (kNoSpace, kIo); a failed write may have written a part.
  virtual Status WriteAt(uint64_t offset, std::string_view bytes) = 0;
  virtual Status Sync() = 0;  // fdatasync
  virtual Status Truncate(uint64_t size) = 0;
  virtual Result<uint64_t> Size() const = 0;
  // A pipe or a terminal: ReadAt gives what comes next, whatever the position.
  virtual bool is_pipe() const { return false; }
};

struct OpenOptions {
  bool create = false;     // when missing
  bool exclusive = false;  // fail with kAlreadyExists when present
  bool writable = false;
};

// Files and directories. Paths are as the operating system takes them. Creation, rename and removal
// are durable after SyncDirectory of the parent. Thread-safe. Errors: kNotFound, kAlreadyExists,
// kNoSpace, kIo, with code HR7xxx and the path as place.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> Open(const std::string& path, OpenOptions options) = 0;
  virtual Status CreateDirectories(const std::string& path) = 0;
  virtual Status SyncDirectory(const std::string& path) = 0;
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status Remove(const std::string& path) = 0;
  virtual bool Exists(const std::string& path) = 0;
  // Names without the directory, sorted; directories end with '/'.
  virtual Result<std::vector<std::string>> List(const std::string& directory) = 0;
  virtual Result<uint64_t> FreeBytes(const std::string& path) = 0;
  // Holds an exclusive lock on the file (created when missing) until the result dies. kConflict
  // when another process has it.
  virtual Result<std::unique_ptr<File>> Lock(const std::string& path) = 0;
};

// Whole-file conveniences over any FileSystem.
Result<std::string> ReadFile(FileSystem& files, const std::string& path, uint64_t bytes_max);
// Writes beside, syncs, renames over, syncs the directory: a crash leaves the old or the new file.
Status ReplaceFile(FileSystem& files, const std::string& path, std::string_view bytes);
// Byte for byte, synced, in place of what stands at `to`; a crash may leave a part of it.
Status CopyFile(FileSystem& files, const std::string& from, const std::string& to);

// The operating system's. Lives for the whole process.
std::unique_ptr<FileSystem> MakePosixFileSystem();

}  // namespace headrace::os
