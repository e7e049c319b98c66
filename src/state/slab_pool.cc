#include "state/slab_pool.h"

#include <algorithm>

namespace headrace::state {

int SlabPool::ClassOf(size_t bytes) {
  if (bytes <= 128) return bytes == 0 ? 0 : static_cast<int>((bytes + 15) / 16) - 1;
  size_t last = bytes - 1;
  int log = 63 - __builtin_clzll(last);
  int step = static_cast<int>((last >> (log - 2)) & 3);
  return 8 + (log - 7) * 4 + step;
}

size_t SlabPool::SizeOf(int size_class) {
  if (size_class < 8) return static_cast<size_t>(size_class + 1) * 16;
  int log = 7 + (size_class - 8) / 4;
  int step = (size_class - 8) % 4;
  return static_cast<size_t>(5 + step) << (log - 2);
}

void SlabPool::Push(char* piece, int size_class) {
  auto* node = reinterpret_cast<FreePiece*>(piece);
  node->next = free_[size_class];
  free_[size_class] = node;
}

char* SlabPool::Carve(int size_class) {
  size_t size = SizeOf(size_class);
  if (size > left_) {
    // What is left of the old chunk serves smaller classes.
    while (left_ >= 16) {
      int fitting = std::min(ClassOf(left_), ClassOf(largest_));
      if (SizeOf(fitting) > left_) --fitting;
      Push(next_, fitting);
      next_ += SizeOf(fitting);
      left_ -= SizeOf(fitting);
    }
    while (chunk_size_ < size)
      chunk_size_ *= 2;
    next_ = source_.Take(chunk_size_);
    left_ = chunk_size_;
    chunk_size_ = std::min(chunk_size_ * 2, kLargestChunk);
  }
  char* piece = next_;
  next_ += size;
  left_ -= size;
  return piece;
}

char* SlabPool::Allocate(size_t bytes) {
  if (bytes > largest_) {
    outside_ += bytes;
    char* run = source_.spill() == nullptr ? nullptr : source_.spill()->Take(bytes);
    return run != nullptr ? run : static_cast<char*>(::operator new(bytes));
  }
  int size_class = ClassOf(bytes);
  FreePiece* node = free_[size_class];
  if (node == nullptr) return Carve(size_class);
  free_[size_class] = node->next;
  return reinterpret_cast<char*>(node);
}

void SlabPool::Free(char* piece, size_t bytes) {
  if (bytes > largest_) {
    outside_ -= bytes;
    os::SpillFile* spill = source_.spill();
    if (spill != nullptr && spill->Owns(piece)) return spill->Give(piece, bytes);
    ::operator delete(piece);
    return;
  }
  Push(piece, ClassOf(bytes));
}

}  // namespace headrace::state
