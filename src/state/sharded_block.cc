#include "state/sharded_block.h"

#include <algorithm>

#include "base/bytes.h"

namespace headrace::state {

static_assert(os::WorkerTeam::kWorkersMax <= row::Batch::kArenas);

std::unique_ptr<KeyBlock> KeyBlock::Make(const KeyBlockSpec& spec, os::SpillFile* spill) {
  return std::make_unique<ShardedBlock>(spec, spill);
}

ShardedBlock::ShardedBlock(const KeyBlockSpec& spec, os::SpillFile* spill)
    : plan_(spec),
      spill_(spill),
      encoders_(os::WorkerTeam::kWorkersMax, KeyEncoder(spec.key_slots, spec.key_types)),
      work_(kShards) {
  for (uint32_t i = 0; i < kShards; ++i)
    shards_.push_back(std::make_unique<KeyShard>(plan_, spill));
}

void ShardedBlock::FindKeys(row::Batch& batch, const Failures& failures, os::WorkerTeam& team) {
  const size_t count = batch.rows().size();
  keyed_.resize(count);
  team.RunRows(count, [&](size_t begin, size_t end, size_t worker) {
    for (size_t i = begin; i < end; ++i) {
      if (failures.failed[i] != 0) continue;
      PackedText key = encoders_[worker].Encode(batch.rows()[i].values, batch.arena(worker));
      keyed_[i] = {key, key.Hash(), static_cast<uint32_t>(i)};
    }
  });
}

void ShardedBlock::Fetch() {
  FetchOfShards(*spill_, wanted_,
                [this](uint32_t s, FetchStep step) { shards_[s]->Use(work_[s], step, wanted_); });
}

void ShardedBlock::Update(row::Batch& batch, Failures& failures, os::WorkerTeam& team) {
  const size_t count = batch.rows().size();
  if (failures.errors.size() < count) failures.errors.resize(count);
  FindKeys(batch, failures, team);
  for (std::vector<KeyedRow>& work : work_)
    work.clear();
  int64_t watermark = INT64_MIN;
  for (size_t i = 0; i < count; ++i) {
    if (failures.failed[i] != 0) continue;
    watermark = std::max(watermark, batch.rows()[i].watermark);
    work_[ShardOf(keyed_[i].hash)].push_back(keyed_[i]);
  }
  if (spill_ != nullptr && spill_->put_out() > 0) Fetch();
  // Few rows are not worth waking anybody for.
  const size_t together = count < 2 * os::WorkerTeam::kPieceRows ? kShards : 1;
  team.Run(kShards / together, [&](size_t piece, size_t worker) {
    for (size_t s = piece * together; s < (piece + 1) * together; ++s)
      shards_[s]->Update(work_[s], batch, batch.arena(worker), failures);
  });
  // Behind the batch: within it a shard must not forget what its own rows still reach.
  for (const auto& shard : shards_)
    shard->Advance(watermark);
}

size_t ShardedBlock::keys() const {
  size_t keys = 0;
  for (const auto& shard : shards_)
    keys += shard->keys();
  return keys;
}

size_t ShardedBlock::bytes() const {
  size_t bytes = keyed_.capacity() * sizeof(KeyedRow);
  for (uint32_t i = 0; i < kShards; ++i)
    bytes += shards_[i]->bytes() + work_[i].capacity() * sizeof(KeyedRow);
  return bytes;
}

// A string for each shard.
void ShardedBlock::Save(std::string& out) const {
  base::ByteWriter writer(out);
  for (const auto& shard : shards_) {
    std::string bytes;
    shard->Save(bytes);
    writer.String(bytes);
  }
}

Status ShardedBlock::Load(std::string_view bytes) {
  base::ByteReader reader(bytes);
  Status loaded = Ok();
  for (const auto& shard : shards_) {
    if (loaded.ok()) loaded = shard->Load(reader.String());
  }
  if (loaded.ok() && (!reader.ok() || reader.remaining() != 0)) {
    loaded = Error(ErrorKind::kCorruption, "HR4201", "key block state: the bytes do not parse");
  }
  if (loaded.ok()) return Ok();
  for (const auto& shard : shards_)
    shard->Clear();
  return loaded;
}

BlockHead ShardedBlock::BeginSnapshot(bool whole) {
  BlockHead head{plan_.fingerprint, 0, INT64_MIN};
  for (const auto& shard : shards_) {
    const BlockHead one = shard->BeginSnapshot(whole);
    head.slots = std::max(head.slots, one.slots);
    head.watermark = std::max(head.watermark, one.watermark);
  }
  return head;
}

bool ShardedBlock::TakePages(size_t bytes_max, std::vector<StatePage>& out) {
  return TakePagesOfShards(bytes_max, out, [this](uint32_t s, size_t most, auto& pages) {
    return shards_[s]->TakePages(most, pages);
  });
}

// Each shard gets the largest count of slots and the newest watermark: bounds that hold for all.
Status ShardedBlock::BeginLoad(const BlockHead& head) {
  for (const auto& shard : shards_)
    HR_TRY(shard->BeginLoad(head));
  return Ok();
}

Status ShardedBlock::LoadPage(uint32_t number, std::string_view bytes) {
  return shards_[number % kShards]->LoadPage(number / kShards, bytes);
}

void ShardedBlock::EndLoad() {
  for (const auto& shard : shards_)
    shard->EndLoad();
}

}  // namespace headrace::state
