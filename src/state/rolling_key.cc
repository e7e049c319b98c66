#include "state/rolling_key.h"

#include <algorithm>
#include <cstring>

#include "headrace/check.h"
#include "row/text.h"

namespace headrace::state {
namespace {

// How far position a is ahead of b; both belong to one key, so they are close modulo 2^32.
int32_t Ahead(uint32_t a, uint32_t b) {
  return static_cast<int32_t>(a - b);
}

int64_t Minus(int64_t a, int64_t b) {
  int64_t result;
  if (!__builtin_sub_overflow(a, b, &result)) return result;
  return b > 0 ? INT64_MIN : INT64_MAX;
}

int LogFor(uint32_t entries) {
  return entries <= 1 ? 0 : 32 - __builtin_clz(entries - 1);
}

char*& HeapState(char* state) {
  return *reinterpret_cast<char**>(state);
}

bool IsExtreme(AggregateKind kind) {
  return kind == AggregateKind::kMin || kind == AggregateKind::kMax;
}

}  // namespace

RollingKeys::RollingKeys(const BlockPlan& plan, SlabPool& pool)
    : plan_(plan), layout_(plan.layout), pool_(pool), entry_bytes_(plan.layout.bytes()) {}

size_t RollingKeys::slot_bytes() const {
  return sizeof(KeySlot) + plan_.frames.size() * sizeof(FrameCursor) + plan_.state_bytes;
}

// ---- The ring
// ------------------------------------------------------------------------------------

void RollingKeys::Resize(KeySlot& slot, int capacity_log2) {
  KeySlot old = slot;
  slot.capacity_log2 = static_cast<uint8_t>(capacity_log2);
  slot.ring = pool_.Allocate(RingBytes(capacity_log2));
  for (uint32_t at = old.first; at != old.end; ++at) {
    std::memcpy(EntryAt(slot, at), EntryAt(old, at), entry_bytes_);
  }
  if (old.ring != nullptr) pool_.Free(old.ring, RingBytes(old.capacity_log2));
  plan_.extrema.Update(ViewOf(slot), slot.first, slot.first, slot.end);
}

char* RollingKeys::MakeRoom(KeySlot& slot, uint32_t position) {
  if (slot.size() == slot.capacity()) {
    HR_CHECK(slot.size() < uint32_t{1} << 30);
    Resize(slot, LogFor(slot.size() + 1));
  }
  for (uint32_t at = slot.end; at != position; --at) {
    std::memcpy(EntryAt(slot, at), EntryAt(slot, at - 1), entry_bytes_);
  }
  ++slot.end;
  return EntryAt(slot, position);
}

void RollingKeys::DropFront(KeySlot& slot, uint32_t count) {
  uint32_t first = slot.first + count;
  FrameCursor* cursors = CursorsOf(slot);
  for (size_t i = 0; i < plan_.frames.size(); ++i) {
    FrameCursor to = cursors[i];
    if (Ahead(first, to.tail) > 0) to.tail = first;
    if (plan_.frames[i].spec.unbounded) {
      MoveFrame(slot, i, to);
      for (int index : plan_.frames[i].held) {
        const AccumulatorPlan& plan = plan_.accumulators[static_cast<size_t>(index)];
        char*& state = HeapState(StateOf(slot, plan));
        if (state == nullptr) state = NewHeapState(plan.kind, pool_);
        AccumulateRange(slot, plan, state, {slot.first, first}, false);
      }
      // What is gone stays in the accumulators.
      cursors[i].head = first;
      continue;
    }
    if (Ahead(first, to.head) > 0) to.head = first;
    MoveFrame(slot, i, to);
  }
  for (uint32_t at = slot.first; at != first; ++at)
    layout_.Release(EntryAt(slot, at), pool_);
  slot.first = first;
  if (slot.size() > 0) slot.oldest = TimeAt(slot, first);
  slot.folded += count;
  if (slot.capacity_log2 >= 2 && slot.size() <= slot.capacity() / 4) {
    Resize(slot, LogFor(slot.size() * 2));
  }
}

uint32_t RollingKeys::Unreachable(const KeySlot& slot, int64_t watermark) const {
  int64_t oldest_row = Minus(watermark, plan_.lateness);
  int64_t oldest_time = Minus(oldest_row, plan_.reach.time);
  if (watermark == INT64_MIN || plan_.reach.rows >= int64_t{slot.size()}) return 0;
  if (slot.oldest >= oldest_time) return 0;
  auto rows = static_cast<uint32_t>(plan_.reach.rows);
  uint32_t count = 0;
  // Behind an entry there must stand, before every row to come, all that may be counted back to.
  while (count + rows < slot.size() && TimeAt(slot, slot.first + count) < oldest_time &&
         TimeAt(slot, slot.first + count + rows) < oldest_row) {
    ++count;
  }
  return count;
}

void RollingKeys::Prefetch(const KeySlot& slot) const {
  if (slot.ring == nullptr) return;
  __builtin_prefetch(EntryAt(slot, slot.end), 1);
  __builtin_prefetch(EntryAt(slot, slot.end - 1));
  __builtin_prefetch(EntryAt(slot, slot.first));
  const FrameCursor* cursors = CursorsOf(slot);
  for (size_t i = 0; i < plan_.frames.size(); ++i) {
    const FrameCursor& cursor = cursors[i];
    __builtin_prefetch(EntryAt(slot, cursor.head));
    __builtin_prefetch(EntryAt(slot, cursor.head + 1));
    if (!plan_.frames[i].scanned || cursor.tail - cursor.head > kScanRows) continue;
    for (uint32_t at = cursor.head + 2; Ahead(cursor.tail, at) > 0; ++at) {
      __builtin_prefetch(EntryAt(slot, at));
    }
  }
}

void RollingKeys::Use(const KeySlot& slot, os::SpillFile& spill,
                      std::vector<const char*>& wanted) const {
  auto use = [&](const char* at) {
    if (spill.Use(at)) wanted.push_back(at);
  };
  if (slot.ring == nullptr) return;
  use(EntryAt(slot, slot.end));
  use(EntryAt(slot, slot.end - 1));
  use(EntryAt(slot, slot.first));
  const FrameCursor* cursors = CursorsOf(slot);
  for (size_t i = 0; i < plan_.frames.size(); ++i) {
    use(EntryAt(slot, cursors[i].head));
    use(EntryAt(slot, cursors[i].tail));
  }
  for (const AccumulatorPlan& plan : plan_.accumulators) {
    if (plan.on_heap()) use(LoadAs<const char*>(StateOf(slot, plan)));
  }
}

void RollingKeys::Trim(KeySlot& slot, int64_t watermark) {
  uint32_t count = Unreachable(slot, watermark);
  if (count > 0) DropFront(slot, count);
}

void RollingKeys::Destroy(KeySlot& slot) {
  for (uint32_t at = slot.first; at != slot.end; ++at)
    layout_.Release(EntryAt(slot, at), pool_);
  if (slot.ring != nullptr) pool_.Free(slot.ring, RingBytes(slot.capacity_log2));
  for (const AccumulatorPlan& plan : plan_.accumulators) {
    if (!plan.on_heap()) continue;
    char* state = HeapState(StateOf(slot, plan));
    if (state != nullptr) DeleteHeapState(plan, state, pool_);
  }
  slot.key.Release(pool_);
  slot.live = false;
}

// ---- Frames
// --------------------------------------------------------------------------------------

// The first position in [low, end) whose time is not below `time`; all before `low` are below it.
uint32_t RollingKeys::SearchUp(const KeySlot& slot, int64_t time, uint32_t low) const {
  uint32_t high = slot.end;
  uint32_t step = 1;
  while (high - low > step && TimeAt(slot, low + step - 1) < time) {
    low += step;
    step *= 2;
  }
  high = low + std::min(high - low, step);
  while (low != high) {
    uint32_t middle = low + (high - low) / 2;
    if (TimeAt(slot, middle) < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// The same in [first, high]; none from `high` on is below it.
uint32_t RollingKeys::SearchDown(const KeySlot& slot, int64_t time, uint32_t high) const {
  uint32_t low = slot.first;
  uint32_t step = 1;
  while (high - low > step && TimeAt(slot, high - step) >= time) {
    high -= step;
    step *= 2;
  }
  low = high - std::min(high - low, step);
  while (low != high) {
    uint32_t middle = low + (high - low) / 2;
    if (TimeAt(slot, middle) < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// The first position whose time is not below `time`. Looks around `near` first; `forward`: it is
// known not to be before `near`.
uint32_t RollingKeys::LowerBound(const KeySlot& slot, int64_t time, uint32_t near,
                                 bool forward) const {
  if (Ahead(near, slot.first) < 0) near = slot.first;
  if (Ahead(near, slot.end) > 0) near = slot.end;
  if (near != slot.end && TimeAt(slot, near) < time) return SearchUp(slot, time, near + 1);
  return forward ? near : SearchDown(slot, time, near);
}

FrameCursor RollingKeys::FrameOf(const KeySlot& slot, const FrameSpec& frame, uint32_t position,
                                 int64_t time, const FrameCursor& near) const {
  FrameCursor to{slot.first, position + 1};
  // Behind the newest row of a key no frame moves back.
  bool newest = position + 1 == slot.end;
  if (frame.rows) {
    auto before = static_cast<int64_t>(position - slot.first);
    if (!frame.unbounded && frame.start < before) {
      to.head = position - static_cast<uint32_t>(frame.start);
    }
    to.tail = frame.end > before ? slot.first : position + 1 - static_cast<uint32_t>(frame.end);
  } else {
    if (!frame.unbounded) to.head = LowerBound(slot, Minus(time, frame.start), near.head, newest);
    if (frame.end == 0 && plan_.peers)
      to.tail = slot.end;  // no row is younger than this one's peers
    if (frame.end != 0) {
      int64_t last = Minus(time, frame.end);
      to.tail = last == INT64_MAX ? slot.end : LowerBound(slot, last + 1, near.tail, newest);
    }
  }
  if (Ahead(to.head, to.tail) > 0) to.tail = to.head;
  return to;
}

void RollingKeys::AccumulateRange(KeySlot& slot, const AccumulatorPlan& plan, char* state,
                                  FrameCursor range, bool negative) {
  for (uint32_t at = range.head; Ahead(range.tail, at) > 0; ++at) {
    Accumulate(plan, state, EntryAt(slot, at), negative, pool_);
  }
}

void RollingKeys::MoveAccumulator(KeySlot& slot, const AccumulatorPlan& plan, FrameCursor from,
                                  FrameCursor to) {
  char* state = StateOf(slot, plan);
  uint32_t rows = to.tail - to.head;
  bool bounded = !plan_.frames[static_cast<size_t>(plan.frame)].spec.unbounded;
  if (plan.on_heap()) {
    char*& heap = HeapState(state);
    if (bounded && rows <= (heap == nullptr ? kScanRows : kScanRows / 2)) {
      if (heap != nullptr) DeleteHeapState(plan, heap, pool_);
      heap = nullptr;
      return;
    }
    if (heap == nullptr) {
      heap = NewHeapState(plan.kind, pool_);
      return AccumulateRange(slot, plan, heap, to, false);
    }
    state = heap;
  }
  auto moved = static_cast<uint32_t>(std::abs(Ahead(to.head, from.head))) +
               static_cast<uint32_t>(std::abs(Ahead(to.tail, from.tail)));
  if (bounded && moved > rows) {
    ClearState(plan, state, pool_);
    return AccumulateRange(slot, plan, state, to, false);
  }
  // What comes in before what goes out: nothing is ever taken out that is not there.
  AccumulateRange(slot, plan, state, {from.tail, to.tail}, false);
  AccumulateRange(slot, plan, state, {to.head, from.head}, false);
  AccumulateRange(slot, plan, state, {from.head, to.head}, true);
  AccumulateRange(slot, plan, state, {to.tail, from.tail}, true);
}

void RollingKeys::MoveFrame(KeySlot& slot, size_t frame, FrameCursor to) {
  FrameCursor& cursor = CursorsOf(slot)[frame];
  for (int index : plan_.frames[frame].accumulators) {
    MoveAccumulator(slot, plan_.accumulators[static_cast<size_t>(index)], cursor, to);
  }
  cursor = to;
}

void RollingKeys::TakeInserted(KeySlot& slot, uint32_t position) {
  FrameCursor* cursors = CursorsOf(slot);
  for (size_t i = 0; i < plan_.frames.size(); ++i) {
    FrameCursor& cursor = cursors[i];
    bool unbounded = plan_.frames[i].spec.unbounded;
    if (Ahead(position, cursor.tail) >= 0) continue;
    if (!unbounded && Ahead(position, cursor.head) <= 0) {
      ++cursor.head;
      ++cursor.tail;
      continue;
    }
    for (int index : plan_.frames[i].accumulators) {
      const AccumulatorPlan& plan = plan_.accumulators[static_cast<size_t>(index)];
      char* state = StateOf(slot, plan);
      if (plan.on_heap()) state = HeapState(state);
      if (state != nullptr) Accumulate(plan, state, EntryAt(slot, position), false, pool_);
    }
    ++cursor.tail;
  }
}

uint32_t RollingKeys::Insert(KeySlot& slot, const row::Value* row, int64_t time) {
  uint32_t position = slot.end;
  if (slot.size() > 0 && TimeAt(slot, position - 1) > time) {
    position = SearchDown(slot, time + 1, position - 1);
  }
  char* entry = MakeRoom(slot, position);
  layout_.Pack(row, time, entry, pool_, scratch_);
  if (position == slot.first) slot.oldest = time;
  plan_.extrema.Update(ViewOf(slot), slot.first, position, slot.end);
  if (position + 1 != slot.end) TakeInserted(slot, position);
  return position;
}

void RollingKeys::MoveTo(KeySlot& slot, uint32_t position, int64_t time) {
  for (size_t i = 0; i < plan_.frames.size(); ++i) {
    const FrameCursor& cursor = CursorsOf(slot)[i];
    MoveFrame(slot, i, FrameOf(slot, plan_.frames[i].spec, position, time, cursor));
  }
}

// ---- Answers
// -------------------------------------------------------------------------------------

int64_t RollingKeys::CountRows(const KeySlot& slot, int frame) const {
  const FrameCursor& cursor = CursorsOf(slot)[frame];
  bool unbounded = plan_.frames[static_cast<size_t>(frame)].spec.unbounded;
  return int64_t{cursor.tail - cursor.head} + (unbounded ? static_cast<int64_t>(slot.folded) : 0);
}

uint32_t RollingKeys::CountDistinct(const AccumulatorPlan& plan, const KeySlot& slot,
                                    FrameCursor range) const {
  const char* seen[kScanRows];
  uint32_t count = 0;
  uint64_t filled = 0;  // of the values seen, six bits of a hash
  for (uint32_t at = range.head; at != range.tail; ++at) {
    const char* entry = EntryAt(slot, at);
    if (!plan.filter.Passes(entry) || !EntryLayout::Has(plan.source, entry)) continue;
    uint64_t bit = uint64_t{1} << EntryLayout::EqualityBits(plan.source, entry);
    bool known = false;
    for (uint32_t i = 0; (filled & bit) != 0 && i < count && !known; ++i) {
      known = EntryLayout::Equal(plan.source, entry, seen[i]);
    }
    if (known) continue;
    filled |= bit;
    seen[count++] = entry;
  }
  return count;
}

const char* RollingKeys::FindEntry(const OutputPlan& output, const KeySlot& slot,
                                   FrameCursor range) const {
  AggregateKind kind = output.spec.kind;
  if (kind == AggregateKind::kLastValue) {
    for (uint32_t at = range.tail; at != range.head; --at) {
      const char* entry = EntryAt(slot, at - 1);
      if (output.filter.Passes(entry)) return entry;
    }
    return nullptr;
  }
  if (output.extremum >= 0) {
    return plan_.extrema.Find(output.extremum, ViewOf(slot), range.head, range.tail);
  }
  for (uint32_t at = range.head; at != range.tail; ++at) {
    const char* entry = EntryAt(slot, at);
    if (output.filter.Passes(entry)) return entry;
  }
  return nullptr;
}

void RollingKeys::ReadRing(const OutputPlan& output, KeySlot& slot, base::Arena& arena,
                           row::Value* value) {
  AggregateKind kind = output.spec.kind;
  FrameCursor range = CursorsOf(slot)[output.spec.frame];
  const char* entry = FindEntry(output, slot, range);
  row::Value own =
      entry == nullptr ? row::Value::Null() : EntryLayout::Unpack(output.source, entry);
  const AccumulatorPlan* plan = output.accumulator < 0
                                    ? nullptr
                                    : &plan_.accumulators[static_cast<size_t>(output.accumulator)];
  const char* held = plan == nullptr ? nullptr : HeapState(StateOf(slot, *plan));
  bool take_held = false;
  row::Value old = row::Value::Null();
  if (held != nullptr && HoldsAny(held)) {
    Finish(kind, *plan, output.spec.result_type, held, arena, &old);
    if (kind == AggregateKind::kFirstValue || entry == nullptr) {
      take_held = true;
    } else if (IsExtreme(kind)) {
      int order = row::Compare(old, own, output.source.type);
      take_held = kind == AggregateKind::kMin ? order < 0 : order > 0;
    }
  }
  if (take_held) {
    *value = old;
    return;
  }
  *value = own;
  if (entry != nullptr && output.source.kind == FieldKind::kText && !own.null) {
    *value = row::Value::Text(arena.Copy(own.text()));
  }
}

FinishError RollingKeys::ReadAccumulator(const OutputPlan& output, KeySlot& slot,
                                         base::Arena& arena, row::Value* value) {
  const AccumulatorPlan& plan = plan_.accumulators[static_cast<size_t>(output.accumulator)];
  char* state = StateOf(slot, plan);
  const AggregateSpec& spec = output.spec;
  if (!plan.on_heap()) return Finish(spec.kind, plan, spec.result_type, state, arena, value);
  state = HeapState(state);
  if (state != nullptr) return Finish(spec.kind, plan, spec.result_type, state, arena, value);
  FrameCursor range = CursorsOf(slot)[spec.frame];
  if (plan.kind == AccumulatorKind::kDistinct) {
    *value = row::Value::Integer(CountDistinct(plan, slot, range));
    return FinishError::kNone;
  }
  state = NewHeapState(plan.kind, pool_);
  AccumulateRange(slot, plan, state, range, false);
  FinishError error = Finish(spec.kind, plan, spec.result_type, state, arena, value);
  DeleteHeapState(plan, state, pool_);
  return error;
}

FinishError RollingKeys::Read(const OutputPlan& output, KeySlot& slot, uint32_t position,
                              base::Arena& arena, row::Value* value) {
  switch (output.spec.kind) {
    case AggregateKind::kLag: {
      int64_t before = int64_t{position - slot.first};
      *value = row::Value::Null();
      if (output.spec.lag < 0 || output.spec.lag > before) return FinishError::kNone;
      const char* entry = EntryAt(slot, position - static_cast<uint32_t>(output.spec.lag));
      *value = EntryLayout::Unpack(output.source, entry);
      if (output.source.kind == FieldKind::kText && !value->null) {
        *value = row::Value::Text(arena.Copy(value->text()));
      }
      return FinishError::kNone;
    }
    case AggregateKind::kMin:
    case AggregateKind::kMax:
    case AggregateKind::kFirstValue:
    case AggregateKind::kLastValue:
      ReadRing(output, slot, arena, value);
      return FinishError::kNone;
    case AggregateKind::kCountRows:
      if (output.accumulator < 0) {
        *value = row::Value::Integer(CountRows(slot, output.spec.frame));
        return FinishError::kNone;
      }
      [[fallthrough]];
    default:
      return ReadAccumulator(output, slot, arena, value);
  }
}

// ---- Snapshots
// -----------------------------------------------------------------------------------

void RollingKeys::Save(KeySlot& slot, uint32_t skip, base::ByteWriter& writer) {
  writer.Varint(slot.size() - skip);
  uint64_t previous = 0;
  for (uint32_t at = slot.first + skip; at != slot.end; ++at) {
    auto time = static_cast<uint64_t>(TimeAt(slot, at));
    writer.Zigzag(static_cast<int64_t>(time - previous));
    previous = time;
    layout_.Save(EntryAt(slot, at), writer);
  }
  if (!plan_.reach.unbounded) return;
  writer.Varint(slot.folded);
  for (size_t i = 0; i < plan_.frames.size(); ++i) {
    if (!plan_.frames[i].spec.unbounded) continue;
    // Only what the entries cannot give back.
    FrameCursor cursor = CursorsOf(slot)[i];
    MoveFrame(slot, i, {slot.first, slot.first});
    for (const std::vector<int>* list : {&plan_.frames[i].accumulators, &plan_.frames[i].held}) {
      for (int index : *list) {
        const AccumulatorPlan& plan = plan_.accumulators[static_cast<size_t>(index)];
        char* state = StateOf(slot, plan);
        if (plan.on_heap()) state = HeapState(state);
        writer.U8(state != nullptr && slot.folded > 0 ? 1 : 0);
        if (state != nullptr && slot.folded > 0) SaveState(plan, state, writer);
      }
    }
    MoveFrame(slot, i, cursor);
  }
}

bool RollingKeys::Load(KeySlot& slot, base::ByteReader& reader) {
  uint64_t entries = reader.Varint();
  if (!reader.ok() || entries > reader.remaining()) return false;
  uint64_t time = 0;
  for (uint64_t i = 0; i < entries; ++i) {
    int64_t previous = static_cast<int64_t>(time);
    time += static_cast<uint64_t>(reader.Zigzag());
    auto now = static_cast<int64_t>(time);
    if (!reader.ok() || (i > 0 && now < previous)) return false;
    char* entry = MakeRoom(slot, slot.end);
    if (!layout_.Load(reader, now, entry, pool_)) {
      --slot.end;
      return false;
    }
    if (i == 0) slot.oldest = now;
    plan_.extrema.Update(ViewOf(slot), slot.first, slot.end - 1, slot.end);
  }
  if (!plan_.reach.unbounded) return true;
  slot.folded = reader.Varint();
  for (const FramePlan& frame : plan_.frames) {
    if (!frame.spec.unbounded) continue;
    for (const std::vector<int>* list : {&frame.accumulators, &frame.held}) {
      for (int index : *list) {
        const AccumulatorPlan& plan = plan_.accumulators[static_cast<size_t>(index)];
        uint8_t present = reader.U8();
        if (!reader.ok() || present > 1) return false;
        if (present == 0) continue;
        char* state = StateOf(slot, plan);
        if (plan.on_heap()) state = HeapState(state) = NewHeapState(plan.kind, pool_);
        if (!LoadState(plan, state, reader, pool_)) return false;
      }
    }
  }
  return true;
}

}  // namespace headrace::state
