#pragma once

#include <string>

#include "base/metrics.h"
#include "engine/health_rows.h"

namespace headrace::engine {

// What the watches of models told last, as metrics: of the score and the first kInputsMax inputs of
// a version. Confined to the worker; the registry must outlive it.
class HealthMetrics {
 public:
  static constexpr size_t kInputsMax = 64;

  explicit HealthMetrics(base::MetricsRegistry& metrics) : metrics_(metrics) {}

  // The newest rows that the log holds.
  Status Load(const log::Log& log, const Deployment& deployment);
  // A row that is about to be logged, of a health stream.
  void Take(const HealthRow& row);

 private:
  void SetColumn(const std::string& version, const row::Value* values);

  base::MetricsRegistry& metrics_;
  HealthDecoder decoder_;
  size_t inputs_ = 0;  // seen of the window at hand
  size_t alarms_ = 0;
};

}  // namespace headrace::engine
