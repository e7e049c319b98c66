#include "engine/model_importance.h"

#include <cmath>
#include <map>
#include <utility>

#include "engine/deployment.h"
#include "flow/select_node.h"
#include "flow/version_choice.h"
#include "row/datetime_text.h"
#include "row/text.h"

namespace headrace::engine {
namespace {

constexpr int64_t kDayMicros = 86'400'000'000;

int64_t DayOf(int64_t micros) {
  return micros >= 0 ? micros / kDayMicros : -((-(micros + 1)) / kDayMicros) - 1;
}

// Adds up contributions of a model's scores while they are made again. Confined.
class Weighing final : public flow::Probe {
 public:
  Weighing(const Deployment& deployment, std::string model, std::string stream,
           const WhatIfRequest& range)
      : model_(std::move(model)),
        stream_(std::move(stream)),
        versions_(deployment.Find(model_)->models),
        range_(range) {}

  void Selected(const flow::StatementPlan& plan, const row::Row& working,
                const row::Row&) override {
    if (plan.name != stream_ || !plan.IsLive(working.cause.lsn) ||
        !InRange(range_, working.cause, working.event_time)) {
      return;
    }
    for (const flow::Stage& stage : plan.select->stages) {
      for (const flow::Prediction& prediction : stage.predictions) {
        const bool score = prediction.answer == flow::Prediction::Answer::kScore;
        if (score && prediction.model == model_) return Weigh(plan, prediction, working);
      }
    }
  }
  void Grouped(const flow::StatementPlan&, const row::Row&, const row::Value*) override {}
  void Closed(const flow::StatementPlan&, const row::Value*, const row::Row&) override {}

  std::string Document() const {
    const model::ModelInfo& info = versions_->versions.front()->info();
    std::string out = "{\"model\":";
    row::AppendJsonString(model_, out);
    out += ",\"stream\":";
    row::AppendJsonString(stream_, out);
    out += ",\"days\":[";
    for (const auto& [of, day] : days_) {
      std::string text;
      row::AppendText(row::Value::Integer(of.first), {row::TypeKind::kDate, 0, 0}, text);
      out += out.back() == '[' ? "{\"day\":\"" : ",{\"day\":\"";
      out += text + "\",\"version\":" + std::to_string(of.second) +
             ",\"rows\":" + std::to_string(day.rows) + ",\"importance\":{";
      for (size_t f = 0; f < info.features.size(); ++f) {
        if (f > 0) out += ",";
        row::AppendJsonString(info.features[f], out);
        out += ":";
        row::AppendJson(row::Value::Double(day.sums[f] / static_cast<double>(day.rows)),
                        {row::TypeKind::kDouble, 0, 0}, out);
      }
      out += "}}";
    }
    return out + "],\"unexplained\":" + std::to_string(unexplained_) +
           ",\"left_out\":" + std::to_string(left_out_) + "}";
  }

 private:
  struct Day {
    uint64_t rows = 0;
    std::vector<double> sums;  // by feature
  };

  void Weigh(const flow::StatementPlan& plan, const flow::Prediction& prediction,
             const row::Row& working) {
    const int32_t version = flow::VersionChoice(*versions_, plan).For(working);
    const model::Model& model = versions_->Of(version);
    const size_t features = prediction.input_slots.size();
    std::vector<double> inputs;
    for (size_t i = 0; i < features; ++i) {
      inputs.push_back(flow::FeatureOf(working.values[prediction.input_slots[i]],
                                       prediction.input_types[i], model.info().categories[i]));
    }
    Result<std::vector<double>> parts = model.Contributions(inputs);
    if (!parts.ok()) {
      ++unexplained_;
      return;
    }
    const std::pair<int64_t, int32_t> of = {DayOf(working.event_time), version};
    if (days_.size() >= kImportanceDays && !days_.contains(of)) {
      ++left_out_;
      return;
    }
    Day& day = days_[of];
    day.sums.resize(features);
    ++day.rows;
    for (size_t i = 0; i < parts->size(); ++i) {
      const size_t feature = i % (features + 1);
      if (feature < features) day.sums[feature] += std::abs((*parts)[i]);
    }
  }

  std::string model_;
  std::string stream_;
  std::shared_ptr<const flow::ModelVersions> versions_;
  const WhatIfRequest& range_;
  std::map<std::pair<int64_t, int32_t>, Day> days_;  // by day since 1970 and version
  uint64_t unexplained_ = 0;
  uint64_t left_out_ = 0;
};

}  // namespace

Result<std::string> ModelImportance(const WhatIfMeans& means, const std::string& model,
                                    WhatIfRequest range,
                                    const std::function<void(uint64_t events)>& progress) {
  const Deployed* item = means.deployment.Find(model);
  if (item == nullptr || !item->models) {
    return Error(ErrorKind::kNotFound, "HR1107", "unknown model `" + model + "`")
        .WithHint("`headrace model ls` lists them");
  }
  for (const Deployed& each : means.deployment.items) {
    if (range.stream.empty() && each.statement && Asks(*each.statement, model)) {
      range.stream = each.name;
    }
  }
  if (range.stream.empty()) {
    return Error(ErrorKind::kNotFound, "HR1204", "no statement asks `" + model + "`")
        .WithHint("CREATE STREAM ... AS SELECT PREDICT(" + model + ") ... does");
  }
  Weighing weighing(means.deployment, model, range.stream, range);
  WhatIfMeans seen{means.files, means.log, means.store, means.deployment, means.workers, &weighing};
  HR_ASSIGN(WhatIfReport report,
            RunWhatIf(seen, range, [](std::string_view) { return Ok(); }, progress));
  static_cast<void>(report);
  return weighing.Document();
}

}  // namespace headrace::engine
