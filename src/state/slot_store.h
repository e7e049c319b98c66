#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "state/page_source.h"

namespace headrace::state {

// Slots of one size, at least eight bytes, numbered, that never move. Confined.
class SlotStore {
 public:
  // The source must outlive the store.
  SlotStore(size_t slot_bytes, PageSource& source) : slot_bytes_(slot_bytes), source_(source) {
    while (slot_bytes_ << (page_log2_ + 1) <= kPageBytes)
      ++page_log2_;
  }

  // Zeroed.
  uint32_t Allocate() {
    uint32_t slot = limit_;
    if (free_ != kNone) {
      slot = free_;
      std::memcpy(&free_, at(slot), sizeof free_);
    } else if (limit_++ >> page_log2_ == pages_.size()) {
      pages_.push_back(source_.Take(((slot_bytes_ << page_log2_) + 63) & ~size_t{63}));
    }
    std::memset(at(slot), 0, slot_bytes_);
    return slot;
  }
  // Makes all slots below `limit`: zeroed, taken.
  void Extend(uint32_t limit) {
    while (limit_ < limit)
      Allocate();
  }
  // The memory stays readable until the slot is taken again; the first four bytes say which slot
  // was free before.
  void Free(uint32_t slot) {
    std::memcpy(at(slot), &free_, sizeof free_);
    free_ = slot;
  }

  char* at(uint32_t slot) const {
    return pages_[slot >> page_log2_] + (slot & ((uint32_t{1} << page_log2_) - 1)) * slot_bytes_;
  }
  // Slots taken are below it.
  uint32_t limit() const { return limit_; }
  // What does not come from the source.
  size_t bytes_outside() const { return pages_.capacity() * sizeof(char*); }
  // Keeps the pages.
  void Clear() {
    free_ = kNone;
    limit_ = 0;
  }

 private:
  static constexpr size_t kPageBytes = 16 << 10;
  static constexpr uint32_t kNone = UINT32_MAX;

  size_t slot_bytes_;
  int page_log2_ = 0;
  PageSource& source_;
  std::vector<char*> pages_;
  uint32_t free_ = kNone;  // the last that was freed
  uint32_t limit_ = 0;
};

}  // namespace headrace::state
