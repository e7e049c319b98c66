#pragma once

#include <cstdint>
#include <vector>

#include "state/entry_layout.h"

namespace headrace::state {

// An aggregate's question: the least or greatest value of a field among entries that pass.
struct Extremum {
  bool greatest = false;
  int field = -1;
  int filter_slot = -1;
  Field source{};
  BitGate filter{};
};

// A key's ring as the index sees it.
struct RingView {
  char* ring = nullptr;  // the entries; the index stands behind them
  int capacity_log2 = 0;
  size_t entry_bytes = 0;

  uint32_t Place(uint32_t position) const {
    return position & ((uint32_t{1} << capacity_log2) - 1);
  }
  const char* At(uint32_t position) const { return ring + Place(position) * entry_bytes; }
};

// Finds the least and greatest entries of any range of a ring in logarithmic time: for every
// aligned block of 16 entries, of 16 blocks, and so on, the place of its winner. Unlike a queue of
// candidates it serves all frames of a key at once, and takes an entry in the middle at the cost of
// moving the entries behind it. Only rings of kLeastCapacity entries have one. Immutable; the words
// it keeps belong to the ring. Of equal values the latest wins, as in PostgreSQL.
class ExtremaIndex {
 public:
  // Index of the extremum, shared when the same was asked for before.
  int Add(const Extremum& extremum);
  bool empty() const { return extrema_.empty(); }

  // Bytes of the index of a ring.
  size_t BytesFor(int capacity_log2) const;

  // Entries from `from` on are new or have moved; [first, end) are there.
  void Update(const RingView& view, uint32_t first, uint32_t from, uint32_t end) const {
    if (!extrema_.empty() && view.capacity_log2 >= kLeastLog2) Refresh(view, first, from, end);
  }
  // The winning entry of [from, to), or null when none passes.
  const char* Find(int extremum, const RingView& view, uint32_t from, uint32_t to) const;

 private:
  static constexpr int kFanLog2 = 4;
  static constexpr uint32_t kFan = 1 << kFanLog2;
  static constexpr int kLeastLog2 = 6;
  static constexpr uint32_t kNobody = UINT32_MAX;

  // Words of all levels of one extremum.
  static uint32_t WordsFor(int capacity_log2);
  // The words of one level: level 1 has a word for 16 entries.
  static uint32_t* Level(const RingView& view, size_t extremum, int level);

  void Refresh(const RingView& view, uint32_t first, uint32_t from, uint32_t end) const;
  uint32_t WinnerOf(size_t extremum, const RingView& view, int level, uint32_t block) const;
  // Whether the later entry takes the place of the earlier.
  static bool Beats(const Extremum& extremum, const char* later, const char* earlier);

  std::vector<Extremum> extrema_;
};

}  // namespace headrace::state
