#pragma once

#include <cstdint>

#include "base/metrics.h"

namespace headrace::engine {

// How long a start would take now: the newest snapshot is loaded, and what came behind it runs
// again. Both speeds are those that this program has seen: at its own start, else an assumed one
// for loading, and for events that at which live ones ran. Opening the log is not counted in. Shown
// as headrace_recovery_estimated_seconds. Confined to the worker.
class RecoveryEstimate {
 public:
  // Until one was loaded. On the slow side: what takes the time is building the tables.
  static constexpr double kAssumedBytesPerSecond = 200e6;
  // A replay of fewer events says nothing about the speed.
  static constexpr uint64_t kEventsThatTell = 1000;

  explicit RecoveryEstimate(base::MetricsRegistry& metrics);

  // This start loaded so much state.
  void Loaded(uint64_t bytes, int64_t nanos);
  // It ran so many events again; `all` of them it would without a snapshot.
  void Replayed(uint64_t events, uint64_t all, int64_t nanos);
  // Live events, and what computing them took.
  void Ran(uint64_t events, int64_t nanos);
  // Takes effect when it is Written.
  void SnapshotBegun() { behind_begun_ = 0; }
  void SnapshotWritten(uint64_t bytes);
  // A start would replay everything.
  void SnapshotsForgotten();

  double seconds() const;

 private:
  void Show() { gauge_.Set(seconds()); }

  base::Gauge& gauge_;
  double load_bytes_per_second_ = kAssumedBytesPerSecond;
  double replay_nanos_per_event_ = 0;  // 0: not measured
  double live_nanos_per_event_ = 0;    // a moving mean; 0: none yet
  uint64_t bytes_ = 0;                 // of the newest snapshot
  uint64_t behind_ = 0;                // events behind it
  uint64_t behind_begun_ = 0;          // behind the one that is being written
  uint64_t all_ = 0;
};

}  // namespace headrace::engine
