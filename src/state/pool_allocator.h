#pragma once

#include <cstddef>

#include "state/slab_pool.h"

namespace headrace::state {

// Lets a container of the standard library stand in the memory of a pool, and so in a spill file.
// The pool must outlive the container. Confined, as the pool is.
template <typename T>
class PoolAllocator {
 public:
  using value_type = T;
  static_assert(alignof(T) <= 16);

  explicit PoolAllocator(SlabPool& pool) : pool_(&pool) {}
  template <typename Other>
  PoolAllocator(const PoolAllocator<Other>& other) : pool_(&other.pool()) {}

  T* allocate(size_t count) { return reinterpret_cast<T*>(pool_->Allocate(count * sizeof(T))); }
  void deallocate(T* piece, size_t count) {
    pool_->Free(reinterpret_cast<char*>(piece), count * sizeof(T));
  }

  SlabPool& pool() const { return *pool_; }
  bool operator==(const PoolAllocator& other) const { return pool_ == other.pool_; }

 private:
  SlabPool* pool_;
};

}  // namespace headrace::state
