#include "state/running_block.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "headrace/check.h"

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
void Step(const RunningCall& call, RunningFunction& function, row::Row& row, base::Arena& arena) {
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

uint32_t RunningShard::Find(const PackedText& key, uint64_t hash) const {
  return index_.Find(hash, [&](uint32_t slot) { return KeyOf(slots_[slot]) == key; });
}

void RunningShard::Fill(uint32_t at, const PackedText& key, uint64_t hash) {
  Slot& slot = slots_[at];
  slot.key = key.view();
  slot.null = key.null();
  slot.live = true;
  bytes_ += slot.key.capacity();
  for (const RunningCall& call : spec_.calls) {
    slot.functions.push_back(call.make());
    bytes_ += slot.functions.back()->bytes();
  }
  index_.Insert(hash, at);
}

uint32_t RunningShard::Make(const PackedText& key, uint64_t hash) {
  const auto at = static_cast<uint32_t>(slots_.size());
  HR_CHECK(at < kSlotsMax);
  if (at % kPageSlots == 0) pages_.push_back(0);
  Touch(at);  // a page that is due is taken before a slot comes into it
  slots_.emplace_back();
  Fill(at, key, hash);
  return at;
}

void RunningShard::Touch(uint32_t slot) {
  uint8_t& flags = pages_[slot / kPageSlots];
  if ((flags & kDue) != 0) TakePage(slot / kPageSlots);
  flags |= kChanged;
}

std::span<const std::unique_ptr<RunningFunction>> RunningShard::Take(const PackedText& key,
                                                                     uint64_t hash) {
  uint32_t slot = Find(key, hash);
  if (slot == KeyIndex::kNone) {
    slot = Make(key, hash);
  } else {
    Touch(slot);
  }
  return slots_[slot].functions;
}

void RunningShard::Update(std::span<const KeyedRow> rows, row::Batch& batch, base::Arena& arena) {
  for (const KeyedRow& keyed : rows) {
    std::span<const std::unique_ptr<RunningFunction>> functions = Take(keyed.key, keyed.hash);
    for (size_t i = 0; i < functions.size(); ++i) {
      const size_t before = functions[i]->bytes();
      Step(spec_.calls[i], *functions[i], batch.rows()[keyed.row], arena);
      bytes_ += functions[i]->bytes() - before;
    }
  }
}

// key (varint 0 for NULL, else length + 1; bytes), then the state of each function, a string
void RunningShard::SaveSlot(const Slot& slot, base::ByteWriter& writer) const {
  writer.Varint(slot.null ? 0 : slot.key.size() + 1);
  writer.Bytes(slot.key);
  std::string state;
  for (const auto& function : slot.functions) {
    state.clear();
    base::ByteWriter state_writer(state);
    function->Save(state_writer);
    writer.String(state);
  }
}

bool RunningShard::LoadSlot(uint32_t at, base::ByteReader& reader) {
  const uint64_t length = reader.Varint();
  const std::string_view text = length == 0 ? std::string_view{} : reader.Bytes(length - 1);
  if (!reader.ok() || text.size() > UINT32_MAX || slots_[at].live) return false;
  const PackedText key = length == 0 ? PackedText() : PackedText::Borrow(text);
  const uint64_t hash = key.Hash();
  if (Find(key, hash) != KeyIndex::kNone) return false;
  Fill(at, key, hash);
  for (const auto& function : slots_[at].functions) {
    const std::string_view state = reader.String();
    if (!reader.ok()) return false;
    base::ByteReader state_reader(state);
    const size_t before = function->bytes();
    if (!function->Load(state_reader) || !state_reader.ok() || state_reader.remaining() != 0) {
      return false;
    }
    bytes_ += function->bytes() - before;
  }
  return true;
}

// slots varint, then each
void RunningShard::Save(base::ByteWriter& writer) const {
  writer.Varint(index_.size());
  for (const Slot& slot : slots_) {
    if (slot.live) SaveSlot(slot, writer);
  }
}

bool RunningShard::Load(base::ByteReader& reader) {
  Clear();
  const uint64_t count = reader.Varint();
  if (!reader.ok() || count > reader.remaining()) return false;
  for (uint64_t i = 0; i < count; ++i) {
    slots_.emplace_back();
    if (i % kPageSlots == 0) pages_.push_back(0);
    if (!LoadSlot(static_cast<uint32_t>(i), reader)) return false;
  }
  return true;
}

void RunningShard::Clear() {
  index_.Clear();
  slots_.clear();
  pages_.clear();
  taken_.clear();
  next_due_ = 0;
  bytes_ = 0;
}

uint32_t RunningShard::BeginSnapshot(bool whole) {
  taken_.clear();
  next_due_ = 0;
  for (uint8_t& flags : pages_)
    flags = whole || flags != 0 ? kDue : 0;
  return static_cast<uint32_t>(slots_.size());
}

// slots varint, per slot, ascending: its place in the page varint, then as SaveSlot
void RunningShard::TakePage(uint32_t number) {
  pages_[number] &= static_cast<uint8_t>(~kDue);
  const size_t begin = size_t{number} * kPageSlots;
  const size_t end = std::min(begin + kPageSlots, slots_.size());
  const auto live = std::count_if(slots_.begin() + static_cast<ptrdiff_t>(begin),
                                  slots_.begin() + static_cast<ptrdiff_t>(end),
                                  [](const Slot& slot) { return slot.live; });
  StatePage& page = taken_.emplace_back();
  page.number = number;
  base::ByteWriter writer(page.bytes);
  writer.Varint(static_cast<uint64_t>(live));
  for (size_t at = begin; at < end; ++at) {
    if (!slots_[at].live) continue;
    writer.Varint(at - begin);
    SaveSlot(slots_[at], writer);
  }
}

bool RunningShard::TakePages(size_t bytes_max, std::vector<StatePage>& out) {
  size_t bytes = 0;
  for (const StatePage& page : taken_)
    bytes += page.bytes.size();
  while (next_due_ < pages_.size() && bytes < bytes_max) {
    const uint32_t number = next_due_++;
    if ((pages_[number] & kDue) == 0) continue;
    TakePage(number);
    bytes += taken_.back().bytes.size();
  }
  for (StatePage& page : taken_)
    out.push_back(std::move(page));
  taken_.clear();
  return next_due_ < pages_.size();
}

void RunningShard::BeginLoad(uint32_t slots) {
  Clear();
  load_slots_ = slots;
}

bool RunningShard::LoadPage(uint32_t number, std::string_view bytes) {
  if (uint64_t{number} * kPageSlots >= load_slots_) return false;
  base::ByteReader reader(bytes);
  const uint64_t count = reader.Varint();
  const uint32_t begin = number * kPageSlots;
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    const uint64_t place = reader.Varint();
    if (place >= kPageSlots) return false;
    const uint32_t at = begin + static_cast<uint32_t>(place);
    if (slots_.size() <= at) slots_.resize(at + 1);
    if (!LoadSlot(at, reader)) return false;
  }
  pages_.resize((slots_.size() + kPageSlots - 1) / kPageSlots);
  return reader.ok() && reader.remaining() == 0;
}

// ---- RunningBlock

std::unique_ptr<KeyBlock> MakeRunningBlock(RunningSpec spec) {
  return std::make_unique<RunningBlock>(std::move(spec));
}

RunningBlock::RunningBlock(RunningSpec spec)
    : spec_(std::move(spec)),
      encoders_(os::WorkerTeam::kWorkersMax, KeyEncoder(spec_.key_slots, spec_.key_types)),
      work_(kShards) {
  shards_.reserve(kShards);
  for (uint32_t i = 0; i < kShards; ++i)
    shards_.emplace_back(spec_);
  for (const RunningCall& call : spec_.calls)
    HR_CHECK(call.argument_slots.size() <= RunningCall::kArgumentsMax);
  TakeFingerprint();
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
        Step(spec_.calls[f], *functions[f], batch.rows()[keyed.row], batch.arena(worker));
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
  if (bytes.size() < sizeof(uint32_t)) return Damaged("shorter than its checksum");
  const std::string_view body = bytes.substr(0, bytes.size() - sizeof(uint32_t));
  base::ByteReader tail(bytes.substr(body.size()));
  if (tail.U32Le() != base::Crc32c(body)) return Damaged("the checksum does not match");
  base::ByteReader reader(body);
  if (reader.U64Le() != fingerprint_) return Damaged("of another definition");
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
  for (RunningShard& shard : shards_)
    shard.BeginLoad(head.slots);
  return Ok();
}

Status RunningBlock::LoadPage(uint32_t number, std::string_view bytes) {
  if (shards_[number % kShards].LoadPage(number / kShards, bytes)) return Ok();
  return Damaged("the bytes of a page do not parse");
}

void RunningBlock::EndLoad() {}

}  // namespace headrace::state
