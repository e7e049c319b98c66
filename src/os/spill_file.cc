#include "os/spill_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

namespace headrace::os {
namespace {

// Resident bytes of everything that the process maps of files; the program itself is a few MB of
// it.
uint64_t ResidentShared() {
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[128] = {};
  const ssize_t got = read(file, text, sizeof text - 1);
  close(file);
  if (got <= 0) return 0;
  char* at = text;
  strtoull(at, &at, 10);                                                        // size
  strtoull(at, &at, 10);                                                        // resident
  return strtoull(at, &at, 10) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));  // of files
}

void PutOut(char* region) {
#ifdef MADV_PAGEOUT
  if (madvise(region, SpillFile::kRegionBytes, MADV_PAGEOUT) == 0) return;
#endif
  // Of a shared mapping nothing is lost: the pages stay with the file.
  static_cast<void>(madvise(region, SpillFile::kRegionBytes, MADV_DONTNEED));
}

}  // namespace

Result<std::unique_ptr<SpillFile>> SpillFile::Create(const std::string& directory,
                                                     uint64_t budget) {
  std::string path = directory + "/spill.XXXXXX";
  const int descriptor = mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0) {
    return Error(ErrorKind::kIo, "HR7020",
                 std::string("no file for state beyond memory: ") + std::strerror(errno))
        .AtPlace(directory);
  }
  unlink(path.c_str());
  return std::unique_ptr<SpillFile>(new SpillFile(descriptor, budget));
}

SpillFile::~SpillFile() {
  for (char* region : regions_)
    munmap(region, kRegionBytes);
  close(descriptor_);
}

char* SpillFile::Take() {
  std::lock_guard lock(mutex_);
  if (!free_.empty()) {
    char* region = free_.back();
    free_.pop_back();
    return region;
  }
  const auto at = static_cast<off_t>(regions_.size() * kRegionBytes);
  if (posix_fallocate(descriptor_, at, kRegionBytes) != 0) return nullptr;
  void* region = mmap(nullptr, kRegionBytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, at);
  if (region == MAP_FAILED) return nullptr;
  return regions_.emplace_back(static_cast<char*>(region));
}

void SpillFile::Give(char* region) {
  std::lock_guard lock(mutex_);
  static_cast<void>(madvise(region, kRegionBytes, MADV_DONTNEED));
  free_.push_back(region);
}

void SpillFile::KeepWithin() {
  std::lock_guard lock(mutex_);
  if (regions_.size() * kRegionBytes <= budget_) return;
  const uint64_t resident = ResidentShared();
  if (resident <= budget_) return;
  // An eighth more, so that this is not done for every batch.
  const uint64_t goal = std::min(resident - budget_ + budget_ / 8, regions_.size() * kRegionBytes);
  for (uint64_t out = 0; out < goal; out += kRegionBytes, ++put_out_)
    PutOut(regions_[hand_++ % regions_.size()]);
}

uint64_t SpillFile::bytes() const {
  std::lock_guard lock(mutex_);
  return regions_.size() * kRegionBytes;
}

}  // namespace headrace::os
