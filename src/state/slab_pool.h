#pragma once

#include <cstddef>
#include <cstdint>

#include "state/page_source.h"

namespace headrace::state {

// Memory for rings, long texts and large accumulators of one block: free lists by size class over
// chunks that live as long as the pool, so that a steady stream of events never asks the system.
//
// Sizes are rounded up to a class (multiples of 16 up to 128, then four classes per doubling);
// beyond kLargest each piece comes from the heap and goes back there. With a spill file the classes
// go up to one of its regions, and what is larger is a run of it. Confined.
class SlabPool {
 public:
  static constexpr size_t kLargest = 16 << 10;

  // The source must outlive the pool.
  explicit SlabPool(PageSource& source)
      : source_(source),
        largest_(source.spill() == nullptr ? kLargest : os::SpillFile::kRegionBytes) {}
  SlabPool(const SlabPool&) = delete;
  SlabPool& operator=(const SlabPool&) = delete;

  // Uninitialized, 16-byte aligned, never null.
  char* Allocate(size_t bytes);
  // `bytes` is what Allocate was asked for.
  void Free(char* piece, size_t bytes);

  // Of large pieces, which do not come from the source.
  size_t bytes_outside() const { return outside_; }

 private:
  static constexpr int kClasses = 56;
  static constexpr size_t kFirstChunk = 4 << 10;
  static constexpr size_t kLargestChunk = 256 << 10;

  struct FreePiece {
    FreePiece* next;
  };

  static int ClassOf(size_t bytes);
  static size_t SizeOf(int size_class);
  char* Carve(int size_class);
  void Push(char* piece, int size_class);

  PageSource& source_;
  const size_t largest_;
  FreePiece* free_[kClasses] = {};
  char* next_ = nullptr;
  size_t left_ = 0;
  size_t chunk_size_ = kFirstChunk;
  size_t outside_ = 0;
};

}  // namespace headrace::state
