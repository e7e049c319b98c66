#pragma once

#include <cstdint>
#include <vector>

#include "state/accumulator.h"
#include "state/entry_layout.h"
#include "state/extrema_index.h"
#include "state/key_block.h"

namespace headrace::state {

// A frame with what is kept for it.
struct FramePlan {
  FrameSpec spec;
  std::vector<int> accumulators;  // indices into BlockPlan::accumulators, held values excepted
  std::vector<int> held;          // of an unbounded frame: values of entries that are gone
  bool scanned = false;           // while short, its entries are looked through for each row
};

// An aggregate with where its answer comes from.
struct OutputPlan {
  AggregateSpec spec;
  int field = -1;
  int accumulator = -1;  // -1: from the ring alone
  int extremum = -1;     // kMin, kMax: in BlockPlan::extrema
  Field source{};
  BitGate filter{};
};

// How far back rows to come may reach.
struct Reach {
  int64_t time = 0;        // of RANGE frames, microseconds before the row
  int64_t rows = 0;        // of ROWS frames and lag
  bool unbounded = false;  // some frame never forgets
};

// Everything about a KeyBlock that follows from its specification. Immutable.
struct BlockPlan {
  explicit BlockPlan(const KeyBlockSpec& spec);

  EntryLayout layout;
  std::vector<FramePlan> frames;
  std::vector<AccumulatorPlan> accumulators;
  std::vector<OutputPlan> outputs;
  ExtremaIndex extrema;
  Reach reach;
  int64_t lateness = 0;
  bool peers = false;
  size_t state_bytes = 0;  // of all accumulators of a key
  // Names what the state depends on; stands in snapshots.
  uint64_t fingerprint = 0;

 private:
  void AddFields(const KeyBlockSpec& spec);
  void AddOutput(const AggregateSpec& spec);
  int AddAccumulator(const AggregateSpec& spec, int field);
  void PlaceAccumulators();
  void FindReach();
  void TakeFingerprint(const KeyBlockSpec& spec);
};

}  // namespace headrace::state
