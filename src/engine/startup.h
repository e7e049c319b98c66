#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "os/clock.h"

namespace headrace::engine {

// How far a start has come. Value type.
struct StartupProgress {
  enum class Phase : uint8_t { kLoading, kReplaying, kReady };

  Phase phase = Phase::kReady;
  bool stopped = false;          // it was asked to give up
  uint64_t events = 0;           // run again so far
  uint64_t events_total = 0;     // to be run again; 0: none, or that is not known
  double seconds = 0;            // since it began
  double seconds_of_replay = 0;  // of these

  // Of the replay, from 0 to 1; nothing when it is not known.
  std::optional<double> share() const;
  // Until the replay is done, if it goes on as it did.
  std::optional<double> seconds_left() const;
};
using StartupTaker = std::function<void(const StartupProgress&)>;

// A start under way: written by the thread that recovers, read by any. The clock must outlive it.
class Startup {
 public:
  explicit Startup(const os::Clock& clock);

  // The state is loaded; so many events come behind it (0: not known).
  void BeginReplay(uint64_t events_total);
  void Reach(uint64_t events) { events_.store(events, std::memory_order_relaxed); }
  void Finish();

  // Asks the thread to give up, unless it is done.
  void Stop() { stopped_.store(true, std::memory_order_relaxed); }
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }
  bool done() const { return phase_.load(std::memory_order_acquire) == Phase::kReady; }
  StartupProgress Now() const;

 private:
  using Phase = StartupProgress::Phase;

  const os::Clock& clock_;
  const int64_t began_nanos_;
  std::atomic<Phase> phase_{Phase::kLoading};
  std::atomic<bool> stopped_{false};
  std::atomic<uint64_t> events_{0};
  std::atomic<uint64_t> events_total_{0};
  std::atomic<int64_t> replay_nanos_{0};  // when it began
  std::atomic<int64_t> done_nanos_{0};
};

}  // namespace headrace::engine
