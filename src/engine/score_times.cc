#include "engine/score_times.h"

#include <algorithm>

#include "base/metric_label.h"

namespace headrace::engine {

ScoreTimes::Metrics ScoreTimes::Of(const std::string& model, int32_t version) {
  const std::lock_guard lock(mutex_);
  Metrics& metrics = known_[{model, version}];
  if (metrics.calls != nullptr) return metrics;
  const std::string labels =
      "model=\"" + base::EscapedLabel(model) + "\",version=\"" + std::to_string(version) + "\"";
  metrics.calls = &metrics_.GetHistogram("headrace_score_duration_seconds",
                                         "One call of a model, of up to 256 rows.", labels);
  metrics.rows = &metrics_.GetCounter("headrace_scores_total", "Rows that were scored.", labels);
  return metrics;
}

void ScoreTimes::Scored(const std::string& model, int32_t version, size_t rows,
                        int64_t nanoseconds) {
  const Metrics metrics = Of(model, version);
  metrics.calls->Record(static_cast<uint64_t>(std::max<int64_t>(nanoseconds, 0)));
  metrics.rows->Add(rows);
}

}  // namespace headrace::engine
