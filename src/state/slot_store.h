#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace headrace::state {

// Slots of one size, numbered, that never move. Confined.
class SlotStore {
 public:
  explicit SlotStore(size_t slot_bytes) : slot_bytes_(slot_bytes) {
    while (slot_bytes_ << (page_log2_ + 1) <= kPageBytes)
      ++page_log2_;
  }

  // Zeroed.
  uint32_t Allocate() {
    uint32_t slot = limit_;
    if (!free_.empty()) {
      slot = free_.back();
      free_.pop_back();
    } else if (limit_++ >> page_log2_ == pages_.size()) {
      pages_.push_back(std::make_unique_for_overwrite<char[]>(slot_bytes_ << page_log2_));
    }
    std::memset(at(slot), 0, slot_bytes_);
    return slot;
  }
  // The memory stays readable until the slot is taken again.
  void Free(uint32_t slot) { free_.push_back(slot); }

  char* at(uint32_t slot) const {
    return pages_[slot >> page_log2_].get() +
           (slot & ((uint32_t{1} << page_log2_) - 1)) * slot_bytes_;
  }
  // Slots taken are below it.
  uint32_t limit() const { return limit_; }
  size_t bytes() const {
    return (pages_.size() * slot_bytes_ << page_log2_) + free_.capacity() * sizeof(uint32_t);
  }
  void Clear() {
    pages_.clear();
    free_.clear();
    limit_ = 0;
  }

 private:
  static constexpr size_t kPageBytes = 64 << 10;

  size_t slot_bytes_;
  int page_log2_ = 0;
  std::vector<std::unique_ptr<char[]>> pages_;
  std::vector<uint32_t> free_;
  uint32_t limit_ = 0;
};

}  // namespace headrace::state
