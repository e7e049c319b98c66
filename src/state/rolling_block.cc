#include "state/rolling_block.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"

namespace headrace::state {

std::unique_ptr<KeyBlock> KeyBlock::Make(KeyBlockSpec spec) {
  return std::make_unique<RollingBlock>(spec);
}

RollingBlock::RollingBlock(const KeyBlockSpec& spec)
    : plan_(spec),
      keys_(plan_, pool_),
      encoder_(spec.key_slots, spec.key_types),
      store_(keys_.slot_bytes(), source_) {}

RollingBlock::~RollingBlock() {
  Clear();
}

void RollingBlock::Clear() {
  for (uint32_t slot = 0; slot < store_.limit(); ++slot) {
    if (SlotAt(slot).live) keys_.Destroy(SlotAt(slot));
  }
  store_.Clear();
  index_.Clear();
  watermark_ = INT64_MIN;
  sweep_at_ = 0;
  sweep_credit_ = 0;
}

size_t RollingBlock::bytes() const {
  return source_.bytes() + pool_.bytes_outside() + store_.bytes_outside() + index_.bytes();
}

// ---- Update
// --------------------------------------------------------------------------------------

size_t RollingBlock::Collect(row::Batch& batch, const std::vector<uint8_t>& failed, size_t* next) {
  size_t count = 0;
  for (; *next < batch.rows().size() && count < kChunk; ++*next) {
    if (failed[*next] != 0) continue;
    Pending& pending = pending_[count++];
    pending.key = encoder_.Encode(batch.rows()[*next].values, batch.arena());
    pending.hash = pending.key.Hash();
    pending.row = *next;
    index_.Prefetch(pending.hash);
  }
  return count;
}

void RollingBlock::PrefetchSlots(size_t count) const {
  constexpr size_t kLine = 64;
  constexpr size_t kMaxLines = 6;
  uint32_t guesses[kChunk];
  size_t lines = std::min((keys_.slot_bytes() + kLine - 1) / kLine, kMaxLines);
  for (size_t i = 0; i < count; ++i) {
    guesses[i] = index_.Guess(pending_[i].hash);
    if (guesses[i] == KeyIndex::kNone) continue;
    const char* slot = store_.at(guesses[i]);
    for (size_t line = 0; line < lines; ++line)
      __builtin_prefetch(slot + line * kLine, 1);
  }
  for (size_t i = 0; i < count; ++i) {
    if (guesses[i] != KeyIndex::kNone) keys_.Prefetch(SlotAt(guesses[i]));
  }
}

uint32_t RollingBlock::FindOrMake(const PackedText& key, uint64_t hash) {
  uint32_t found =
      index_.Find(hash, [this, &key](uint32_t slot) { return SlotAt(slot).key == key; });
  if (found != KeyIndex::kNone) return found;
  uint32_t made = store_.Allocate();
  KeySlot& slot = SlotAt(made);
  slot.key = key.is_long() ? PackedText::Copy(key.view(), pool_) : key;
  slot.hash = static_cast<uint32_t>(hash);
  slot.live = true;
  index_.Insert(hash, made);
  return made;
}

void RollingBlock::Apply(const Pending& pending, row::Batch& batch, std::vector<uint8_t>& failed,
                         std::vector<std::string>& errors) {
  const row::Row& row = batch.rows()[pending.row];
  size_t keys_before = index_.size();
  KeySlot& slot = SlotAt(FindOrMake(pending.key, pending.hash));
  watermark_ = std::max(watermark_, row.watermark);
  keys_.Trim(slot, row.watermark);
  uint32_t position = keys_.Add(slot, row.values, row.event_time);
  for (const OutputPlan& output : plan_.outputs) {
    row::Value* result = &row.values[output.spec.result_slot];
    FinishError error = keys_.Read(output, slot, position, batch.arena(), result);
    if (error == FinishError::kNone) continue;
    *result = row::Value::Null();
    if (failed[pending.row] == 0) errors[pending.row] = Message(error);
    failed[pending.row] = 1;
  }
  for (size_t i = 0; i < plan_.frames.size(); ++i) {
    int count_slot = plan_.frames[i].spec.count_slot;
    if (count_slot < 0) continue;
    row.values[count_slot] = row::Value::Integer(keys_.CountRows(slot, static_cast<int>(i)));
  }
  Sweep(index_.size() > keys_before);
}

void RollingBlock::Update(row::Batch& batch, std::vector<uint8_t>& failed,
                          std::vector<std::string>& errors) {
  if (errors.size() < batch.rows().size()) errors.resize(batch.rows().size());
  size_t next = 0;
  while (next < batch.rows().size()) {
    size_t count = Collect(batch, failed, &next);
    PrefetchSlots(count);
    for (size_t i = 0; i < count; ++i)
      Apply(pending_[i], batch, failed, errors);
  }
}

void RollingBlock::Drop(uint32_t slot) {
  index_.Erase(SlotAt(slot).hash, slot);
  keys_.Destroy(SlotAt(slot));
  store_.Free(slot);
}

void RollingBlock::Sweep(bool made_key) {
  // What an unbounded frame folds away depends on when it is visited, and snapshots show it.
  if (plan_.reach.unbounded) return;
  sweep_credit_ += made_key ? kCreditPerKey : kCreditPerRow;
  for (; sweep_credit_ >= kVisitCost; sweep_credit_ -= kVisitCost) {
    if (sweep_at_ >= store_.limit()) sweep_at_ = 0;
    uint32_t at = sweep_at_++;
    if (at + kSweepAhead < store_.limit()) keys_.PrefetchOldest(SlotAt(at + kSweepAhead));
    KeySlot& slot = SlotAt(at);
    if (!slot.live) continue;
    if (keys_.Unreachable(slot, watermark_) == slot.size()) {
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

void RollingBlock::Save(std::string& out) const {
  std::vector<uint32_t> sorted;
  for (uint32_t at = 0; at < store_.limit(); ++at) {
    const KeySlot& slot = SlotAt(at);
    if (!slot.live) continue;
    // A key that only waits to be swept is as good as gone.
    bool gone = !plan_.reach.unbounded && keys_.Unreachable(slot, watermark_) == slot.size();
    if (!gone) sorted.push_back(at);
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

bool RollingBlock::LoadKeys(base::ByteReader& reader, uint64_t count) {
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

Status RollingBlock::Load(std::string_view bytes) {
  Clear();
  if (bytes.size() < kHeadBytes + kCrcBytes) return Damaged("shorter than its header");
  std::string_view body = bytes.substr(0, bytes.size() - kCrcBytes);
  base::ByteReader tail(bytes.substr(body.size()));
  if (tail.U32Le() != base::Crc32c(body)) return Damaged("the checksum does not match");
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

}  // namespace headrace::state
