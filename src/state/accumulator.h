#pragma once

#include <cstdint>

#include "base/arena.h"
#include "base/bytes.h"
#include "row/value.h"
#include "state/aggregate.h"
#include "state/entry_layout.h"
#include "state/finish.h"
#include "state/slab_pool.h"

namespace headrace::state {

// What is kept for an aggregate while entries come and go. The first four can forget an entry
// exactly; the held ones only ever take entries in.
enum class AccumulatorKind : uint8_t {
  kCount,
  kBool,
  kNarrow,
  kNarrowSquares,
  kDouble,  // from here on: a pointer to memory of the pool
  kWide,
  kDistinct,
  kHeldMin,
  kHeldMax,
  kHeldFirst,
  kHeldLast,
};

// One accumulator of a plan: which entries it takes and where its state stands. Immutable.
struct AccumulatorPlan {
  AccumulatorKind kind = AccumulatorKind::kCount;
  bool squares = false;  // kDouble, kWide: squares are needed too
  int field = -1;        // index in the layout; -1: counts entries
  int filter_slot = -1;
  int frame = 0;
  // From the layout, once it is finished:
  Field source{};
  BitGate filter{};
  uint32_t offset = 0;  // of the state, from the start of the accumulators

  bool on_heap() const { return kind >= AccumulatorKind::kDouble; }
  bool holds_value() const { return kind >= AccumulatorKind::kHeldMin; }
};

// Which kind an aggregate needs when nothing else serves it.
AccumulatorKind AccumulatorFor(AggregateKind kind, row::Type argument);
// Whether kDouble and kWide need squares for it.
bool NeedsSquares(AggregateKind kind);

// Bytes of the state in place (a multiple of 8; a pointer for kinds on the heap), zeroed to begin
// with.
size_t StateBytes(AccumulatorKind kind);

// A kind's state on the heap, empty.
char* NewHeapState(AccumulatorKind kind, SlabPool& pool);
void DeleteHeapState(const AccumulatorPlan& plan, char* state, SlabPool& pool);

// Takes the entry in, or out again (`negative`), unless the filter or NULL keeps it out. For kinds
// on the heap `state` is the state itself, not the pointer to it.
void Accumulate(const AccumulatorPlan& plan, char* state, const char* entry, bool negative,
                SlabPool& pool);
// Forgets all entries, and what memory they took.
void ClearState(const AccumulatorPlan& plan, char* state, SlabPool& pool);

// The aggregate's value. Text is copied to `arena`.
FinishError Finish(AggregateKind kind, const AccumulatorPlan& plan, row::Type result,
                   const char* state, base::Arena& arena, row::Value* value);

// Of a held kind: whether any entry was taken in.
bool HoldsAny(const char* state);

void SaveState(const AccumulatorPlan& plan, const char* state, base::ByteWriter& writer);
// Into an empty state. False when the bytes are damaged; the state can then still be cleared.
bool LoadState(const AccumulatorPlan& plan, char* state, base::ByteReader& reader, SlabPool& pool);

}  // namespace headrace::state
