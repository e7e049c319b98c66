#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "headrace/result.h"

namespace headrace::os {

// Memory that a process has resident, in bytes.
struct ResidentMemory {
  uint64_t all = 0;
  uint64_t of_files = 0;  // mapped ones; the program itself is some MB of it

  static ResidentMemory OfProcess();
};

// Memory that may be larger than the machine should give: runs of a file without a name, mapped.
// The process is kept within a limit of resident memory by putting out pages of it, those first
// that were not used of late; a touched page comes back by itself. What is put out is unmapped and
// the kernel's to write and to forget, when somebody else needs the memory. The bytes are scratch:
// nothing of them outlives the process.
//
// Disk space is taken before a run is handed out, so that a full disk is an answer and no signal.
// Thread-safe: to put a page out that another thread works with costs that one time. Linux alone.
class SpillFile {
 public:
  static constexpr size_t kRegionBytes = 512 << 10;
  static constexpr size_t kPageBytes = 4 << 10;
  // All there can ever be.
  static constexpr uint64_t kAddressBytes = uint64_t{1} << 38;

  using Measure = std::function<ResidentMemory()>;

  // In `directory`. `limit` is of all resident bytes of the process, as `measure` tells them.
  // Errors: kIo HR7020.
  static Result<std::unique_ptr<SpillFile>> Create(const std::string& directory, uint64_t limit,
                                                   Measure measure = ResidentMemory::OfProcess);
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

  // Puts pages out until the limit holds, or little is left to put out; nothing when another thread
  // is at it. Cheap while the limit holds.
  void KeepWithin();
  // What cannot be put out is above seven eighths of the limit: no more may be taken in.
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
  static constexpr size_t kRegionPages = kRegionBytes / kPageBytes;
  // Put out between two looks at what is resident.
  static constexpr size_t kStepPages = 1024;

  SpillFile(int descriptor, uint64_t limit, Measure measure)
      : descriptor_(descriptor), limit_(limit), measure_(std::move(measure)) {}
  Status Map(const std::string& directory);

  bool Reserve(size_t first, size_t regions) const;
  ResidentMemory Look();
  // The hand goes on, of so many pages at most once around. Returns how many it looked at.
  size_t PutSomeOut(size_t pages);
  void PutOut(size_t first_page, size_t pages);

  const int descriptor_;
  const uint64_t limit_;
  const Measure measure_;
  char* base_ = nullptr;
  std::atomic<uint8_t>* uses_ = nullptr;  // by page; memory of zeros, there when touched

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  size_t regions_ = 0;                                // that were ever handed out
  size_t taken_ = 0;                                  // of these, in use
  std::map<size_t, std::vector<size_t>> free_;        // by length: first regions of runs

  std::mutex keeping_;  // by the one thread that keeps within
  size_t hand_ = 0;     // guarded by it: the next page to look at
  std::atomic<bool> full_{false};
  std::atomic<uint64_t> resident_{0};
  std::atomic<uint64_t> put_out_{0};
  std::atomic<uint64_t> fetched_{0};
};

}  // namespace headrace::os
