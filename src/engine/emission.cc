#include "engine/emission.h"

#include <algorithm>

namespace headrace::engine {

Emission::Emission(std::shared_ptr<const Deployment> deployment)
    : deployment_(std::move(deployment)) {
  for (size_t i = 0; i < deployment_->items.size(); ++i) {
    const Deployed& item = deployment_->items[i];
    if (item.statement) index_of_statement_[item.statement.get()] = i;
    encoders_.push_back(
        item.models ? nullptr : std::make_unique<schema::JsonEncoder>(deployment_->SchemaOf(item)));
  }
}

Emission::~Emission() = default;

size_t Emission::IndexOf(const std::string& name) const {
  const Deployed* item = deployment_->Find(name);
  HR_CHECK(item != nullptr);
  return static_cast<size_t>(item - deployment_->items.data());
}

void Emission::Emit(const flow::StatementPlan& statement, const row::Row& row) {
  if (&statement != last_statement_) {
    last_statement_ = &statement;
    last_index_ = index_of_statement_.at(&statement);
  }
  json_.clear();
  encoders_[last_index_]->Append(row.values, json_);
  ++rows_;
  OnRow(last_index_, {row.partition, row.cause, row.event_time, json_, nullptr});
}

void Emission::Refuse(const std::string& stream, const row::Row& row,
                      const flow::Refusal& refusal) {
  const Deployed* from = deployment_->Find(stream);
  HR_CHECK(from != nullptr);
  DeadLetter letter;
  letter.stream = IndexOf(DeadTopic(from->topic()));
  letter.partition = row.partition;
  letter.cause = row.cause;
  letter.event_time = row.event_time;
  if (row.payload.data() != nullptr) {
    letter.payload = std::string(row.payload);
  } else {
    encoders_[static_cast<size_t>(from - deployment_->items.data())]->Append(row.values,
                                                                             letter.payload);
  }
  letter.code = std::string(refusal.code);
  letter.reason = std::string(refusal.reason);
  letter.pointer = std::string(refusal.pointer);
  letter.topic = from->topic();
  letter.partition_text = std::to_string(row.partition);
  letter.offset_text = std::to_string(row.offset);
  dead_letters_.push_back(std::move(letter));
  ++dead_;
}

void Emission::CountLate(const flow::StatementPlan&) {
  ++late_;
}

void Emission::FinishFrame() {
  if (dead_letters_.empty()) return;
  std::stable_sort(dead_letters_.begin(), dead_letters_.end(),
                   [](const DeadLetter& a, const DeadLetter& b) { return a.cause < b.cause; });
  for (const DeadLetter& letter : dead_letters_) {
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
  dead_letters_.clear();
}

}  // namespace headrace::engine
