#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cli/torture/history.h"
#include "os/clock.h"
#include "os/random.h"

namespace headrace::cli::torture {

// One request of a producer.
struct Batch {
  std::vector<Event> events;
  bool as_lines = false;
  std::optional<Stream> wanted;  // whose rows the answer carries
  bool again = false;            // it was sent before
};

// The requests of one producer: mostly one event, sometimes a few, with some event times that are
// out of order. The seed decides all but the times. Confined.
class Workload {
 public:
  static constexpr uint64_t kKeys = 24;
  static constexpr uint64_t kBatchMax = 8;

  Workload(uint64_t seed, uint32_t producer, Stream topic, const os::Clock& clock)
      : random_(seed), producer_(producer), topic_(topic), clock_(clock) {}

  Batch Next();
  uint32_t sent() const { return next_; }

 private:
  os::SeededRandom random_;
  uint32_t producer_;
  Stream topic_;
  const os::Clock& clock_;
  uint32_t next_ = 0;
};

// How a life of the server ends.
struct LifeEnd {
  enum class How : uint8_t { kKill, kKillAtStart, kStop } how = How::kKill;
  int64_t milliseconds = 0;  // from when it answers; kKillAtStart: from when it was started
  uint64_t workers = 1;      // threads of the server
  int64_t pause = 0;         // milliseconds that a producer thinks between requests
};

// Mostly killed after a moment, sometimes while it recovers, sometimes stopped; now and then it
// lives long enough for a snapshot. The seed decides. Confined.
class LifePlan {
 public:
  explicit LifePlan(uint64_t seed) : random_(seed) {}
  LifeEnd Next();

 private:
  os::SeededRandom random_;
};

}  // namespace headrace::cli::torture
