#include "state/running_block.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "headrace/check.h"
#include "state/checked_body.h"

namespace headrace::state {
namespace {

Error Damaged(const char* what) {
  return Error(ErrorKind::kCorruption, "HR4201",
               std::string("state of functions with a memory: ") + what);
}

// The values of a row's slots, in order, while they are looked at.
class Arguments {
 public:
  Arguments(const std::vector<int>& slots, const row::Row& row)
      : many_(slots.size() > kFew ? slots.size() : 0) {
    row::Value* values = many_.empty() ? few_ : many_.data();
    for (size_t i = 0; i < slots.size(); ++i)
      values[i] = row.values[slots[i]];
  }
  const row::Value* values() const { return many_.empty() ? few_ : many_.data(); }

 private:
  static constexpr size_t kFew = 32;

  row::Value few_[kFew];
  std::vector<row::Value> many_;
};

// Runs a function over a row: asks it, lets it take the row, puts the answers into their slots.
void RunOver(const RunningCall& call, RunningFunction& function, row::Row& row,
             base::Arena& arena) {
  for (const RunningCall::Question& question : call.questions) {
    const Arguments asked(question.argument_slots, row);
    row.values[question.result_slot] = function.Ask(asked.values(), question.argument_types, arena);
  }
  const Arguments given(call.argument_slots, row);
  row.values[call.result_slot] = function.Step(given.values(), arena);
}

}  // namespace

row::Value RunningFunction::Ask(const row::Value*, std::span<const row::Type>, base::Arena&) {
  return row::Value::Null();
}

// ---- RunningShard

RunningShard::RunningShard(const RunningSpec& spec, os::SpillFile* spill)
    : spec_(spec), spill_(spill), source_(spill), store_(sizeof(Slot), source_), index_(spill) {}

RunningShard::~RunningShard() {
  Clear();
}

void RunningShard::Clear() {
  for (uint32_t at = 0; at < store_.limit(); ++at) {
    Slot& slot = SlotAt(at);
    if (!slot.live) continue;
    if (slot.asleep != nullptr) pool_.Free(slot.asleep, slot.asleep_bytes);
    slot.key.Release(pool_);
  }
  store_.Clear();
  index_.Clear();
  awake_.clear();
  hand_ = 0;
  awake_bytes_ = 0;
  marks_.Clear();
}

size_t RunningShard::bytes() const {
  return source_.bytes() + pool_.bytes_outside() + store_.bytes_outside() + index_.bytes() +
         awake_bytes_ + awake_.capacity() * sizeof(Awake) + marks_.bytes();
}

uint32_t RunningShard::Find(const PackedText& key, uint64_t hash) const {
  return index_.Find(hash, [&](uint32_t slot) { return SlotAt(slot).key == key; });
}

RunningShard::Awake& RunningShard::MakeAwake(uint32_t at) {
  SlotAt(at).awake = static_cast<uint32_t>(awake_.size());
  Awake& made = awake_.emplace_back();
  made.slot = at;
  made.functions.reserve(spec_.calls.size());
  for (const RunningCall& call : spec_.calls) {
    made.functions.push_back(call.make());
    awake_bytes_ += made.functions.back()->bytes();
  }
  return made;
}

void RunningShard::Fill(uint32_t at, const PackedText& key, uint64_t hash) {
  Slot& slot = SlotAt(at);
  slot.key = key.is_long() ? PackedText::Copy(key.view(), pool_) : key;
  slot.live = true;
  index_.Insert(hash, at);
  MakeAwake(at);
}

uint32_t RunningShard::Make(const PackedText& key, uint64_t hash) {
  const uint32_t at = store_.Allocate();
  HR_CHECK(at < kSlotsMax);
  marks_.Extend(size_t{at} / kPageSlots + 1);
  Touch(at);  // a page that is due is taken before a slot comes into it
  Fill(at, key, hash);
  return at;
}

std::span<const std::unique_ptr<RunningFunction>> RunningShard::Take(const PackedText& key,
                                                                     uint64_t hash) {
  uint32_t at = Find(key, hash);
  if (at == KeyIndex::kNone) {
    at = Make(key, hash);
  } else {
    Touch(at);
    if (SlotAt(at).asleep != nullptr) Wake(at);
  }
  Awake& awake = awake_[SlotAt(at).awake];
  awake.used = true;
  return awake.functions;
}

void RunningShard::Update(std::span<const KeyedRow> rows, row::Batch& batch, base::Arena& arena) {
  for (const KeyedRow& keyed : rows) {
    std::span<const std::unique_ptr<RunningFunction>> functions = Take(keyed.key, keyed.hash);
    for (size_t i = 0; i < functions.size(); ++i) {
      const size_t before = functions[i]->bytes();
      RunOver(spec_.calls[i], *functions[i], batch.rows()[keyed.row], arena);
      awake_bytes_ += functions[i]->bytes() - before;
    }
    Rest();
  }
}

void RunningShard::Use(std::span<const KeyedRow> rows, FetchStep step,
                       std::vector<const char*>& wanted) const {
  const auto use = [&](const void* at) {
    if (spill_->Use(at)) wanted.push_back(static_cast<const char*>(at));
  };
  UseKeys({index_, store_, sizeof(Slot), *spill_}, rows, step, wanted, [&](uint32_t at) {
    const Slot& slot = SlotAt(at);
    if (slot.key.is_long()) use(slot.key.view().data());
    for (size_t byte = 0; slot.asleep != nullptr && byte < slot.asleep_bytes;
         byte += os::SpillFile::kPageBytes)
      use(slot.asleep + byte);
  });
}

// ---- Asleep and awake

void RunningShard::Wake(uint32_t at) {
  Awake& awake = MakeAwake(at);
  Slot& slot = SlotAt(at);
  base::ByteReader reader({slot.asleep, slot.asleep_bytes});
  HR_CHECK(LoadFunctions(awake, reader) && reader.remaining() == 0);
  pool_.Free(slot.asleep, slot.asleep_bytes);
  slot.asleep = nullptr;
}

void RunningShard::PutToSleep(size_t index) {
  Awake& awake = awake_[index];
  scratch_.clear();
  base::ByteWriter writer(scratch_);
  SaveFunctions(awake, writer);
  for (const auto& function : awake.functions)
    awake_bytes_ -= function->bytes();
  Slot& slot = SlotAt(awake.slot);
  slot.asleep_bytes = static_cast<uint32_t>(scratch_.size());
  slot.asleep = pool_.Allocate(scratch_.size());
  scratch_.copy(slot.asleep, scratch_.size());
  std::swap(awake, awake_.back());
  awake_.pop_back();
  if (index < awake_.size()) SlotAt(awake_[index].slot).awake = static_cast<uint32_t>(index);
}

void RunningShard::Rest() {
  for (size_t visits = 0; visits < kVisitsPerRow && awake_bytes_ > awake_max_; ++visits) {
    if (hand_ >= awake_.size()) hand_ = 0;
    if (awake_.empty()) return;
    if (std::exchange(awake_[hand_].used, false)) {
      ++hand_;
    } else {
      PutToSleep(hand_);
    }
  }
}

// The state of each function, a string.
void RunningShard::SaveFunctions(const Awake& awake, base::ByteWriter& writer) {
  std::string state;
  for (const auto& function : awake.functions) {
    state.clear();
    base::ByteWriter state_writer(state);
    function->Save(state_writer);
    writer.String(state);
  }
}

bool RunningShard::LoadFunctions(Awake& awake, base::ByteReader& reader) {
  for (const auto& function : awake.functions) {
    const std::string_view state = reader.String();
    if (!reader.ok()) return false;
    base::ByteReader state_reader(state);
    const size_t before = function->bytes();
    if (!function->Load(state_reader) || !state_reader.ok() || state_reader.remaining() != 0) {
      return false;
    }
    awake_bytes_ += function->bytes() - before;
  }
  return true;
}

// ---- Snapshots

// key (varint 0 for NULL, else length + 1; bytes), then the functions
void RunningShard::SaveSlot(const Slot& slot, base::ByteWriter& writer) const {
  writer.Varint(slot.key.null() ? 0 : slot.key.view().size() + 1);
  writer.Bytes(slot.key.view());
  if (slot.asleep != nullptr) {
    writer.Bytes({slot.asleep, slot.asleep_bytes});
  } else {
    SaveFunctions(awake_[slot.awake], writer);
  }
}

bool RunningShard::LoadSlot(uint32_t at, base::ByteReader& reader) {
  const uint64_t length = reader.Varint();
  const std::string_view text = length == 0 ? std::string_view{} : reader.Bytes(length - 1);
  if (!reader.ok() || text.size() > UINT32_MAX || SlotAt(at).live) return false;
  const PackedText key = length == 0 ? PackedText() : PackedText::Borrow(text);
  const uint64_t hash = key.Hash();
  if (Find(key, hash) != KeyIndex::kNone) return false;
  Fill(at, key, hash);
  if (!LoadFunctions(awake_[SlotAt(at).awake], reader)) return false;
  Rest();
  return true;
}

// slots varint, then each
void RunningShard::Save(base::ByteWriter& writer) const {
  writer.Varint(index_.size());
  for (uint32_t at = 0; at < store_.limit(); ++at) {
    if (SlotAt(at).live) SaveSlot(SlotAt(at), writer);
  }
}

bool RunningShard::Load(base::ByteReader& reader) {
  Clear();
  const uint64_t count = reader.Varint();
  if (!reader.ok() || count > reader.remaining()) return false;
  for (uint64_t i = 0; i < count; ++i) {
    const uint32_t at = store_.Allocate();
    marks_.Extend(size_t{at} / kPageSlots + 1);
    if (!LoadSlot(at, reader)) return false;
  }
  return true;
}

uint32_t RunningShard::BeginSnapshot(bool whole) {
  marks_.Begin(whole);
  return store_.limit();
}

// slots varint, per slot, ascending: its place in the page varint, then as SaveSlot
void RunningShard::WritePage(uint32_t number, std::string& out) const {
  const uint32_t begin = number * kPageSlots;
  const uint32_t end = std::min(begin + kPageSlots, store_.limit());
  uint64_t live = 0;
  for (uint32_t at = begin; at < end; ++at)
    live += SlotAt(at).live ? 1 : 0;
  base::ByteWriter writer(out);
  writer.Varint(live);
  for (uint32_t at = begin; at < end; ++at) {
    if (!SlotAt(at).live) continue;
    writer.Varint(at - begin);
    SaveSlot(SlotAt(at), writer);
  }
}

bool RunningShard::TakePages(size_t bytes_max, std::vector<StatePage>& out) {
  return marks_.TakeDue(bytes_max, out,
                        [this](uint32_t page, std::string& bytes) { WritePage(page, bytes); });
}

void RunningShard::BeginLoad(uint32_t slots) {
  Clear();
  load_slots_ = slots;
}

bool RunningShard::LoadPage(uint32_t number, std::string_view bytes) {
  if (uint64_t{number} * kPageSlots >= load_slots_) return false;
  const uint32_t begin = number * kPageSlots;
  store_.Extend(begin + kPageSlots);
  marks_.Extend(size_t{number} + 1);
  base::ByteReader reader(bytes);
  const uint64_t count = reader.Varint();
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    const uint64_t place = reader.Varint();
    if (place >= kPageSlots || !LoadSlot(begin + static_cast<uint32_t>(place), reader)) {
      return false;
    }
  }
  return reader.ok() && reader.remaining() == 0;
}

void RunningShard::EndLoad() {
  for (uint32_t at = store_.limit(); at > 0; --at) {
    if (!SlotAt(at - 1).live) store_.Free(at - 1);
  }
}

// ---- RunningBlock

std::unique_ptr<KeyBlock> MakeRunningBlock(RunningSpec spec, os::SpillFile* spill) {
  return std::make_unique<RunningBlock>(std::move(spec), spill);
}

RunningBlock::RunningBlock(RunningSpec spec, os::SpillFile* spill)
    : spec_(std::move(spec)),
      spill_(spill),
      encoders_(os::WorkerTeam::kWorkersMax, KeyEncoder(spec_.key_slots, spec_.key_types)),
      work_(kShards) {
  for (uint32_t i = 0; i < kShards; ++i)
    shards_.emplace_back(spec_, spill);
  if (spill_ != nullptr) spill_->Join();
  for (const RunningCall& call : spec_.calls)
    HR_CHECK(call.argument_slots.size() <= RunningCall::kArgumentsMax);
  TakeFingerprint();
}

RunningBlock::~RunningBlock() {
  if (spill_ != nullptr) spill_->Leave();
}

void RunningBlock::ShareOut() {
  if (spill_ == nullptr) return;
  for (RunningShard& shard : shards_)
    shard.SetAwakeMax(spill_->Share() / kShards);
}

void RunningBlock::Fetch() {
  FetchOfShards(*spill_, wanted_,
                [this](uint32_t s, FetchStep step) { shards_[s].Use(work_[s], step, wanted_); });
}

// By definition, not by slot: slots move when a statement elsewhere in the plan changes.
void RunningBlock::TakeFingerprint() {
  std::string text = "running";
  base::ByteWriter writer(text);
  writer.Varint(spec_.key_types.size());
  for (row::Type type : spec_.key_types)
    writer.String(row::ToString(type));
  for (const RunningCall& call : spec_.calls) {
    writer.String(call.definition);
    writer.Varint(call.argument_types.size());
    for (row::Type type : call.argument_types)
      writer.String(row::ToString(type));
  }
  fingerprint_ = base::Hash64(text);
}

void RunningBlock::Update(row::Batch& batch, Failures& failures, os::WorkerTeam& team) {
  const size_t count = batch.rows().size();
  if (failures.errors.size() < count) failures.errors.resize(count);
  keyed_.resize(count);
  for (std::vector<KeyedRow>& work : work_)
    work.clear();
  const PackedText none = PackedText::Short("");
  const uint64_t none_hash = none.Hash();
  if (!spec_.key_slots.empty()) {
    team.RunRows(count, [&](size_t begin, size_t end, size_t worker) {
      for (size_t i = begin; i < end; ++i) {
        if (failures.failed[i] != 0) continue;
        PackedText key = encoders_[worker].Encode(batch.rows()[i].values, batch.arena(worker));
        keyed_[i] = {key, key.Hash(), static_cast<uint32_t>(i)};
      }
    });
  }
  for (size_t i = 0; i < count; ++i) {
    if (failures.failed[i] != 0) continue;
    if (spec_.key_slots.empty()) keyed_[i] = {none, none_hash, static_cast<uint32_t>(i)};
    work_[ShardOf(keyed_[i].hash)].push_back(keyed_[i]);
  }
  if (spec_.key_slots.empty()) return UpdateAlone(batch, team);
  ShareOut();
  if (spill_ != nullptr && spill_->put_out() > 0) Fetch();
  // Few rows are not worth waking anybody for.
  const size_t together = count < 2 * os::WorkerTeam::kPieceRows ? kShards : 1;
  team.Run(kShards / together, [&](size_t piece, size_t worker) {
    for (size_t s = piece * together; s < (piece + 1) * together; ++s)
      shards_[s].Update(work_[s], batch, batch.arena(worker));
  });
}

void RunningBlock::UpdateAlone(row::Batch& batch, os::WorkerTeam& team) {
  const PackedText none = PackedText::Short("");
  const uint64_t hash = none.Hash();
  RunningShard& shard = shards_[ShardOf(hash)];
  const std::vector<KeyedRow>& work = work_[ShardOf(hash)];
  if (work.empty()) return;
  const auto functions = shard.Take(none, hash);
  const size_t together = work.size() < os::WorkerTeam::kPieceRows ? functions.size() : 1;
  std::vector<ptrdiff_t> grown(functions.size());
  team.Run((functions.size() + together - 1) / together, [&](size_t piece, size_t worker) {
    for (size_t f = piece * together; f < std::min((piece + 1) * together, functions.size()); ++f) {
      const auto before = static_cast<ptrdiff_t>(functions[f]->bytes());
      for (const KeyedRow& keyed : work)
        RunOver(spec_.calls[f], *functions[f], batch.rows()[keyed.row], batch.arena(worker));
      grown[f] = static_cast<ptrdiff_t>(functions[f]->bytes()) - before;
    }
  });
  for (ptrdiff_t bytes : grown)
    shard.Grew(bytes);
}

size_t RunningBlock::keys() const {
  size_t keys = 0;
  for (const RunningShard& shard : shards_)
    keys += shard.keys();
  return keys;
}

size_t RunningBlock::bytes() const {
  size_t bytes = keyed_.capacity() * sizeof(KeyedRow);
  for (uint32_t i = 0; i < kShards; ++i)
    bytes += shards_[i].bytes() + work_[i].capacity() * sizeof(KeyedRow);
  return bytes;
}

// fingerprint u64, each shard, CRC-32C u32 of all before it
void RunningBlock::Save(std::string& out) const {
  const size_t begin = out.size();
  base::ByteWriter writer(out);
  writer.U64Le(fingerprint_);
  for (const RunningShard& shard : shards_)
    shard.Save(writer);
  writer.U32Le(base::Crc32c(std::string_view(out).substr(begin)));
}

Status RunningBlock::Load(std::string_view bytes) {
  std::string_view body;
  if (const char* wrong = TakeBody(bytes, &body)) return Damaged(wrong);
  base::ByteReader reader(body);
  if (reader.U64Le() != fingerprint_) return Damaged("of another definition");
  ShareOut();
  bool good = true;
  for (RunningShard& shard : shards_)
    good = good && shard.Load(reader);
  if (good && reader.ok() && reader.remaining() == 0) return Ok();
  for (RunningShard& shard : shards_)
    shard.Clear();
  return Damaged("the bytes do not parse");
}

BlockHead RunningBlock::BeginSnapshot(bool whole) {
  BlockHead head{fingerprint_, 0, INT64_MIN};
  for (RunningShard& shard : shards_)
    head.slots = std::max(head.slots, shard.BeginSnapshot(whole));
  return head;
}

bool RunningBlock::TakePages(size_t bytes_max, std::vector<StatePage>& out) {
  return TakePagesOfShards(bytes_max, out, [this](uint32_t s, size_t most, auto& pages) {
    return shards_[s].TakePages(most, pages);
  });
}

Status RunningBlock::BeginLoad(const BlockHead& head) {
  if (head.fingerprint != fingerprint_) return Damaged("of another definition");
  ShareOut();
  for (RunningShard& shard : shards_)
    shard.BeginLoad(head.slots);
  return Ok();
}

Status RunningBlock::LoadPage(uint32_t number, std::string_view bytes) {
  if (shards_[number % kShards].LoadPage(number / kShards, bytes)) return Ok();
  return Damaged("the bytes of a page do not parse");
}

void RunningBlock::EndLoad() {
  for (RunningShard& shard : shards_)
    shard.EndLoad();
}

}  // namespace headrace::state
