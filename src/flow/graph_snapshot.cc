// The state of a graph, taken out and put in again.
//
// head := version u8, sources varint, per source: name string, state string, blocks;
//         statements varint, per statement: name string, created LSN varint, kind u8;
//           select (1): blocks, its key blocks
//           window (2): state string, blocks, its group table
//           sorted (3): bound string, blocks, the rows that wait, then its key blocks
//           asking (4): the rows that wait for answers string, blocks, its key blocks
//           done (0): blocks varint, none of which has pages
//         policies varint, per policy: name, definition, state: string
// blocks := varint, per block fingerprint u64, slots varint, watermark u64
//
// Up to version 4 what a source remembers, a group table and rows that wait stood in the state
// strings as a whole, and were no blocks; there were no policies.

#include <algorithm>
#include <set>

#include "flow/graph.h"

namespace headrace::flow {
namespace {

// 1: key blocks were not cut into shards. 2: their number was that of the statement alone. 3: no
// statement was sorted. 4: key blocks alone had pages.
constexpr uint8_t kVersion = 5;
constexpr uint8_t kOldestVersion = 3;
constexpr uint8_t kAllPagedFrom = 5;
constexpr uint64_t kBlocksMax = 1 << 16;  // of one statement

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

// How many blocks the statement has as long as it is not done; `version` of the head.
size_t CountBlocks(const StatementPlan& plan, uint8_t version) {
  size_t blocks = 0;
  if (plan.select) {
    for (const Stage& stage : plan.select->stages)
      blocks += stage.blocks();
  }
  if (version < kAllPagedFrom) return blocks;
  return blocks + (plan.window ? 1 : 0) + (plan.on_watermark ? 1 : 0);
}

}  // namespace

Graph::Kind Graph::KindOf(const Statement& statement) {
  if (statement.waiting) return Kind::kSorted;
  if (statement.asking) return Kind::kAsking;
  if (statement.select) return Kind::kSelect;
  return statement.window ? Kind::kWindow : Kind::kDone;
}

// In the order of their numbers; none when it is done.
std::vector<state::PagedState*> Graph::BlocksOf(const Statement& statement) {
  std::vector<state::PagedState*> blocks;
  if (statement.waiting) blocks.push_back(&statement.waiting->paged());
  if (statement.select) {
    for (state::KeyBlock* block : statement.select->key_blocks())
      blocks.push_back(block);
  }
  if (statement.window) blocks.push_back(&statement.window->paged());
  return blocks;
}

std::vector<state::PagedState*> Graph::Blocks() const {
  std::vector<state::PagedState*> all;
  for (const std::string& name : source_names_) {
    state::PagedState* remembered = sources_by_topic_.at(topic_of_source_.at(name))->paged();
    if (remembered != nullptr) all.push_back(remembered);
  }
  for (const auto& statement : statements_) {
    const std::vector<state::PagedState*> blocks = BlocksOf(*statement);
    all.insert(all.end(), blocks.begin(), blocks.end());
    if (KindOf(*statement) != Kind::kDone) continue;
    all.insert(all.end(), CountBlocks(*statement->plan, kVersion), nullptr);
  }
  return all;
}

std::string Graph::BeginSnapshot(bool whole) {
  HR_CHECK(whole || !needs_whole_);
  needs_whole_ = false;
  std::string head;
  base::ByteWriter writer(head);
  const auto begin = [&](const std::vector<state::PagedState*>& blocks) {
    writer.Varint(blocks.size());
    for (state::PagedState* block : blocks)
      Put(block->BeginSnapshot(whole), writer);
  };
  writer.U8(kVersion);
  writer.Varint(source_names_.size());
  for (const std::string& name : source_names_) {
    SourceNode& source = *sources_by_topic_.at(topic_of_source_.at(name));
    std::string state;
    source.Save(state);
    writer.String(name);
    writer.String(state);
    state::PagedState* remembered = source.paged();
    begin(remembered == nullptr ? std::vector<state::PagedState*>{} : std::vector{remembered});
  }
  writer.Varint(statements_.size());
  for (const auto& statement : statements_) {
    writer.String(statement->plan->name);
    writer.Varint(statement->plan->created_lsn);
    const Kind kind = KindOf(*statement);
    writer.U8(static_cast<uint8_t>(kind));
    if (kind == Kind::kDone) {
      writer.Varint(CountBlocks(*statement->plan, kVersion));
      continue;
    }
    std::string state;
    if (statement->waiting) statement->waiting->Save(state);
    if (statement->asking) statement->asking->Save(state);
    if (statement->window) statement->window->Save(state);
    if (kind != Kind::kSelect) writer.String(state);
    begin(BlocksOf(*statement));
  }
  writer.Varint(policies_.size());
  for (const auto& [name, policy] : policies_) {
    std::string state;
    policy->Save(state);
    writer.String(name);
    writer.String(policy->plan().definition);
    writer.String(state);
  }
  return head;
}

bool Graph::TakePages(size_t bytes_max, std::vector<BlockPage>& out) {
  std::vector<state::StatePage> pages;
  const std::vector<state::PagedState*> blocks = Blocks();
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

Status Graph::BeginLoad(std::string_view head, Match match, const std::set<std::string>& newer) {
  const auto hold = Hold();
  loading_.clear();
  base::ByteReader reader(head);
  const uint8_t version = reader.U8();
  if (version < kOldestVersion || version > kVersion) return OfOthers();
  // Its pages have other numbers.
  needs_whole_ = version < kAllPagedFrom;
  const Head from{version, match, newer};
  HR_TRY(LoadSources(reader, from));
  HR_TRY(LoadStatements(reader, from));
  if (version >= kAllPagedFrom) {
    HR_TRY(LoadPolicies(reader, match));
  } else if (match != Match::kAny && !policies_.empty()) {
    return OfOthers();
  }
  return reader.ok() && reader.remaining() == 0 ? Ok() : Status(Damaged());
}

Status Graph::LoadPolicies(base::ByteReader& reader, Match match) {
  const uint64_t count = reader.Varint();
  if (match == Match::kExact && count != policies_.size()) return OfOthers();
  std::set<std::string> known;
  for (uint64_t i = 0; i < count; ++i) {
    std::string_view name = reader.String();
    std::string_view definition = reader.String();
    std::string_view state = reader.String();
    if (!reader.ok()) return Damaged();
    const auto found = policies_.find(name);
    if (found == policies_.end()) {
      if (match == Match::kExact) return OfOthers();
      continue;
    }
    if (found->second->plan().definition != definition || !known.emplace(name).second) {
      return OfOthers();
    }
    HR_TRY(found->second->Load(state));
  }
  return match == Match::kAny || known.size() == policies_.size() ? Ok() : Status(OfOthers());
}

Status Graph::LoadSources(base::ByteReader& reader, const Head& from) {
  const uint64_t count = reader.Varint();
  const bool all = from.match == Match::kExact || from.match == Match::kAll;
  if (from.match == Match::kExact && count > source_names_.size()) return OfOthers();
  std::set<std::string> known;
  for (uint64_t i = 0; i < count; ++i) {
    std::string name(reader.String());
    std::string_view state = reader.String();
    if (!reader.ok()) return Damaged();
    if (from.match == Match::kExact && name != source_names_[i]) return OfOthers();
    auto topic = topic_of_source_.find(name);
    const bool passed = from.newer.contains(name) || topic == topic_of_source_.end();
    if (all && passed && topic != topic_of_source_.end()) return OfOthers();
    SourceNode* source = passed ? nullptr : sources_by_topic_.at(topic->second).get();
    if (!passed) known.insert(name);
    if (from.version < kAllPagedFrom) {
      if (source != nullptr) HR_TRY(source->LoadWhole(state));
      continue;
    }
    std::vector<state::PagedState*> blocks;
    if (source != nullptr) HR_TRY(source->Load(state));
    if (source != nullptr && source->paged() != nullptr) blocks.push_back(source->paged());
    HR_TRY(LoadBlocks(source == nullptr ? nullptr : &blocks, reader));
  }
  // A source that it does not know has come since, and was empty then.
  const bool since = known.size() < source_names_.size();
  needs_whole_ = needs_whole_ || since;
  const bool lacks =
      std::any_of(source_names_.begin(), source_names_.end(), [&](const std::string& name) {
        return !known.contains(name) && !from.newer.contains(name) && from.match == Match::kAll;
      });
  return lacks ? Status(OfOthers()) : Ok();
}

Status Graph::LoadStatements(base::ByteReader& reader, const Head& from) {
  const Match match = from.match;
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
    HR_TRY(LoadStatement(found == statements_.end() ? nullptr : found->get(), reader, from));
  }
  if (match == Match::kAny) return Ok();
  const bool all = std::all_of(statements_.begin(), statements_.end(), [&](const auto& statement) {
    return known.contains(statement.get()) ||
           (match == Match::kState && !statement->plan->HasState());
  });
  return all ? Ok() : Status(OfOthers());
}

Status Graph::LoadStatement(Statement* statement, base::ByteReader& reader, const Head& from) {
  const uint8_t written = reader.U8();
  if (written > static_cast<uint8_t>(Kind::kAsking)) return Damaged();
  const auto kind = static_cast<Kind>(written);
  if (kind == Kind::kDone) return LoadDone(statement, reader, from);
  if (statement != nullptr && KindOf(*statement) != kind) return OfOthers();
  const bool whole = from.version < kAllPagedFrom;
  const std::string_view state = kind == Kind::kSelect ? std::string_view{} : reader.String();
  if (!reader.ok()) return Damaged();
  if (statement != nullptr && kind == Kind::kWindow) {
    HR_TRY(whole ? statement->window->LoadWhole(state) : statement->window->Load(state));
  } else if (statement != nullptr && kind == Kind::kSorted) {
    HR_TRY(whole ? statement->waiting->LoadWhole(state) : statement->waiting->Load(state));
  } else if (statement != nullptr && kind == Kind::kAsking) {
    HR_TRY(statement->asking->Load(state));
  }
  if (whole && kind == Kind::kWindow) return Ok();
  if (statement == nullptr) return LoadBlocks(nullptr, reader);
  std::vector<state::PagedState*> blocks = BlocksOf(*statement);
  if (whole && kind == Kind::kSorted) blocks.erase(blocks.begin());
  return LoadBlocks(&blocks, reader);
}

Status Graph::LoadDone(Statement* statement, base::ByteReader& reader, const Head& from) {
  const uint64_t blocks = reader.Varint();
  if (!reader.ok() || blocks > kBlocksMax) return Damaged();
  loading_.insert(loading_.end(), blocks, nullptr);
  if (statement == nullptr) return Ok();
  const bool same = blocks == CountBlocks(*statement->plan, from.version) &&
                    statement->plan->until_lsn != UINT64_MAX;
  if (!same) return OfOthers();
  End(*statement);
  return Ok();
}

Status Graph::LoadBlocks(const std::vector<state::PagedState*>* blocks, base::ByteReader& reader) {
  const uint64_t count = reader.Varint();
  if (!reader.ok() || count > kBlocksMax) return Damaged();
  if (blocks != nullptr && count != blocks->size()) return OfOthers();
  for (uint64_t b = 0; b < count; ++b) {
    state::PagedState* block = blocks == nullptr ? nullptr : (*blocks)[b];
    const state::BlockHead head = TakeBlockHead(reader);
    if (!reader.ok()) return Damaged();
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
  for (state::PagedState* block : loading_) {
    if (block != nullptr) block->EndLoad();
  }
  loading_.clear();
}

}  // namespace headrace::flow
