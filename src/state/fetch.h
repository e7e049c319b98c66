#pragma once

#include <cstdint>
#include <vector>

#include "os/spill_file.h"
#include "state/key_index.h"
#include "state/slot_store.h"

namespace headrace::state {

// How what rows need comes back of the spill file before they are taken, step by step, once each: a
// step finds what the one before it leads to.
enum class FetchStep : uint8_t { kIndex, kSlots, kBehind };

// Where the keys of a shard stand.
struct KeyPlaces {
  const KeyIndex& index;
  const SlotStore& store;
  size_t slot_bytes = 0;
  os::SpillFile& spill;
};

// Adds to `wanted` what the step has to read back for the rows; behind(slot) does that for what a
// slot leads to.
template <typename Rows, typename Behind>
void UseKeys(const KeyPlaces& places, const Rows& rows, FetchStep step,
             std::vector<const char*>& wanted, Behind behind) {
  const auto use = [&](const void* at) {
    if (places.spill.Use(at)) wanted.push_back(static_cast<const char*>(at));
  };
  for (const auto& row : rows) {
    if (step == FetchStep::kIndex) {
      use(places.index.PlaceOf(row.hash));
      continue;
    }
    const uint32_t guess = places.index.Guess(row.hash);
    if (guess == KeyIndex::kNone) continue;
    if (step == FetchStep::kSlots) {
      use(places.store.at(guess));
      use(places.store.at(guess) + places.slot_bytes - 1);
    } else {
      behind(guess);
    }
  }
}

}  // namespace headrace::state
