#include "engine/model_report.h"

#include <algorithm>
#include <map>

#include "engine/decision_diff.h"
#include "engine/deployment.h"
#include "row/text.h"

namespace headrace::engine {
namespace {

bool Predicts(const flow::StatementPlan& plan, const std::string& model) {
  if (!plan.select) return false;
  for (const flow::Stage& stage : plan.select->stages) {
    for (const flow::Prediction& prediction : stage.predictions) {
      if (prediction.model == model) return true;
    }
  }
  return false;
}

// Where the model's score becomes a decision: the statement that asks for it, or the first one
// behind it that has a `decision` or a CASE; without one, the one that asks.
const Deployed* DecisionStream(const Deployment& deployment, const std::string& model) {
  const Deployed* asks = nullptr;
  std::vector<std::string> behind;
  for (const Deployed& item : deployment.items) {
    if (!item.statement) continue;
    const std::string& input = item.statement->input();
    const bool follows = std::find(behind.begin(), behind.end(), input) != behind.end();
    const bool predicts = Predicts(*item.statement, model);
    if (!follows && !predicts) continue;
    if (asks == nullptr) asks = &item;
    if (!DecisionColumns(*item.statement).empty()) return &item;
    behind.push_back(item.name);
  }
  return asks;
}

void AppendText(std::string_view name, std::string_view text, std::string& out) {
  out += ",\"" + std::string(name) + "\":";
  row::AppendJsonString(text, out);
}

void AppendVersion(const catalog::Object& object, const catalog::ModelVersion& version,
                   const model::ModelInfo& info, std::string& out) {
  out += "{\"number\":" + std::to_string(version.number);
  AppendText("role", object.RoleOf(version), out);
  AppendText("format", model::ToString(info.format), out);
  AppendText("sha256", version.sha256, out);
  out += ",\"decides_from\":[";
  for (const catalog::Activation& activation : object.activations) {
    if (activation.number != version.number) continue;
    if (out.back() != '[') out += ',';
    out += std::to_string(activation.lsn);
  }
  out += "]}";
}

void AppendComparison(const catalog::ModelVersion& version, const WhatIfReport& report,
                      std::string& out) {
  out += "{\"shadow\":" + std::to_string(version.number) +
         ",\"since_lsn\":" + std::to_string(version.shadow_lsn);
  AppendText("stream", report.stream, out);
  out += ",\"compared\":" + std::to_string(report.compared) +
         ",\"differing\":" + std::to_string(report.differing) +
         ",\"flips\":" + std::to_string(report.changed) + ",\"details\":[";
  for (const Flips& flips : report.flips) {
    out += out.back() == '[' ? "{\"from\":" : ",{\"from\":";
    out += flips.from + ",\"to\":" + flips.to + ",\"count\":" + std::to_string(flips.count) + "}";
  }
  out += "],\"sample\":[";
  for (const ChangedRow& row : report.sample) {
    out += out.back() == '[' ? "{" : ",{";
    out += "\"id\":";
    row::AppendJsonString(row.id, out);
    out += ",\"before\":" + row.before + ",\"after\":" + row.after + "}";
  }
  out += "]}";
}

}  // namespace

Result<std::string> DescribeModel(const WhatIfMeans& means, const std::string& name) {
  const catalog::Object* object = means.deployment.catalog.Find(name);
  const Deployed* item = means.deployment.Find(name);
  if (object == nullptr || item == nullptr || !item->models) {
    return Error(ErrorKind::kNotFound, "HR1107", "unknown model `" + name + "`")
        .WithHint("`headrace model ls` lists them");
  }
  std::string out = "{\"name\":";
  row::AppendJsonString(name, out);
  out += ",\"versions\":[";
  for (const catalog::ModelVersion& version : object->versions) {
    if (out.back() != '[') out += ',';
    AppendVersion(*object, version, item->models->versions[size_t(version.number) - 1]->info(),
                  out);
  }
  out += "],\"history\":[";
  for (const catalog::Activation& activation : object->activations) {
    out += out.back() == '[' ? "{\"lsn\":" : ",{\"lsn\":";
    out += std::to_string(activation.lsn) + ",\"version\":" + std::to_string(activation.number);
    AppendText("reason", activation.reason, out);
    out += '}';
  }
  out += "],\"comparisons\":[";
  const Deployed* stream = DecisionStream(means.deployment, name);
  for (const catalog::ModelVersion& version : object->versions) {
    if (version.shadow_lsn == 0 || stream == nullptr) continue;
    WhatIfRequest request;
    request.fork.models = {{name, std::to_string(version.number)}};
    request.stream = stream->name;
    request.compare = true;
    request.from = Moment{version.shadow_lsn, 0};
    HR_ASSIGN(WhatIfReport report,
              RunWhatIf(means, request, [](std::string_view) { return Ok(); }, nullptr));
    if (out.back() != '[') out += ',';
    AppendComparison(version, report, out);
  }
  return out + "]}";
}

}  // namespace headrace::engine
