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
#include "state/page_marks.h"
#include "state/running_function.h"
#include "state/shards.h"
#include "state/slab_pool.h"
#include "state/slot_store.h"

namespace headrace::state {

// A share of a running block's keys, and the functions of each.
//
// Slots are numbered as their keys came and stay for good: what a function has seen is never
// forgotten. With a spill file slots are kept there, and functions that were not run of late are
// asleep in it, as the bytes they save: those awake, which are objects on the heap, take about what
// they may. Asleep or awake shows nowhere. Confined.
class RunningShard {
 public:
  // The specification and the spill file, if any, must outlive the shard.
  RunningShard(const RunningSpec& spec, os::SpillFile* spill);
  ~RunningShard();
  RunningShard(const RunningShard&) = delete;
  RunningShard& operator=(const RunningShard&) = delete;

  // Rows of this shard in log order.
  void Update(std::span<const KeyedRow> rows, row::Batch& batch, base::Arena& arena);
  // As KeyShard::Use.
  void Use(std::span<const KeyedRow> rows, FetchStep step, std::vector<const char*>& wanted) const;
  // What functions that are awake may take; about, for a row changes it before anything is done.
  void SetAwakeMax(size_t bytes) { awake_max_ = bytes; }
  // The functions of a key, awake, to be run from outside before anything else is asked of it.
  std::span<const std::unique_ptr<RunningFunction>> Take(const PackedText& key, uint64_t hash);
  // Memory of functions that were run from outside has changed by so much.
  void Grew(ptrdiff_t bytes) {
    awake_bytes_ = static_cast<size_t>(static_cast<ptrdiff_t>(awake_bytes_) + bytes);
  }

  size_t keys() const { return index_.size(); }
  size_t awake() const { return awake_.size(); }
  size_t bytes() const;
  // As in KeyBlock.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);
  // Returns the number of slots.
  uint32_t BeginSnapshot(bool whole);
  bool TakePages(size_t bytes_max, std::vector<StatePage>& out);
  void BeginLoad(uint32_t slots);
  bool LoadPage(uint32_t number, std::string_view bytes);
  void EndLoad();
  // Forgets everything.
  void Clear();

 private:
  static constexpr uint32_t kPageSlots = 64;
  static constexpr uint32_t kSlotsMax = KeyIndex::kMaxSlots;
  // Keys that a row looks at in turn when those awake take too much.
  static constexpr size_t kVisitsPerRow = 8;

  struct Slot {
    PackedText key;
    char* asleep;  // the functions, a string each; null: they are awake
    uint32_t asleep_bytes;
    uint32_t awake;  // where in `awake_`
    bool live;       // false: its page is not loaded yet
  };
  struct Awake {
    std::vector<std::unique_ptr<RunningFunction>> functions;
    uint32_t slot = 0;
    bool used = true;  // since it was last looked at
  };

  Slot& SlotAt(uint32_t at) const { return *reinterpret_cast<Slot*>(store_.at(at)); }
  uint32_t Find(const PackedText& key, uint64_t hash) const;
  uint32_t Make(const PackedText& key, uint64_t hash);
  void Fill(uint32_t at, const PackedText& key, uint64_t hash);
  // New functions for the slot.
  Awake& MakeAwake(uint32_t at);
  void Touch(uint32_t slot) {
    marks_.Touch(slot / kPageSlots,
                 [this](uint32_t page, std::string& out) { WritePage(page, out); });
  }
  void WritePage(uint32_t number, std::string& out) const;
  void Wake(uint32_t at);
  void PutToSleep(size_t index);
  // Puts some of those to sleep that were not run of late, when those awake take too much.
  void Rest();
  static void SaveFunctions(const Awake& awake, base::ByteWriter& writer);
  bool LoadFunctions(Awake& awake, base::ByteReader& reader);
  void SaveSlot(const Slot& slot, base::ByteWriter& writer) const;
  bool LoadSlot(uint32_t at, base::ByteReader& reader);

  const RunningSpec& spec_;
  os::SpillFile* const spill_;
  PageSource source_;
  SlabPool pool_{source_};
  SlotStore store_;
  KeyIndex index_;
  std::vector<Awake> awake_;
  size_t hand_ = 0;  // the next of them to look at
  size_t awake_bytes_ = 0;
  size_t awake_max_ = SIZE_MAX;
  std::string scratch_;
  PageMarks marks_;
  uint32_t load_slots_ = 0;  // of the block that is being loaded
};

// The functions with a memory over one PARTITION BY: a KeyBlock in whose slots they stand instead
// of windows. Always eight shards, a key's by its hash; without keys one slot, whose functions may
// run beside each other because none reads what another answers. Confined.
class RunningBlock final : public KeyBlock {
 public:
  // The spill file, if any, must outlive the block.
  RunningBlock(RunningSpec spec, os::SpillFile* spill);
  ~RunningBlock() override;

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
  // What each shard may have awake, by what there is now.
  void ShareOut();
  // Has what the rows need of the spill file read together.
  void Fetch();
  // Without keys: each function by whoever is free.
  void UpdateAlone(row::Batch& batch, os::WorkerTeam& team);

  const RunningSpec spec_;
  os::SpillFile* const spill_;
  uint64_t fingerprint_ = 0;
  std::vector<KeyEncoder> encoders_;  // by worker
  std::deque<RunningShard> shards_;
  std::vector<KeyedRow> keyed_;              // by row
  std::vector<std::vector<KeyedRow>> work_;  // by shard
  std::vector<const char*> wanted_;
};

}  // namespace headrace::state
