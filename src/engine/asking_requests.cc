#include "engine/asking_requests.h"

#include <algorithm>
#include <set>

#include "engine/deployment.h"

namespace headrace::engine {

void AskingRequests::Wait(const Shared& request, const flow::Ask& ask) {
  Row& row = rows_[{ask.statement, ask.row}];
  if (row.questions++ > 0) return;
  row.request = request;
  if (request->open++ > 0) return;
  ++requests_;
  if (request->claimed) by_key_[request->key] = request;
}

AskingRequests::Answered AskingRequests::Answer(const flow::RemoteAnswer& answer) {
  const auto found = rows_.find({answer.statement, answer.row});
  if (found == rows_.end()) return {};
  Answered answered{found->second.request, --found->second.questions == 0};
  if (answered.complete) rows_.erase(found);
  return answered;
}

bool AskingRequests::Follow(const AnswerKey& key, std::function<void(IngestReply)>& done) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return false;
  found->second->repeats.push_back(std::move(done));
  return true;
}

void AskingRequests::End(const Shared& request) {
  --requests_;
  if (request->claimed) by_key_.erase(request->key);
}

std::vector<AskingRequests::Shared> AskingRequests::TakeLost(const std::vector<flow::Ask>& asks) {
  std::set<RowKey> wait;
  for (const flow::Ask& ask : asks)
    wait.insert({ask.statement, ask.row});
  std::vector<Shared> lost;
  for (auto row = rows_.begin(); row != rows_.end();) {
    if (wait.contains(row->first)) {
      ++row;
      continue;
    }
    if (--row->second.request->open == 0) {
      End(row->second.request);
      lost.push_back(row->second.request);
    }
    row = rows_.erase(row);
  }
  return lost;
}

bool StemsFrom(const Deployment& deployment, const std::string& stream,
               const std::string& statement) {
  for (const Deployed* item = deployment.Find(stream); item != nullptr && item->statement;
       item = deployment.Find(item->statement->input())) {
    if (item->name == statement) return true;
  }
  return false;
}

}  // namespace headrace::engine
