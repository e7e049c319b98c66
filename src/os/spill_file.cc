#include "os/spill_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>
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
constexpr size_t kFetchGapPages = 1;

// Of what /proc/self/pagemap tells of a page.
constexpr uint64_t kPresent = uint64_t{1} << 63;
constexpr uint64_t kOfFile = uint64_t{1} << 61;

size_t RegionsOf(size_t bytes) {
  return (bytes + SpillFile::kRegionBytes - 1) / SpillFile::kRegionBytes;
}

Error NoFile(const char* what, const std::string& directory) {
  return Error(ErrorKind::kIo, "HR7020",
               std::string(what) + " for state beyond memory: " + std::strerror(errno))
      .AtPlace(directory);
}

}  // namespace

uint64_t ResidentBytes() {
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[128] = {};
  const ssize_t got = read(file, text, sizeof text - 1);
  close(file);
  if (got <= 0) return 0;
  char* at = text;
  strtoull(at, &at, 10);  // size
  return strtoull(at, &at, 10) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
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
  void* base = mmap(nullptr, kAddressBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE,
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
  // Without it every page counts as resident and written.
  page_map_ = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  return Ok();
}

SpillFile::~SpillFile() {
  if (uses_ != nullptr) munmap(static_cast<void*>(uses_), kPagesMax);
  if (base_ != nullptr) munmap(base_, kAddressBytes);
  if (page_map_ >= 0) close(page_map_);
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
  const auto at = static_cast<off_t>(run - base_);
  static_cast<void>(madvise(run, regions * kRegionBytes, MADV_DONTNEED));
  // A hole in the file: the space is free, and what stands there is zero for the next one.
  if (fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at,
                static_cast<off_t>(regions * kRegionBytes)) != 0) {
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
  std::vector<std::pair<char*, size_t>> runs;
  size_t begin = 0;
  while (begin < wanted.size()) {
    auto page = [&](size_t i) { return static_cast<size_t>(wanted[i] - base_) / kPageBytes; };
    size_t end = begin + 1;
    while (end < wanted.size() && page(end) <= page(end - 1) + kFetchGapPages)
      ++end;
    runs.emplace_back(base_ + page(begin) * kPageBytes,
                      (page(end - 1) - page(begin) + 1) * kPageBytes);
    begin = end;
  }
  // Advice only: without it they are read as they are touched. All reads are on their way before
  // the first is waited for.
  for (auto [at, bytes] : runs)
    static_cast<void>(madvise(at, bytes, MADV_WILLNEED));
#ifdef MADV_POPULATE_WRITE
  for (auto [at, bytes] : runs)
    static_cast<void>(madvise(at, bytes, MADV_POPULATE_WRITE));
#endif
}

std::shared_lock<std::shared_mutex> SpillFile::Hold() {
  // Whoever wants it alone is to come in between.
  while (keeping_.load() > 0)
    std::this_thread::yield();
  return std::shared_lock(touched_);
}

uint64_t SpillFile::Look() {
  resident_ = measure_();
  return resident_;
}

void SpillFile::KeepWithin() {
  const uint64_t sound = limit_ - limit_ / 16;
  const uint64_t now = Look();
  came_ = std::max(now - std::min(left_, now), came_ - came_ / 64);
  if (now <= std::min(Allowed(), full_ ? sound : limit_)) {
    left_ = now;
    full_ = false;
    return;
  }
  ++keeping_;
  std::unique_lock alone(touched_);
  --keeping_;
  size_t regions = 0;
  {
    std::lock_guard lock(mutex_);
    regions = regions_;
  }
  // A sixteenth more than is due, so that it is not due at each batch.
  const uint64_t goal = Allowed() - limit_ / 16;
  size_t left_to_see = regions * (kUsesMax + 1);
  while (left_to_see > 0 && resident_ > goal) {
    left_to_see -= std::min(PutSomeOut(regions), left_to_see);
    Look();
  }
  // What was freed and is kept for the next time.
  if (resident_ > sound) malloc_trim(0);
  full_ = resident_ > sound && Look() > sound;
  left_ = resident_;
}

size_t SpillFile::PutSomeOut(size_t regions) {
  size_t seen = 0;
  for (size_t out = 0; seen < regions && out < kStepPages; ++seen) {
    if (hand_ >= regions) hand_ = 0;
    out += PutOutOf(hand_++);
  }
  return seen;
}

// A page has 64 bits there: whether it is present, and whether it is the file's own.
SpillFile::RegionMap SpillFile::MapOf(size_t region) const {
  RegionMap map;
  const uint64_t page = reinterpret_cast<uint64_t>(base_) / kPageBytes + region * kRegionPages;
  const auto at = static_cast<off_t>(page * sizeof(uint64_t));
  if (pread(page_map_, map.data(), sizeof map, at) != static_cast<ssize_t>(sizeof map)) {
    map.fill(kPresent);
  }
  return map;
}

size_t SpillFile::PutOutOf(size_t region) {
  const RegionMap map = MapOf(region);
  size_t out = 0;
  size_t first = 0;  // from here on they go
  for (size_t i = 0; i <= kRegionPages; ++i) {
    bool goes = false;
    if (i < kRegionPages && (map[i] & kPresent) != 0) {
      std::atomic<uint8_t>& uses = uses_[region * kRegionPages + i];
      const uint8_t before = uses.load(std::memory_order_relaxed);
      goes = before == 0 || before == kOut;
      if (!goes) uses.store(before - 1, std::memory_order_relaxed);
    }
    if (goes) continue;
    if (first < i && PutOut(region, first, i, map)) out += i - first;
    first = i + 1;
  }
  return out;
}

bool SpillFile::PutOut(size_t region, size_t first, size_t end, const RegionMap& map) {
  char* at = base_ + region * kRegionBytes;
  for (size_t i = first; i < end;) {
    size_t same = i;
    while (same < end && (map[same] & kOfFile) == (map[i] & kOfFile))
      ++same;
    const size_t bytes = (same - i) * kPageBytes;
    const auto to = static_cast<off_t>(region * kRegionBytes + i * kPageBytes);
    // One that cannot be written stays.
    const bool written = (map[i] & kOfFile) != 0 || pwrite(descriptor_, at + i * kPageBytes, bytes,
                                                           to) == static_cast<ssize_t>(bytes);
    if (!written) return false;
    i = same;
  }
  for (size_t i = first; i < end; ++i)
    uses_[region * kRegionPages + i].store(kOut, std::memory_order_relaxed);
  static_cast<void>(madvise(at + first * kPageBytes, (end - first) * kPageBytes, MADV_DONTNEED));
  put_out_ += (end - first) * kPageBytes;
  return true;
}

}  // namespace headrace::os
