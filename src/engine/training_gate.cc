#include "engine/training_gate.h"

#include <algorithm>

#include "engine/model_report.h"
#include "engine/promotion_gate.h"
#include "engine/training_rows.h"
#include "train/scored_rows.h"

namespace headrace::engine {
namespace {

// The measure that says which of two is better.
std::string_view MeasureOf(train::Task task) {
  switch (task) {
    case train::Task::kBinary:
      return "roc_auc";
    case train::Task::kMulticlass:
      return "accuracy";
    case train::Task::kRegression:
      return "rmse";
  }
  return "";
}

double Find(const std::vector<train::Measure>& measures, std::string_view name) {
  const auto at = std::find_if(measures.begin(), measures.end(),
                               [&](const train::Measure& each) { return each.name == name; });
  return at == measures.end() ? std::numeric_limits<double>::quiet_NaN() : at->value;
}

void Measure(const train::Table& rows, train::Task task, const model::Model& before,
             const model::Model& after, PromotionEvidence& seen) {
  const double most = *std::max_element(rows.labels.begin(), rows.labels.end());
  // Of a class that neither knows nothing can be measured.
  if (task == train::Task::kMulticlass && most >= after.info().predictions) return;
  seen.labelled = rows.rows();
  if (task != train::Task::kBinary) seen.measure = MeasureOf(task);
  seen.less_is_better = task == train::Task::kRegression;
  seen.before = Find(MeasuresOf(task, before, rows), MeasureOf(task));
  seen.after = Find(MeasuresOf(task, after, rows), MeasureOf(task));
}

}  // namespace

const model::Model& DecidingAt(const flow::ModelVersions& versions, uint64_t lsn) {
  int32_t version = 1;
  for (const flow::ModelVersions::Activation& activation : versions.activations) {
    if (activation.from_lsn <= lsn) version = activation.version;
  }
  return *versions.versions[static_cast<size_t>(version) - 1];
}

std::vector<train::Measure> MeasuresOf(train::Task task, const model::Model& model,
                                       const train::Table& rows) {
  const train::ScoredRows scored = train::ScoreTable(model, rows);
  return train::MeasuresOf(task, {scored.labels, scored.values, {}, scored.width});
}

Result<GateAnswer> AskGate(const TrainingMeans& means, const Deployment& deployment,
                           const sql::TrainerPlan& plan, const TrainingTrigger& trigger,
                           const std::atomic<bool>& stop) {
  GateAnswer answer;
  answer.version = trigger.gate;
  const Deployed* decides = DecisionStream(deployment, plan.shadow_of);
  TrainingRows read(deployment, plan);
  if (decides == nullptr || !read.missing().empty()) {
    answer.why = decides == nullptr
                     ? "no statement asks `" + plan.shadow_of + "`"
                     : "`" + plan.stream + "` has no column `" + read.missing() + "`";
    return answer;
  }
  PromotionEvidence seen;
  const flow::ModelVersions& versions = *deployment.Find(plan.shadow_of)->models;
  HR_TRY(read.Read(means.log, trigger.gate_from, trigger.place, stop));
  if (stop) return answer;
  if (read.rows().rows() > 0) {
    Measure(read.rows().Take(plan.features, 0, read.rows().rows()), plan.options.task(),
            DecidingAt(versions, trigger.place.lsn),
            *versions.versions[static_cast<size_t>(trigger.gate) - 1], seen);
  }
  WhatIfRequest request;
  request.fork.models = {{plan.shadow_of, std::to_string(trigger.gate)}};
  request.stream = decides->name;
  request.compare = true;
  request.from = Moment{trigger.gate_from + 1, 0};
  request.to = Moment{trigger.place.lsn, 0};
  const WhatIfMeans fork{means.files, means.log, means.store, deployment};
  const Result<WhatIfReport> report =
      RunWhatIf(fork, request, [](std::string_view) { return Ok(); }, nullptr);
  if (!report.ok()) {
    // Not every pipeline can be run otherwise than it was.
    if (report.error().kind() != ErrorKind::kInvalidArgument) return report.error();
    answer.why = report.error().code() + ": " + report.error().message();
    return answer;
  }
  seen.compared = report->compared;
  seen.flips = report->changed;
  const PromotionGate gate{static_cast<uint64_t>(plan.gate_rows), plan.gate_flips, 0};
  answer.why = ObjectionOf(gate, seen);
  answer.open = answer.why.empty();
  if (answer.open) answer.why = ReasonOf(seen);
  return answer;
}

}  // namespace headrace::engine
