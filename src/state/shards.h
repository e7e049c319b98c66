#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "state/fetch.h"
#include "state/key_block.h"

namespace headrace::state {

// A key block is always cut into so many shards, a key's by its hash, so that neither state nor
// snapshots show how many workers there were.
inline constexpr int kShardsLog2 = 3;
inline constexpr uint32_t kShards = 1U << kShardsLog2;

// The index of a shard uses the other bits of the hash.
inline uint32_t ShardOf(uint64_t hash) {
  return static_cast<uint32_t>(hash >> (64 - kShardsLog2));
}

// KeyBlock::TakePages over shards: take(s, bytes_max, out) takes pages of shard s and says whether
// there are more. A page of shard s has the number (its own) * kShards + s.
template <typename Take>
bool TakePagesOfShards(size_t bytes_max, std::vector<StatePage>& out, Take take) {
  size_t bytes = 0;
  for (uint32_t s = 0; s < kShards; ++s) {
    if (bytes >= bytes_max) return true;
    const size_t before = out.size();
    const bool more = take(s, bytes_max - bytes, out);
    for (size_t i = before; i < out.size(); ++i) {
      out[i].number = out[i].number * kShards + s;
      bytes += out[i].bytes.size();
    }
    if (more) return true;
  }
  return false;
}

// Reads back of the spill file what rows need that are shared out: use(s, step) adds what those of
// shard s want in the step.
template <typename Use>
void FetchOfShards(os::SpillFile& spill, std::vector<const char*>& wanted, Use use) {
  for (FetchStep step : {FetchStep::kIndex, FetchStep::kSlots, FetchStep::kBehind}) {
    wanted.clear();
    for (uint32_t s = 0; s < kShards; ++s)
      use(s, step);
    spill.Fetch(wanted);
  }
}

}  // namespace headrace::state
