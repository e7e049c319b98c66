#include "cli/demo/event_feed.h"

#include <algorithm>
#include <chrono>

namespace headrace::cli {

EventFeed::EventFeed(engine::Engine& engine, const os::Clock& clock, DecisionMeter& meter)
    : engine_(engine), clock_(clock), meter_(meter) {
  engine_.SetWakeCallback([this] {
    std::lock_guard lock(mutex_);
    woken_ = true;
    wake_.notify_one();
  });
}

void EventFeed::Send(const Payment& payment, int64_t due) {
  engine::IngestRequest request;
  request.topic = "payments";
  request.payloads.push_back(payment.Json());
  request.return_stream = "decisions";
  request.done = [this, due](const engine::IngestReply& reply) {
    if (reply.error && !error_) error_ = reply.error;
    if (!reply.rejected.empty() && !error_) error_ = reply.rejected[0].error;
    const auto nanoseconds = static_cast<uint64_t>(clock_.MonotonicNanoseconds() - due);
    for (const std::string& row : reply.rows)
      meter_.Take(row, nanoseconds);
  };
  engine_.Submit(std::move(request));
}

void EventFeed::Wait(int64_t until) {
  const int64_t left = until - clock_.MonotonicNanoseconds();
  if (left <= 0) return;
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, std::chrono::nanoseconds(left), [this] { return woken_; });
  woken_ = false;
}

Status EventFeed::Run(PaymentGenerator& payments, const FeedOptions& options) {
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t start = clock_.MonotonicNanoseconds();
  const uint64_t rate = options.events_per_second;
  int64_t next_report = start + kSecond;
  uint64_t sent = 0;
  auto due = [&](uint64_t n) {
    return rate == 0 ? start : start + static_cast<int64_t>(n * uint64_t{kSecond} / rate);
  };
  while (!error_ && (sent < options.events || engine_.in_flight() > 0)) {
    if (options.stop != nullptr && *options.stop) break;
    const int64_t now = clock_.MonotonicNanoseconds();
    while (sent < options.events && due(sent) <= now && engine_.in_flight() < kInFlightMax) {
      Send(payments.Next(), rate == 0 ? clock_.MonotonicNanoseconds() : due(sent));
      ++sent;
    }
    const bool more = engine_.Pump();
    engine_.Complete();
    if (options.report && now >= next_report) {
      options.report(sent);
      next_report += kSecond;
    }
    const bool can_send = sent < options.events && engine_.in_flight() < kInFlightMax;
    if (!more && !can_send && engine_.in_flight() == 0) continue;  // all is told
    if (!more) Wait(can_send ? std::min(due(sent), next_report) : next_report);
  }
  if (error_) return *error_;
  return Ok();
}

}  // namespace headrace::cli
