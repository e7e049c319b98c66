#include "engine/recovery_estimate.h"

namespace headrace::engine {

RecoveryEstimate::RecoveryEstimate(base::MetricsRegistry& metrics)
    : gauge_(metrics.GetGauge("headrace_recovery_estimated_seconds",
                              "How long a start would take now: snapshot and replay.")) {}

void RecoveryEstimate::Loaded(uint64_t bytes, int64_t nanos) {
  bytes_ = bytes;
  if (bytes > 0 && nanos > 0)
    load_bytes_per_second_ = static_cast<double>(bytes) / static_cast<double>(nanos) * 1e9;
  Show();
}

void RecoveryEstimate::Replayed(uint64_t events, uint64_t all, int64_t nanos) {
  behind_ = behind_begun_ = events;
  all_ = all;
  if (events >= kEventsThatTell && nanos > 0)
    replay_nanos_per_event_ = static_cast<double>(nanos) / static_cast<double>(events);
  Show();
}

void RecoveryEstimate::Ran(uint64_t events, int64_t nanos) {
  if (events == 0) return;
  behind_ += events;
  behind_begun_ += events;
  all_ += events;
  // Over about the last 10,000 events.
  constexpr double kMemory = 10'000;
  const auto count = static_cast<double>(events);
  const double weight = live_nanos_per_event_ == 0 ? 1 : count / (count + kMemory);
  const double each = static_cast<double>(nanos) / count;
  live_nanos_per_event_ += weight * (each - live_nanos_per_event_);
  Show();
}

void RecoveryEstimate::SnapshotWritten(uint64_t bytes) {
  bytes_ = bytes;
  behind_ = behind_begun_;
  Show();
}

void RecoveryEstimate::SnapshotsForgotten() {
  bytes_ = 0;
  behind_ = behind_begun_ = all_;
  Show();
}

double RecoveryEstimate::seconds() const {
  const double each = replay_nanos_per_event_ > 0 ? replay_nanos_per_event_ : live_nanos_per_event_;
  return static_cast<double>(bytes_) / load_bytes_per_second_ +
         static_cast<double>(behind_) * each * 1e-9;
}

}  // namespace headrace::engine
