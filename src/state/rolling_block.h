#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "state/block_plan.h"
#include "state/key_block.h"
#include "state/key_encoder.h"
#include "state/key_index.h"
#include "state/rolling_key.h"
#include "state/slab_pool.h"
#include "state/slot_store.h"

namespace headrace::state {

// The KeyBlock of one worker: an index from keys to slots, the slots, and the pool behind them.
//
// Rows are looked up in chunks, so that the memory of their keys is on its way while the rows
// before them are computed; they are applied strictly one after another. Every second row one slot
// is visited in turn and loses what no row can reach any more, so keys that nobody touches go away.
// Confined.
class RollingBlock final : public KeyBlock {
 public:
  explicit RollingBlock(const KeyBlockSpec& spec);
  ~RollingBlock() override;

  void Update(row::Batch& batch, std::vector<uint8_t>& failed,
              std::vector<std::string>& errors) override;
  size_t keys() const override { return index_.size(); }
  size_t bytes() const override;
  void Save(std::string& out) const override;
  Status Load(std::string_view bytes) override;
  BlockHead BeginSnapshot(bool whole) override;
  bool TakePages(size_t bytes_max, std::vector<StatePage>& out) override;
  Status BeginLoad(const BlockHead& head) override;
  Status LoadPage(uint32_t number, std::string_view bytes) override;
  void EndLoad() override;

 private:
  static constexpr size_t kChunk = 32;
  static constexpr int kPageSlotsLog2 = 6;
  static constexpr uint32_t kPageSlots = 1U << kPageSlotsLog2;
  static constexpr uint8_t kChanged = 1;  // since the last BeginSnapshot
  static constexpr uint8_t kDue = 2;      // to be taken as it is

  static constexpr uint32_t kSweepAhead = 4;
  static constexpr int kVisitCost = 4;
  static constexpr int kCreditPerRow = 1;
  static constexpr int kCreditPerKey = 8;

  // A row of the chunk on its way.
  struct Pending {
    PackedText key;
    uint64_t hash;
    size_t row;
  };

  KeySlot& SlotAt(uint32_t slot) const { return *reinterpret_cast<KeySlot*>(store_.at(slot)); }
  size_t Collect(row::Batch& batch, const std::vector<uint8_t>& failed, size_t* next);
  void PrefetchSlots(size_t count) const;
  void Apply(const Pending& pending, row::Batch& batch, std::vector<uint8_t>& failed,
             std::vector<std::string>& errors);
  uint32_t FindOrMake(const PackedText& key, uint64_t hash);
  // Before the slot changes.
  void Touch(uint32_t slot) {
    uint8_t& flags = pages_[slot >> kPageSlotsLog2];
    if ((flags & kDue) != 0) TakePage(slot >> kPageSlotsLog2);
    flags |= kChanged;
  }
  void TakePage(uint32_t number);
  bool IsGone(KeySlot& slot, int64_t watermark) const;
  void Sweep(bool made_key);
  void Drop(uint32_t slot);
  void Clear();
  bool LoadKeys(base::ByteReader& reader, uint64_t count);

  const BlockPlan plan_;
  PageSource source_;
  mutable SlabPool pool_{source_};
  mutable RollingKeys keys_;
  KeyEncoder encoder_;
  KeyIndex index_;
  SlotStore store_;
  Pending pending_[kChunk];
  int64_t watermark_ = INT64_MIN;  // the highest seen
  uint32_t sweep_at_ = 0;
  int sweep_credit_ = 0;

  // The snapshot under way: what was taken and not yet handed on, where to look for what is due.
  std::vector<uint8_t> pages_;  // flags by page
  std::vector<StatePage> taken_;
  uint32_t next_due_ = 0;
  int64_t snapshot_watermark_ = INT64_MIN;
  uint32_t load_slots_ = 0;  // of the block that is being loaded
};

}  // namespace headrace::state
