#include "state/extrema_index.h"

namespace headrace::state {

int ExtremaIndex::Add(const Extremum& extremum) {
  for (size_t i = 0; i < extrema_.size(); ++i) {
    const Extremum& have = extrema_[i];
    bool same = have.greatest == extremum.greatest && have.field == extremum.field &&
                have.filter_slot == extremum.filter_slot;
    if (same) return static_cast<int>(i);
  }
  extrema_.push_back(extremum);
  return static_cast<int>(extrema_.size()) - 1;
}

uint32_t ExtremaIndex::WordsFor(int capacity_log2) {
  uint32_t words = 0;
  for (int log = capacity_log2 - kFanLog2; log >= 0; log -= kFanLog2)
    words += uint32_t{1} << log;
  return words;
}

size_t ExtremaIndex::BytesFor(int capacity_log2) const {
  if (capacity_log2 < kLeastLog2) return 0;
  return extrema_.size() * WordsFor(capacity_log2) * sizeof(uint32_t);
}

uint32_t* ExtremaIndex::Level(const RingView& view, size_t extremum, int level) {
  char* words = view.ring + (view.entry_bytes << view.capacity_log2);
  size_t skipped = extremum * WordsFor(view.capacity_log2);
  int log = view.capacity_log2 - kFanLog2;
  for (int below = 1; below < level; ++below, log -= kFanLog2)
    skipped += size_t{1} << log;
  return reinterpret_cast<uint32_t*>(words) + skipped;
}

bool ExtremaIndex::Beats(const Extremum& extremum, const char* later, const char* earlier) {
  int order = EntryLayout::Compare(extremum.source, later, earlier);
  return extremum.greatest ? order >= 0 : order <= 0;
}

// The winner among the 16 parts of a block; `block` is its first position. Gives a place.
uint32_t ExtremaIndex::WinnerOf(size_t extremum, const RingView& view, int level,
                                uint32_t block) const {
  const Extremum& wanted = extrema_[extremum];
  uint32_t best = kNobody;
  const uint32_t* parts = level > 1 ? Level(view, extremum, level - 1) : nullptr;
  uint32_t part = view.Place(block) >> (kFanLog2 * (level - 1));
  for (uint32_t i = 0; i < kFan; ++i) {
    uint32_t place = parts == nullptr ? part + i : parts[part + i];
    if (place == kNobody) continue;
    const char* entry = view.ring + place * view.entry_bytes;
    if (parts == nullptr) {
      if (!wanted.filter.Passes(entry) || !EntryLayout::Has(wanted.source, entry)) continue;
    }
    if (best == kNobody || Beats(wanted, entry, view.ring + best * view.entry_bytes)) best = place;
  }
  return best;
}

void ExtremaIndex::Refresh(const RingView& view, uint32_t first, uint32_t from,
                           uint32_t end) const {
  for (int level = 1; level * kFanLog2 <= view.capacity_log2; ++level) {
    uint32_t size = uint32_t{1} << (level * kFanLog2);
    uint32_t block = from & ~(size - 1);
    // A block counts once it is full, and as long as all of it is there.
    for (; end - block >= size && static_cast<int32_t>(end - block) > 0; block += size) {
      if (static_cast<int32_t>(block - first) < 0) continue;
      for (size_t i = 0; i < extrema_.size(); ++i) {
        uint32_t word = view.Place(block) >> (level * kFanLog2);
        Level(view, i, level)[word] = WinnerOf(i, view, level, block);
      }
    }
  }
}

const char* ExtremaIndex::Find(int extremum, const RingView& view, uint32_t from,
                               uint32_t to) const {
  auto index = static_cast<size_t>(extremum);
  const Extremum& wanted = extrema_[index];
  const char* best = nullptr;
  int top = view.capacity_log2 < kLeastLog2 ? 0 : view.capacity_log2 / kFanLog2;
  while (from != to) {
    int level = 0;
    while (level < top) {
      uint32_t size = uint32_t{1} << ((level + 1) * kFanLog2);
      if ((from & (size - 1)) != 0 || to - from < size) break;
      ++level;
    }
    uint32_t place = view.Place(from);
    if (level > 0) place = Level(view, index, level)[place >> (level * kFanLog2)];
    from += uint32_t{1} << (level * kFanLog2);
    if (place == kNobody) continue;
    const char* entry = view.ring + place * view.entry_bytes;
    bool passes =
        level > 0 || (wanted.filter.Passes(entry) && EntryLayout::Has(wanted.source, entry));
    if (passes && (best == nullptr || Beats(wanted, entry, best))) best = entry;
  }
  return best;
}

}  // namespace headrace::state
