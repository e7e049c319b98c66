#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace headrace::base {

// Bump allocator for bytes that live as long as one batch.
//
// Reset keeps the memory, so that a steady stream of batches allocates nothing. Pointers stay valid
// until Reset or destruction. Unsynchronized.
class Arena {
 public:
  explicit Arena(size_t block_size = 64 << 10) : block_size_(block_size) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // 8-byte aligned, uninitialized. Never null.
  char* Allocate(size_t size) {
    size = (size + 7) & ~size_t{7};
    if (size >= static_cast<size_t>(end_ - next_)) Grow(size);  // also when there is no block yet
    char* result = next_;
    next_ += size;
    return result;
  }

  std::string_view Copy(std::string_view bytes) {
    char* target = Allocate(bytes.size());
    if (!bytes.empty()) std::memcpy(target, bytes.data(), bytes.size());
    return {target, bytes.size()};
  }

  template <typename T>
  T* AllocateArray(size_t count) {
    static_assert(alignof(T) <= 8);
    return reinterpret_cast<T*>(Allocate(count * sizeof(T)));
  }

  // Forgets all allocations; keeps the blocks.
  void Reset();

  size_t bytes_reserved() const { return reserved_; }

 private:
  void Grow(size_t at_least);

  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size;
  };

  size_t block_size_;
  std::vector<Block> blocks_;
  size_t current_ = 0;  // index behind the block in use
  char* next_ = nullptr;
  char* end_ = nullptr;
  size_t reserved_ = 0;
};

}  // namespace headrace::base
