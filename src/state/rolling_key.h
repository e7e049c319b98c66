#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/arena.h"
#include "os/spill_file.h"
#include "row/value.h"
#include "state/block_plan.h"
#include "state/packed_text.h"
#include "state/slab_pool.h"

namespace headrace::state {

// Entries [head, tail) that a frame's accumulators hold.
struct FrameCursor {
  uint32_t head;
  uint32_t tail;
};

// What stands in a key's slot; frame cursors and accumulators follow it. Entries have positions
// that count up for as long as the key lives (modulo 2^32) and stand in the ring at their position
// modulo its capacity; positions [first, end) are there, ordered by (event time, arrival).
struct KeySlot {
  PackedText key;
  char* ring;
  uint32_t hash;
  uint32_t first;
  uint32_t end;
  uint8_t capacity_log2;
  bool live;
  uint16_t unused;
  int64_t oldest;   // the time of entry `first`, so that a visit need not look for it
  uint64_t folded;  // entries that are gone and still count in unbounded frames

  uint32_t size() const { return end - first; }
  uint32_t capacity() const { return ring == nullptr ? 0 : uint32_t{1} << capacity_log2; }
};
static_assert(sizeof(KeySlot) == 56);

// The windows of one key at a time: takes an event in, moves every frame to it, and reads the
// aggregates.
//
// A frame's accumulators hold exactly the entries between its cursors. Moving a frame, forward or
// (for an event that came out of order) back, adds and takes out the entries in between, which is
// exact, so that nothing depends on where the frame has been. Aggregates that cannot forget look at
// the entries instead, as does everything that needs memory of its own while a frame is short.
// Confined.
class RollingKeys {
 public:
  RollingKeys(const BlockPlan& plan, SlabPool& pool);

  // Bytes of a slot.
  size_t slot_bytes() const;

  // Asks for the memory that the next Insert and MoveTo of the key will touch.
  void Prefetch(const KeySlot& slot) const;
  // Tells the spill file of it; adds to `wanted` what was put out.
  void Use(const KeySlot& slot, os::SpillFile& spill, std::vector<const char*>& wanted) const;
  // Drops the entries that no row can reach any more once the watermark stands there.
  void Trim(KeySlot& slot, int64_t watermark);
  // Takes the row in; returns its position.
  uint32_t Insert(KeySlot& slot, const row::Value* row, int64_t time);
  // Moves every frame to the row at `position`; the answers of Read are then the row's.
  void MoveTo(KeySlot& slot, uint32_t position, int64_t time);
  FinishError Read(const OutputPlan& output, KeySlot& slot, uint32_t position, base::Arena& arena,
                   row::Value* value);
  // Events in the frame, those that are gone included.
  int64_t CountRows(const KeySlot& slot, int frame) const;

  // How many of the oldest entries no row can reach any more.
  uint32_t Unreachable(const KeySlot& slot, int64_t watermark) const;
  // Frees what the slot holds.
  void Destroy(KeySlot& slot);

  // For snapshots. The entries from `skip` on; with unbounded frames also what was folded away.
  void Save(KeySlot& slot, uint32_t skip, base::ByteWriter& writer);
  // Into a zeroed slot. False when the bytes are damaged; the slot can then be destroyed.
  bool Load(KeySlot& slot, base::ByteReader& reader);

  char* EntryAt(const KeySlot& slot, uint32_t position) const {
    return slot.ring + size_t{position & ((uint32_t{1} << slot.capacity_log2) - 1)} * entry_bytes_;
  }

 private:
  // Up to here a frame's entries are looked through; beyond, state of its own is kept.
  static constexpr uint32_t kScanRows = 32;

  RingView ViewOf(const KeySlot& slot) const {
    return {slot.ring, slot.capacity_log2, entry_bytes_};
  }
  size_t RingBytes(int capacity_log2) const {
    return (entry_bytes_ << capacity_log2) + plan_.extrema.BytesFor(capacity_log2);
  }
  int64_t TimeAt(const KeySlot& slot, uint32_t position) const {
    return EntryLayout::TimeOf(EntryAt(slot, position));
  }
  FrameCursor* CursorsOf(KeySlot& slot) const { return reinterpret_cast<FrameCursor*>(&slot + 1); }
  const FrameCursor* CursorsOf(const KeySlot& slot) const {
    return reinterpret_cast<const FrameCursor*>(&slot + 1);
  }
  char* StateOf(KeySlot& slot, const AccumulatorPlan& plan) const {
    return reinterpret_cast<char*>(CursorsOf(slot) + plan_.frames.size()) + plan.offset;
  }
  const char* StateOf(const KeySlot& slot, const AccumulatorPlan& plan) const {
    return reinterpret_cast<const char*>(CursorsOf(slot) + plan_.frames.size()) + plan.offset;
  }

  void Resize(KeySlot& slot, int capacity_log2);
  // A place for a new entry at `position`; those behind it move up.
  char* MakeRoom(KeySlot& slot, uint32_t position);
  void DropFront(KeySlot& slot, uint32_t count);
  uint32_t SearchUp(const KeySlot& slot, int64_t time, uint32_t low) const;
  uint32_t SearchDown(const KeySlot& slot, int64_t time, uint32_t high) const;
  uint32_t LowerBound(const KeySlot& slot, int64_t time, uint32_t near, bool forward) const;
  FrameCursor FrameOf(const KeySlot& slot, const FrameSpec& frame, uint32_t position, int64_t time,
                      const FrameCursor& near) const;
  // The frames that already held the place of a new entry hold it too.
  void TakeInserted(KeySlot& slot, uint32_t position);
  void MoveFrame(KeySlot& slot, size_t frame, FrameCursor to);
  void MoveAccumulator(KeySlot& slot, const AccumulatorPlan& plan, FrameCursor from,
                       FrameCursor to);
  void AccumulateRange(KeySlot& slot, const AccumulatorPlan& plan, char* state, FrameCursor range,
                       bool negative);
  FinishError ReadAccumulator(const OutputPlan& output, KeySlot& slot, base::Arena& arena,
                              row::Value* value);
  void ReadRing(const OutputPlan& output, KeySlot& slot, base::Arena& arena, row::Value* value);
  const char* FindEntry(const OutputPlan& output, const KeySlot& slot, FrameCursor range) const;
  uint32_t CountDistinct(const AccumulatorPlan& plan, const KeySlot& slot, FrameCursor range) const;

  const BlockPlan& plan_;
  const EntryLayout& layout_;
  SlabPool& pool_;
  size_t entry_bytes_;
  std::string scratch_;
};

}  // namespace headrace::state
