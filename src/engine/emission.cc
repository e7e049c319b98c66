#include "engine/emission.h"

#include <algorithm>

namespace headrace::engine {

Emission::Emission(std::shared_ptr<const Deployment> deployment)
    : deployment_(std::move(deployment)) {
  for (size_t i = 0; i < deployment_->items.size(); ++i) {
    for (const StatementPtr& revision : deployment_->items[i].revisions()) {
      outputs_[revision.get()] = {i, std::make_unique<schema::JsonEncoder>(revision->schema)};
    }
  }
  for (const catalog::Halt& halt : deployment_->catalog.halts())
    AddStops(halt.next_offsets, halt.lsn, false);
  for (const catalog::Drop& drop : deployment_->catalog.drops())
    AddStops(drop.letters, drop.lsn, true);
  for (auto& [of, halts] : halts_) {
    std::sort(halts.begin(), halts.end(),
              [](const Stop& a, const Stop& b) { return a.lsn < b.lsn; });
  }
}

void Emission::AddStops(const catalog::Offsets& offsets, uint64_t lsn, bool drop) {
  for (const auto& [of, offset] : offsets) {
    const Deployed* item = deployment_->FindByTopic(of.first);
    if (item == nullptr || of.second >= item->partitions) continue;
    halts_[{IndexOf(item->name), of.second}].push_back({lsn, offset, drop});
  }
}

void Emission::StartBehind(uint64_t lsn) {
  for (auto& [of, halts] : halts_) {
    while (!halts.empty() && halts.front().lsn <= lsn)
      halts.pop_front();
  }
}

std::optional<int64_t> Emission::Cross(size_t stream, int32_t partition, uint64_t cause) {
  std::optional<int64_t> next;
  if (halts_.empty()) return next;
  auto found = halts_.find({stream, partition});
  if (found == halts_.end()) return next;
  for (Halts& halts = found->second; !halts.empty() && halts.front().lsn <= cause;
       halts.pop_front())
    next = halts.front().next_offset;
  return next;
}

bool Emission::BeforeDrop(size_t stream, int32_t partition) const {
  if (halts_.empty()) return false;
  auto found = halts_.find({stream, partition});
  return found != halts_.end() && std::any_of(found->second.begin(), found->second.end(),
                                              [](const Stop& stop) { return stop.drop; });
}

bool Emission::BeforeHalt(size_t stream, int32_t partition) const {
  if (halts_.empty()) return false;
  auto found = halts_.find({stream, partition});
  return found != halts_.end() && !found->second.empty();
}

Emission::~Emission() = default;

size_t Emission::IndexOf(const std::string& name) const {
  const Deployed* item = deployment_->Find(name);
  HR_CHECK(item != nullptr);
  return static_cast<size_t>(item - deployment_->items.data());
}

const Emission::Output& Emission::OutputOf(const flow::StatementPlan& statement) {
  if (&statement != last_statement_) {
    last_statement_ = &statement;
    last_output_ = &outputs_.at(&statement);
  }
  return *last_output_;
}

void Emission::Emit(const flow::StatementPlan& statement, row::Row& row) {
  const Output& output = OutputOf(statement);
  json_.clear();
  if (WantsBytes(output.item)) output.encoder->Append(row.values, json_);
  HandOn(output, row, json_);
}

void Emission::HandOn(const Output& output, row::Row& row, std::string_view json) {
  ++rows_;
  row.offset = OnRow(output.item, {row.partition, row.cause, row.event_time, json, nullptr});
}

void Emission::EmitAll(const flow::StatementPlan& statement, row::Batch& batch,
                       os::WorkerTeam& team) {
  constexpr size_t kPieceRows = os::WorkerTeam::kPieceRows;
  std::vector<row::Row>& rows = batch.rows();
  const Output& output = OutputOf(statement);
  if (team.size() == 1 || rows.size() < 2 * kPieceRows || !WantsBytes(output.item)) {
    return Collector::EmitAll(statement, batch, team);
  }
  encoded_.resize(std::max(encoded_.size(), os::WorkerTeam::PiecesOf(rows.size())));
  team.RunRows(rows.size(), [&](size_t begin, size_t end, size_t) {
    Encoded& encoded = encoded_[begin / kPieceRows];
    encoded.json.clear();
    encoded.ends.clear();
    for (size_t i = begin; i < end; ++i) {
      output.encoder->Append(rows[i].values, encoded.json);
      encoded.ends.push_back(encoded.json.size());
    }
  });
  for (size_t i = 0; i < rows.size(); ++i) {
    const Encoded& encoded = encoded_[i / kPieceRows];
    const size_t at = i % kPieceRows;
    const size_t begin = at == 0 ? 0 : encoded.ends[at - 1];
    HandOn(output, rows[i], std::string_view(encoded.json).substr(begin, encoded.ends[at] - begin));
  }
}

void Emission::Refuse(const std::string& stream, const row::Row& row,
                      const flow::Refusal& refusal) {
  const Deployed* from = deployment_->Find(stream);
  HR_CHECK(from != nullptr);
  std::vector<DeadLetter>* letters = &dead_letters_;
  if (refusal.by != nullptr && row.cause.lsn < refusal.by->joined_lsn) {
    if (refusal.late) return;
    letters = &past_letters_[{refusal.by->joined_lsn, refusal.by->name}];
    if (letters->size() >= 2 * kPastLettersMax) {
      SortByCause(*letters);
      letters->resize(kPastLettersMax);
    }
  }
  ++dead_;
  DeadLetter letter;
  letter.stream = IndexOf(DeadTopic(from->topic()));
  letter.partition = row.partition;
  letter.cause = row.cause;
  letter.event_time = row.event_time;
  letter.payload = Payload(*from, row);
  letter.code = std::string(refusal.code);
  letter.reason = std::string(refusal.reason);
  letter.pointer = std::string(refusal.pointer);
  letter.topic = from->topic();
  letter.partition_text = std::to_string(row.partition);
  letter.offset_text = std::to_string(row.offset);
  letters->push_back(std::move(letter));
}

// The bytes as received, or those of a row that a statement emitted.
std::string Emission::Payload(const Deployed& from, const row::Row& row) const {
  if (row.payload.data() != nullptr) return std::string(row.payload);
  std::string json;
  outputs_.at(&from.RevisionAt(row.cause.lsn)).encoder->Append(row.values, json);
  return json;
}

void Emission::TakeLate(const flow::StatementPlan&, const row::Row&) {
  ++late_;
}

void Emission::SortByCause(std::vector<DeadLetter>& letters) {
  std::stable_sort(letters.begin(), letters.end(),
                   [](const DeadLetter& a, const DeadLetter& b) { return a.cause < b.cause; });
}

void Emission::FinishFrame() {
  if (dead_letters_.empty()) return;
  SortByCause(dead_letters_);
  for (const DeadLetter& letter : dead_letters_)
    HandOn(letter);
  dead_letters_.clear();
}

void Emission::Reach(uint64_t lsn) {
  while (!past_letters_.empty() && past_letters_.begin()->first.first <= lsn) {
    auto first = past_letters_.begin();
    HandOnPast(first->second, first->first.first);
    past_letters_.erase(first);
  }
}

void Emission::Join(const std::string& statement, uint64_t lsn) {
  auto letters = past_letters_.find({UINT64_MAX, statement});
  if (letters == past_letters_.end()) return;
  HandOnPast(letters->second, lsn);
  past_letters_.erase(letters);
}

void Emission::HandOnPast(std::vector<DeadLetter>& letters, uint64_t lsn) {
  SortByCause(letters);
  if (letters.size() > kPastLettersMax) letters.resize(kPastLettersMax);
  for (DeadLetter& letter : letters) {
    // Rows of a stream stand in the order of their causes; what caused this one now is the
    // statement. The event is named by topic, partition and offset.
    letter.cause = {lsn, 0};
    HandOn(letter);
  }
}

void Emission::HandOn(const DeadLetter& letter) {
  std::vector<std::pair<std::string_view, std::string_view>> headers = {
      {"hr-code", letter.code},
      {"hr-reason", letter.reason},
      {"hr-topic", letter.topic},
      {"hr-partition", letter.partition_text},
      {"hr-offset", letter.offset_text}};
  if (!letter.pointer.empty()) headers.emplace_back("hr-pointer", letter.pointer);
  OnRow(letter.stream,
        {letter.partition, letter.cause, letter.event_time, letter.payload, &headers});
}

}  // namespace headrace::engine
