#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "cli/demo/decision_meter.h"
#include "cli/demo/payment_generator.h"
#include "engine/engine.h"
#include "os/clock.h"

namespace headrace::cli {

struct FeedOptions {
  uint64_t events = 0;
  uint64_t events_per_second = 0;  // 0: as fast as they are taken
  const std::atomic<bool>* stop = nullptr;
  std::function<void(uint64_t sent)> report;  // about once a second
};

// Hands payments to an engine at a fixed rate whether it keeps up or not (an open loop), and takes
// the decisions back. Latency counts from the moment a payment was due. Runs the engine's worker
// loop on the caller's thread. Lifetime: everything passed in outlives it. Confined.
class EventFeed {
 public:
  EventFeed(engine::Engine& engine, const os::Clock& clock, DecisionMeter& meter);

  // Returns when all are answered or `stop` was set. Error: the first one that a request got.
  Status Run(PaymentGenerator& payments, const FeedOptions& options);

 private:
  static constexpr size_t kInFlightMax = 4096;  // at full speed

  void Send(const Payment& payment, int64_t due);
  void Wait(int64_t until);

  engine::Engine& engine_;
  const os::Clock& clock_;
  DecisionMeter& meter_;
  std::optional<Error> error_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false;  // guarded by mutex_
};

}  // namespace headrace::cli
