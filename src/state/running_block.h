#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "state/key_block.h"
#include "state/key_encoder.h"
#include "state/key_index.h"
#include "state/key_shard.h"
#include "state/running_function.h"
#include "state/shards.h"

namespace headrace::state {

// A share of a running block's keys, and the functions of each.
//
// Slots are numbered as their keys came and stay for good: what a function has seen is never
// forgotten. Confined.
class RunningShard {
 public:
  // The specification must outlive the shard.
  explicit RunningShard(const RunningSpec& spec) : spec_(spec) {}

  // Rows of this shard in log order.
  void Update(std::span<const KeyedRow> rows, row::Batch& batch, base::Arena& arena);
  // The functions of a key, to be run from outside.
  std::span<const std::unique_ptr<RunningFunction>> Take(const PackedText& key, uint64_t hash);
  // Memory of functions that were run from outside has changed by so much.
  void Grew(ptrdiff_t bytes) {
    bytes_ = static_cast<size_t>(static_cast<ptrdiff_t>(bytes_) + bytes);
  }

  size_t keys() const { return slots_.size(); }
  size_t bytes() const { return bytes_ + index_.bytes() + slots_.size() * sizeof(Slot); }
  // As in KeyBlock.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);
  // Returns the number of slots.
  uint32_t BeginSnapshot(bool whole);
  bool TakePages(size_t bytes_max, std::vector<StatePage>& out);
  void BeginLoad(uint32_t slots);
  bool LoadPage(uint32_t number, std::string_view bytes);
  // Forgets everything.
  void Clear();

 private:
  static constexpr uint32_t kPageSlots = 64;
  static constexpr uint32_t kSlotsMax = KeyIndex::kMaxSlots;
  static constexpr uint8_t kChanged = 1;  // since the last BeginSnapshot
  static constexpr uint8_t kDue = 2;      // to be taken as it is

  struct Slot {
    std::string key;
    bool null = false;
    bool live = false;  // false: its page is not loaded yet
    std::vector<std::unique_ptr<RunningFunction>> functions;
  };

  static PackedText KeyOf(const Slot& slot) {
    return slot.null ? PackedText() : PackedText::Borrow(slot.key);
  }
  uint32_t Find(const PackedText& key, uint64_t hash) const;
  uint32_t Make(const PackedText& key, uint64_t hash);
  void Fill(uint32_t at, const PackedText& key, uint64_t hash);
  void Touch(uint32_t slot);
  void TakePage(uint32_t number);
  void SaveSlot(const Slot& slot, base::ByteWriter& writer) const;
  bool LoadSlot(uint32_t at, base::ByteReader& reader);

  const RunningSpec& spec_;
  KeyIndex index_;
  std::deque<Slot> slots_;
  size_t bytes_ = 0;

  // The snapshot under way, as in KeyShard.
  std::vector<uint8_t> pages_;
  std::vector<StatePage> taken_;
  uint32_t next_due_ = 0;
  uint32_t load_slots_ = 0;  // of the block that is being loaded
};

// The functions with a memory over one PARTITION BY: a KeyBlock in whose slots they stand instead
// of windows. Always eight shards, a key's by its hash; without keys one slot, whose functions may
// run beside each other because none reads what another answers. Confined.
class RunningBlock final : public KeyBlock {
 public:
  explicit RunningBlock(RunningSpec spec);

  void Update(row::Batch& batch, Failures& failures, os::WorkerTeam& team) override;
  size_t keys() const override;
  size_t bytes() const override;
  void Save(std::string& out) const override;
  Status Load(std::string_view bytes) override;
  BlockHead BeginSnapshot(bool whole) override;
  bool TakePages(size_t bytes_max, std::vector<StatePage>& out) override;
  Status BeginLoad(const BlockHead& head) override;
  Status LoadPage(uint32_t number, std::string_view bytes) override;
  void EndLoad() override;

 private:
  void TakeFingerprint();
  // Without keys: each function by whoever is free.
  void UpdateAlone(row::Batch& batch, os::WorkerTeam& team);

  const RunningSpec spec_;
  uint64_t fingerprint_ = 0;
  std::vector<KeyEncoder> encoders_;  // by worker
  std::vector<RunningShard> shards_;
  std::vector<KeyedRow> keyed_;              // by row
  std::vector<std::vector<KeyedRow>> work_;  // by shard
};

}  // namespace headrace::state
