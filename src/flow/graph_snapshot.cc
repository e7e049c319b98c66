// The state of a graph, taken out and put in again.
//
// head := version u8, sources varint, per source: name string, state string;
//         statements varint, per statement: name string, created LSN varint, kind u8;
//           select (1): key blocks varint, per key block fingerprint u64, slots varint,
//                       watermark u64
//           window (2): state string
//           sorted (3): the rows that wait string, then as select
//           done (0): key blocks varint, none of which has pages

#include <algorithm>
#include <set>

#include "flow/graph.h"

namespace headrace::flow {
namespace {

// 1: key blocks were not cut into shards. 2: their number was that of the statement alone. 3: no
// statement was sorted.
constexpr uint8_t kVersion = 4;
constexpr uint8_t kOldestVersion = 3;
constexpr uint64_t kBlocksMax = 1 << 16;  // of one statement
enum class Kind : uint8_t { kDone = 0, kSelect = 1, kWindow = 2, kSorted = 3 };

Error OfOthers() {
  return Error(ErrorKind::kConflict, "HR4205", "the snapshot is of other statements");
}

Error Damaged() {
  return Error(ErrorKind::kCorruption, "HR4206", "the head of a snapshot does not parse");
}

void Put(const state::BlockHead& head, base::ByteWriter& writer) {
  writer.U64Le(head.fingerprint);
  writer.Varint(head.slots);
  writer.U64Le(static_cast<uint64_t>(head.watermark));
}

state::BlockHead TakeBlockHead(base::ByteReader& reader) {
  state::BlockHead head;
  head.fingerprint = reader.U64Le();
  head.slots = static_cast<uint32_t>(reader.Varint());
  head.watermark = static_cast<int64_t>(reader.U64Le());
  return head;
}

size_t BlocksOf(const StatementPlan& plan) {
  size_t blocks = 0;
  if (plan.select) {
    for (const Stage& stage : plan.select->stages)
      blocks += stage.blocks();
  }
  return blocks;
}

}  // namespace

std::vector<state::KeyBlock*> Graph::KeyBlocks() const {
  std::vector<state::KeyBlock*> blocks;
  for (const auto& statement : statements_) {
    if (statement->select) {
      for (state::KeyBlock* block : statement->select->key_blocks())
        blocks.push_back(block);
    } else {
      blocks.insert(blocks.end(), BlocksOf(*statement->plan), nullptr);
    }
  }
  return blocks;
}

std::string Graph::BeginSnapshot(bool whole) {
  std::string head;
  base::ByteWriter writer(head);
  writer.U8(kVersion);
  writer.Varint(source_names_.size());
  for (const std::string& name : source_names_) {
    std::string source;
    sources_by_topic_.at(topic_of_source_.at(name))->Save(source);
    writer.String(name);
    writer.String(source);
  }
  writer.Varint(statements_.size());
  for (const auto& statement : statements_) {
    writer.String(statement->plan->name);
    writer.Varint(statement->plan->created_lsn);
    if (statement->select) {
      writer.U8(static_cast<uint8_t>(statement->waiting ? Kind::kSorted : Kind::kSelect));
      std::string waiting;
      if (statement->waiting) statement->waiting->Save(waiting);
      if (statement->waiting) writer.String(waiting);
      writer.Varint(BlocksOf(*statement->plan));
      for (state::KeyBlock* block : statement->select->key_blocks())
        Put(block->BeginSnapshot(whole), writer);
    } else if (statement->window) {
      writer.U8(static_cast<uint8_t>(Kind::kWindow));
      std::string window;
      statement->window->Save(window);
      writer.String(window);
    } else {
      writer.U8(static_cast<uint8_t>(Kind::kDone));
      writer.Varint(BlocksOf(*statement->plan));
    }
  }
  return head;
}

bool Graph::TakePages(size_t bytes_max, std::vector<BlockPage>& out) {
  std::vector<state::StatePage> pages;
  std::vector<state::KeyBlock*> blocks = KeyBlocks();
  size_t bytes = 0;
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i] == nullptr) continue;
    if (bytes >= bytes_max) return true;
    pages.clear();
    const bool more = blocks[i]->TakePages(bytes_max - bytes, pages);
    for (state::StatePage& page : pages) {
      bytes += page.bytes.size();
      out.push_back({static_cast<uint32_t>(i), std::move(page)});
    }
    if (more) return true;
  }
  return false;
}

Status Graph::BeginLoad(std::string_view head, Match match) {
  const auto hold = Hold();
  loading_.clear();
  base::ByteReader reader(head);
  const uint8_t version = reader.U8();
  if (version < kOldestVersion || version > kVersion) return OfOthers();
  HR_TRY(LoadSources(reader, match));
  HR_TRY(LoadStatements(reader, match));
  return reader.ok() && reader.remaining() == 0 ? Ok() : Status(Damaged());
}

Status Graph::LoadSources(base::ByteReader& reader, Match match) {
  const uint64_t count = reader.Varint();
  // A source that it does not know has come since, and was empty then.
  if (match == Match::kExact && count > source_names_.size()) return OfOthers();
  for (uint64_t i = 0; i < count; ++i) {
    std::string name(reader.String());
    std::string_view state = reader.String();
    if (!reader.ok()) return Damaged();
    if (match == Match::kExact && name != source_names_[i]) return OfOthers();
    auto topic = topic_of_source_.find(name);
    if (topic == topic_of_source_.end()) continue;
    HR_TRY(sources_by_topic_.at(topic->second)->Load(state));
  }
  return Ok();
}

Status Graph::LoadStatements(base::ByteReader& reader, Match match) {
  const uint64_t count = reader.Varint();
  if (match == Match::kExact && count != statements_.size()) return OfOthers();
  std::set<const Statement*> known;
  for (uint64_t i = 0; i < count; ++i) {
    std::string_view name = reader.String();
    const uint64_t created = reader.Varint();
    if (!reader.ok()) return Damaged();
    auto same = [&](const std::unique_ptr<Statement>& statement) {
      return statement->plan->name == name && statement->plan->created_lsn == created;
    };
    auto found = std::find_if(statements_.begin(), statements_.end(), same);
    if (match == Match::kExact && found != statements_.begin() + static_cast<ptrdiff_t>(i)) {
      return OfOthers();
    }
    if (found != statements_.end()) known.insert(found->get());
    HR_TRY(LoadStatement(found == statements_.end() ? nullptr : found->get(), reader));
  }
  if (match != Match::kState) return Ok();
  const bool all = std::all_of(statements_.begin(), statements_.end(), [&](const auto& statement) {
    return known.contains(statement.get()) || !statement->plan->HasState();
  });
  return all ? Ok() : Status(OfOthers());
}

Status Graph::LoadStatement(Statement* statement, base::ByteReader& reader) {
  const auto kind = static_cast<Kind>(reader.U8());
  if (kind == Kind::kWindow) {
    std::string_view state = reader.String();
    if (statement == nullptr) return reader.ok() ? Ok() : Status(Damaged());
    return statement->window ? statement->window->Load(state) : Status(OfOthers());
  }
  if (kind == Kind::kSorted) {
    std::string_view waiting = reader.String();
    if (!reader.ok()) return Damaged();
    if (statement != nullptr && !statement->waiting) return OfOthers();
    if (statement != nullptr) HR_TRY(statement->waiting->Load(waiting));
  }
  const uint64_t blocks = reader.Varint();
  if (!reader.ok() || blocks > kBlocksMax) return Damaged();
  if (statement != nullptr && blocks != BlocksOf(*statement->plan)) return OfOthers();
  if (kind == Kind::kDone) {
    loading_.insert(loading_.end(), blocks, nullptr);
    if (statement == nullptr) return Ok();
    if (statement->plan->until_lsn == UINT64_MAX) return OfOthers();
    statement->select.reset();
    statement->window.reset();
    statement->waiting.reset();
    return Ok();
  }
  if (kind != Kind::kSelect && kind != Kind::kSorted) return Damaged();
  const bool sorted = kind == Kind::kSorted;
  if (statement != nullptr && (!statement->select || sorted != (statement->waiting != nullptr))) {
    return OfOthers();
  }
  return LoadBlocks(statement, blocks, reader);
}

Status Graph::LoadBlocks(Statement* statement, uint64_t blocks, base::ByteReader& reader) {
  for (uint64_t b = 0; b < blocks; ++b) {
    state::KeyBlock* block = statement == nullptr ? nullptr : statement->select->key_blocks()[b];
    state::BlockHead head = TakeBlockHead(reader);
    if (block != nullptr) HR_TRY(block->BeginLoad(head));
    loading_.push_back(block);
  }
  return Ok();
}

Status Graph::LoadPage(uint32_t block, uint32_t number, std::string_view bytes) {
  if (block >= loading_.size()) return Damaged();
  KeepWithin();
  const auto hold = Hold();
  return loading_[block] == nullptr ? Ok() : loading_[block]->LoadPage(number, bytes);
}

void Graph::EndLoad() {
  const auto hold = Hold();
  for (state::KeyBlock* block : loading_) {
    if (block != nullptr) block->EndLoad();
  }
  loading_.clear();
}

}  // namespace headrace::flow
