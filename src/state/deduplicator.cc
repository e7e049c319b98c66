#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "state/checked_body.h"
#include "state/group_table.h"
#include "state/key_index.h"
#include "state/packed_text.h"
#include "state/page_marks.h"
#include "state/slab_pool.h"
#include "state/slot_store.h"

namespace headrace::state {
namespace {

constexpr uint32_t kMagic = 0x44445248;  // "HRDD"
constexpr uint8_t kVersion = 1;
constexpr std::string_view kPagesOf = "de-duplication";
constexpr uint32_t kSweptPerCall = 2;
// Slots are taken and swept in turn: what changed lies close together, so pages may be large.
constexpr int kPageSlotsLog2 = 8;
constexpr uint32_t kPageSlots = 1U << kPageSlotsLog2;

// A key at one event time. A key that came again farther away than the horizon has several.
struct Remembered {
  PackedText key;
  int64_t event_time;
  uint32_t hash;
  bool live;
};

Error Damaged(const char* what) {
  return Error(ErrorKind::kCorruption, "HR4203", std::string("de-duplication state: ") + what)
      .WithHint("the state is rebuilt from the log when its snapshot is removed");
}

// The distance of two times, which may pass 63 bits.
uint64_t Distance(int64_t a, int64_t b) {
  return a > b ? static_cast<uint64_t>(a) - static_cast<uint64_t>(b)
               : static_cast<uint64_t>(b) - static_cast<uint64_t>(a);
}

}  // namespace

struct Deduplicator::Table {
  Table(int64_t horizon_micros, int64_t lateness_micros, os::SpillFile* spill_file)
      : horizon(static_cast<uint64_t>(std::max<int64_t>(horizon_micros, 0))),
        lateness(static_cast<uint64_t>(std::max<int64_t>(lateness_micros, 0))),
        source(spill_file),
        store(sizeof(Remembered), source),
        index(spill_file) {}

  Remembered& At(uint32_t slot) const { return *reinterpret_cast<Remembered*>(store.at(slot)); }

  void Remember(const PackedText& key, uint64_t hash, int64_t event_time) {
    uint32_t slot = store.Allocate();
    marks.Extend((slot >> kPageSlotsLog2) + 1);
    Touch(slot);
    Fill(slot, key, hash, event_time);
  }

  void Fill(uint32_t slot, const PackedText& key, uint64_t hash, int64_t event_time) {
    Remembered& made = At(slot);
    made.key = key.is_long() ? PackedText::Copy(key.view(), pool) : key;
    made.event_time = event_time;
    made.hash = static_cast<uint32_t>(hash);
    made.live = true;
    index.Insert(hash, slot);
  }

  // Before the slot changes.
  void Touch(uint32_t slot) {
    marks.Touch(slot >> kPageSlotsLog2,
                [this](uint32_t page, std::string& out) { WritePage(page, out); });
  }

  // Whether no event to come can be within the horizon of it.
  bool Expired(const Remembered& one) const { return Expired(one, watermark); }
  bool Expired(const Remembered& one, int64_t by) const {
    if (by == INT64_MIN || by <= one.event_time) return false;
    return Distance(by, one.event_time) > horizon + lateness;
  }

  // Number varint, per remembered one, ascending slots: slot in the page varint, key string, event
  // time zigzag. Those that had expired at the snapshot's moment are left out.
  void WritePage(uint32_t number, std::string& out) const {
    const uint32_t begin = number << kPageSlotsLog2;
    const uint32_t end = std::min(begin + kPageSlots, store.limit());
    const auto stays = [&](uint32_t slot) {
      return At(slot).live && !Expired(At(slot), snapshot_watermark);
    };
    uint64_t count = 0;
    for (uint32_t slot = begin; slot < end; ++slot)
      count += stays(slot) ? 1 : 0;
    base::ByteWriter writer(out);
    writer.Varint(count);
    for (uint32_t slot = begin; slot < end; ++slot) {
      if (!stays(slot)) continue;
      writer.Varint(slot - begin);
      writer.String(At(slot).key.view());
      writer.Zigzag(At(slot).event_time);
    }
  }

  void Sweep() {
    for (uint32_t i = 0; i < kSweptPerCall && store.limit() > 0; ++i) {
      if (sweep_at >= store.limit()) sweep_at = 0;
      uint32_t slot = sweep_at++;
      Remembered& one = At(slot);
      if (!one.live || !Expired(one)) continue;
      Touch(slot);
      index.Erase(one.hash, slot);
      one.key.Release(pool);
      one.live = false;
      store.Free(slot);
    }
  }

  void Clear() {
    for (uint32_t slot = 0; slot < store.limit(); ++slot) {
      if (At(slot).live) At(slot).key.Release(pool);
    }
    store.Clear();
    index.Clear();
    marks.Clear();
    watermark = INT64_MIN;
    sweep_at = 0;
  }

  uint64_t horizon;
  uint64_t lateness;
  PageSource source;
  SlabPool pool{source};
  SlotStore store;
  KeyIndex index;
  int64_t watermark = INT64_MIN;
  uint32_t sweep_at = 0;
  PageMarks marks;
  int64_t snapshot_watermark = INT64_MIN;  // at the moment of the snapshot under way
  uint32_t load_slots = 0;                 // of the state that is being loaded
};

Deduplicator::Deduplicator(int64_t horizon, int64_t lateness, os::SpillFile* spill)
    : table_(std::make_unique<Table>(horizon, lateness, spill)) {}

Deduplicator::~Deduplicator() {
  table_->Clear();
}

bool Deduplicator::spills() const {
  const os::SpillFile* spill = table_->source.spill();
  return spill != nullptr && spill->put_out() > 0;
}

void Deduplicator::Expect(std::span<const std::string> keys) {
  if (!spills()) return;
  Table& table = *table_;
  os::SpillFile* spill = table.source.spill();
  std::vector<const char*> wanted;
  std::vector<uint64_t> hashes;
  for (const std::string& key : keys) {
    hashes.push_back(PackedText::Borrow(key).Hash());
    const auto* place = static_cast<const char*>(table.index.PlaceOf(hashes.back()));
    if (spill->Use(place)) wanted.push_back(place);
  }
  spill->Fetch(wanted);
  wanted.clear();
  for (uint64_t hash : hashes) {
    const uint32_t guess = table.index.Guess(hash);
    if (guess != KeyIndex::kNone && spill->Use(table.store.at(guess)))
      wanted.push_back(table.store.at(guess));
  }
  spill->Fetch(wanted);
}

bool Deduplicator::IsRepeat(std::string_view key, int64_t event_time, int64_t watermark) {
  Table& table = *table_;
  table.watermark = std::max(table.watermark, watermark);
  PackedText text = PackedText::Borrow(key);
  uint64_t hash = text.Hash();
  uint32_t found = table.index.Find(hash, [&table, &text, event_time](uint32_t slot) {
    const Remembered& one = table.At(slot);
    // When it is swept away must not show: what has expired is no repeat any more.
    return Distance(one.event_time, event_time) <= table.horizon && one.key == text &&
           !table.Expired(one);
  });
  bool repeat = found != KeyIndex::kNone;
  if (!repeat) table.Remember(text, hash, event_time);
  table.Sweep();
  return repeat;
}

size_t Deduplicator::bytes() const {
  return table_->source.bytes() + table_->pool.bytes_outside() + table_->store.bytes_outside() +
         table_->index.bytes() + table_->marks.bytes();
}

// Magic u32, version u8, watermark i64, number varint, per remembered (by key, then time): key,
// zigzag time; CRC-32C u32 of all before it.
void Deduplicator::Save(std::string& out) const {
  const Table& table = *table_;
  std::vector<const Remembered*> sorted;
  for (uint32_t slot = 0; slot < table.store.limit(); ++slot) {
    const Remembered& one = table.At(slot);
    if (one.live && !table.Expired(one)) sorted.push_back(&one);
  }
  std::sort(sorted.begin(), sorted.end(), [](const Remembered* a, const Remembered* b) {
    int order = a->key.view().compare(b->key.view());
    return order != 0 ? order < 0 : a->event_time < b->event_time;
  });
  size_t begin = out.size();
  base::ByteWriter writer(out);
  writer.U32Le(kMagic);
  writer.U8(kVersion);
  writer.U64Le(static_cast<uint64_t>(table.watermark));
  writer.Varint(sorted.size());
  for (const Remembered* one : sorted) {
    writer.String(one->key.view());
    writer.Zigzag(one->event_time);
  }
  writer.U32Le(base::Crc32c(std::string_view(out).substr(begin)));
}

Status Deduplicator::Load(std::string_view bytes) {
  Table& table = *table_;
  table.Clear();
  std::string_view body;
  if (const char* wrong = TakeBody(bytes, &body)) return Damaged(wrong);
  base::ByteReader reader(body);
  if (reader.U32Le() != kMagic) return Damaged("not the state of a de-duplication");
  if (reader.U8() != kVersion) return Damaged("of a version this program does not know");
  auto watermark = static_cast<int64_t>(reader.U64Le());
  uint64_t count = reader.Varint();
  bool good = reader.ok() && count <= reader.remaining() / 2;
  for (uint64_t i = 0; i < count && good; ++i) {
    std::string_view key = reader.String();
    int64_t event_time = reader.Zigzag();
    good = reader.ok() && key.size() <= UINT32_MAX;
    if (!good) break;
    PackedText text = PackedText::Borrow(key);
    table.Remember(text, text.Hash(), event_time);
  }
  if (!good || reader.remaining() != 0) {
    table.Clear();
    return Damaged("the bytes do not parse");
  }
  table.watermark = watermark;
  return Ok();
}

// ---- Pages
// -----------------------------------------------------------------------------------------

BlockHead Deduplicator::BeginSnapshot(bool whole) {
  Table& table = *table_;
  table.snapshot_watermark = table.watermark;
  table.marks.Begin(whole);
  return {base::Hash64(kPagesOf), table.store.limit(), table.watermark};
}

bool Deduplicator::TakePages(size_t bytes_max, std::vector<StatePage>& out) {
  return table_->marks.TakeDue(bytes_max, out, [this](uint32_t page, std::string& bytes) {
    table_->WritePage(page, bytes);
  });
}

Status Deduplicator::BeginLoad(const BlockHead& head) {
  if (head.fingerprint != base::Hash64(kPagesOf)) return Damaged("of another kind of state");
  table_->Clear();
  table_->watermark = head.watermark;
  table_->load_slots = head.slots;
  return Ok();
}

Status Deduplicator::LoadPage(uint32_t number, std::string_view bytes) {
  Table& table = *table_;
  if (uint64_t{number} << kPageSlotsLog2 >= table.load_slots) {
    return Damaged("a page beyond the slots");
  }
  const uint32_t begin = number << kPageSlotsLog2;
  table.store.Extend(begin + kPageSlots);
  table.marks.Extend(size_t{number} + 1);
  base::ByteReader reader(bytes);
  for (uint64_t i = reader.Varint(); i > 0 && reader.ok(); --i) {
    const uint64_t at = reader.Varint();
    const std::string_view key = reader.String();
    const int64_t event_time = reader.Zigzag();
    if (!reader.ok() || at >= kPageSlots || key.size() > UINT32_MAX) {
      return Damaged("the bytes of a page do not parse");
    }
    const uint32_t slot = begin + static_cast<uint32_t>(at);
    if (table.At(slot).live) return Damaged("a slot has two keys");
    const PackedText text = PackedText::Borrow(key);
    table.Fill(slot, text, text.Hash(), event_time);
  }
  if (!reader.ok() || reader.remaining() != 0) return Damaged("the bytes of a page do not parse");
  return Ok();
}

void Deduplicator::EndLoad() {
  Table& table = *table_;
  for (uint32_t slot = table.store.limit(); slot > 0; --slot) {
    if (!table.At(slot - 1).live) table.store.Free(slot - 1);
  }
}

}  // namespace headrace::state
