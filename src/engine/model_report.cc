#include "engine/model_report.h"

#include <algorithm>
#include <utility>

#include "engine/decision_diff.h"
#include "engine/deployment.h"
#include "engine/health_rows.h"
#include "engine/score_quality.h"
#include "row/text.h"

namespace headrace::engine {
namespace {

void AppendText(std::string_view name, std::string_view text, std::string& out) {
  out += ",\"" + std::string(name) + "\":";
  row::AppendJsonString(text, out);
}

void AppendColumns(std::string_view name, const std::vector<row::Column>& columns,
                   std::string& out) {
  out += ",\"" + std::string(name) + "\":{";
  for (const row::Column& column : columns) {
    if (out.back() != '{') out += ',';
    row::AppendJsonString(column.name, out);
    out += ':';
    row::AppendJsonString(row::ToString(column.type), out);
  }
  out += '}';
}

// A model that another program runs has no versions: how it is asked, and by whom.
std::string DescribeRemote(const Deployment& deployment, const flow::RemotePlan& model) {
  std::string out = "{\"name\":";
  row::AppendJsonString(model.name, out);
  AppendText("format", "open-inference-v2", out);
  AppendText("url", model.url, out);
  AppendColumns("inputs", model.inputs, out);
  AppendColumns("outputs", model.outputs, out);
  out += ",\"timeout_ms\":" + std::to_string(model.timeout_ms) +
         ",\"connections\":" + std::to_string(model.connections) +
         ",\"queue\":" + std::to_string(model.queue);
  const bool waits = model.when_full == flow::RemotePlan::WhenFull::kWait;
  AppendText("when_full", waits ? "wait" : "default", out);
  out += ",\"breaker_failures\":" + std::to_string(model.breaker_failures) +
         ",\"breaker_pause_ms\":" + std::to_string(model.breaker_pause_ms) + ",\"asked_by\":[";
  for (const Deployed& item : deployment.items) {
    if (!item.statement || !Asks(*item.statement, model.name)) continue;
    if (out.back() != '[') out += ',';
    row::AppendJsonString(item.name, out);
  }
  return out + "],\"versions\":[],\"comparisons\":[]}";
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

void AppendCanaries(const catalog::Object& object, std::string& out) {
  out += "],\"canaries\":[";
  for (const catalog::CanaryPeriod& period : object.canaries) {
    out += out.back() == '[' ? "{\"lsn\":" : ",{\"lsn\":";
    out += std::to_string(period.lsn) + ",\"until_lsn\":" +
           (period.until_lsn == UINT64_MAX ? "null" : std::to_string(period.until_lsn)) +
           ",\"version\":" + std::to_string(period.number) +
           ",\"percent\":" + std::to_string(period.canary.percent);
    AppendText("salt", period.canary.salt, out);
    AppendText("key", period.canary.key, out);
    out += '}';
  }
}

// Since when the version has been what it is: a canary whose share was changed goes on.
uint64_t SinceLsn(const catalog::Object& object, const catalog::ModelVersion& version) {
  if (object.RoleOf(version) != "canary") return version.shadow_lsn;
  uint64_t since = object.canaries.back().lsn;
  for (size_t i = object.canaries.size(); i-- > 0;) {
    const catalog::CanaryPeriod& period = object.canaries[i];
    if (period.number != version.number || period.until_lsn < since) break;
    since = period.lsn;
  }
  return since;
}

void AddTo(WhatIfReport& all, WhatIfReport more) {
  all.stream = std::move(more.stream);
  all.compared += more.compared;
  all.differing += more.differing;
  all.changed += more.changed;
  for (Flips& flips : more.flips) {
    auto same = std::find_if(all.flips.begin(), all.flips.end(), [&](const Flips& known) {
      return known.from == flips.from && known.to == flips.to;
    });
    if (same != all.flips.end()) {
      same->count += flips.count;
    } else {
      all.flips.push_back(std::move(flips));
    }
  }
  std::sort(all.flips.begin(), all.flips.end(), [](const Flips& one, const Flips& other) {
    return std::tie(one.from, one.to) < std::tie(other.from, other.to);
  });
  for (ChangedRow& row : more.sample) {
    if (all.sample.size() < kChangedSample) all.sample.push_back(std::move(row));
  }
}

void AppendComparison(std::string_view role, int32_t version, uint64_t since,
                      const WhatIfReport& report, const ScoreComparison& scores, std::string& out) {
  // Rows that a canary decided itself can be no others.
  const uint64_t decided = role == "canary" ? std::min(scores.decided(), report.compared) : 0;
  out += "{\"version\":" + std::to_string(version);
  AppendText("role", role, out);
  out += ",\"since_lsn\":" + std::to_string(since);
  if (role == "canary") out += ",\"decided\":" + std::to_string(scores.decided());
  AppendText("stream", report.stream, out);
  out += ",\"compared\":" + std::to_string(report.compared - decided) +
         ",\"differing\":" + std::to_string(report.differing) +
         ",\"flips\":" + std::to_string(report.changed) + ",\"details\":[";
  for (const Flips& flips : report.flips) {
    out += out.back() == '[' ? "{\"from\":" : ",{\"from\":";
    out += flips.from + ",\"to\":" + flips.to + ",\"count\":" + std::to_string(flips.count) + "}";
  }
  out += "]";
  scores.Append(out);
  out += ",\"sample\":[";
  for (const ChangedRow& row : report.sample) {
    out += out.back() == '[' ? "{" : ",{";
    out += "\"id\":";
    row::AppendJsonString(row.id, out);
    out += ",\"before\":" + row.before + ",\"after\":" + row.after + "}";
  }
  out += "]}";
}

// What the watches of the model told last.
Status AppendHealth(const WhatIfMeans& means, const std::string& name, std::string& out) {
  HR_ASSIGN(const std::vector<HealthRow> health,
            NewestHealth(means.log, means.deployment, name, std::nullopt));
  out += ",\"health\":[";
  for (const HealthRow& row : health) {
    out += out.back() == '[' ? "{\"statement\":" : ",{\"statement\":";
    row::AppendJsonString(row.statement, out);
    out += "," + row.json.substr(1);
  }
  out += ']';
  return Ok();
}

}  // namespace

const Deployed* DecisionStream(const Deployment& deployment, const std::string& model) {
  const Deployed* asks = nullptr;
  std::vector<std::string> behind;
  for (const Deployed& item : deployment.items) {
    if (!item.statement) continue;
    const std::string& input = item.statement->input();
    const bool follows = std::find(behind.begin(), behind.end(), input) != behind.end();
    const bool predicts = Asks(*item.statement, model);
    if (!follows && !predicts) continue;
    if (asks == nullptr) asks = &item;
    if (!DecisionColumns(*item.statement).empty()) return &item;
    behind.push_back(item.name);
  }
  return asks;
}

ModelReports::Compared& ModelReports::Keep(const WhatIfMeans& means, const Subject& subject) {
  if (kept_.size() >= kKept && !kept_.contains(subject)) {
    kept_.erase(std::min_element(kept_.begin(), kept_.end(), [](const auto& a, const auto& b) {
      return a.second.used < b.second.used;
    }));
  }
  Compared& compared = kept_[subject];
  compared.used = ++uses_;
  const auto& [name, version, since, stream, made_lsn] = subject;
  if (!compared.scores) {
    compared.scores = std::make_unique<ScoreComparison>(means.deployment, name, version, times_);
  }
  return compared;
}

Status ModelReports::GoOn(const WhatIfMeans& means, const Subject& subject, Compared& compared) {
  const auto& [name, version, since, stream, made_lsn] = subject;
  WhatIfRequest request;
  request.fork.models = {{name, std::to_string(version)}};
  request.stream = stream;
  request.compare = true;
  request.from = Moment{std::max(since, compared.through_lsn + 1), 0};
  if (*request.from->lsn > means.log.durable_lsn()) return Ok();
  compared.scores->GoOn(means.deployment, stream, *request.from->lsn);
  const WhatIfMeans seen{means.files,           means.log,     means.store,
                         means.deployment,      means.workers, compared.scores.get(),
                         compared.scores.get(), &times_};
  Result<WhatIfReport> report =
      RunWhatIf(seen, request, [](std::string_view) { return Ok(); }, nullptr);
  if (!report.ok()) return std::move(report).error();
  compared.through_lsn = report->last_lsn;
  AddTo(compared.report, std::move(*report));
  return Ok();
}

Result<std::string> ModelReports::Describe(const WhatIfMeans& means, const std::string& name,
                                           const std::optional<LabelRequest>& labels) {
  const catalog::Object* object = means.deployment.catalog.Find(name);
  const Deployed* item = means.deployment.Find(name);
  if (item != nullptr && item->remote) return DescribeRemote(means.deployment, *item->remote);
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
  AppendCanaries(*object, out);
  out += "],\"comparisons\":[";
  std::unique_ptr<LabelTable> table;
  if (labels) {
    HR_ASSIGN(table, LabelTable::Load(means.log, means.deployment, *labels));
  }
  const Deployed* stream = DecisionStream(means.deployment, name);
  const std::lock_guard lock(mutex_);
  for (const catalog::ModelVersion& version : object->versions) {
    const uint64_t since = SinceLsn(*object, version);
    if (since == 0 || stream == nullptr) continue;
    const uint64_t made_lsn = means.deployment.ObjectOf(*stream)->revisions.front().lsn;
    const Subject subject{name, version.number, since, stream->name, made_lsn};
    if (out.back() != '[') out += ',';
    const std::string_view role = object->RoleOf(version);
    if (labels) {
      // Labels change: nothing of it can be kept.
      Compared once;
      once.scores =
          std::make_unique<ScoreComparison>(means.deployment, name, version.number, times_);
      HR_TRY(once.scores->Use(*table, *labels));
      HR_TRY(GoOn(means, subject, once));
      AppendComparison(role, version.number, since, once.report, *once.scores, out);
      continue;
    }
    Compared& compared = Keep(means, subject);
    Status done = GoOn(means, subject, compared);
    if (!done.ok()) {
      kept_.erase(subject);
      return std::move(done).error();
    }
    AppendComparison(role, version.number, since, compared.report, *compared.scores, out);
  }
  out += "]";
  if (labels) {
    HR_ASSIGN(const std::optional<ScoreQuality> quality,
              ScoreQuality::Load(means.log, means.deployment, name, *table, *labels));
    if (quality) out += ",\"quality\":" + quality->Json();
  }
  HR_TRY(AppendHealth(means, name, out));
  return out + "}";
}

}  // namespace headrace::engine
