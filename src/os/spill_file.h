#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "headrace/result.h"

namespace headrace::os {

// Bytes that the process has resident.
uint64_t ResidentBytes();

// Memory that may be larger than the machine should give: runs of a file without a name, mapped.
// The process is kept within a limit of resident memory by putting out pages of it, those first
// that were not used of late; a touched page comes back by itself. What is put out is written to
// the file, whose pages the kernel keeps in its cache as long as nobody else needs the memory. The
// bytes are scratch: nothing of them outlives the process.
//
// The mapping is private: a page that was written is the process's own, and no write to memory ever
// waits for the file system. Disk space is taken before a run is handed out, so that a full disk is
// an answer and no signal. Thread-safe, but for KeepWithin, which belongs to one thread; whoever
// else touches its memory meanwhile must hold it (Hold): a page that is being put out must not
// change. Linux alone.
class SpillFile {
 public:
  static constexpr size_t kRegionBytes = 512 << 10;
  static constexpr size_t kPageBytes = 4 << 10;
  // All there can ever be.
  static constexpr uint64_t kAddressBytes = uint64_t{1} << 38;

  using Measure = std::function<uint64_t()>;

  // In `directory`. `limit` is of all resident bytes of the process, as `measure` tells them.
  // Errors: kIo HR7020.
  static Result<std::unique_ptr<SpillFile>> Create(const std::string& directory, uint64_t limit,
                                                   Measure measure = ResidentBytes);
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  // A run of whole regions, at least so many bytes, all zero; null when the disk is full.
  char* Take(size_t bytes = kRegionBytes);
  // `bytes` as Take was asked for. Its disk space is free again.
  void Give(char* run, size_t bytes = kRegionBytes);

  // Whether it is an address of the file.
  bool Owns(const void* at) const {
    return static_cast<size_t>(static_cast<const char*>(at) - base_) < kAddressBytes;
  }
  // Tells that the page is about to be used. True when it was put out since the last time: then it
  // is worth a Fetch. For any address; those that are not its own say nothing.
  bool Use(const void* at) {
    const auto offset = static_cast<size_t>(static_cast<const char*>(at) - base_);
    if (offset >= kAddressBytes) return false;
    std::atomic<uint8_t>& uses = uses_[offset / kPageBytes];
    const uint8_t before = uses.load(std::memory_order_relaxed);
    if (before == kUsesMax) return false;
    const bool out = before == kOut;
    uses.store(static_cast<uint8_t>(out ? 1 : before + 1), std::memory_order_relaxed);
    return out;
  }
  // Has the pages of these addresses read together, instead of one after the other as they are
  // touched. Sorts the list.
  void Fetch(std::vector<const char*>& wanted);

  // Whoever keeps on the heap what it could put into the file joins, and keeps no more of it there
  // than its share: of a quarter of the limit as much as each other has.
  void Join() { ++sharers_; }
  void Leave() { --sharers_; }
  uint64_t Share() const { return limit_ / kHeapPart / std::max<uint64_t>(sharers_, 1); }

  // Its pages stay where they are. Not for the thread that keeps within.
  std::shared_lock<std::shared_mutex> Hold();
  // Puts pages out until the limit holds, with room for as much as came since the last call, or
  // nothing is left. Cheap while it does. Waits for those that hold.
  void KeepWithin();
  // All that can be put out is, and the process is still at fifteen sixteenths of the limit: no
  // more may be taken in.
  bool full() const { return full_; }

  uint64_t limit() const { return limit_; }
  uint64_t resident() const { return resident_; }  // bytes of the process, when it was last looked
  uint64_t bytes() const;                          // of all runs that are taken
  uint64_t put_out() const { return put_out_; }    // bytes, so far, whether or not resident
  uint64_t fetched() const { return fetched_; }    // pages that Fetch was asked for

 private:
  // A page's byte: how often it was used of late, or that it was put out since.
  static constexpr uint8_t kUsesMax = 3;
  static constexpr uint8_t kOut = 0x80;
  static constexpr uint64_t kHeapPart = 4;
  static constexpr size_t kRegionPages = kRegionBytes / kPageBytes;
  // Put out between two looks at what is resident.
  static constexpr size_t kStepPages = 1024;
  using RegionMap = std::array<uint64_t, kRegionPages>;  // as the kernel tells of pages

  SpillFile(int descriptor, uint64_t limit, Measure measure)
      : descriptor_(descriptor), limit_(limit), measure_(std::move(measure)) {}
  Status Map(const std::string& directory);

  // What is resident at most when nobody works, so that a batch finds room.
  uint64_t Allowed() const { return limit_ - std::min(came_, limit_ / 4); }
  bool Reserve(size_t first, size_t regions) const;
  uint64_t Look();
  // The hand goes on, at most once around. Returns how many regions it looked at.
  size_t PutSomeOut(size_t regions);
  // Puts out what was not used of late. Returns how many pages those are.
  size_t PutOutOf(size_t region);
  // Puts out the pages of a region from `first` on; those that are not as in the file are written.
  bool PutOut(size_t region, size_t first, size_t end, const RegionMap& map);
  RegionMap MapOf(size_t region) const;

  const int descriptor_;
  int page_map_ = -1;
  const uint64_t limit_;
  const Measure measure_;
  char* base_ = nullptr;
  std::atomic<uint8_t>* uses_ = nullptr;  // by page; memory of zeros, there when touched

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  size_t regions_ = 0;                          // that were ever handed out
  size_t taken_ = 0;                            // of these, in use
  std::map<size_t, std::vector<size_t>> free_;  // by length: first regions of runs

  std::atomic<uint64_t> sharers_{0};
  std::shared_mutex touched_;    // shared: by those who touch its memory
  std::atomic<int> keeping_{0};  // threads that want it alone
  // Of the thread that keeps within.
  size_t hand_ = 0;    // the next region to look at
  uint64_t left_ = 0;  // resident when it was last kept within
  uint64_t came_ = 0;  // between two times, about the most of late
  std::atomic<bool> full_{false};
  std::atomic<uint64_t> resident_{0};
  std::atomic<uint64_t> put_out_{0};
  std::atomic<uint64_t> fetched_{0};
};

}  // namespace headrace::os
