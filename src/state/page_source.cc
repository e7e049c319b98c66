#include "state/page_source.h"

#include <sys/mman.h>

#include "headrace/check.h"

namespace headrace::state {

char* PageSource::Reserve(size_t bytes, size_t alignment) {
  auto* piece = static_cast<char*>(std::aligned_alloc(alignment, bytes));
  HR_CHECK(piece != nullptr);
  pieces_.emplace_back(piece);
  reserved_ += bytes;
  return piece;
}

PageSource::~PageSource() {
  for (char* region : regions_)
    spill_->Give(region);
}

// What is left of the region before is lost.
bool PageSource::TakeRegion() {
  char* region = spill_->Take();
  if (region == nullptr) return false;
  regions_.push_back(region);
  reserved_ += os::SpillFile::kRegionBytes;
  next_ = region;
  left_ = os::SpillFile::kRegionBytes;
  return true;
}

char* PageSource::Take(size_t bytes) {
  const bool spills =
      spill_ != nullptr && bytes <= os::SpillFile::kRegionBytes && (bytes <= left_ || TakeRegion());
  if (!spills && reserved_ < kHugeFrom) return Reserve(bytes, kAlignment);
  if (bytes > left_) {
    next_ = Reserve(kHugePage, kHugePage);
    left_ = kHugePage;
    // Advice only: without huge pages everything works, a little slower.
    static_cast<void>(madvise(next_, kHugePage, MADV_HUGEPAGE));
  }
  char* piece = next_;
  next_ += bytes;
  left_ -= bytes;
  return piece;
}

}  // namespace headrace::state
