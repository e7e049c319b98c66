#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "state/block_plan.h"
#include "state/fetch.h"
#include "state/key_block.h"
#include "state/key_index.h"
#include "state/page_marks.h"
#include "state/rolling_key.h"
#include "state/slab_pool.h"
#include "state/slot_store.h"

namespace headrace::state {

// A row of a batch on its way to its key.
struct KeyedRow {
  PackedText key;
  uint64_t hash = 0;
  uint32_t row = 0;
};

// A share of a key block's keys: an index from keys to slots, the slots, and the pool behind them.
//
// Rows are looked up in chunks, so that the memory of their keys is on its way while the rows
// before them are computed; they are applied strictly one after another. Every second row one slot
// is visited in turn and loses what no row can reach any more, so keys that nobody touches go away.
// Confined.
class KeyShard {
 public:
  // The plan and the spill file must outlive the shard.
  explicit KeyShard(const BlockPlan& plan, os::SpillFile* spill);
  ~KeyShard();

  // As KeyBlock::Update for these rows alone, which are in log order and not failed. Text results
  // live in `arena`.
  void Update(std::span<const KeyedRow> rows, row::Batch& batch, base::Arena& arena,
              KeyBlock::Failures& failures);
  // Before Update, step by step, once each: adds to `wanted` what has to be read back of the spill
  // file for these rows. A step finds what the one before it leads to.
  void Use(std::span<const KeyedRow> rows, FetchStep step, std::vector<const char*>& wanted) const;
  // Rows to come have seen at least this watermark.
  void Advance(int64_t watermark) { watermark_ = std::max(watermark_, watermark); }
  size_t keys() const { return index_.size(); }
  size_t bytes() const;
  // All of these as in KeyBlock.
  void Save(std::string& out) const;
  Status Load(std::string_view bytes);
  BlockHead BeginSnapshot(bool whole);
  bool TakePages(size_t bytes_max, std::vector<StatePage>& out);
  Status BeginLoad(const BlockHead& head);
  Status LoadPage(uint32_t number, std::string_view bytes);
  void EndLoad();
  // Forgets everything.
  void Clear();

 private:
  static constexpr size_t kChunk = 32;
  static constexpr int kPageSlotsLog2 = 6;
  static constexpr uint32_t kPageSlots = 1U << kPageSlotsLog2;

  static constexpr int kVisitCost = 4;
  static constexpr int kCreditPerRow = 1;
  static constexpr int kCreditPerKey = 8;

  KeySlot& SlotAt(uint32_t slot) const { return *reinterpret_cast<KeySlot*>(store_.at(slot)); }
  void Prefetch(std::span<const KeyedRow> chunk) const;
  // A row in its key's window.
  struct Taken {
    uint32_t slot = 0;
    uint32_t position = 0;
    bool made_key = false;
  };
  Taken Take(const KeyedRow& keyed, const row::Row& row);
  void Answer(const Taken& taken, const KeyedRow& keyed, row::Row& row, base::Arena& arena,
              KeyBlock::Failures& failures);
  // The rows at the front that are peers, or only have the same event time.
  static size_t CountPeers(std::span<const KeyedRow> rows, const row::Batch& batch);
  uint32_t FindOrMake(const PackedText& key, uint64_t hash);
  // Before the slot changes.
  void Touch(uint32_t slot) {
    marks_.Touch(slot >> kPageSlotsLog2,
                 [this](uint32_t page, std::string& out) { WritePage(page, out); });
  }
  void WritePage(uint32_t number, std::string& out) const;
  bool IsGone(KeySlot& slot, int64_t watermark) const;
  void Sweep(bool made_key);
  void Drop(uint32_t slot);
  bool LoadKeys(base::ByteReader& reader, uint64_t count);

  const BlockPlan& plan_;
  os::SpillFile* const spill_;
  PageSource source_;
  mutable SlabPool pool_{source_};
  mutable RollingKeys keys_;
  KeyIndex index_;
  SlotStore store_;
  int64_t watermark_ = INT64_MIN;  // the highest seen
  uint32_t sweep_at_ = 0;
  int sweep_credit_ = 0;

  PageMarks marks_;
  int64_t snapshot_watermark_ = INT64_MIN;
  uint32_t load_slots_ = 0;  // of the block that is being loaded

  std::vector<Taken> in_window_;  // of the rows that are answered together
};

}  // namespace headrace::state
