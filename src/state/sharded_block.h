#pragma once

#include <memory>
#include <string>
#include <vector>

#include "state/block_plan.h"
#include "state/key_block.h"
#include "state/key_encoder.h"
#include "state/key_shard.h"
#include "state/shards.h"

namespace headrace::state {

// The KeyBlock: always kShards shards, a key's by its hash, so that neither state nor snapshots
// show how many workers there were.
//
// A batch finds the keys of its rows first, then each shard takes its rows in log order. A page of
// shard s has the number (its own) * kShards + s. Confined.
class ShardedBlock final : public KeyBlock {
 public:
  ShardedBlock(const KeyBlockSpec& spec, os::SpillFile* spill);

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
  void FindKeys(row::Batch& batch, const Failures& failures, os::WorkerTeam& team);
  // Has what the rows need of the spill file read together.
  void Fetch();

  const BlockPlan plan_;
  os::SpillFile* const spill_;
  std::vector<KeyEncoder> encoders_;  // by worker
  std::vector<std::unique_ptr<KeyShard>> shards_;
  std::vector<KeyedRow> keyed_;              // by row
  std::vector<std::vector<KeyedRow>> work_;  // by shard
  std::vector<const char*> wanted_;
};

}  // namespace headrace::state
