#include "state/group_table.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "row/text.h"
#include "state/block_plan.h"
#include "state/checked_body.h"
#include "state/key_encoder.h"
#include "state/key_index.h"
#include "state/page_marks.h"
#include "state/slot_store.h"
#include "state/value_bytes.h"

namespace headrace::state {
namespace {

constexpr uint32_t kMagic = 0x54475248;  // "HRGT"
constexpr uint8_t kVersion = 1;
constexpr int kPageSlotsLog2 = 6;
constexpr uint32_t kPageSlots = 1U << kPageSlotsLog2;

// A group table adds up as one unbounded frame does.
KeyBlockSpec AsBlock(const GroupTableSpec& spec) {
  KeyBlockSpec block;
  block.key_slots = spec.key_slots;
  block.key_types = spec.key_types;
  FrameSpec everything;
  everything.unbounded = true;
  block.frames = {everything};
  for (const GroupAggregate& aggregate : spec.aggregates) {
    AggregateSpec added;
    added.kind = aggregate.kind;
    added.argument_slot = aggregate.argument_slot;
    added.argument_type = aggregate.argument_type;
    added.filter_slot = aggregate.filter_slot;
    added.result_slot = static_cast<int>(block.aggregates.size());
    added.result_type = aggregate.result_type;
    block.aggregates.push_back(added);
  }
  return block;
}

bool OrdersAsInteger(row::Type type) {
  switch (type.kind) {
    case row::TypeKind::kInteger:
    case row::TypeKind::kBigint:
    case row::TypeKind::kDate:
    case row::TypeKind::kTime:
    case row::TypeKind::kTimestamp:
    case row::TypeKind::kTimestampTz:
      return true;
    default:
      return false;
  }
}

std::vector<int> FirstSlots(size_t n) {
  std::vector<int> slots(n);
  std::iota(slots.begin(), slots.end(), 0);
  return slots;
}

Error Damaged(const char* what) {
  return Error(ErrorKind::kCorruption, "HR4202", std::string("group state: ") + what)
      .WithHint("the state is rebuilt from the log when its snapshot is removed");
}

// What stands in a group's slot; its key values and accumulators follow.
struct GroupSlot {
  PackedText key;
  uint64_t rows;
  uint32_t hash;
  uint32_t next;  // with the same first key; KeyIndex::kNone: there is none
  bool live;
};

// Groups in slots behind an index by key; with an integer first key also ordered by it, so that
// closing a window looks at the groups of that window only. Confined.
class HashedGroups final : public GroupTable {
 public:
  HashedGroups(const GroupTableSpec& spec, os::SpillFile* spill)
      : key_types_(spec.key_types),
        plan_(AsBlock(spec)),
        row_keys_(spec.key_slots, spec.key_types),
        first_slots_(FirstSlots(spec.key_types.size())),
        loaded_keys_(first_slots_, spec.key_types),
        ordered_(!key_types_.empty() && OrdersAsInteger(key_types_[0])),
        source_(spill),
        store_(sizeof(GroupSlot) + key_types_.size() * sizeof(row::Value) + plan_.state_bytes,
               source_),
        index_(spill),
        entry_(plan_.layout.bytes()) {
    for (int slot : spec.key_slots)
      key_slots_.push_back(slot);
  }
  ~HashedGroups() override { Clear(); }

  Status Add(const row::Value* row) override;
  Status EmitUpTo(int64_t bound, base::Arena& arena, const Emit& emit) override;
  Status ForEach(base::Arena& arena, const Emit& emit) const override;
  size_t groups() const override { return index_.size(); }
  size_t bytes() const override {
    return source_.bytes() + pool_.bytes_outside() + store_.bytes_outside() + index_.bytes() +
           by_first_key_.size() * kFirstKeyBytes + marks_.bytes();
  }
  void Save(std::string& out) const override;
  Status Load(std::string_view bytes) override;
  BlockHead BeginSnapshot(bool whole) override;
  bool TakePages(size_t bytes_max, std::vector<StatePage>& out) override;
  Status BeginLoad(const BlockHead& head) override;
  Status LoadPage(uint32_t number, std::string_view bytes) override;
  void EndLoad() override;

 private:
  static constexpr size_t kFirstKeyBytes = 48;  // of the map, about

  GroupSlot& SlotAt(uint32_t slot) const { return *reinterpret_cast<GroupSlot*>(store_.at(slot)); }
  static row::Value* KeysOf(GroupSlot& slot) { return reinterpret_cast<row::Value*>(&slot + 1); }
  char* StateOf(GroupSlot& slot, const AccumulatorPlan& plan) const {
    return reinterpret_cast<char*>(KeysOf(slot) + key_types_.size()) + plan.offset;
  }
  // The state itself, made when missing for kinds on the heap.
  char* Reach(GroupSlot& slot, const AccumulatorPlan& plan) {
    char* state = StateOf(slot, plan);
    if (!plan.on_heap()) return state;
    char*& heap = *reinterpret_cast<char**>(state);
    if (heap == nullptr) heap = NewHeapState(plan.kind, pool_);
    return heap;
  }

  uint32_t Find(const PackedText& key, uint64_t hash) const {
    return index_.Find(hash, [this, &key](uint32_t at) { return SlotAt(at).key == key; });
  }
  // `keys[slots[i]]` is the i-th key value.
  uint32_t Make(const PackedText& key, uint64_t hash, const row::Value* keys,
                const std::vector<int>& slots);
  void Fill(uint32_t at, const PackedText& key, uint64_t hash, const row::Value* keys,
            const std::vector<int>& slots);
  // Before the slot changes.
  void Touch(uint32_t at) {
    marks_.Touch(at >> kPageSlotsLog2,
                 [this](uint32_t page, std::string& out) { WritePage(page, out); });
  }
  void WritePage(uint32_t number, std::string& out) const;
  void SaveGroup(GroupSlot& slot, base::ByteWriter& writer) const;
  bool Before(uint32_t a, uint32_t b) const;
  std::vector<uint32_t> Sorted() const;
  Status EmitGroup(uint32_t at, base::Arena& arena, const Emit& emit) const;
  void Remove(uint32_t at);
  void Destroy(GroupSlot& slot);
  void Clear();
  // Into the slot, or with kNone a new one.
  bool LoadGroup(base::ByteReader& reader, uint32_t at);

  std::vector<row::Type> key_types_;
  const BlockPlan plan_;
  KeyEncoder row_keys_;
  std::vector<int> first_slots_;  // where key values stand that were loaded
  KeyEncoder loaded_keys_;
  bool ordered_;
  std::vector<int> key_slots_;
  PageSource source_;
  SlabPool pool_{source_};
  SlotStore store_;
  KeyIndex index_;
  std::map<int64_t, uint32_t> by_first_key_;  // the newest of the groups, which lead to the others
  base::Arena key_arena_{4 << 10};
  std::vector<char> entry_;
  std::string scratch_;
  PageMarks marks_;
  uint32_t load_slots_ = 0;  // of the table that is being loaded
};

uint32_t HashedGroups::Make(const PackedText& key, uint64_t hash, const row::Value* keys,
                            const std::vector<int>& slots) {
  uint32_t at = store_.Allocate();
  marks_.Extend((at >> kPageSlotsLog2) + 1);
  Touch(at);
  Fill(at, key, hash, keys, slots);
  return at;
}

void HashedGroups::Fill(uint32_t at, const PackedText& key, uint64_t hash, const row::Value* keys,
                        const std::vector<int>& slots) {
  GroupSlot& slot = SlotAt(at);
  slot.key = key.is_long() ? PackedText::Copy(key.view(), pool_) : key;
  slot.hash = static_cast<uint32_t>(hash);
  slot.live = true;
  for (size_t i = 0; i < key_types_.size(); ++i) {
    KeysOf(slot)[i] = CopyValue(keys[slots[i]], key_types_[i], pool_);
  }
  index_.Insert(hash, at);
  slot.next = KeyIndex::kNone;
  if (ordered_ && !KeysOf(slot)[0].null) {
    auto [first, is_new] = by_first_key_.try_emplace(KeysOf(slot)[0].integer, at);
    if (!is_new) slot.next = std::exchange(first->second, at);
  }
}

Status HashedGroups::Add(const row::Value* row) {
  key_arena_.Reset();
  PackedText key = row_keys_.Encode(row, key_arena_);
  uint64_t hash = key.Hash();
  if (source_.spill() != nullptr) source_.spill()->Use(index_.PlaceOf(hash));
  uint32_t at = Find(key, hash);
  if (at == KeyIndex::kNone) {
    at = Make(key, hash, row, key_slots_);
  } else {
    Touch(at);
  }
  GroupSlot& slot = SlotAt(at);
  if (source_.spill() != nullptr) source_.spill()->Use(&slot);
  ++slot.rows;
  if (plan_.accumulators.empty()) return Ok();
  plan_.layout.Pack(row, 0, entry_.data(), pool_, scratch_);
  for (const AccumulatorPlan& plan : plan_.accumulators) {
    Accumulate(plan, Reach(slot, plan), entry_.data(), false, pool_);
  }
  plan_.layout.Release(entry_.data(), pool_);
  return Ok();
}

bool HashedGroups::Before(uint32_t a, uint32_t b) const {
  const row::Value* left = KeysOf(SlotAt(a));
  const row::Value* right = KeysOf(SlotAt(b));
  for (size_t i = 0; i < key_types_.size(); ++i) {
    if (left[i].null != right[i].null) return right[i].null;
    if (left[i].null) continue;
    int order = row::Compare(left[i], right[i], key_types_[i]);
    if (order != 0) return order < 0;
  }
  return false;
}

std::vector<uint32_t> HashedGroups::Sorted() const {
  std::vector<uint32_t> sorted;
  for (uint32_t at = 0; at < store_.limit(); ++at) {
    if (SlotAt(at).live) sorted.push_back(at);
  }
  std::sort(sorted.begin(), sorted.end(), [this](uint32_t a, uint32_t b) { return Before(a, b); });
  return sorted;
}

Status HashedGroups::EmitGroup(uint32_t at, base::Arena& arena, const Emit& emit) const {
  GroupSlot& slot = SlotAt(at);
  auto* keys = arena.AllocateArray<row::Value>(key_types_.size());
  for (size_t i = 0; i < key_types_.size(); ++i) {
    keys[i] = KeysOf(slot)[i];
    if (!keys[i].null && IsTextLike(key_types_[i])) {
      keys[i] = row::Value::Text(arena.Copy(keys[i].text()));
    }
  }
  auto* values = arena.AllocateArray<row::Value>(plan_.outputs.size());
  for (const OutputPlan& output : plan_.outputs) {
    row::Value* value = &values[output.spec.result_slot];
    *value = row::Value::Integer(static_cast<int64_t>(slot.rows));
    if (output.accumulator < 0) continue;
    const AccumulatorPlan& plan = plan_.accumulators[static_cast<size_t>(output.accumulator)];
    const char* state = StateOf(slot, plan);
    if (plan.on_heap()) state = LoadAs<const char*>(state);
    FinishError error =
        Finish(output.spec.kind, plan, output.spec.result_type, state, arena, value);
    if (error == FinishError::kNone) continue;
    return Error(ErrorKind::kInvalidArgument, "HR2120", std::string(Message(error)))
        .WithHint("cast the aggregate's argument to a type of wider range");
  }
  emit(keys, values);
  return Ok();
}

Status HashedGroups::EmitUpTo(int64_t bound, base::Arena& arena, const Emit& emit) {
  std::vector<uint32_t> due;
  auto end = by_first_key_.upper_bound(bound);
  for (auto it = by_first_key_.begin(); it != end; ++it) {
    for (uint32_t at = it->second; at != KeyIndex::kNone; at = SlotAt(at).next)
      due.push_back(at);
  }
  by_first_key_.erase(by_first_key_.begin(), end);
  std::sort(due.begin(), due.end(), [this](uint32_t a, uint32_t b) { return Before(a, b); });
  // A group that overflowed does not keep the others back; the first such error is returned.
  Status result = Ok();
  for (uint32_t at : due) {
    Status emitted = EmitGroup(at, arena, emit);
    if (result.ok() && !emitted.ok()) result = std::move(emitted);
    Remove(at);
  }
  return result;
}

Status HashedGroups::ForEach(base::Arena& arena, const Emit& emit) const {
  Status result = Ok();
  for (uint32_t at : Sorted()) {
    Status emitted = EmitGroup(at, arena, emit);
    if (result.ok() && !emitted.ok()) result = std::move(emitted);
  }
  return result;
}

void HashedGroups::Destroy(GroupSlot& slot) {
  for (size_t i = 0; i < key_types_.size(); ++i) {
    ReleaseValue(KeysOf(slot)[i], key_types_[i], pool_);
  }
  for (const AccumulatorPlan& plan : plan_.accumulators) {
    if (!plan.on_heap()) continue;
    auto* state = LoadAs<char*>(StateOf(slot, plan));
    if (state != nullptr) DeleteHeapState(plan, state, pool_);
  }
  slot.key.Release(pool_);
  slot.live = false;
}

void HashedGroups::Remove(uint32_t at) {
  Touch(at);
  index_.Erase(SlotAt(at).hash, at);
  Destroy(SlotAt(at));
  store_.Free(at);
}

void HashedGroups::Clear() {
  for (uint32_t at = 0; at < store_.limit(); ++at) {
    if (SlotAt(at).live) Destroy(SlotAt(at));
  }
  store_.Clear();
  index_.Clear();
  by_first_key_.clear();
  marks_.Clear();
}

// ---- Snapshots
// -----------------------------------------------------------------------------------
//
//   magic u32, version u8, fingerprint u64, groups varint,
//   per group, in order: key values, rows varint, states of the accumulators,
//   CRC-32C u32 of all before it

void HashedGroups::Save(std::string& out) const {
  size_t begin = out.size();
  base::ByteWriter writer(out);
  writer.U32Le(kMagic);
  writer.U8(kVersion);
  writer.U64Le(plan_.fingerprint);
  writer.Varint(index_.size());
  for (uint32_t at : Sorted())
    SaveGroup(SlotAt(at), writer);
  writer.U32Le(base::Crc32c(std::string_view(out).substr(begin)));
}

void HashedGroups::SaveGroup(GroupSlot& slot, base::ByteWriter& writer) const {
  for (size_t i = 0; i < key_types_.size(); ++i) {
    SaveValue(KeysOf(slot)[i], key_types_[i], writer);
  }
  writer.Varint(slot.rows);
  for (const AccumulatorPlan& plan : plan_.accumulators) {
    const char* state = StateOf(slot, plan);
    if (plan.on_heap()) state = LoadAs<const char*>(state);
    SaveState(plan, state, writer);
  }
}

bool HashedGroups::LoadGroup(base::ByteReader& reader, uint32_t at) {
  std::vector<row::Value> keys(key_types_.size(), row::Value::Null());
  bool good = true;
  for (size_t i = 0; i < keys.size() && good; ++i) {
    good = LoadValue(key_types_[i], reader, pool_, &keys[i]);
  }
  if (good) {
    key_arena_.Reset();
    PackedText key = loaded_keys_.Encode(keys.data(), key_arena_);
    good = Find(key, key.Hash()) == KeyIndex::kNone;
    if (good && at == KeyIndex::kNone) {
      at = Make(key, key.Hash(), keys.data(), first_slots_);
    } else if (good) {
      Fill(at, key, key.Hash(), keys.data(), first_slots_);
    }
  }
  for (size_t i = 0; i < keys.size(); ++i)
    ReleaseValue(keys[i], key_types_[i], pool_);
  if (!good) return false;
  GroupSlot& slot = SlotAt(at);
  slot.rows = reader.Varint();
  for (const AccumulatorPlan& plan : plan_.accumulators) {
    if (!LoadState(plan, Reach(slot, plan), reader, pool_)) return false;
  }
  return reader.ok();
}

Status HashedGroups::Load(std::string_view bytes) {
  Clear();
  std::string_view body;
  if (const char* wrong = TakeBody(bytes, &body)) return Damaged(wrong);
  base::ByteReader reader(body);
  if (reader.U32Le() != kMagic) return Damaged("not the state of a group table");
  if (reader.U8() != kVersion) return Damaged("of a version this program does not know");
  if (reader.U64Le() != plan_.fingerprint) return Damaged("of another definition");
  uint64_t count = reader.Varint();
  bool good = reader.ok() && count <= reader.remaining();
  for (uint64_t i = 0; i < count && good; ++i)
    good = LoadGroup(reader, KeyIndex::kNone);
  if (!good || reader.remaining() != 0) {
    Clear();
    return Damaged("the bytes do not parse");
  }
  return Ok();
}

// ---- Pages
// -----------------------------------------------------------------------------------------
//
//   groups varint, per group, ascending slots: slot in the page varint, then as in Save

BlockHead HashedGroups::BeginSnapshot(bool whole) {
  marks_.Begin(whole);
  return {plan_.fingerprint, store_.limit(), INT64_MIN};
}

void HashedGroups::WritePage(uint32_t number, std::string& out) const {
  const uint32_t begin = number << kPageSlotsLog2;
  const uint32_t end = std::min(begin + kPageSlots, store_.limit());
  uint64_t count = 0;
  for (uint32_t at = begin; at < end; ++at)
    count += SlotAt(at).live ? 1 : 0;
  base::ByteWriter writer(out);
  writer.Varint(count);
  for (uint32_t at = begin; at < end; ++at) {
    if (!SlotAt(at).live) continue;
    writer.Varint(at - begin);
    SaveGroup(SlotAt(at), writer);
  }
}

bool HashedGroups::TakePages(size_t bytes_max, std::vector<StatePage>& out) {
  return marks_.TakeDue(bytes_max, out,
                        [this](uint32_t page, std::string& bytes) { WritePage(page, bytes); });
}

Status HashedGroups::BeginLoad(const BlockHead& head) {
  if (head.fingerprint != plan_.fingerprint) return Damaged("of another definition");
  Clear();
  load_slots_ = head.slots;
  return Ok();
}

Status HashedGroups::LoadPage(uint32_t number, std::string_view bytes) {
  if (uint64_t{number} << kPageSlotsLog2 >= load_slots_) return Damaged("a page beyond the slots");
  const uint32_t begin = number << kPageSlotsLog2;
  store_.Extend(begin + kPageSlots);
  marks_.Extend(size_t{number} + 1);
  base::ByteReader reader(bytes);
  for (uint64_t i = reader.Varint(); i > 0 && reader.ok(); --i) {
    const uint64_t at = reader.Varint();
    const bool fits = reader.ok() && at < kPageSlots;
    const uint32_t slot = begin + static_cast<uint32_t>(fits ? at : 0);
    if (!fits || SlotAt(slot).live || !LoadGroup(reader, slot)) {
      return Damaged("the bytes of a page do not parse");
    }
  }
  if (!reader.ok() || reader.remaining() != 0) return Damaged("the bytes of a page do not parse");
  return Ok();
}

void HashedGroups::EndLoad() {
  for (uint32_t slot = store_.limit(); slot > 0; --slot) {
    if (!SlotAt(slot - 1).live) store_.Free(slot - 1);
  }
}

}  // namespace

std::unique_ptr<GroupTable> GroupTable::Make(GroupTableSpec spec, os::SpillFile* spill) {
  return std::make_unique<HashedGroups>(spec, spill);
}

}  // namespace headrace::state
