#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "os/file_system.h"

namespace headrace::os {

// Files in memory that lose what was not flushed, as a disk does when its power fails.
//
// A write is volatile until Sync of its file, by pages of 4 KiB; a creation, rename or removal is
// volatile until SyncDirectory of its directory (for a rename: of either). Crash drops any subset
// of what is volatile, and tears pages at sectors of 512 bytes. Directories themselves are durable
// at once. A removed file stays readable through handles that are open. Thread-safe. Handles that
// were open before Crash keep working on bytes that nobody else sees; path operations do reach the
// new state, so a user that outlives its crash must be cut off (FaultyFileSystem). Lifetime: longer
// than every handle. Limit: what fits into memory, or SetCapacity.
class MemoryFileSystem final : public FileSystem {
 public:
  static constexpr uint64_t kPageBytes = 4096;
  static constexpr uint64_t kSectorBytes = 512;

  MemoryFileSystem() = default;

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenOptions options) override;
  Status CreateDirectories(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  bool Exists(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& directory) override;
  Result<uint64_t> FreeBytes(const std::string& path) override;
  Result<std::unique_ptr<File>> Lock(const std::string& path) override;

  // Pulls the plug: deterministic from the seed. Locks are free afterwards.
  void Crash(uint64_t seed);
  // Bytes all files together may have; a write beyond fails with kNoSpace.
  void SetCapacity(uint64_t bytes);
  // Flips bits of a stored byte, durable and volatile. The byte must exist.
  void FlipBits(const std::string& path, uint64_t offset, uint8_t mask);
  // A copy of what is there now, all of it durable.
  std::unique_ptr<MemoryFileSystem> Clone() const;
  // Every file, sorted.
  std::vector<std::string> AllFiles() const;

 private:
  struct Node;
  class Handle;
  class LockHandle;
  struct NameChange {
    std::string from;            // empty: a creation
    std::string to;              // empty: a removal
    std::shared_ptr<Node> node;  // what `to` names
  };

  Status Write(Node& node, const std::string& path, uint64_t offset, std::string_view bytes);
  uint64_t UsedBytes() const;
  Status Missing(const std::string& path) const;

  mutable std::mutex mutex_;  // guards everything, the nodes included
  std::set<std::string> directories_;
  std::map<std::string, std::shared_ptr<Node>> names_;
  std::map<std::string, std::shared_ptr<Node>> durable_names_;
  std::vector<NameChange> changes_;  // since the last SyncDirectory of their directory, in order
  std::shared_ptr<std::set<std::string>> locks_ = std::make_shared<std::set<std::string>>();
  uint64_t capacity_ = UINT64_MAX;
};

}  // namespace headrace::os
