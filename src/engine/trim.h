#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "catalog/drop.h"
#include "headrace/result.h"
#include "log/log.h"

namespace headrace::engine {

// Which events of a topic are to go: those before an offset, or before the first one that was
// stamped at or behind a time. Value type.
struct TrimRequest {
  std::string topic;
  int32_t partition = -1;                // -1: each; with an offset, the only one
  std::optional<int64_t> before_offset;  // at most the end of what is durable
  int64_t before_ms = 0;                 // when there is no offset; milliseconds since 1970

  // What was stamped before a time in microseconds; stamps are in milliseconds.
  void SetTime(int64_t micros) { before_ms = micros / 1000 + (micros % 1000 > 0 ? 1 : 0); }
};

// What a request comes to. Value type.
struct TrimPlan {
  catalog::Offsets begins;  // of the partitions that lose something: where they begin then
  log::Lsn last_lsn = 0;    // of the last batch that loses something: a snapshot must stand for it
  int64_t events = 0;       // that go
};

// Errors: kNotFound HR5212, no such topic or partition; kInvalidArgument HR5200, what is to go is
// not there, or may not go. Reads a batch, by time a segment. Thread-safe.
Result<TrimPlan> PlanTrim(const log::Log& log, const TrimRequest& request);

// {"topic":…,"lsn":…,"events":…,"partitions":[{"partition":0,"first_offset":…},…]}, as the log is
// now. `lsn`: of the control; 0: nothing was to be done, and it is null.
std::string TrimJson(const log::Log& log, const std::string& topic, log::Lsn lsn, int64_t events);

// Trims that may wait for the one under way.
inline constexpr size_t kTrimsMax = 16;

// A request, and who waits for it: with the text of TrimJson once it is durable, or an error.
struct TrimOrder {
  TrimRequest request;
  std::function<void(Result<std::string>)> done;
};

// One that is waiting, or under way.
struct Trimming {
  enum class Phase {
    kWaiting,   // for what is being written
    kCovering,  // the writer of snapshots looks for one that stands for what goes
    kTaking,    // one is being written
  };
  TrimOrder order;
  Phase phase = Phase::kWaiting;
  bool taken = false;  // one was written for it
};

}  // namespace headrace::engine
