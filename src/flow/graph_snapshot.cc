// The state of a graph, taken out and put in again.
//
// head := version u8, sources varint, per source: name string, state string;
//         statements varint, per statement: name string, created LSN varint, kind u8;
//           select (1): per key block fingerprint u64, slots varint, watermark u64
//           window (2): state string
//           done (0): nothing

#include "flow/graph.h"

namespace headrace::flow {
namespace {

constexpr uint8_t kVersion = 2;  // 1: key blocks were not cut into shards
enum class Kind : uint8_t { kDone = 0, kSelect = 1, kWindow = 2 };

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

}  // namespace

std::vector<state::KeyBlock*> Graph::KeyBlocks() const {
  std::vector<state::KeyBlock*> blocks;
  for (const auto& statement : statements_) {
    if (!statement->plan->select) continue;
    if (statement->select) {
      for (state::KeyBlock* block : statement->select->key_blocks())
        blocks.push_back(block);
    } else {
      for (const Stage& stage : statement->plan->select->stages)
        blocks.insert(blocks.end(), stage.key_blocks.size(), nullptr);
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
      writer.U8(static_cast<uint8_t>(Kind::kSelect));
      for (state::KeyBlock* block : statement->select->key_blocks())
        Put(block->BeginSnapshot(whole), writer);
    } else if (statement->window) {
      writer.U8(static_cast<uint8_t>(Kind::kWindow));
      std::string window;
      statement->window->Save(window);
      writer.String(window);
    } else {
      writer.U8(static_cast<uint8_t>(Kind::kDone));
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

Status Graph::BeginLoad(std::string_view head) {
  base::ByteReader reader(head);
  if (reader.U8() != kVersion) return OfOthers();
  if (reader.Varint() != source_names_.size()) return OfOthers();
  for (const std::string& name : source_names_) {
    std::string_view stored = reader.String();
    std::string_view state = reader.String();
    if (!reader.ok()) return Damaged();
    if (stored != name) return OfOthers();
    HR_TRY(sources_by_topic_.at(topic_of_source_.at(name))->Load(state));
  }
  if (reader.Varint() != statements_.size()) return OfOthers();
  for (const auto& statement : statements_)
    HR_TRY(LoadStatement(*statement, reader));
  return reader.ok() && reader.remaining() == 0 ? Ok() : Status(Damaged());
}

Status Graph::LoadStatement(Statement& statement, base::ByteReader& reader) {
  std::string_view name = reader.String();
  const uint64_t created = reader.Varint();
  const auto kind = static_cast<Kind>(reader.U8());
  if (!reader.ok()) return Damaged();
  if (name != statement.plan->name || created != statement.plan->created_lsn) return OfOthers();
  if (kind == Kind::kDone && statement.plan->until_lsn != UINT64_MAX) {
    statement.select.reset();
    statement.window.reset();
    return Ok();
  }
  if (kind == Kind::kSelect && statement.select) {
    for (state::KeyBlock* block : statement.select->key_blocks())
      HR_TRY(block->BeginLoad(TakeBlockHead(reader)));
    return Ok();
  }
  if (kind != Kind::kWindow || !statement.window) return OfOthers();
  return statement.window->Load(reader.String());
}

Status Graph::LoadPage(uint32_t block, uint32_t number, std::string_view bytes) {
  std::vector<state::KeyBlock*> blocks = KeyBlocks();
  if (block >= blocks.size() || blocks[block] == nullptr) return Damaged();
  return blocks[block]->LoadPage(number, bytes);
}

void Graph::EndLoad() {
  for (state::KeyBlock* block : KeyBlocks()) {
    if (block != nullptr) block->EndLoad();
  }
}

}  // namespace headrace::flow
