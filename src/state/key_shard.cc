#include "state/key_shard.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"
#include "state/checked_body.h"

namespace headrace::state {

KeyShard::KeyShard(const BlockPlan& plan, os::SpillFile* spill)
    : plan_(plan),
      spill_(spill),
      source_(spill),
      keys_(plan_, pool_),
      index_(spill),
      store_(keys_.slot_bytes(), source_) {}

KeyShard::~KeyShard() {
  Clear();
}

void KeyShard::Clear() {
  for (uint32_t slot = 0; slot < store_.limit(); ++slot) {
    if (SlotAt(slot).live) keys_.Destroy(SlotAt(slot));
  }
  store_.Clear();
  index_.Clear();
  marks_.Clear();
  watermark_ = INT64_MIN;
  sweep_at_ = 0;
  sweep_credit_ = 0;
}

size_t KeyShard::bytes() const {
  return source_.bytes() + pool_.bytes_outside() + store_.bytes_outside() + index_.bytes() +
         marks_.bytes();
}

// ---- Update
// --------------------------------------------------------------------------------------

void KeyShard::Prefetch(std::span<const KeyedRow> chunk) const {
  constexpr size_t kLine = 64;
  constexpr size_t kMaxLines = 6;
  for (const KeyedRow& keyed : chunk)
    index_.Prefetch(keyed.hash);
  uint32_t guesses[kChunk];
  size_t lines = std::min((keys_.slot_bytes() + kLine - 1) / kLine, kMaxLines);
  for (size_t i = 0; i < chunk.size(); ++i) {
    guesses[i] = index_.Guess(chunk[i].hash);
    if (guesses[i] == KeyIndex::kNone) continue;
    const char* slot = store_.at(guesses[i]);
    for (size_t line = 0; line < lines; ++line)
      __builtin_prefetch(slot + line * kLine, 1);
  }
  for (size_t i = 0; i < chunk.size(); ++i) {
    if (guesses[i] != KeyIndex::kNone) keys_.Prefetch(SlotAt(guesses[i]));
  }
}

void KeyShard::Use(std::span<const KeyedRow> rows, FetchStep step,
                   std::vector<const char*>& wanted) const {
  UseKeys({index_, store_, keys_.slot_bytes(), *spill_}, rows, step, wanted,
          [&](uint32_t slot) { keys_.Use(SlotAt(slot), *spill_, wanted); });
}

uint32_t KeyShard::FindOrMake(const PackedText& key, uint64_t hash) {
  uint32_t found =
      index_.Find(hash, [this, &key](uint32_t slot) { return SlotAt(slot).key == key; });
  if (found != KeyIndex::kNone) return found;
  uint32_t made = store_.Allocate();
  marks_.Extend((made >> kPageSlotsLog2) + 1);
  Touch(made);
  KeySlot& slot = SlotAt(made);
  slot.key = key.is_long() ? PackedText::Copy(key.view(), pool_) : key;
  slot.hash = static_cast<uint32_t>(hash);
  slot.live = true;
  index_.Insert(hash, made);
  return made;
}

KeyShard::Taken KeyShard::Take(const KeyedRow& keyed, const row::Row& row) {
  size_t keys_before = index_.size();
  Taken taken;
  taken.slot = FindOrMake(keyed.key, keyed.hash);
  taken.made_key = index_.size() > keys_before;
  Touch(taken.slot);
  KeySlot& slot = SlotAt(taken.slot);
  watermark_ = std::max(watermark_, row.watermark);
  keys_.Trim(slot, row.watermark);
  taken.position = keys_.Insert(slot, row.values, row.event_time);
  return taken;
}

void KeyShard::Answer(const Taken& taken, const KeyedRow& keyed, row::Row& row, base::Arena& arena,
                      KeyBlock::Failures& failures) {
  KeySlot& slot = SlotAt(taken.slot);
  keys_.MoveTo(slot, taken.position, row.event_time);
  for (const OutputPlan& output : plan_.outputs) {
    row::Value* result = &row.values[output.spec.result_slot];
    FinishError error = keys_.Read(output, slot, taken.position, arena, result);
    if (error == FinishError::kNone) continue;
    *result = row::Value::Null();
    if (failures.failed[keyed.row] == 0) failures.errors[keyed.row] = Message(error);
    failures.failed[keyed.row] = 1;
  }
  for (size_t i = 0; i < plan_.frames.size(); ++i) {
    int count_slot = plan_.frames[i].spec.count_slot;
    if (count_slot < 0) continue;
    row.values[count_slot] = row::Value::Integer(keys_.CountRows(slot, static_cast<int>(i)));
  }
}

size_t KeyShard::CountPeers(std::span<const KeyedRow> rows, const row::Batch& batch) {
  const int64_t time = batch.rows()[rows[0].row].event_time;
  size_t count = 1;
  while (count < rows.size() && batch.rows()[rows[count].row].event_time == time)
    ++count;
  return count;
}

void KeyShard::Update(std::span<const KeyedRow> rows, row::Batch& batch, base::Arena& arena,
                      KeyBlock::Failures& failures) {
  size_t fetched = 0;
  while (!rows.empty()) {
    if (fetched == 0) {
      fetched = std::min(rows.size(), kChunk);
      Prefetch(rows.first(fetched));
    }
    const size_t together = plan_.peers ? CountPeers(rows, batch) : 1;
    in_window_.clear();
    for (const KeyedRow& keyed : rows.first(together))
      in_window_.push_back(Take(keyed, batch.rows()[keyed.row]));
    for (size_t i = 0; i < together; ++i)
      Answer(in_window_[i], rows[i], batch.rows()[rows[i].row], arena, failures);
    for (const Taken& taken : in_window_)
      Sweep(taken.made_key);
    fetched -= std::min(fetched, together);
    rows = rows.subspan(together);
  }
}

void KeyShard::Drop(uint32_t slot) {
  index_.Erase(SlotAt(slot).hash, slot);
  keys_.Destroy(SlotAt(slot));
  store_.Free(slot);
}

void KeyShard::Sweep(bool made_key) {
  // What an unbounded frame folds away depends on when it is visited, and snapshots show it.
  if (plan_.reach.unbounded) return;
  sweep_credit_ += made_key ? kCreditPerKey : kCreditPerRow;
  for (; sweep_credit_ >= kVisitCost; sweep_credit_ -= kVisitCost) {
    if (sweep_at_ >= store_.limit()) sweep_at_ = 0;
    uint32_t at = sweep_at_++;
    KeySlot& slot = SlotAt(at);
    if (!slot.live) continue;
    uint32_t unreachable = keys_.Unreachable(slot, watermark_);
    if (unreachable > 0) Touch(at);
    if (unreachable == slot.size()) {
      Drop(at);
    } else {
      keys_.Trim(slot, watermark_);
    }
  }
}

// ---- Snapshots
// -----------------------------------------------------------------------------------
//
//   magic u32, version u8, fingerprint u64, watermark i64, keys varint,
//   per key, ascending: key (varint 0 for NULL, else length + 1, bytes), then RollingKeys::Save,
//   CRC-32C u32 of all before it

namespace {

constexpr uint32_t kMagic = 0x424b5248;  // "HRKB"
constexpr uint8_t kVersion = 1;
constexpr size_t kHeadBytes = 4 + 1 + 8 + 8;
constexpr size_t kCrcBytes = 4;

Error Damaged(const char* what) {
  return Error(ErrorKind::kCorruption, "HR4201", std::string("key block state: ") + what)
      .WithHint("the state is rebuilt from the log when its snapshot is removed");
}

bool KeyLess(const PackedText& a, const PackedText& b) {
  if (a.null() || b.null()) return a.null() && !b.null();
  return a.view() < b.view();
}

}  // namespace

// A key that only waits to be swept is as good as gone.
bool KeyShard::IsGone(KeySlot& slot, int64_t watermark) const {
  return !plan_.reach.unbounded && keys_.Unreachable(slot, watermark) == slot.size();
}

void KeyShard::Save(std::string& out) const {
  std::vector<uint32_t> sorted;
  for (uint32_t at = 0; at < store_.limit(); ++at) {
    const KeySlot& slot = SlotAt(at);
    if (!slot.live) continue;
    if (!IsGone(SlotAt(at), watermark_)) sorted.push_back(at);
  }
  std::sort(sorted.begin(), sorted.end(),
            [this](uint32_t a, uint32_t b) { return KeyLess(SlotAt(a).key, SlotAt(b).key); });
  size_t begin = out.size();
  base::ByteWriter writer(out);
  writer.U32Le(kMagic);
  writer.U8(kVersion);
  writer.U64Le(plan_.fingerprint);
  writer.U64Le(static_cast<uint64_t>(watermark_));
  writer.Varint(sorted.size());
  for (uint32_t at : sorted) {
    KeySlot& slot = SlotAt(at);
    writer.Varint(slot.key.null() ? 0 : slot.key.view().size() + 1);
    writer.Bytes(slot.key.view());
    uint32_t skip = plan_.reach.unbounded ? 0 : keys_.Unreachable(slot, watermark_);
    keys_.Save(slot, skip, writer);
  }
  writer.U32Le(base::Crc32c(std::string_view(out).substr(begin)));
}

bool KeyShard::LoadKeys(base::ByteReader& reader, uint64_t count) {
  PackedText previous;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t length = reader.Varint();
    std::string_view text = length == 0 ? std::string_view{} : reader.Bytes(length - 1);
    if (!reader.ok() || text.size() > UINT32_MAX) return false;
    PackedText key = length == 0 ? PackedText() : PackedText::Borrow(text);
    if (i > 0 && !KeyLess(previous, key)) return false;
    previous = key;
    if (!keys_.Load(SlotAt(FindOrMake(key, key.Hash())), reader)) return false;
  }
  return reader.ok() && reader.remaining() == 0;
}

Status KeyShard::Load(std::string_view bytes) {
  Clear();
  if (bytes.size() < kHeadBytes + kCrcBytes) return Damaged("shorter than its header");
  std::string_view body;
  if (const char* wrong = TakeBody(bytes, &body)) return Damaged(wrong);
  base::ByteReader reader(body);
  if (reader.U32Le() != kMagic) return Damaged("not the state of a key block");
  if (reader.U8() != kVersion) return Damaged("of a version this program does not know");
  if (reader.U64Le() != plan_.fingerprint) return Damaged("of another definition");
  auto watermark = static_cast<int64_t>(reader.U64Le());
  uint64_t count = reader.Varint();
  if (!reader.ok() || count > reader.remaining() || !LoadKeys(reader, count)) {
    Clear();
    return Damaged("the bytes do not parse");
  }
  watermark_ = watermark;
  return Ok();
}

// ---- Pages
// ---------------------------------------------------------------------------------------
//
//   keys varint, per key, ascending slots: slot in the page varint, key (varint 0 for NULL, else
//   length + 1, bytes), then RollingKeys::Save

BlockHead KeyShard::BeginSnapshot(bool whole) {
  snapshot_watermark_ = watermark_;
  marks_.Begin(whole);
  return {plan_.fingerprint, store_.limit(), watermark_};
}

void KeyShard::WritePage(uint32_t number, std::string& out) const {
  const uint32_t begin = number << kPageSlotsLog2;
  const uint32_t end = std::min(begin + kPageSlots, store_.limit());
  std::vector<uint32_t> kept;
  for (uint32_t at = begin; at < end; ++at) {
    if (SlotAt(at).live && !IsGone(SlotAt(at), snapshot_watermark_)) kept.push_back(at);
  }
  base::ByteWriter writer(out);
  writer.Varint(kept.size());
  for (uint32_t at : kept) {
    KeySlot& slot = SlotAt(at);
    writer.Varint(at - begin);
    writer.Varint(slot.key.null() ? 0 : slot.key.view().size() + 1);
    writer.Bytes(slot.key.view());
    uint32_t skip = plan_.reach.unbounded ? 0 : keys_.Unreachable(slot, snapshot_watermark_);
    keys_.Save(slot, skip, writer);
  }
}

bool KeyShard::TakePages(size_t bytes_max, std::vector<StatePage>& out) {
  return marks_.TakeDue(bytes_max, out,
                        [this](uint32_t page, std::string& bytes) { WritePage(page, bytes); });
}

Status KeyShard::BeginLoad(const BlockHead& head) {
  if (head.fingerprint != plan_.fingerprint) return Damaged("of another definition");
  Clear();
  load_slots_ = head.slots;
  watermark_ = head.watermark;
  return Ok();
}

Status KeyShard::LoadPage(uint32_t number, std::string_view bytes) {
  if (uint64_t{number} << kPageSlotsLog2 >= load_slots_) return Damaged("a page beyond the slots");
  const uint32_t begin = number << kPageSlotsLog2;
  store_.Extend(begin + kPageSlots);
  marks_.Extend(size_t{number} + 1);
  base::ByteReader reader(bytes);
  uint64_t count = reader.Varint();
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    uint64_t at = reader.Varint();
    uint64_t length = reader.Varint();
    std::string_view text = length == 0 ? std::string_view{} : reader.Bytes(length - 1);
    if (!reader.ok() || at >= kPageSlots || text.size() > UINT32_MAX) break;
    KeySlot& slot = SlotAt(begin + static_cast<uint32_t>(at));
    if (slot.live) return Damaged("a slot has two keys");
    slot.key = length == 0 ? PackedText() : PackedText::Copy(text, pool_);
    uint64_t hash = slot.key.Hash();
    slot.hash = static_cast<uint32_t>(hash);
    slot.live = true;
    index_.Insert(hash, begin + static_cast<uint32_t>(at));
    if (!keys_.Load(slot, reader)) return Damaged("the bytes of a key do not parse");
  }
  if (!reader.ok() || reader.remaining() != 0) return Damaged("the bytes of a page do not parse");
  return Ok();
}

void KeyShard::EndLoad() {
  for (uint32_t slot = store_.limit(); slot > 0; --slot) {
    if (!SlotAt(slot - 1).live) store_.Free(slot - 1);
  }
}

}  // namespace headrace::state
