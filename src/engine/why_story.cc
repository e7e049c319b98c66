#include "engine/why_story.h"

#include "flow/explanation.h"
#include "flow/select_node.h"
#include "flow/version_choice.h"
#include "row/text.h"

namespace headrace::engine {
namespace {

void Key(std::string_view name, std::string& out) {
  if (!out.empty() && out.back() != '{' && out.back() != '[') out += ",";
  row::AppendJsonString(name, out);
  out += ":";
}

// The keys of a group, so that equal ones are equal texts.
std::string IdentityOf(const flow::WindowPlan& window, const row::Value* keys) {
  std::string identity;
  for (size_t i = 0; i < window.table.key_types.size(); ++i)
    row::AppendKey(keys[i], window.table.key_types[i], identity);
  return identity;
}

GroupStory TellGroup(const flow::StatementPlan& plan, const row::Value* keys) {
  const flow::WindowPlan& window = *plan.window;
  const size_t bounds = window.table.key_types.size() - window.key_names.size();
  GroupStory group;
  group.plan = &plan;
  group.start = keys[1].integer;
  group.identity = IdentityOf(window, keys);
  group.window = "{\"start\":";
  row::AppendJson(keys[1], window.table.key_types[1], group.window);
  group.window += ",\"end\":";
  row::AppendJson(keys[0], window.table.key_types[0], group.window);
  group.window += "}";
  for (size_t i = 0; i < window.key_names.size(); ++i) {
    Key(window.key_names[i], group.key);
    row::AppendJson(keys[bounds + i], window.table.key_types[bounds + i], group.key);
  }
  group.key = "{" + group.key + "}";
  return group;
}

}  // namespace

Story::Story(const Deployment& deployment, RowId row, row::Place cause)
    : deployment_(deployment), row_(std::move(row)), cause_(cause) {
  for (const Deployed* item = deployment.Find(row_.stream); item != nullptr && item->statement;
       item = deployment.Find(item->RevisionAt(cause.lsn).input())) {
    chain_.insert(item->name);
  }
}

bool Story::IsOfInterest(const flow::StatementPlan& plan, const row::Row& emitted) const {
  if (emitted.cause != cause_ || !plan.IsLive(cause_.lsn)) return false;
  if (plan.name != row_.stream) return chain_.contains(plan.name);
  return emitted.partition == row_.partition && emitted.offset == row_.offset;
}

void Story::Selected(const flow::StatementPlan& plan, const row::Row& working,
                     const row::Row& emitted) {
  if (!IsOfInterest(plan, emitted)) return;
  if (plan.name == row_.stream) {
    Tell(plan, working);
    return AddInstead();
  }
  passed_[{plan.name, emitted.partition, emitted.offset}] = {&plan, working};
}

void Story::Closed(const flow::StatementPlan& plan, const row::Value* keys,
                   const row::Row& emitted) {
  if (!IsOfInterest(plan, emitted)) return;
  GroupStory group = TellGroup(plan, keys);
  if (plan.name == row_.stream) {
    group_ = std::move(group);
  } else {
    closed_[{plan.name, emitted.partition, emitted.offset}] = std::move(group);
  }
}

void Story::Tell(const flow::StatementPlan& plan, const row::Row& working) {
  const RowId input{plan.input(), working.partition, working.offset};
  if (plan.on_watermark || (plan.asks() && working.waited.lsn > 0)) {
    waited_ = working.event();
    waited_row_ = input;
  } else if (auto passed = passed_.find(input); passed != passed_.end()) {
    Tell(*passed->second.plan, passed->second.working);
  } else if (auto closed = closed_.find(input); closed != closed_.end()) {
    group_ = closed->second;
  }
  if (!plan.side_of.empty() && !plan.of_health) late_for_ = plan.side_of;
  for (const flow::FeatureNote& feature : plan.select->features)
    AddFeature(plan, feature, working);
  for (const flow::Stage& stage : plan.select->stages) {
    for (const flow::Prediction& prediction : stage.predictions) {
      if (prediction.answer != flow::Prediction::Answer::kScore) continue;
      AddModel(plan, prediction, working);
      path_.steps.clear();
      path_.prediction = &prediction;
      path_.stage = static_cast<size_t>(&stage - plan.select->stages.data());
    }
    for (const flow::RemoteQuestion& question : stage.questions)
      AddRemote(question, working);
  }
  for (const flow::RuleNote& rule : plan.select->rules)
    AddRule(rule, working);
  for (size_t i = 0; i < plan.schema.columns.size(); ++i) {
    if (plan.schema.columns[i].name != "decision") continue;
    decision_.clear();
    row::AppendJson(working.values[plan.select->output_slots[i]], plan.schema.columns[i].type,
                    decision_);
  }
  if (path_.prediction != nullptr) path_.steps.push_back({&plan, working});
}

// What would have led to another decision: of the last statement that has one.
void Story::AddInstead() {
  std::vector<Step>& steps = path_.steps;
  while (!steps.empty() && steps.back().plan->schema.Find("decision") < 0)
    steps.pop_back();
  if (steps.empty()) return;
  path_.decision = decision_;
  const std::optional<Counterfactuals> all = FindCounterfactuals(path_);
  if (!all) return;
  instead_.clear();
  AppendCounterfactuals(path_, *all, instead_);
  instead_complete_ = all->complete;
}

void Story::AddFeature(const flow::StatementPlan& plan, const flow::FeatureNote& feature,
                       const row::Row& row) {
  Key(feature.name, features_);
  features_ += "{\"value\":";
  row::AppendJson(row.values[feature.slot], feature.type, features_);
  features_ += ",\"window\":";
  row::AppendJsonString(feature.window, features_);
  if (feature.frame >= 0) {
    const auto& block = plan.select->stages[feature.stage].key_blocks[feature.block];
    int slot = block.frames[static_cast<size_t>(feature.frame)].count_slot;
    features_ += ",\"events\":";
    row::AppendJson(row.values[slot], {row::TypeKind::kBigint, 0, 0}, features_);
  }
  features_ += "}";
}

void Story::AddModel(const flow::StatementPlan& plan, const flow::Prediction& prediction,
                     const row::Row& row) {
  const flow::ModelVersions& versions = *deployment_.Find(prediction.model)->models;
  const int32_t number = flow::VersionChoice(versions, plan).For(row);
  const model::Model& model = versions.Of(number);
  const model::ModelInfo& info = model.info();
  path_.model = &model;
  model_ = "{\"name\":";
  row::AppendJsonString(prediction.model, model_);
  model_ += ",\"version\":\"" + info.sha256 + "\",\"number\":" + std::to_string(number) +
            ",\"format\":\"" + std::string(model::ToString(info.format)) + "\"";
  if (const flow::ModelVersions::Canary* canary = versions.CanaryAt(row.cause.lsn)) {
    model_ += ",\"canary\":{\"number\":" + std::to_string(canary->version) +
              ",\"percent\":" + std::to_string(canary->percent) +
              ",\"decided\":" + (number == canary->version ? "true}" : "false}");
  }
  model_ += "}";
  score_.clear();
  row::AppendJson(row.values[prediction.result_slot], prediction.result_type, score_);
  std::vector<double>& inputs = path_.inputs;
  inputs.clear();
  for (size_t i = 0; i < prediction.input_slots.size(); ++i) {
    inputs.push_back(flow::FeatureOf(row.values[prediction.input_slots[i]],
                                     prediction.input_types[i], info.categories[i]));
  }
  Result<std::vector<double>> parts = model.Contributions(inputs);
  if (!parts.ok()) {
    contributions_ = "{\"error\":";
    row::AppendJsonString(parts.error().message(), contributions_);
    contributions_ += "}";
    return;
  }
  contributions_.clear();
  flow::AppendContributions(info, *parts, contributions_);
  const model::ReasonTexts& texts = versions.reasons[size_t(number) - 1];
  if (info.outputs > 1 || texts.empty()) return;
  reasons_.clear();
  flow::AppendReasons(model::TopReasons(texts, *parts), reasons_);
}

// A model of which nothing is known but what it answered.
void Story::AddRemote(const flow::RemoteQuestion& question, const row::Row& row) {
  const flow::RemotePlan& model = *question.model;
  const row::Value& status = row.values[question.status_slot];
  if (status.null) return;  // it was not asked
  path_.steps.clear();
  path_.prediction = nullptr;
  model_ = "{\"name\":";
  row::AppendJsonString(model.name, model_);
  model_ += ",\"format\":\"open-inference-v2\",\"url\":";
  row::AppendJsonString(model.url, model_);
  model_ += ",\"status\":";
  row::AppendJsonString(status.text(), model_);
  model_ += ",\"detail\":";
  row::AppendJson(row.values[question.detail_slot], {row::TypeKind::kText, 0, 0}, model_);
  model_ += ",\"inputs\":{";
  for (size_t i = 0; i < question.input_slots.size(); ++i) {
    Key(model.inputs[i].name, model_);
    row::AppendJson(row.values[question.input_slots[i]], question.input_types[i], model_);
  }
  model_ += "},\"outputs\":{";
  for (size_t i = 0; i < question.output_slots.size(); ++i) {
    Key(model.outputs[i].name, model_);
    row::AppendJson(row.values[question.output_slots[i]], model.outputs[i].type, model_);
  }
  model_ += "}}";
  score_.clear();
  const bool one = question.output_slots.size() == 1;
  if (one) {
    row::AppendJson(row.values[question.output_slots[0]], model.outputs[0].type, score_);
  } else {
    score_ = "null";
  }
  contributions_ = reasons_ = "null";
}

void Story::AddRule(const flow::RuleNote& rule, const row::Row& row) {
  base::Arena arena(1024);
  for (const flow::RuleNote::Branch& branch : rule.branches) {
    expr::EvalContext context{arena, std::nullopt};
    if (branch.when) {
      row::Value verdict = branch.when->Evaluate(row.values, context);
      if (context.error || verdict.null || !verdict.boolean) continue;
    }
    if (!rules_.empty()) rules_ += ",";
    rules_ += "{\"column\":";
    row::AppendJsonString(rule.column, rules_);
    rules_ += ",\"text\":";
    row::AppendJsonString(branch.text, rules_);
    rules_ += ",\"place\":";
    row::AppendJsonString(branch.place, rules_);
    rules_ += "}";
    return;
  }
}

void GroupRows::Grouped(const flow::StatementPlan& plan, const row::Row& row,
                        const row::Value* keys) {
  if (closed_ || &plan != group_.plan || IdentityOf(*plan.window, keys) != group_.identity) return;
  ++events_;
  if (sample_.size() >= kSampleRows) return;
  sample_.push_back(RowId{plan.input(), row.partition, row.offset}.Text());
}

void GroupRows::Closed(const flow::StatementPlan& plan, const row::Value* keys, const row::Row&) {
  closed_ = closed_ || (&plan == group_.plan && IdentityOf(*plan.window, keys) == group_.identity);
}

}  // namespace headrace::engine
