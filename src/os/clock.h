#pragma once

#include <atomic>
#include <cstdint>

namespace headrace::os {

// The only way to a wall clock or a monotonic clock. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t NowMicros() const = 0;             // UTC, microseconds since 1970
  virtual int64_t MonotonicNanoseconds() const = 0;  // for durations
};

class SystemClock final : public Clock {
 public:
  int64_t NowMicros() const override;
  int64_t MonotonicNanoseconds() const override;
};

// Stands still until told. For tests, simulation and replay.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t micros = 0) : micros_(micros) {}
  int64_t NowMicros() const override { return micros_.load(); }
  int64_t MonotonicNanoseconds() const override { return micros_.load() * 1000; }
  void Set(int64_t micros) { micros_.store(micros); }
  void Advance(int64_t micros) { micros_.fetch_add(micros); }

 private:
  std::atomic<int64_t> micros_;
};

}  // namespace headrace::os
