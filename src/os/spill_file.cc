#include "os/spill_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

namespace headrace::os {
namespace {

constexpr size_t kPagesMax = SpillFile::kAddressBytes / SpillFile::kPageBytes;

// Pages so close together are read in one go.
constexpr size_t kFetchGapPages = 2;

size_t RegionsOf(size_t bytes) {
  return (bytes + SpillFile::kRegionBytes - 1) / SpillFile::kRegionBytes;
}

Error NoFile(const char* what, const std::string& directory) {
  return Error(ErrorKind::kIo, "HR7020",
               std::string(what) + " for state beyond memory: " + std::strerror(errno))
      .AtPlace(directory);
}

}  // namespace

ResidentMemory ResidentMemory::OfProcess() {
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  char text[128] = {};
  const ssize_t got = read(file, text, sizeof text - 1);
  close(file);
  if (got <= 0) return {};
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  char* at = text;
  strtoull(at, &at, 10);  // size
  ResidentMemory resident;
  resident.all = strtoull(at, &at, 10) * page;
  resident.of_files = strtoull(at, &at, 10) * page;
  return resident;
}

Result<std::unique_ptr<SpillFile>> SpillFile::Create(const std::string& directory, uint64_t limit,
                                                     Measure measure) {
  std::string path = directory + "/spill.XXXXXX";
  const int descriptor = mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0) return NoFile("no file", directory);
  unlink(path.c_str());
  std::unique_ptr<SpillFile> made(new SpillFile(descriptor, limit, std::move(measure)));
  HR_TRY(made->Map(directory));
  return made;
}

// The whole of it at once, far beyond the file's end: nothing is touched that was not taken.
Status SpillFile::Map(const std::string& directory) {
  void* base = mmap(nullptr, kAddressBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                    descriptor_, 0);
  if (base == MAP_FAILED) return NoFile("no addresses", directory);
  base_ = static_cast<char*>(base);
  static_assert(sizeof(std::atomic<uint8_t>) == 1);
  void* uses = mmap(nullptr, kPagesMax, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (uses == MAP_FAILED) return NoFile("no addresses", directory);
  uses_ = static_cast<std::atomic<uint8_t>*>(uses);
  // Windows are visited at random: what stands beside a page is not wanted with it.
  static_cast<void>(madvise(base_, kAddressBytes, MADV_RANDOM));
  return Ok();
}

SpillFile::~SpillFile() {
  if (uses_ != nullptr) munmap(static_cast<void*>(uses_), kPagesMax);
  if (base_ != nullptr) munmap(base_, kAddressBytes);
  close(descriptor_);
}

// ---- Runs
// ----------------------------------------------------------------------------------------

bool SpillFile::Reserve(size_t first, size_t regions) const {
  return posix_fallocate(descriptor_, static_cast<off_t>(first * kRegionBytes),
                         static_cast<off_t>(regions * kRegionBytes)) == 0;
}

char* SpillFile::Take(size_t bytes) {
  std::lock_guard lock(mutex_);
  const size_t wanted = RegionsOf(bytes);
  auto fitting = free_.lower_bound(wanted);
  size_t first = regions_;
  if (fitting != free_.end()) {
    first = fitting->second.back();
    if (!Reserve(first, wanted)) return nullptr;
    const size_t left = fitting->first - wanted;
    fitting->second.pop_back();
    if (fitting->second.empty()) free_.erase(fitting);
    if (left > 0) free_[left].push_back(first + wanted);
  } else {
    if ((first + wanted) * kRegionBytes > kAddressBytes || !Reserve(first, wanted)) return nullptr;
    regions_ += wanted;
  }
  taken_ += wanted;
  return base_ + first * kRegionBytes;
}

void SpillFile::Give(char* run, size_t bytes) {
  std::lock_guard lock(mutex_);
  const size_t regions = RegionsOf(bytes);
  // A hole in the file: the space is free, and what stands there is zero for the next one.
  if (madvise(run, regions * kRegionBytes, MADV_REMOVE) != 0) {
    std::memset(run, 0, regions * kRegionBytes);
  }
  const auto first = static_cast<size_t>(run - base_) / kRegionBytes;
  free_[regions].push_back(first);
  taken_ -= regions;
}

uint64_t SpillFile::bytes() const {
  std::lock_guard lock(mutex_);
  return taken_ * kRegionBytes;
}

// ---- What is resident
// ----------------------------------------------------------------------------

void SpillFile::Fetch(std::vector<const char*>& wanted) {
  fetched_ += wanted.size();
  std::sort(wanted.begin(), wanted.end());
  size_t begin = 0;
  while (begin < wanted.size()) {
    auto page = [&](size_t i) { return static_cast<size_t>(wanted[i] - base_) / kPageBytes; };
    size_t end = begin + 1;
    while (end < wanted.size() && page(end) <= page(end - 1) + kFetchGapPages)
      ++end;
    const size_t first = page(begin);
    // Advice only: without it they are read as they are touched.
    static_cast<void>(madvise(base_ + first * kPageBytes,
                              (page(end - 1) - first + 1) * kPageBytes, MADV_WILLNEED));
    begin = end;
  }
}

ResidentMemory SpillFile::Look() {
  const ResidentMemory resident = measure_();
  resident_ = resident.all;
  full_ = resident.all - std::min(resident.of_files, resident.all) > limit_ - limit_ / 8;
  return resident;
}

void SpillFile::KeepWithin() {
  std::unique_lock keeping(keeping_, std::try_to_lock);
  if (!keeping.owns_lock()) return;
  ResidentMemory resident = Look();
  if (full_) {
    // What was freed and is kept for the next time.
    malloc_trim(0);
    resident = Look();
  }
  if (resident.all <= limit_) return;
  // A sixteenth more, so that this is not done for every batch; and never nearly all of it, however
  // much the rest of the process takes.
  const uint64_t least = limit_ / 8;
  const uint64_t goal = limit_ - limit_ / 16;
  size_t pages = 0;
  {
    std::lock_guard lock(mutex_);
    pages = regions_ * kRegionPages;
  }
  size_t left_to_see = pages * (kUsesMax + 1);
  while (left_to_see > 0 && resident.all > goal && resident.of_files > least) {
    left_to_see -= std::min(PutSomeOut(pages), left_to_see);
    resident = Look();
  }
}

size_t SpillFile::PutSomeOut(size_t pages) {
  size_t run = 0;  // pages before the hand that go
  size_t out = 0;
  size_t seen = 0;
  for (; seen < pages && out < kStepPages; ++seen) {
    if (hand_ >= pages) {
      PutOut(hand_ - run, run);
      run = 0;
      hand_ = 0;
    }
    std::atomic<uint8_t>& uses = uses_[hand_];
    const uint8_t before = uses.load(std::memory_order_relaxed);
    const bool stays = before != 0 && before != kOut;
    if (stays) uses.store(before - 1, std::memory_order_relaxed);
    if (stays) {
      PutOut(hand_ - run, run);
      run = 0;
    } else {
      ++run;
      // One that is out may have come back unseen: it goes again, and counts for little.
      if (before != kOut) ++out;
    }
    ++hand_;
  }
  PutOut(hand_ - run, run);
  return seen;
}

void SpillFile::PutOut(size_t first_page, size_t pages) {
  if (pages == 0) return;
  for (size_t page = first_page; page < first_page + pages; ++page)
    uses_[page].store(kOut, std::memory_order_relaxed);
  // Of a shared mapping nothing is lost: the pages stay with the file.
  static_cast<void>(madvise(base_ + first_page * kPageBytes, pages * kPageBytes, MADV_DONTNEED));
  put_out_ += pages * kPageBytes;
}

}  // namespace headrace::os
