#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/metrics.h"

namespace headrace::cli {

// Counts the decisions of the demo and how long each took, and remembers one of each kind to be
// explained. Confined.
class DecisionMeter {
 public:
  static constexpr std::array<std::string_view, 3> kKinds = {"approve", "review", "decline"};

  // `row` is a decision as JSON with its `_id`; `nanoseconds` from the intended send time.
  void Take(std::string_view row, uint64_t nanoseconds);

  uint64_t count() const { return latency_.count(); }
  uint64_t count(size_t kind) const { return counts_[kind]; }
  // The ID of the newest decision of that kind; empty when there was none.
  const std::string& newest(size_t kind) const { return newest_[kind]; }
  const base::Histogram& latency() const { return latency_; }

 private:
  base::Histogram latency_;
  std::array<uint64_t, 3> counts_{};
  std::array<std::string, 3> newest_;
};

// "182 us", "1.7 ms".
std::string DurationText(uint64_t nanoseconds);
// "20,000".
std::string CountText(uint64_t count);

}  // namespace headrace::cli
