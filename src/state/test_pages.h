#pragma once

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "state/paged_state.h"

namespace headrace::state {

// The pages of a state as snapshots leave them on the disk: the newest of each number.
class StoredPages {
 public:
  void Begin(PagedState& state, bool whole) {
    if (whole) pages_.clear();
    head_ = state.BeginSnapshot(whole);
    written_ = 0;
  }
  // Whether more are due.
  bool Take(PagedState& state, size_t bytes_max) {
    std::vector<StatePage> taken;
    const bool more = state.TakePages(bytes_max, taken);
    for (StatePage& page : taken) {
      pages_[page.number] = std::move(page.bytes);
      ++written_;
    }
    return more;
  }
  void TakeAll(PagedState& state) {
    while (Take(state, 1 << 20)) {
    }
  }
  // In any order.
  void LoadInto(PagedState& state) const {
    ASSERT_TRUE(state.BeginLoad(head_).ok());
    for (auto page = pages_.rbegin(); page != pages_.rend(); ++page)
      ASSERT_TRUE(state.LoadPage(page->first, page->second).ok());
    state.EndLoad();
  }

  const BlockHead& head() const { return head_; }
  const std::map<uint32_t, std::string>& pages() const { return pages_; }
  size_t written() const { return written_; }  // pages, since the last Begin

 private:
  BlockHead head_;
  std::map<uint32_t, std::string> pages_;
  size_t written_ = 0;
};

// What is cut off, behind the end or of a page that is not there is refused, and no byte that is
// otherwise does harm.
template <typename Make>
void ExpectDamagedPagesAreRefused(const StoredPages& stored, const Make& make) {
  const auto& [number, bytes] = *stored.pages().begin();
  const auto load = [&](uint32_t as, std::string_view page) {
    auto fresh = make();
    EXPECT_TRUE(fresh->BeginLoad(stored.head()).ok());
    const Status loaded = fresh->LoadPage(as, page);
    if (loaded.ok()) fresh->EndLoad();
    return loaded.ok();
  };
  EXPECT_TRUE(load(number, bytes));
  EXPECT_FALSE(load(UINT32_MAX >> 8, bytes));
  EXPECT_FALSE(load(number, bytes + "x"));
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(load(number, std::string_view(bytes).substr(0, size)));
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x85);
    load(number, changed);
  }
  BlockHead other = stored.head();
  other.fingerprint ^= 1;
  EXPECT_FALSE(make()->BeginLoad(other).ok());
}

}  // namespace headrace::state
