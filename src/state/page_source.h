#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <vector>

#include "os/spill_file.h"

namespace headrace::state {

// Where a shard's memory comes from: small pieces at first; once it has grown to some megabytes,
// cuts of huge pages, because in tens of megabytes half of the time of a random access goes into
// finding ordinary pages. With a spill file, regions of that, as long as its disk has room. Gives
// everything back at its end. Confined.
class PageSource {
 public:
  // The spill file, if any, must outlive it.
  explicit PageSource(os::SpillFile* spill = nullptr) : spill_(spill) {}
  ~PageSource();
  PageSource(const PageSource&) = delete;
  PageSource& operator=(const PageSource&) = delete;

  // Uninitialized, 64-byte aligned; `bytes` is a multiple of 64, at most kHugePage.
  char* Take(size_t bytes);
  // Memory taken from the system.
  size_t bytes() const { return reserved_; }
  os::SpillFile* spill() const { return spill_; }  // null: there is none

 private:
  static constexpr size_t kHugePage = 2 << 20;
  static constexpr size_t kHugeFrom = 2 << 20;
  static constexpr size_t kAlignment = 64;

  struct Release {
    void operator()(char* piece) const { std::free(piece); }
  };

  char* Reserve(size_t bytes, size_t alignment);
  bool TakeRegion();

  os::SpillFile* spill_;
  std::vector<char*> regions_;  // of the spill file
  std::vector<std::unique_ptr<char[], Release>> pieces_;
  char* next_ = nullptr;  // in the current huge page
  size_t left_ = 0;
  size_t reserved_ = 0;
};

}  // namespace headrace::state
