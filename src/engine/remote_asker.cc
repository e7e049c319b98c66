#include "engine/remote_asker.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/metric_label.h"

namespace headrace::engine {
namespace {

constexpr int64_t kNanosPerMilli = 1'000'000;

std::string LabelOf(const std::string& model) {
  return "model=\"" + base::EscapedLabel(model) + "\"";
}

flow::RemoteStatus StatusOf(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::kTimeout:
      return flow::RemoteStatus::kTimeout;
    case ErrorKind::kLimitExceeded:
      return flow::RemoteStatus::kTooLarge;
    default:
      return flow::RemoteStatus::kUnavailable;
  }
}

}  // namespace

RemoteAsker::RemoteAsker(os::HttpCaller* caller, os::Clock& clock, base::MetricsRegistry& metrics,
                         std::function<void()> wake)
    : caller_(caller), clock_(clock), metrics_(metrics), inbox_(std::make_shared<Inbox>()) {
  inbox_->wake = std::move(wake);
}

RemoteAsker::~RemoteAsker() {
  std::lock_guard lock(inbox_->mutex);
  inbox_->wake = nullptr;
}

RemoteAsker::Model& RemoteAsker::ModelOf(const flow::RemotePlan& plan) {
  auto [found, is_new] = models_.try_emplace(plan.name);
  Model& model = found->second;
  if (!is_new) return model;
  const std::string label = LabelOf(plan.name);
  model.breaker_open = &metrics_.GetGauge("headrace_remote_breaker_open",
                                          "1 while a remote model is not called", label);
  model.queued = &metrics_.GetGauge("headrace_remote_waiting",
                                    "questions that wait for a call to a remote model", label);
  model.seconds = &metrics_.GetHistogram("headrace_remote_call_seconds",
                                         "from a call to a remote model to its answer", label);
  return model;
}

void RemoteAsker::Add(std::vector<flow::Ask> asks, log::Lsn lsn) {
  for (flow::Ask& ask : asks) {
    Model& model = ModelOf(*ask.model);
    model.waiting.push_back({std::move(ask), lsn});
    model.queued->Set(static_cast<double>(model.waiting.size()));
  }
}

void RemoteAsker::Replace(std::vector<flow::Ask> asks, log::Lsn lsn) {
  for (auto& [name, model] : models_)
    model.waiting.clear();
  for (auto& [key, call] : calls_)
    call.forgotten = true;
  const auto on_its_way = [this](const flow::Ask& ask) {
    const auto call = calls_.find(KeyOf(ask));
    const bool same = call != calls_.end() && call->second.ask.fingerprint == ask.fingerprint;
    if (same) call->second.forgotten = false;
    return same;
  };
  std::set<Key> wanted;
  for (const flow::Ask& ask : asks)
    wanted.insert(KeyOf(ask));
  std::erase_if(answers_, [&](const flow::RemoteAnswer& answer) {
    return wanted.erase({answer.statement, answer.row, answer.question}) == 0;
  });
  std::erase_if(
      asks, [&](const flow::Ask& ask) { return on_its_way(ask) || !wanted.contains(KeyOf(ask)); });
  Add(std::move(asks), lsn);
}

void RemoteAsker::Send(log::Lsn durable) {
  for (auto& [name, model] : models_)
    SendOf(model, durable);
}

void RemoteAsker::SendOf(Model& model, log::Lsn durable) {
  while (!model.waiting.empty() && model.waiting.front().lsn <= durable) {
    const std::shared_ptr<const flow::RemotePlan> plan = model.waiting.front().ask.model;
    if (caller_ != nullptr && model.calls >= plan->connections) break;
    const bool may = caller_ != nullptr && MayCall(model, *plan);
    if (!may && model.breaker == Breaker::kTrying) break;  // its answer decides of them
    flow::Ask ask = std::move(model.waiting.front().ask);
    model.waiting.pop_front();
    if (may) {
      Call(model, std::move(ask));
    } else if (caller_ == nullptr) {
      Give(ask, flow::RemoteAnswer::To(ask, flow::RemoteStatus::kUnavailable,
                                       "this program calls no remote models"));
    } else {
      Give(ask, flow::RemoteAnswer::To(ask, flow::RemoteStatus::kBreakerOpen,
                                       "the calls before had failed"));
    }
  }
  model.queued->Set(static_cast<double>(model.waiting.size()));
}

bool RemoteAsker::MayCall(Model& model, const flow::RemotePlan& plan) {
  if (model.breaker == Breaker::kTrying) return false;
  if (model.breaker == Breaker::kClosed) return true;
  const int64_t open = clock_.MonotonicNanoseconds() - model.opened_nanos;
  if (open < plan.breaker_pause_ms * kNanosPerMilli) return false;
  model.breaker = Breaker::kTrying;
  return true;
}

void RemoteAsker::Call(Model& model, flow::Ask ask) {
  const Key key = KeyOf(ask);
  const flow::RemotePlan& plan = *ask.model;
  os::HttpCall call;
  call.host = plan.address.host;
  call.port = plan.address.port;
  call.target = plan.address.target;
  call.body = model::RemoteRequest(plan.signature, ask.inputs);
  call.timeout_ms = plan.timeout_ms;
  call.answer_bytes_max = model::kRemoteAnswerBytesMax;
  ++model.calls;
  calls_[key] = {std::move(ask), clock_.MonotonicNanoseconds(), false};
  caller_->Post(std::move(call),
                [inbox = inbox_, &clock = clock_, key](Result<os::HttpReply> reply) {
                  std::lock_guard lock(inbox->mutex);
                  if (!inbox->wake) return;
                  inbox->replies.push_back({key, std::move(reply), clock.MonotonicNanoseconds()});
                  inbox->changed.notify_all();
                  inbox->wake();
                });
}

flow::RemoteAnswer RemoteAsker::AnswerOf(const flow::Ask& ask,
                                         const Result<os::HttpReply>& reply) const {
  using flow::RemoteAnswer;
  if (!reply.ok()) return RemoteAnswer::To(ask, StatusOf(reply.error()), reply.error().message());
  constexpr int kOk = 200;
  if (reply->status != kOk) {
    return RemoteAnswer::To(ask, flow::RemoteStatus::kRefused,
                            "HTTP status " + std::to_string(reply->status));
  }
  auto outputs = model::ReadRemoteAnswer(ask.model->signature, reply->body);
  if (!outputs.ok()) {
    const bool large = outputs.error().kind() == ErrorKind::kLimitExceeded;
    return RemoteAnswer::To(ask,
                            large ? flow::RemoteStatus::kTooLarge : flow::RemoteStatus::kInvalid,
                            outputs.error().message());
  }
  RemoteAnswer answer = RemoteAnswer::To(ask, flow::RemoteStatus::kAnswered, "");
  answer.outputs = std::move(*outputs);
  return answer;
}

void RemoteAsker::NoteCall(Model& model, const flow::RemotePlan& plan, bool good) {
  --model.calls;
  model.failures = good ? 0 : model.failures + 1;
  const bool trying = model.breaker == Breaker::kTrying;
  if (good) {
    model.breaker = Breaker::kClosed;
  } else if (trying || (plan.breaker_failures > 0 && model.failures >= plan.breaker_failures)) {
    if (model.breaker != Breaker::kOpen) model.opened_nanos = clock_.MonotonicNanoseconds();
    model.breaker = Breaker::kOpen;
  }
  model.breaker_open->Set(model.breaker == Breaker::kClosed ? 0 : 1);
}

void RemoteAsker::Count(const flow::Ask& ask, flow::RemoteStatus status) {
  metrics_
      .GetCounter(
          "headrace_remote_answers_total", "how questions to a remote model ended",
          LabelOf(ask.model->name) + ",status=\"" + std::string(flow::ToString(status)) + "\"")
      .Add();
}

void RemoteAsker::Give(const flow::Ask& ask, flow::RemoteAnswer answer) {
  Count(ask, answer.status);
  answers_.push_back(std::move(answer));
  // Like one that came from outside.
  std::lock_guard lock(inbox_->mutex);
  if (inbox_->wake) inbox_->wake();
}

std::vector<flow::RemoteAnswer> RemoteAsker::TakeAnswers(size_t most) {
  std::vector<Inbox::Reply> replies;
  {
    std::lock_guard lock(inbox_->mutex);
    replies = std::exchange(inbox_->replies, {});
  }
  for (const Inbox::Reply& reply : replies) {
    const auto call = calls_.find(reply.key);
    if (call == calls_.end()) continue;
    const flow::Ask& ask = call->second.ask;
    Model& model = ModelOf(*ask.model);
    model.seconds->Record(
        static_cast<uint64_t>(std::max<int64_t>(0, reply.nanos - call->second.sent_nanos)));
    flow::RemoteAnswer answer = AnswerOf(ask, reply.reply);
    NoteCall(model, *ask.model, answer.status == flow::RemoteStatus::kAnswered);
    if (!call->second.forgotten) {
      Count(ask, answer.status);
      answers_.push_back(std::move(answer));
    }
    calls_.erase(call);
  }
  const auto end = answers_.begin() + static_cast<ptrdiff_t>(std::min(most, answers_.size()));
  std::vector<flow::RemoteAnswer> taken(std::make_move_iterator(answers_.begin()),
                                        std::make_move_iterator(end));
  answers_.erase(answers_.begin(), end);
  return taken;
}

size_t RemoteAsker::open() const {
  size_t open = calls_.size() + answers_.size();
  for (const auto& [name, model] : models_)
    open += model.waiting.size();
  return open;
}

bool RemoteAsker::has_answers() const {
  if (!answers_.empty()) return true;
  std::lock_guard lock(inbox_->mutex);
  return !inbox_->replies.empty();
}

void RemoteAsker::Wait() {
  if (!answers_.empty() || calls_.empty()) return;
  std::unique_lock lock(inbox_->mutex);
  inbox_->changed.wait(lock, [this] { return !inbox_->replies.empty(); });
}

}  // namespace headrace::engine
