#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "headrace/result.h"

namespace headrace::os {

// Memory that may be larger than the machine should give: regions of a file without a name, mapped.
// What is resident is kept within a budget by putting out regions in turn; a touched one comes back
// by itself. The bytes are scratch: nothing of them outlives the process.
//
// Disk space is taken before a region is handed out, so that a full disk is an answer and no
// signal. Take and Give are thread-safe; KeepWithin belongs to one thread. Linux alone.
class SpillFile {
 public:
  static constexpr size_t kRegionBytes = 512 << 10;

  // In `directory`. `budget` is of resident bytes of all regions together. Errors: kIo HR7020.
  static Result<std::unique_ptr<SpillFile>> Create(const std::string& directory, uint64_t budget);
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  // A region, page-aligned, its bytes undefined; null when the disk is full.
  char* Take();
  void Give(char* region);
  // Puts regions out until the budget holds. Cheap while it does.
  void KeepWithin();

  uint64_t bytes() const;                        // of all regions
  uint64_t put_out() const { return put_out_; }  // regions, so far

 private:
  SpillFile(int descriptor, uint64_t budget) : descriptor_(descriptor), budget_(budget) {}

  const int descriptor_;
  const uint64_t budget_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<char*> regions_;
  std::vector<char*> free_;
  size_t hand_ = 0;  // the next to go
  uint64_t put_out_ = 0;
};

}  // namespace headrace::os
