#include "os/memory_file_system.h"

#include <algorithm>
#include <cstring>

#include "headrace/check.h"
#include "os/random.h"

namespace headrace::os {
namespace {

std::string ParentOf(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string Plain(std::string path) {
  while (path.size() > 1 && path.back() == '/')
    path.pop_back();
  return path;
}

}  // namespace

struct MemoryFileSystem::Node {
  std::string bytes;          // what readers see
  std::string durable;        // what a crash leaves at least
  std::set<uint64_t> dirty;   // pages written since the last Sync
  bool size_changed = false;  // since the last Sync

  void Touch(uint64_t offset, uint64_t size) {
    if (size == 0) return;
    for (uint64_t page = offset / kPageBytes; page <= (offset + size - 1) / kPageBytes; ++page) {
      dirty.insert(page);
    }
  }

  void Flush() {
    durable.resize(bytes.size());
    for (uint64_t page : dirty)
      Keep(page * kPageBytes, kPageBytes);
    dirty.clear();
    size_changed = false;
  }

  // Makes a range durable, as far as the file reaches.
  void Keep(uint64_t offset, uint64_t size) {
    if (offset >= bytes.size()) return;
    size = std::min<uint64_t>(size, bytes.size() - offset);
    if (durable.size() < offset + size) durable.resize(offset + size);
    bytes.copy(durable.data() + offset, size, offset);
  }

  // What a disk may hold after the power failed. `share` of 256 is the chance of each page.
  void LosePower(SeededRandom& random, uint64_t share) {
    if (size_changed && bytes.size() < durable.size() && random.Below(256) < share) {
      durable.resize(bytes.size());
    }
    for (uint64_t page : dirty) {
      bool keep = random.Below(256) < share;
      bool torn = random.Below(8) == 0;
      if (!keep && !torn) continue;
      for (uint64_t at = 0; at < kPageBytes; at += kSectorBytes) {
        if (torn && random.Below(2) == 0) continue;
        Keep(page * kPageBytes + at, kSectorBytes);
      }
    }
    bytes = durable;
    dirty.clear();
    size_changed = false;
  }
};

class MemoryFileSystem::Handle final : public File {
 public:
  Handle(MemoryFileSystem& files, std::shared_ptr<Node> node, std::string path, bool writable)
      : files_(files), node_(std::move(node)), path_(std::move(path)), writable_(writable) {}

  Result<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) const override {
    std::lock_guard lock(files_.mutex_);
    if (offset >= node_->bytes.size()) return size_t{0};
    return node_->bytes.copy(buffer, size, offset);
  }
  Status WriteAt(uint64_t offset, std::string_view bytes) override {
    HR_CHECK(writable_);
    std::lock_guard lock(files_.mutex_);
    return files_.Write(*node_, path_, offset, bytes);
  }
  Status Sync() override {
    std::lock_guard lock(files_.mutex_);
    node_->Flush();
    return Ok();
  }
  Status Truncate(uint64_t size) override {
    HR_CHECK(writable_);
    std::lock_guard lock(files_.mutex_);
    uint64_t old = node_->bytes.size();
    node_->bytes.resize(size);
    node_->size_changed = true;
    // A page that the cut went through is volatile too; one that grew is all zeros anyway.
    if (size > old) node_->Touch(old, size - old);
    return Ok();
  }
  Result<uint64_t> Size() const override {
    std::lock_guard lock(files_.mutex_);
    return uint64_t{node_->bytes.size()};
  }

 private:
  MemoryFileSystem& files_;
  std::shared_ptr<Node> node_;
  const std::string path_;
  const bool writable_;
};

class MemoryFileSystem::LockHandle final : public File {
 public:
  LockHandle(MemoryFileSystem& files, std::shared_ptr<std::set<std::string>> locks,
             std::string path)
      : files_(files), locks_(std::move(locks)), path_(std::move(path)) {}
  ~LockHandle() override {
    std::lock_guard lock(files_.mutex_);
    locks_->erase(path_);
  }
  LockHandle(const LockHandle&) = delete;
  LockHandle& operator=(const LockHandle&) = delete;

  Result<size_t> ReadAt(uint64_t, char*, size_t) const override { return size_t{0}; }
  Status WriteAt(uint64_t, std::string_view) override { return Ok(); }
  Status Sync() override { return Ok(); }
  Status Truncate(uint64_t) override { return Ok(); }
  Result<uint64_t> Size() const override { return uint64_t{0}; }

 private:
  MemoryFileSystem& files_;
  std::shared_ptr<std::set<std::string>> locks_;
  const std::string path_;
};

Status MemoryFileSystem::Missing(const std::string& path) const {
  return Error(ErrorKind::kNotFound, "HR7001", "no such file or directory").AtPlace(path);
}

uint64_t MemoryFileSystem::UsedBytes() const {
  uint64_t used = 0;
  for (const auto& [name, node] : names_)
    used += node->bytes.size();
  return used;
}

Status MemoryFileSystem::Write(Node& node, const std::string& path, uint64_t offset,
                               std::string_view bytes) {
  uint64_t end = offset + bytes.size();
  if (end > node.bytes.size() && capacity_ != UINT64_MAX) {
    if (UsedBytes() + (end - node.bytes.size()) > capacity_) {
      return Error(ErrorKind::kNoSpace, "HR7003", "cannot write: no space left on device")
          .AtPlace(path)
          .WithHint("free disk space; no restart is needed");
    }
  }
  if (end > node.bytes.size()) {
    node.Touch(node.bytes.size(), end - node.bytes.size());
    node.bytes.resize(end);
    node.size_changed = true;
  }
  bytes.copy(node.bytes.data() + offset, bytes.size());
  node.Touch(offset, bytes.size());
  return Ok();
}

Result<std::unique_ptr<File>> MemoryFileSystem::Open(const std::string& path, OpenOptions options) {
  std::lock_guard lock(mutex_);
  auto found = names_.find(path);
  if (found == names_.end()) {
    if (directories_.contains(path)) {
      return Error(ErrorKind::kIo, "HR7004", "cannot open: is a directory").AtPlace(path);
    }
    std::string parent = ParentOf(path);
    if (!options.create || (parent != "." && parent != "/" && !directories_.contains(parent))) {
      return Missing(path).error();
    }
    found = names_.emplace(path, std::make_shared<Node>()).first;
    changes_.push_back({"", path, found->second});
  } else if (options.exclusive) {
    return Error(ErrorKind::kAlreadyExists, "HR7002", "the file exists").AtPlace(path);
  }
  return std::unique_ptr<File>(
      std::make_unique<Handle>(*this, found->second, path, options.writable));
}

Status MemoryFileSystem::CreateDirectories(const std::string& path) {
  std::lock_guard lock(mutex_);
  std::string plain = Plain(path);
  for (size_t end = plain.find('/', 1); true; end = plain.find('/', end + 1)) {
    std::string part = plain.substr(0, end);
    if (names_.contains(part)) {
      return Error(ErrorKind::kIo, "HR7004", "cannot create the directory: it is a file")
          .AtPlace(part);
    }
    directories_.insert(part);
    if (end == std::string::npos) return Ok();
  }
}

Status MemoryFileSystem::SyncDirectory(const std::string& path) {
  std::lock_guard lock(mutex_);
  std::string plain = Plain(path);
  if (!directories_.contains(plain) && plain != "." && plain != "/") return Missing(path);
  std::vector<NameChange> rest;
  for (NameChange& change : changes_) {
    bool here = (!change.from.empty() && ParentOf(change.from) == plain) ||
                (!change.to.empty() && ParentOf(change.to) == plain);
    if (!here) {
      rest.push_back(std::move(change));
      continue;
    }
    if (!change.from.empty()) durable_names_.erase(change.from);
    if (!change.to.empty()) durable_names_[change.to] = change.node;
  }
  changes_ = std::move(rest);
  return Ok();
}

Status MemoryFileSystem::Rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  auto found = names_.find(from);
  if (found == names_.end()) return Missing(from);
  std::shared_ptr<Node> node = found->second;
  names_.erase(found);
  names_[to] = node;
  changes_.push_back({from, to, node});
  return Ok();
}

Status MemoryFileSystem::Remove(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (names_.erase(path) != 0) {
    changes_.push_back({path, "", nullptr});
    return Ok();
  }
  std::string plain = Plain(path);
  if (!directories_.contains(plain)) return Missing(path);
  auto inside = names_.lower_bound(plain + "/");
  auto below = directories_.lower_bound(plain + "/");
  if ((inside != names_.end() && inside->first.starts_with(plain + "/")) ||
      (below != directories_.end() && below->starts_with(plain + "/"))) {
    return Error(ErrorKind::kIo, "HR7004", "cannot remove: directory not empty").AtPlace(path);
  }
  directories_.erase(plain);
  return Ok();
}

bool MemoryFileSystem::Exists(const std::string& path) {
  std::lock_guard lock(mutex_);
  return names_.contains(path) || directories_.contains(Plain(path));
}

Result<std::vector<std::string>> MemoryFileSystem::List(const std::string& directory) {
  std::lock_guard lock(mutex_);
  std::string plain = Plain(directory);
  if (!directories_.contains(plain)) return Missing(directory).error();
  std::vector<std::string> result;
  for (const auto& [name, node] : names_) {
    if (ParentOf(name) == plain) result.push_back(name.substr(plain.size() + 1));
  }
  for (const std::string& name : directories_) {
    if (name != plain && ParentOf(name) == plain) {
      result.push_back(name.substr(plain.size() + 1) + "/");
    }
  }
  std::sort(result.begin(), result.end());
  return result;
}

Result<uint64_t> MemoryFileSystem::FreeBytes(const std::string&) {
  std::lock_guard lock(mutex_);
  if (capacity_ == UINT64_MAX) return capacity_;
  uint64_t used = UsedBytes();
  return used < capacity_ ? capacity_ - used : 0;
}

Result<std::unique_ptr<File>> MemoryFileSystem::Lock(const std::string& path) {
  HR_ASSIGN(auto created, Open(path, {.create = true, .writable = true}));
  std::lock_guard lock(mutex_);
  if (!locks_->insert(path).second) {
    return Error(ErrorKind::kConflict, "HR7005", "another process holds the lock")
        .AtPlace(path)
        .WithHint("stop the other process, or use another directory");
  }
  return std::unique_ptr<File>(std::make_unique<LockHandle>(*this, locks_, path));
}

void MemoryFileSystem::Crash(uint64_t seed) {
  std::lock_guard lock(mutex_);
  SeededRandom random(seed);
  // Some crashes lose everything, some nothing, most a part.
  static constexpr uint64_t kShares[] = {0, 64, 128, 192, 256};
  uint64_t share = kShares[random.Below(5)];
  for (const NameChange& change : changes_) {
    if (random.Below(256) >= share) continue;
    if (!change.from.empty()) durable_names_.erase(change.from);
    if (!change.to.empty()) durable_names_[change.to] = change.node;
  }
  changes_.clear();
  names_.clear();
  for (auto& [name, node] : durable_names_) {
    // A copy, because handles from before the crash may still write to the old node.
    auto survivor = std::make_shared<Node>(*node);
    survivor->LosePower(random, share);
    node = survivor;
    names_[name] = survivor;
  }
  locks_ = std::make_shared<std::set<std::string>>();
}

void MemoryFileSystem::SetCapacity(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  capacity_ = bytes;
}

void MemoryFileSystem::FlipBits(const std::string& path, uint64_t offset, uint8_t mask) {
  std::lock_guard lock(mutex_);
  auto found = names_.find(path);
  HR_CHECK(found != names_.end() && offset < found->second->bytes.size());
  Node& node = *found->second;
  node.bytes[offset] = static_cast<char>(node.bytes[offset] ^ mask);
  if (offset < node.durable.size()) {
    node.durable[offset] = static_cast<char>(node.durable[offset] ^ mask);
  }
}

std::unique_ptr<MemoryFileSystem> MemoryFileSystem::Clone() const {
  std::lock_guard lock(mutex_);
  auto copy = std::make_unique<MemoryFileSystem>();
  copy->directories_ = directories_;
  copy->capacity_ = capacity_;
  for (const auto& [name, node] : names_) {
    auto twin = std::make_shared<Node>();
    twin->bytes = node->bytes;
    twin->durable = node->bytes;
    copy->names_[name] = twin;
    copy->durable_names_[name] = twin;
  }
  return copy;
}

std::vector<std::string> MemoryFileSystem::AllFiles() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> result;
  for (const auto& [name, node] : names_)
    result.push_back(name);
  return result;
}

}  // namespace headrace::os
