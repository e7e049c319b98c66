#include "engine/health_metrics.h"

#include "base/metric_label.h"

namespace headrace::engine {
namespace {

std::string Label(std::string_view name, std::string_view value) {
  return std::string(name) + "=\"" + base::EscapedLabel(value) + "\"";
}

}  // namespace

Status HealthMetrics::Load(const log::Log& log, const Deployment& deployment) {
  HR_ASSIGN(const std::vector<HealthRow> rows, NewestHealth(log, deployment, "", {}));
  for (const HealthRow& row : rows)
    Take(row);
  return Ok();
}

// Rows of a version come together: its inputs, its score, and last what is said of all.
void HealthMetrics::Take(const HealthRow& row) {
  const Result<const row::Value*> decoded = decoder_.Decode(row);
  if (!decoded.ok()) return;  // it was encoded just now, or RowDecoder has looked at it
  const row::Value* values = *decoded;
  const std::string_view kind = values[flow::kHealthKind].text();
  const std::string version =
      Label("statement", row.statement) + "," + Label("model", values[flow::kHealthModel].text()) +
      "," + Label("version", std::to_string(values[flow::kHealthVersion].integer));
  if (kind == "all") {
    const row::Value& largest = values[flow::kHealthPsi];
    if (!largest.null) {
      metrics_
          .GetGauge("headrace_model_drift",
                    "The largest population stability index of a version's inputs and score.",
                    version)
          .Set(largest.number);
    }
    metrics_
        .GetGauge("headrace_model_alarms", "Inputs and scores that are beyond a threshold.",
                  version)
        .Set(static_cast<double>(alarms_));
    metrics_
        .GetGauge("headrace_model_window_rows", "Rows that a version scored in its last window.",
                  version)
        .Set(static_cast<double>(values[flow::kHealthRows].integer));
    inputs_ = alarms_ = 0;
    return;
  }
  if (!values[flow::kHealthAlarm].null) ++alarms_;
  if (kind == "input" && ++inputs_ > kInputsMax) return;
  SetColumn(version, values);
}

void HealthMetrics::SetColumn(const std::string& version, const row::Value* values) {
  const row::Value& feature = values[flow::kHealthFeature];
  const std::string labels = version + "," + Label("kind", values[flow::kHealthKind].text()) + "," +
                             Label("feature", feature.null ? "" : feature.text());
  if (const row::Value& share = values[flow::kHealthNullShare]; !share.null) {
    metrics_
        .GetGauge("headrace_model_null_share",
                  "The share of a column that was missing in the last window.", labels)
        .Set(share.number);
  }
  if (const row::Value& age = values[flow::kHealthFreshness]; !age.null) {
    metrics_
        .GetGauge("headrace_model_freshness_seconds", "How old the newest value of a column was.",
                  labels)
        .Set(age.number);
  }
  if (const row::Value& share = values[flow::kHealthOutOfRange]; !share.null) {
    metrics_
        .GetGauge("headrace_model_out_of_range_share",
                  "The share of a column beyond its baseline's range.", labels)
        .Set(share.number);
  }
  for (const auto& [measure, column] :
       {std::pair{"psi", flow::kHealthPsi}, std::pair{"ks", flow::kHealthKs},
        std::pair{"js", flow::kHealthJs}, std::pair{"wasserstein", flow::kHealthWasserstein}}) {
    if (values[column].null) continue;
    metrics_
        .GetGauge("headrace_model_distance",
                  "How far a column was from its baseline in the last window.",
                  labels + "," + Label("measure", measure))
        .Set(values[column].number);
  }
}

}  // namespace headrace::engine
