#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "state/paged_state.h"

namespace headrace::state {

// Which pages of a state have changed since the last snapshot began, and which of them the one
// under way has still to take. Whoever changes a page says so before (Touch): one that is due is
// then written first, as it was at the snapshot's moment, and waits here until it is handed on.
//
// `write(number, bytes)` appends a page as it stands. Confined.
class PageMarks {
 public:
  size_t size() const { return flags_.size(); }
  // There are at least so many pages; those that are new have not changed.
  void Extend(size_t pages) {
    if (flags_.size() < pages) flags_.resize(pages);
  }

  template <typename Write>
  void Touch(uint32_t page, const Write& write) {
    TakeIfDue(page, write);
    flags_[page] |= kChanged;
  }
  // Before the page changes in what no snapshot to come needs.
  template <typename Write>
  void TakeIfDue(uint32_t page, const Write& write) {
    if ((flags_[page] & kDue) != 0) Take(page, write);
  }

  void Begin(bool whole) {
    taken_.clear();
    next_due_ = 0;
    for (uint8_t& flags : flags_)
      flags = whole || flags != 0 ? kDue : 0;
  }
  // PagedState::TakePages.
  template <typename Write>
  bool TakeDue(size_t bytes_max, std::vector<StatePage>& out, const Write& write) {
    size_t bytes = 0;
    for (const StatePage& page : taken_)
      bytes += page.bytes.size();
    while (next_due_ < flags_.size() && bytes < bytes_max) {
      const uint32_t number = next_due_++;
      if ((flags_[number] & kDue) == 0) continue;
      Take(number, write);
      bytes += taken_.back().bytes.size();
    }
    for (StatePage& page : taken_)
      out.push_back(std::move(page));
    taken_.clear();
    return next_due_ < flags_.size();
  }

  void Clear() {
    flags_.clear();
    taken_.clear();
    next_due_ = 0;
  }
  size_t bytes() const { return flags_.capacity(); }

 private:
  static constexpr uint8_t kChanged = 1;  // since the last Begin
  static constexpr uint8_t kDue = 2;      // to be taken as it is

  template <typename Write>
  void Take(uint32_t page, const Write& write) {
    flags_[page] &= static_cast<uint8_t>(~kDue);
    StatePage& taken = taken_.emplace_back();
    taken.number = page;
    write(page, taken.bytes);
  }

  std::vector<uint8_t> flags_;    // by page
  std::vector<StatePage> taken_;  // not yet handed on
  uint32_t next_due_ = 0;         // where to look for what is due
};

}  // namespace headrace::state
