#include "engine/model_planner.h"

#include <algorithm>
#include <variant>

#include "engine/lookup.h"
#include "engine/replacement.h"
#include "engine/training_steps.h"
#include "flow/version_choice.h"
#include "sql/parser.h"
#include "sql/plan_support.h"
#include "sql/planner.h"

namespace headrace::engine {
namespace {

// Whether rows of the statement can be told apart by the key of a canary of this model.
bool HasKey(const flow::StatementPlan& plan, const std::string& model, const std::string& key) {
  return !Asks(plan, model) || !flow::CanaryKey(plan, key).empty();
}

}  // namespace

Result<model::ReasonTexts> ReasonsOf(std::string_view text, const model::ModelInfo& info) {
  sql::SourceMap sources;
  const int index = sources.Add("journal", std::string(text));
  const sql::ParseResult parsed = sql::Parse(sources.text(index), index);
  std::vector<sql::Diagnostic> diagnostics = parsed.errors;
  model::ReasonTexts reasons;
  if (diagnostics.empty() && parsed.statements.size() == 1) {
    const sql::StatementBody& body = parsed.statements.front().body;
    if (const auto* create = std::get_if<sql::CreateModel>(&body)) {
      reasons = BindReasons(create->reasons, info, diagnostics);
    } else if (const auto* alter = std::get_if<sql::AlterModel>(&body)) {
      reasons = BindReasons(alter->reasons, info, diagnostics);
    }
  }
  if (diagnostics.empty()) return reasons;
  return Error(
      ErrorKind::kCorruption, "HR5303",
      "the statement of a model does not plan any more: " + sql::Render(diagnostics, sources));
}

model::ReasonTexts BindReasons(const std::vector<sql::ReasonDefinition>& reasons,
                               const model::ModelInfo& info,
                               std::vector<sql::Diagnostic>& diagnostics) {
  model::ReasonTexts bound;
  for (const sql::ReasonDefinition& reason : reasons) {
    const auto at = std::find(info.features.begin(), info.features.end(), reason.feature.name);
    const bool known = at != info.features.end();
    if (known &&
        bound.try_emplace(static_cast<int32_t>(at - info.features.begin()), reason.text).second) {
      continue;
    }
    sql::Diagnostic& diagnostic = sql::Complain(
        diagnostics, "HR1197",
        known ? "two reasons for `" + reason.feature.name + "`"
              : "the model has no input `" + reason.feature.name + "` to give a reason for",
        reason.feature.span);
    if (!known) diagnostic.candidates = expr::CloseNames(reason.feature.name, info.features);
  }
  return bound;
}

void ModelPlanner::Create(const sql::Statement& statement, const sql::CreateModel& create) {
  if (create.train) return CreateTrainer(statement, create);
  if (create.or_replace && in_.deployment.Find(create.name.name) != nullptr) {
    return CreateAgain(statement, create);
  }
  if (!in_.NameIsFree(statement, create.name, create.if_not_exists)) return;
  if (create.learner || create.remote) return CreateDeclared(statement, create);
  const std::string sha = Store(create.options, create.name.span);
  if (sha.empty()) return;
  catalog::Change change = in_.Creation(statement, create.name.name);
  change.sha256 = sha;
  const auto watch = sql::PlanWatch(create.options, in_.diagnostics);
  if (watch) change.kind = catalog::ChangeKind::kCreateWatched;
  Deployed item;
  item.name = create.name.name;
  auto versions = std::make_shared<flow::ModelVersions>();
  versions->versions.push_back(deployer_.LoadModel(sha).value());
  versions->activations.push_back({0, 1});
  versions->watch = watch;
  versions->reasons.push_back(
      BindReasons(create.reasons, versions->versions.front()->info(), in_.diagnostics));
  item.models = std::move(versions);
  in_.Record(std::move(change));
  in_.deployment.Add(std::move(item));
}

// A model without a file.
void ModelPlanner::CreateDeclared(const sql::Statement& statement, const sql::CreateModel& create) {
  DeploymentLookup lookup(in_.deployment);
  Deployed item;
  item.name = create.name.name;
  sql::Planner planner(lookup, in_.sources, in_.diagnostics);
  if (create.learner) item.learner = planner.PlanLearner(create);
  if (create.remote) item.remote = planner.PlanRemote(create);
  if (!item.is_model()) return;
  in_.Record(in_.Creation(statement, item.name));
  in_.deployment.Add(std::move(item));
}

// What makes versions of another model, and the stream that tells of it.
void ModelPlanner::CreateTrainer(const sql::Statement& statement, const sql::CreateModel& create) {
  const std::string& name = create.name.name;
  const catalog::Object* there = in_.deployment.catalog.Find(name);
  if (create.or_replace && there != nullptr) {
    if (SameDefinition(there->latest().text, sql::TextOf(in_.sources, statement.span))) {
      return in_.draft.unchanged.push_back(name);
    }
    sql::Complain(in_.diagnostics, "HR1264", "a model that is trained is not replaced",
                  create.name.span)
        .hint = "DROP MODEL " + name + " by a script of its own; the versions that it made stay";
    return;
  }
  if (!in_.NameIsFree(statement, create.name, create.if_not_exists)) return;
  DeploymentLookup lookup(in_.deployment);
  Deployed item;
  item.name = name;
  item.trainer = sql::Planner(lookup, in_.sources, in_.diagnostics).PlanTrainer(create);
  if (!item.trainer) return;
  const size_t before = in_.diagnostics.size();
  CreateSteps(name, create.name.span);
  if (in_.diagnostics.size() > before) return;
  in_.Record(in_.Creation(statement, name));
  in_.deployment.Add(std::move(item));
}

// One of the name that is there is of a trainer that was dropped: what it told stays.
void ModelPlanner::CreateSteps(const std::string& trainer, const sql::SourceSpan& span) {
  const std::string name = StepsName(trainer);
  if (in_.deployment.Find(name) != nullptr) {
    const catalog::Object* there = in_.deployment.catalog.Find(name);
    const bool same = there != nullptr && there->latest().text == StepsStatement(trainer);
    if (same) return;
    sql::Complain(in_.diagnostics, "HR1260", "`" + name + "` is something else already", span)
        .hint = "use another name: trainings are told in the stream of that name";
    return;
  }
  catalog::Change change;
  change.name = name;
  change.text = StepsStatement(trainer);
  Result<Deployed> item = StepsOf(trainer);
  if (!item.ok()) {
    sql::Complain(in_.diagnostics, item.error().code(), item.error().message(), span);
    return;
  }
  in_.Record(std::move(change));
  in_.deployment.Add(std::move(*item));
}

// CREATE OR REPLACE of a model that is there: a version of it that decides from now on.
void ModelPlanner::CreateAgain(const sql::Statement& statement, const sql::CreateModel& create) {
  const Deployed& there = *in_.deployment.Find(create.name.name);
  if (create.learner || create.remote || there.learner || there.remote || there.trainer) {
    const bool learner = create.learner || there.learner;
    sql::Complain(in_.diagnostics, "HR1209",
                  std::string(there.trainer ? "what is trained"
                              : learner     ? "a learner"
                                            : "a remote model") +
                      " has no versions that could be replaced",
                  create.name.span)
        .hint = "CREATE it under another name";
    return;
  }
  sql::AlterModel alter;
  alter.model = create.name;
  const catalog::Object* object = in_.deployment.catalog.Find(create.name.name);
  if (object == nullptr || object->versions.empty()) {
    sql::Complain(in_.diagnostics, "HR1201", "`" + create.name.name + "` exists and is no model",
                  create.name.span)
        .hint = "use another name";
    return;
  }
  const std::string sha = Store(create.options, create.name.span);
  if (sha.empty()) return;
  auto known = std::find_if(object->versions.begin(), object->versions.end(),
                            [&](const catalog::ModelVersion& v) { return v.sha256 == sha; });
  const bool is_new = known == object->versions.end();
  alter.version = is_new ? static_cast<int>(object->versions.size()) + 1 : known->number;
  if (alter.version == object->activations.back().number) return;
  if (is_new) {
    alter.action = sql::ModelAction::kAddVersion;
    alter.options = create.options;
    alter.reasons = create.reasons;
    const size_t before = in_.diagnostics.size();
    AlterBy(alter, sql::TextOf(in_.sources, statement.span));
    if (in_.diagnostics.size() > before) return;
  }
  alter.action = sql::ModelAction::kActivate;
  AlterBy(alter, "");
}

// The hash of the stored model, or "" after a diagnostic.
std::string ModelPlanner::Store(const std::vector<sql::Option>& options,
                                const sql::SourceSpan& span) {
  std::vector<std::string> known = {"path", "format"};
  known.insert(known.end(), sql::kWatchOptions.begin(), sql::kWatchOptions.end());
  sql::CheckOptions(options, known, in_.diagnostics);
  const sql::Option* path = sql::FindOption(options, "path");
  if (path == nullptr) {
    sql::Complain(in_.diagnostics, "HR1137", "a model needs WITH (path = '...')", span);
    return "";
  }
  Result<std::string> stored = deployer_.StoreModel(path->value, in_.file);
  if (stored.ok()) return *stored;
  const Error& error = stored.error();
  const std::string place = error.place().empty() ? "" : " at " + error.place();
  sql::Complain(in_.diagnostics, error.code(),
                "model '" + path->value + "'" + place + ": " + error.message(), path->value_span)
      .hint = error.hint();
  return "";
}

void ModelPlanner::Alter(const sql::Statement& statement, const sql::AlterModel& alter) {
  AlterBy(alter, sql::TextOf(in_.sources, statement.span));
}

void ModelPlanner::AlterBy(const sql::AlterModel& alter, const std::string& text) {
  const Deployed* item = in_.deployment.Find(alter.model.name);
  const catalog::Object* object = in_.deployment.catalog.Find(alter.model.name);
  if (item == nullptr || !item->models || object == nullptr) {
    sql::Complain(in_.diagnostics, "HR1107", "unknown model `" + alter.model.name + "`",
                  alter.model.span)
        .candidates =
        expr::CloseNames(alter.model.name, DeploymentLookup(in_.deployment).model_names());
    return;
  }
  catalog::Change change;
  change.name = alter.model.name;
  bool planned = false;
  switch (alter.action) {
    case sql::ModelAction::kAddVersion:
      planned = PlanAddVersion(alter, text, change);
      break;
    case sql::ModelAction::kCanary:
      planned = PlanCanary(alter, *object, change);
      break;
    case sql::ModelAction::kRollback:
      planned = PlanRollback(alter, *object, change);
      break;
    case sql::ModelAction::kActivate:
    case sql::ModelAction::kShadow:
    case sql::ModelAction::kRetire:
      planned = PlanVersion(alter, *object, change);
      break;
  }
  if (planned) in_.Record(std::move(change));
}

// False: nothing is to be done, or a diagnostic; as the two below.
bool ModelPlanner::PlanAddVersion(const sql::AlterModel& alter, const std::string& text,
                                  catalog::Change& change) {
  const flow::ModelVersions& known = *in_.deployment.Find(alter.model.name)->models;
  const catalog::Object& object = *in_.deployment.catalog.Find(alter.model.name);
  change.kind = catalog::ChangeKind::kAddVersion;
  change.sha256 = Store(alter.options, alter.model.span);
  change.number = static_cast<int32_t>(object.versions.size()) + 1;
  if (change.sha256.empty()) return false;
  const model::ModelInfo& next = deployer_.LoadModel(change.sha256).value()->info();
  if (!model::Exchangeable(known.versions[0]->info(), next)) {
    sql::Complain(in_.diagnostics, "HR1207",
                  "the version takes other inputs or gives other outputs than version 1",
                  alter.model.span)
        .hint = "CREATE MODEL under another name";
    return false;
  }
  if (!alter.reasons.empty()) change.text = text;
  const size_t before = in_.diagnostics.size();
  BindReasons(alter.reasons, next, in_.diagnostics);
  if (in_.diagnostics.size() > before) return false;
  const bool there = std::any_of(
      object.versions.begin(), object.versions.end(),
      [&](const catalog::ModelVersion& version) { return version.sha256 == change.sha256; });
  if (there) in_.draft.unchanged.push_back(alter.model.name);
  return !there;
}

bool ModelPlanner::IsVersion(const sql::AlterModel& alter, const catalog::Object& object) {
  const auto versions = static_cast<int32_t>(object.versions.size());
  if (alter.version >= 1 && alter.version <= versions) return true;
  sql::Complain(in_.diagnostics, "HR1206",
                "model `" + object.name + "` has versions 1 to " + std::to_string(versions),
                alter.version_span);
  return false;
}

// It is there, and not the one that decides.
bool ModelPlanner::IsOtherVersion(const sql::AlterModel& alter, const catalog::Object& object) {
  if (!IsVersion(alter, object)) return false;
  if (object.activations.back().number != alter.version) return true;
  sql::Complain(in_.diagnostics, "HR1214",
                "version " + std::to_string(alter.version) + " of `" + object.name +
                    "` is the one that decides",
                alter.version_span)
      .hint = "ACTIVATE another one first";
  return false;
}

// ACTIVATE, SHADOW and RETIRE of a version that is there.
bool ModelPlanner::PlanVersion(const sql::AlterModel& alter, const catalog::Object& object,
                               catalog::Change& change) {
  const bool activate = alter.action == sql::ModelAction::kActivate;
  if (activate ? !IsVersion(alter, object) : !IsOtherVersion(alter, object)) return false;
  change.number = alter.version;
  const catalog::ModelVersion& version = object.versions[size_t(alter.version) - 1];
  const bool canary = object.RoleOf(version) == "canary";
  bool done = false;
  if (activate) {
    change.kind = catalog::ChangeKind::kActivateVersion;
    change.text = alter.reason;
    // Beside a canary it ends that.
    done = object.activations.back().number == alter.version && object.canary() == nullptr;
  } else if (alter.action == sql::ModelAction::kShadow) {
    change.kind = catalog::ChangeKind::kShadowVersion;
    done = version.shadow_lsn > 0 && !canary;
  } else {
    change.kind = catalog::ChangeKind::kRetireVersion;
    done = version.retired && !canary;
  }
  if (done) in_.draft.unchanged.push_back(object.name);
  return !done;
}

// ROLLBACK: without the canary that is on or, when none is, to the version that decided before.
bool ModelPlanner::PlanRollback(const sql::AlterModel& alter, const catalog::Object& object,
                                catalog::Change& change) {
  if (const catalog::CanaryPeriod* on = object.canary()) {
    change.kind = catalog::ChangeKind::kCanaryVersion;
    change.number = on->number;
    change.text = catalog::Canary{0, on->canary.salt, on->canary.key}.Encode();
    return true;
  }
  if (object.activations.size() < 2) {
    sql::Complain(in_.diagnostics, "HR1206",
                  "no other version of `" + object.name + "` has decided", alter.model.span);
    return false;
  }
  change.kind = catalog::ChangeKind::kActivateVersion;
  change.number = object.activations[object.activations.size() - 2].number;
  change.text = alter.reason;
  return true;
}

// CANARY n PERCENT of a version.
bool ModelPlanner::PlanCanary(const sql::AlterModel& alter, const catalog::Object& object,
                              catalog::Change& change) {
  const catalog::CanaryPeriod* on = object.canary();
  sql::AlterModel of_version = alter;
  if (alter.version == 0) {
    of_version.version = on != nullptr ? on->number : static_cast<int>(object.versions.size());
  }
  if (!IsOtherVersion(of_version, object)) return false;
  change.kind = catalog::ChangeKind::kCanaryVersion;
  change.number = of_version.version;
  const bool goes_on = on != nullptr && on->number == change.number;
  // Keys that are in stay in when the share grows; another version gets other ones.
  catalog::Canary canary{alter.percent, object.versions[size_t(change.number) - 1].sha256, ""};
  if (goes_on) canary = {alter.percent, on->canary.salt, on->canary.key};
  sql::CheckOptions(alter.options, {"canary_key", "salt"}, in_.diagnostics);
  if (const sql::Option* salt = sql::FindOption(alter.options, "salt")) canary.salt = salt->value;
  if (const sql::Option* key = sql::FindOption(alter.options, "canary_key")) {
    canary.key = key->value;
  }
  const bool same = goes_on && on->canary.percent == canary.percent &&
                    on->canary.salt == canary.salt && on->canary.key == canary.key;
  if (same || (canary.percent == 0 && !goes_on)) {
    in_.draft.unchanged.push_back(object.name);
    return false;
  }
  if (canary.percent > 0 && !EveryReaderHasKey(object.name, canary.key, alter.model.span)) {
    return false;
  }
  change.text = canary.Encode();
  return true;
}

bool ModelPlanner::EveryReaderHasKey(const std::string& model, const std::string& key,
                                     const sql::SourceSpan& span) {
  for (const Deployed& reader : in_.deployment.items) {
    for (const StatementPtr& plan : {reader.statement, reader.pending}) {
      if (!plan || HasKey(*plan, model, key)) continue;
      ComplainOfKey(*plan, model, key, span);
      return false;
    }
  }
  return true;
}

void ModelPlanner::ComplainOfKey(const flow::StatementPlan& plan, const std::string& model,
                                 const std::string& key, const sql::SourceSpan& span) {
  const std::string what =
      key.empty() ? "the partition key of its source" : "a column `" + key + "`";
  sql::Complain(in_.diagnostics, "HR1195",
                "`" + plan.name + "` asks `" + model + "` and reads `" + plan.input() +
                    "`, which lacks " + what + ": nothing tells the rows of a canary from others",
                span)
      .hint =
      "name a column that stays the same for a customer: CANARY ... WITH (canary_key = "
      "'...')";
}

bool ModelPlanner::FitsCanaries(const flow::StatementPlan& plan, const sql::SourceSpan& span) {
  for (const catalog::Object& object : in_.deployment.catalog.objects()) {
    const catalog::CanaryPeriod* on = object.canary();
    if (on == nullptr || HasKey(plan, object.name, on->canary.key)) continue;
    ComplainOfKey(plan, object.name, on->canary.key, span);
    return false;
  }
  return true;
}

}  // namespace headrace::engine
