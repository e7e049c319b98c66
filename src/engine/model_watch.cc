#include "engine/model_watch.h"

#include <algorithm>
#include <set>
#include <utility>

#include "sql/parser.h"
#include "sql/plan_support.h"

namespace headrace::engine {
namespace {

constexpr row::Type kWhole{row::TypeKind::kBigint, 0, 0};

flow::WatchPlan WatchOf(const flow::Prediction& prediction, const flow::ModelVersions& versions) {
  flow::WatchPlan watch;
  watch.model = prediction.model;
  watch.options = *versions.watch;
  const size_t inputs = std::min(prediction.input_slots.size(), flow::WatchPlan::kInputsMax);
  watch.names = versions.versions.front()->info().features;
  watch.names.resize(inputs);
  watch.slots.assign(prediction.input_slots.begin(),
                     prediction.input_slots.begin() + static_cast<ptrdiff_t>(inputs));
  watch.types.assign(prediction.input_types.begin(),
                     prediction.input_types.begin() + static_cast<ptrdiff_t>(inputs));
  watch.score_slot = prediction.result_slot;
  watch.version_slot = prediction.version_slot;
  return watch;
}

// Of each watched model the first question for its score.
size_t AddWatches(flow::SelectPlan& select, const Deployment& deployment) {
  std::set<std::string> watched;
  for (flow::Stage& stage : select.stages) {
    for (flow::Prediction& prediction : stage.predictions) {
      const Deployed* model = deployment.Find(prediction.model);
      const bool wanted = model != nullptr && model->models && model->models->watch;
      if (!wanted || !prediction.gives_number() || !watched.insert(prediction.model).second)
        continue;
      prediction.version_slot = select.slots++;
      stage.watches.push_back(WatchOf(prediction, *model->models));
    }
  }
  return watched.size();
}

}  // namespace

std::string HealthName(const std::string& statement) {
  return std::string(kHealthPrefix) + statement;
}

StatementPtr WithWatch(StatementPtr plan, const Deployment& deployment, const Deployed* before) {
  if (!plan || !plan->select || !plan->side_of.empty()) return plan;
  const std::string health = HealthName(plan->name);
  const bool replaced = before != nullptr && before->statement;
  // A name that was taken before names of this prefix were kept free.
  if (replaced ? before->statement->health.empty() : deployment.Find(health) != nullptr) {
    return plan;
  }
  auto watched = std::make_shared<flow::StatementPlan>(*plan);
  const size_t models = AddWatches(*watched->select, deployment);
  if (models == 0 && !replaced) return plan;
  watched->health = health;
  return watched;
}

Deployed HealthOf(const flow::StatementPlan& of, uint64_t lsn) {
  auto plan = std::make_shared<flow::StatementPlan>();
  plan->name = of.health;
  plan->side_of = of.name;
  plan->of_health = true;
  plan->schema = plan->input_schema = flow::HealthSchema();
  plan->time_column = flow::kHealthTime;
  plan->retention = of.retention;
  plan->lateness = flow::kAnyLateness;
  plan->created_lsn = lsn;
  plan->joined_lsn = of.joined_lsn;
  plan->until_lsn = of.until_lsn;
  flow::SelectPlan& select = plan->select.emplace();
  select.input = of.input();
  select.slots = flow::kHealthColumns;
  for (int column = 0; column < select.slots; ++column) {
    select.copied_columns.push_back(column);
    select.output_slots.push_back(column);
  }
  Deployed item;
  item.name = plan->name;
  item.statement = std::move(plan);
  return item;
}

Result<std::optional<flow::WatchOptions>> WatchOf(std::string_view text) {
  sql::SourceMap sources;
  const int index = sources.Add("journal", std::string(text));
  const sql::ParseResult parsed = sql::Parse(sources.text(index), index);
  std::vector<sql::Diagnostic> diagnostics = parsed.errors;
  std::optional<flow::WatchOptions> watch;
  if (diagnostics.empty() && parsed.statements.size() == 1) {
    if (const auto* create = std::get_if<sql::CreateModel>(&parsed.statements.front().body)) {
      watch = sql::PlanWatch(create->options, diagnostics);
    }
  }
  if (diagnostics.empty()) return watch;
  return Error(
      ErrorKind::kCorruption, "HR5303",
      "the statement of a model does not plan any more: " + sql::Render(diagnostics, sources));
}

}  // namespace headrace::engine
