#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"

namespace headrace::state {

// A piece of a state as a snapshot keeps it: always the same slots, so that one that did not change
// need not be written again.
struct StatePage {
  uint32_t number = 0;
  std::string bytes;
};

// What a snapshot must know of a state besides its pages.
struct BlockHead {
  uint64_t fingerprint = 0;  // of what the state depends on
  uint32_t slots = 0;        // pages are cut from so many
  int64_t watermark = INT64_MIN;

  bool operator==(const BlockHead&) const = default;
};

// State that a snapshot takes and restores piece by piece, while events go on. Confined.
class PagedState {
 public:
  virtual ~PagedState() = default;

  // Fixes the moment: the pages that changed since the moment before (with `whole`, all) are due,
  // and TakePages hands them on as they were then (one that is to change before it was taken is
  // taken first). Takes at least one page, stops beyond `bytes_max`; true while pages are due.
  virtual BlockHead BeginSnapshot(bool whole) = 0;
  virtual bool TakePages(size_t bytes_max, std::vector<StatePage>& out) = 0;
  // Into an empty state of the same fingerprint: BeginLoad, each page once, EndLoad. Afterwards
  // nothing is due. Errors: kCorruption; the state must then be thrown away.
  virtual Status BeginLoad(const BlockHead& head) = 0;
  virtual Status LoadPage(uint32_t number, std::string_view bytes) = 0;
  virtual void EndLoad() = 0;
};

}  // namespace headrace::state
