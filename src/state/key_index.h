#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "os/spill_file.h"

namespace headrace::state {

// Open addressing from a hash to slot numbers, eight bytes a bucket. Grows by moving a few buckets
// at each insertion, so that no event waits for a whole table to move. With a spill file, large
// tables are there, as long as its disk has room. Confined.
class KeyIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint32_t kMaxSlots = UINT32_MAX - 2;

  // The spill file, if any, must outlive it.
  explicit KeyIndex(os::SpillFile* spill = nullptr)
      : spill_(spill), table_(kFirstBuckets, nullptr) {}

  void Prefetch(uint64_t hash) const {
    __builtin_prefetch(&table_.buckets[static_cast<uint32_t>(hash) & table_.mask]);
  }

  // The first slot under this hash for which `same(slot)`, or kNone.
  template <typename Same>
  uint32_t Find(uint64_t hash, Same&& same) const {
    uint32_t slot = FindIn(table_, static_cast<uint32_t>(hash), same);
    if (slot == kNone && moving()) slot = FindIn(old_, static_cast<uint32_t>(hash), same);
    return slot;
  }
  // A slot that probably is the key's: to prefetch it.
  uint32_t Guess(uint64_t hash) const {
    return Find(hash, [](uint32_t) { return true; });
  }

  // Where Find begins to look.
  const void* PlaceOf(uint64_t hash) const {
    return &table_.buckets[static_cast<uint32_t>(hash) & table_.mask];
  }

  void Insert(uint64_t hash, uint32_t slot);
  void Erase(uint64_t hash, uint32_t slot);
  void Clear();

  size_t size() const { return size_; }
  size_t bytes() const { return (Buckets(table_) + Buckets(old_)) * sizeof(Bucket); }

 private:
  static constexpr uint32_t kFirstBuckets = 16;
  static constexpr uint32_t kMovedPerInsert = 8;
  static constexpr uint32_t kFree = 0;             // memory from calloc is a table of free buckets
  static constexpr uint32_t kErased = UINT32_MAX;  // only in the old table

  struct Bucket {
    uint32_t hash;
    uint32_t slot_plus_one;
  };
  struct Release {
    void operator()(Bucket* buckets) const;
    os::SpillFile* spill;  // that it is a run of, or null
    size_t bytes;
  };
  struct Table {
    Table() = default;
    Table(uint32_t buckets_count, os::SpillFile* spill);
    std::unique_ptr<Bucket[], Release> buckets;
    uint32_t mask = 0;
  };

  static size_t Buckets(const Table& table) {
    return table.buckets == nullptr ? 0 : size_t{table.mask} + 1;
  }
  bool moving() const { return old_.buckets != nullptr; }

  template <typename Same>
  static uint32_t FindIn(const Table& table, uint32_t hash, Same&& same) {
    for (uint32_t at = hash & table.mask;; at = (at + 1) & table.mask) {
      const Bucket& bucket = table.buckets[at];
      if (bucket.slot_plus_one == kFree) return kNone;
      if (bucket.hash != hash || bucket.slot_plus_one == kErased) continue;
      if (same(bucket.slot_plus_one - 1)) return bucket.slot_plus_one - 1;
    }
  }
  static void Place(Table& table, Bucket bucket);
  void MoveSome(uint32_t count);

  os::SpillFile* spill_;
  Table table_;
  Table old_;
  uint32_t next_to_move_ = 0;
  size_t size_ = 0;
};

}  // namespace headrace::state
