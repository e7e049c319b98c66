#include "os/faulty_file_system.h"

#include <algorithm>

namespace headrace::os {
namespace {

Error Injected(ErrorKind kind, const std::string& path) {
  bool space = kind == ErrorKind::kNoSpace;
  return Error(kind, space ? "HR7003" : "HR7004",
               space ? "no space left on device (injected)" : "input/output error (injected)")
      .AtPlace(path);
}

Error Dead(const std::string& path) {
  return Error(ErrorKind::kIo, "HR7004", "the machine has crashed (injected)").AtPlace(path);
}

Error ReadOnly(const std::string& path) {
  return Error(ErrorKind::kIo, "HR7004", "read-only file system (injected)").AtPlace(path);
}

}  // namespace

class FaultyFileSystem::Handle final : public File {
 public:
  Handle(FaultyFileSystem& files, std::unique_ptr<File> file, std::string path)
      : files_(files), file_(std::move(file)), path_(std::move(path)) {}
  ~Handle() override {
    std::lock_guard lock(files_.mutex_);
    --files_.open_files_;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  Result<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) const override {
    Verdict verdict = files_.Judge(path_, FaultPoint::kRead);
    if (verdict.error) return *std::move(verdict.error);
    return file_->ReadAt(offset, buffer, size);
  }
  Status WriteAt(uint64_t offset, std::string_view bytes) override {
    Verdict verdict = files_.Change(path_, FaultPoint::kWrite, bytes.size());
    if (!verdict.error) return file_->WriteAt(offset, bytes);
    HR_TRY(file_->WriteAt(offset, bytes.substr(0, verdict.bytes_through)));
    return *std::move(verdict.error);
  }
  Status Sync() override {
    files_.WaitWhileStalled();
    Verdict verdict = files_.Change(path_, FaultPoint::kSync);
    if (verdict.error) return *std::move(verdict.error);
    return file_->Sync();
  }
  Status Truncate(uint64_t size) override {
    Verdict verdict = files_.Change(path_, std::nullopt);
    if (verdict.error) return *std::move(verdict.error);
    return file_->Truncate(size);
  }
  Result<uint64_t> Size() const override {
    HR_TRY(files_.Look(path_));
    return file_->Size();
  }

 private:
  FaultyFileSystem& files_;
  std::unique_ptr<File> file_;
  const std::string path_;
};

void FaultyFileSystem::Add(Fault fault) {
  std::lock_guard lock(mutex_);
  faults_.push_back({std::move(fault), 0});
}

void FaultyFileSystem::ClearFaults() {
  std::lock_guard lock(mutex_);
  faults_.clear();
}

void FaultyFileSystem::CrashAtOperation(uint64_t n) {
  std::lock_guard lock(mutex_);
  crash_at_ = n;
}

void FaultyFileSystem::CrashNow() {
  std::lock_guard lock(mutex_);
  crashed_ = true;
  resumed_.notify_all();
}

void FaultyFileSystem::StallFlushes() {
  std::lock_guard lock(mutex_);
  stalled_ = true;
}

void FaultyFileSystem::Resume() {
  std::lock_guard lock(mutex_);
  stalled_ = false;
  resumed_.notify_all();
}

void FaultyFileSystem::SetReadOnly(bool read_only) {
  std::lock_guard lock(mutex_);
  read_only_ = read_only;
}

void FaultyFileSystem::LimitOpenFiles(uint64_t files_max) {
  std::lock_guard lock(mutex_);
  open_files_max_ = files_max;
}

uint64_t FaultyFileSystem::open_files() const {
  std::lock_guard lock(mutex_);
  return open_files_;
}

Status FaultyFileSystem::CheckOpenFiles(const std::string& path) const {
  std::lock_guard lock(mutex_);
  if (open_files_ < open_files_max_) return Ok();
  return Error(ErrorKind::kIo, "HR7004", "too many open files (injected)").AtPlace(path);
}

Result<std::unique_ptr<File>> FaultyFileSystem::Hand(Result<std::unique_ptr<File>> opened,
                                                     const std::string& path) {
  if (!opened.ok()) return opened;
  {
    std::lock_guard lock(mutex_);
    ++open_files_;
  }
  return std::unique_ptr<File>(std::make_unique<Handle>(*this, std::move(opened).value(), path));
}

void FaultyFileSystem::WaitWhileStalled() {
  std::unique_lock lock(mutex_);
  resumed_.wait(lock, [this] { return !stalled_ || crashed_; });
}

bool FaultyFileSystem::crashed() const {
  std::lock_guard lock(mutex_);
  return crashed_;
}

uint64_t FaultyFileSystem::operations() const {
  std::lock_guard lock(mutex_);
  return operations_;
}

Status FaultyFileSystem::Look(const std::string& path) const {
  std::lock_guard lock(mutex_);
  if (crashed_) return Dead(path);
  return Ok();
}

FaultyFileSystem::Verdict FaultyFileSystem::Judge(const std::string& path, FaultPoint point) {
  std::lock_guard lock(mutex_);
  if (crashed_) return {Dead(path), 0};
  Verdict verdict;
  for (Armed& armed : faults_) {
    const Fault& fault = armed.fault;
    if (fault.point != point || path.find(fault.path_part) == std::string::npos) continue;
    ++armed.seen;
    if (armed.seen < fault.nth || armed.seen - fault.nth >= fault.repeat) continue;
    verdict.error = Injected(fault.kind, path);
    verdict.bytes_through = fault.short_bytes;
  }
  return verdict;
}

FaultyFileSystem::Verdict FaultyFileSystem::Change(const std::string& path,
                                                   std::optional<FaultPoint> point, uint64_t size) {
  {
    std::lock_guard lock(mutex_);
    if (crashed_) return {Dead(path), 0};
    if (++operations_ >= crash_at_) {
      crashed_ = true;
      resumed_.notify_all();
      return {Dead(path), size / 2};
    }
    if (read_only_) return {ReadOnly(path), 0};
  }
  if (!point) return {};
  Verdict verdict = Judge(path, *point);
  verdict.bytes_through = std::min(verdict.bytes_through, size);
  return verdict;
}

Result<std::unique_ptr<File>> FaultyFileSystem::Open(const std::string& path, OpenOptions options) {
  Verdict verdict =
      options.create ? Change(path, FaultPoint::kOpen) : Judge(path, FaultPoint::kOpen);
  if (verdict.error) return *std::move(verdict.error);
  HR_TRY(CheckOpenFiles(path));
  return Hand(wrapped_.Open(path, options), path);
}

Status FaultyFileSystem::CreateDirectories(const std::string& path) {
  HR_TRY(Look(path));
  {
    std::lock_guard lock(mutex_);
    if (read_only_ && !wrapped_.Exists(path)) return ReadOnly(path);
  }
  return wrapped_.CreateDirectories(path);
}

Status FaultyFileSystem::SyncDirectory(const std::string& path) {
  Verdict verdict = Change(path, FaultPoint::kSync);
  if (verdict.error) return *std::move(verdict.error);
  return wrapped_.SyncDirectory(path);
}

Status FaultyFileSystem::Rename(const std::string& from, const std::string& to) {
  Verdict verdict = Change(from, std::nullopt);
  if (verdict.error) return *std::move(verdict.error);
  return wrapped_.Rename(from, to);
}

Status FaultyFileSystem::Remove(const std::string& path) {
  Verdict verdict = Change(path, std::nullopt);
  if (verdict.error) return *std::move(verdict.error);
  return wrapped_.Remove(path);
}

bool FaultyFileSystem::Exists(const std::string& path) {
  return !crashed() && wrapped_.Exists(path);
}

Result<std::vector<std::string>> FaultyFileSystem::List(const std::string& directory) {
  HR_TRY(Look(directory));
  return wrapped_.List(directory);
}

Result<uint64_t> FaultyFileSystem::FreeBytes(const std::string& path) {
  HR_TRY(Look(path));
  return wrapped_.FreeBytes(path);
}

Result<std::unique_ptr<File>> FaultyFileSystem::Lock(const std::string& path) {
  HR_TRY(Look(path));
  HR_TRY(CheckOpenFiles(path));
  return Hand(wrapped_.Lock(path), path);
}

}  // namespace headrace::os
