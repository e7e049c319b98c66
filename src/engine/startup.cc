#include "engine/startup.h"

#include <algorithm>

namespace headrace::engine {

std::optional<double> StartupProgress::share() const {
  if (phase == Phase::kReady) return 1.0;
  if (phase == Phase::kLoading) return 0.0;
  if (events_total == 0) return {};
  return std::min(1.0, static_cast<double>(events) / static_cast<double>(events_total));
}

std::optional<double> StartupProgress::seconds_left() const {
  const std::optional<double> done = share();
  if (phase == Phase::kReady) return 0.0;
  if (!done || *done <= 0) return {};
  return seconds_of_replay * (1 - *done) / *done;
}

Startup::Startup(const os::Clock& clock)
    : clock_(clock), began_nanos_(clock.MonotonicNanoseconds()) {}

void Startup::BeginReplay(uint64_t events_total) {
  events_total_.store(events_total, std::memory_order_relaxed);
  replay_nanos_.store(clock_.MonotonicNanoseconds(), std::memory_order_relaxed);
  phase_.store(Phase::kReplaying, std::memory_order_release);
}

void Startup::Finish() {
  done_nanos_.store(clock_.MonotonicNanoseconds(), std::memory_order_relaxed);
  phase_.store(Phase::kReady, std::memory_order_release);
}

StartupProgress Startup::Now() const {
  StartupProgress now;
  now.phase = phase_.load(std::memory_order_acquire);
  now.stopped = stopped();
  now.events = events_.load(std::memory_order_relaxed);
  now.events_total = events_total_.load(std::memory_order_relaxed);
  const int64_t nanos = now.phase == Phase::kReady ? done_nanos_.load(std::memory_order_relaxed)
                                                   : clock_.MonotonicNanoseconds();
  now.seconds = static_cast<double>(nanos - began_nanos_) * 1e-9;
  const int64_t replay = replay_nanos_.load(std::memory_order_relaxed);
  if (replay != 0) now.seconds_of_replay = static_cast<double>(nanos - replay) * 1e-9;
  return now;
}

}  // namespace headrace::engine
