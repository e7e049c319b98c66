#include "state/key_index.h"

#include <algorithm>
#include <utility>

#include "headrace/check.h"

namespace headrace::state {

void KeyIndex::Release::operator()(Bucket* buckets) const {
  if (spill != nullptr) return spill->Give(reinterpret_cast<char*>(buckets), bytes);
  std::free(buckets);
}

KeyIndex::Table::Table(uint32_t buckets_count, os::SpillFile* spill) : mask(buckets_count - 1) {
  const size_t bytes = buckets_count * sizeof(Bucket);
  if (spill != nullptr && bytes >= os::SpillFile::kRegionBytes) {
    auto* run = reinterpret_cast<Bucket*>(spill->Take(bytes));
    if (run != nullptr) {
      buckets = {run, Release{spill, bytes}};
      return;
    }
  }
  buckets = {static_cast<Bucket*>(std::calloc(buckets_count, sizeof(Bucket))), Release{}};
  HR_CHECK(buckets != nullptr);
}

void KeyIndex::Place(Table& table, Bucket bucket) {
  uint32_t at = bucket.hash & table.mask;
  while (table.buckets[at].slot_plus_one != kFree)
    at = (at + 1) & table.mask;
  table.buckets[at] = bucket;
}

void KeyIndex::MoveSome(uint32_t count) {
  uint32_t end = std::min(old_.mask, next_to_move_ + count - 1);
  for (; next_to_move_ <= end; ++next_to_move_) {
    Bucket& bucket = old_.buckets[next_to_move_];
    if (bucket.slot_plus_one == kFree || bucket.slot_plus_one == kErased) continue;
    Place(table_, bucket);
    // Stays occupied: searches of the old table go on past it.
    bucket.slot_plus_one = kErased;
  }
  if (next_to_move_ > old_.mask) old_ = Table();
}

void KeyIndex::Insert(uint64_t hash, uint32_t slot) {
  if (moving()) MoveSome(kMovedPerInsert);
  // Three quarters full; by then the last growth has long been finished.
  if ((size_ + 1) * 4 > (size_t{table_.mask} + 1) * 3) {
    HR_CHECK(!moving() && table_.mask < (uint32_t{1} << 31) - 1);
    old_ = std::exchange(table_, Table((table_.mask + 1) * 2, spill_));
    next_to_move_ = 0;
  }
  Place(table_, {static_cast<uint32_t>(hash), slot + 1});
  ++size_;
}

void KeyIndex::Erase(uint64_t hash, uint32_t slot) {
  auto wanted = static_cast<uint32_t>(hash);
  --size_;
  if (moving()) {
    for (uint32_t at = wanted & old_.mask; old_.buckets[at].slot_plus_one != kFree;
         at = (at + 1) & old_.mask) {
      if (old_.buckets[at].slot_plus_one != slot + 1) continue;
      old_.buckets[at].slot_plus_one = kErased;
      return;
    }
  }
  uint32_t mask = table_.mask;
  uint32_t hole = wanted & mask;
  while (table_.buckets[hole].slot_plus_one != slot + 1) {
    HR_CHECK(table_.buckets[hole].slot_plus_one != kFree);
    hole = (hole + 1) & mask;
  }
  table_.buckets[hole].slot_plus_one = kFree;
  for (uint32_t at = (hole + 1) & mask; table_.buckets[at].slot_plus_one != kFree;
       at = (at + 1) & mask) {
    uint32_t home = table_.buckets[at].hash & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    table_.buckets[hole] = table_.buckets[at];
    table_.buckets[at].slot_plus_one = kFree;
    hole = at;
  }
}

void KeyIndex::Clear() {
  table_ = Table(kFirstBuckets, nullptr);
  old_ = Table();
  next_to_move_ = 0;
  size_ = 0;
}

}  // namespace headrace::state
