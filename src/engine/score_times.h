#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "base/metrics.h"
#include "flow/score_timer.h"
#include "os/clock.h"

namespace headrace::engine {

// How long the versions of models take, for decisions and for comparisons, as metrics. Thread-safe;
// clock and registry must outlive it.
class ScoreTimes final : public flow::ScoreTimer {
 public:
  ScoreTimes(const os::Clock& clock, base::MetricsRegistry& metrics)
      : clock_(clock), metrics_(metrics) {}

  int64_t Now() const override { return clock_.MonotonicNanoseconds(); }
  void Scored(const std::string& model, int32_t version, size_t rows, int64_t nanoseconds) override;

 private:
  struct Metrics {
    base::Histogram* calls = nullptr;
    base::Counter* rows = nullptr;
  };
  Metrics Of(const std::string& model, int32_t version);

  const os::Clock& clock_;
  base::MetricsRegistry& metrics_;
  std::mutex mutex_;
  std::map<std::pair<std::string, int32_t>, Metrics> known_;  // guarded by mutex_
};

}  // namespace headrace::engine
