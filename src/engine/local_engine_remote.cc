// How LocalEngine asks remote models: rows wait in the flow, questions go out when their event is
// durable, and answers come in as groups of their own.

#include <algorithm>
#include <set>

#include "engine/local_engine.h"
#include "engine/taken.h"

namespace headrace::engine {
namespace {

constexpr size_t kAnswersMax = 256;  // of one group

}  // namespace

bool LocalEngine::FindQueued() {
  const auto free = [this](const IngestRequest& request) {
    return !graph_->HoldsBack(*graph_->FindSource(request.topic));
  };
  if (queue_.empty() || free(queue_.front())) return !queue_.empty();
  // Those of other topics do not wait behind it.
  std::set<std::string> held = {queue_.front().topic};
  for (auto at = queue_.begin() + 1; at != queue_.end(); ++at) {
    if (held.contains(at->topic)) continue;
    if (free(*at)) {
      std::rotate(queue_.begin(), at, at + 1);
      return true;
    }
    held.insert(at->topic);
  }
  return false;
}

void LocalEngine::TakeAsks(const Wanted& wanted) {
  std::vector<flow::Ask> asks = graph_->TakeAsks(false);
  if (asks.empty()) return;
  const auto deployment = this->deployment();
  for (const flow::Ask& ask : asks) {
    Taken* one = wanted.Find(ask.row.cause);
    if (one == nullptr || one->request.return_stream.empty()) continue;
    if (!StemsFrom(*deployment, one->request.return_stream, ask.statement)) continue;
    if (!one->asking) {
      one->asking = std::make_shared<AskingRequests::Request>();
      one->asking->topic = one->request.topic;
      one->asking->return_stream = one->request.return_stream;
      one->asking->claimed = one->claimed;
      one->asking->key = one->key;
      one->asking->fingerprint = one->request.fingerprint;
      one->asking->arrival_micros = admitted_.note.arrival_micros;
    }
    asking_.Wait(one->asking, ask);
  }
  asker_->Add(std::move(asks), log_->last_lsn() + entries_.size());
}

bool LocalEngine::TakeAnswers() {
  asker_->Send(log_->durable_lsn());
  const std::vector<flow::RemoteAnswer> answers = asker_->TakeAnswers(kAnswersMax);
  if (answers.empty()) return false;
  RunAnswers(answers);
  asker_->Send(log_->durable_lsn());
  return true;
}

void LocalEngine::RunAnswers(const std::vector<flow::RemoteAnswer>& answers) {
  entries_.clear();
  const int64_t now_ms = clock_.NowMicros() / 1000;
  builder_.Begin(now_ms);
  for (const flow::RemoteAnswer& answer : answers) {
    const std::string bytes = answer.Encode();
    log::Record record;
    record.timestamp_ms = now_ms;
    record.value = bytes;
    builder_.Add(record);
  }
  log::Entry& entry = entries_.emplace_back();
  entry.topic = flow::kRemoteAnswersTopic;
  entry.record_count = builder_.count();
  entry.bytes = builder_.Finish();
  std::vector<AskingRequests::Answered> owners;
  const uint64_t lsn = NextLsn(0);
  std::set<std::string> tapped;
  for (const flow::RemoteAnswer& answer : answers) {
    owners.push_back(asking_.Answer(answer));
    if (owners.back().request) tapped.insert(owners.back().request->return_stream);
  }
  for (const std::string& stream : tapped) {
    group_->SetTap(stream, [&owners, &stream, lsn](const TappedRow& row) {
      if (row.cause.lsn != lsn || row.cause.index >= owners.size()) return;
      AskingRequests::Request* request = owners[row.cause.index].request.get();
      if (request == nullptr || request->return_stream != stream) return;
      request->reply.rows.push_back(IdentifiedRow(stream, row.partition, row.offset, row.value));
      AddPlace(request->rows, row.partition, row.offset);
    });
  }
  graph_->Answer(answers, {lsn, 0}, *group_);
  group_->FinishFrame();
  for (const std::string& stream : tapped)
    group_->SetTap(stream, nullptr);
  group_->TakeEntries(entries_);
  std::vector<flow::Ask> asks = graph_->TakeAsks(false);
  for (const flow::Ask& ask : asks) {
    const AskingRequests::Shared& request = owners[ask.row.cause.index].request;
    const bool wanted = request && StemsFrom(*deployment(), request->return_stream, ask.statement);
    if (wanted) asking_.Wait(request, ask);
  }
  std::vector<AskingRequests::Shared> complete;
  for (const AskingRequests::Answered& owner : owners) {
    if (!owner.complete || --owner.request->open > 0) continue;
    asking_.End(owner.request);
    complete.push_back(owner.request);
  }
  AppendAnswers(complete, std::move(asks));
}

void LocalEngine::AppendAnswers(const std::vector<AskingRequests::Shared>& complete,
                                std::vector<flow::Ask> asks) {
  for (const AskingRequests::Shared& request : complete) {
    if (!request->claimed) continue;
    // A request that is sent again is answered from the newer of the two.
    if (!answers_.Claim(request->key, request->fingerprint, request->arrival_micros).ok()) continue;
    Answer answer;
    answer.key = request->key;
    answer.fingerprint = request->fingerprint;
    answer.accepted = request->reply.accepted;
    answer.placed = request->reply.placed;
    answer.rejected = request->reply.rejected;
    answer.return_stream = request->return_stream;
    answer.rows = request->rows;
    answers_.Add(answer, request->arrival_micros);
  }
  answers_.TakeEntry(entries_);
  KeepWithinMemory();
  CountTotals();
  const log::Lsn last = NextLsn(0) + entries_.size() - 1;
  asker_->Add(std::move(asks), last);
  Status appended = AppendRequests();
  const bool refused = !appended.ok() && !unappended_;
  for (const AskingRequests::Shared& request : complete)
    Reply(*request, refused ? 0 : last);
  if (refused || last <= log_->durable_lsn()) Complete();
}

void LocalEngine::Reply(AskingRequests::Request& request, log::Lsn lsn) {
  for (auto& done : request.repeats) {
    IngestReply again = request.reply;
    again.repeated = true;
    waiting_.push_back({lsn, std::move(again), std::move(done), -1});
  }
  waiting_.push_back({lsn, std::move(request.reply), std::move(request.done), -1});
}

// The state was made anew: what waits in it is what is asked.
void LocalEngine::AskAgain() {
  std::vector<flow::Ask> asks = graph_->TakeAsks(true);
  for (const AskingRequests::Shared& request : asking_.TakeLost(asks))
    Reply(*request, log_->last_lsn());
  asker_->Replace(std::move(asks), log_->last_lsn());
}

Status LocalEngine::GiveUpAsks(const std::vector<catalog::Change>& changes) {
  std::vector<flow::RemoteAnswer> answers;
  for (const flow::Ask& ask : graph_->TakeAsks(true)) {
    const bool replaced = std::any_of(changes.begin(), changes.end(), [&](const auto& change) {
      // What joins asks for nothing before: it is that which it replaces.
      const bool ends =
          change.kind == catalog::ChangeKind::kReplace || change.kind == catalog::ChangeKind::kJoin;
      return ends && change.name == ask.statement;
    });
    if (!replaced) continue;
    answers.push_back(flow::RemoteAnswer::To(ask, flow::RemoteStatus::kReplaced, ""));
  }
  if (!answers.empty()) RunAnswers(answers);
  if (unappended_) {
    return Error(ErrorKind::kNoSpace, "HR5002", "no space left for the journal")
        .WithHint("free disk space");
  }
  AskAgain();
  return Ok();
}

void LocalEngine::AwaitAnswer() {
  if (graph_ == nullptr || graph_->asking() == 0) return;
  asker_->Send(log_->durable_lsn());
  if (asker_->open() > 0) asker_->Wait();
}

Status LocalEngine::StepAsks() {
  if (unappended_) HR_TRY(AppendGroup());
  while (TakeAnswers()) {
    if (unappended_) HR_TRY(AppendGroup());
  }
  return Ok();
}

Status LocalEngine::FinishAsks() {
  while (graph_->asking() > 0) {
    HR_TRY(StepAsks());
    HR_TRY(log_->WaitDurable(log_->last_lsn()));
    Complete();
    AwaitAnswer();
    if (asker_->open() == 0 && graph_->asking() > 0) break;
  }
  return Ok();
}

}  // namespace headrace::engine
