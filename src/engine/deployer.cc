#include "engine/deployer.h"

#include <algorithm>
#include <filesystem>

#include "base/hash.h"
#include "engine/drop.h"
#include "engine/drop_planner.h"
#include "engine/kept_answers.h"
#include "engine/lookup.h"
#include "engine/model_planner.h"
#include "engine/model_watch.h"
#include "engine/replacement.h"
#include "engine/training_steps.h"
#include "flow/remote_answer.h"
#include "sql/parser.h"
#include "sql/plan_support.h"
#include "sql/planner.h"

namespace headrace::engine {
namespace {

// What takes the place of `former` from `lsn` on.
StatementPtr Successor(const flow::StatementPlan& former, const flow::StatementPlan& next,
                       uint64_t lsn) {
  auto newest = std::make_shared<flow::StatementPlan>(next);
  newest->from_lsn = lsn;
  // Rows of all revisions stand in one topic and are read with the newest schema.
  for (row::Column& column : newest->schema.columns) {
    int before = former.schema.Find(column.name);
    column.not_null = column.not_null && before >= 0 &&
                      former.schema.columns[static_cast<size_t>(before)].not_null;
  }
  return newest;
}

// From `lsn` on the statement is what `next` says.
void Replace(Deployed& item, const flow::StatementPlan& next, uint64_t lsn) {
  auto former = std::make_shared<flow::StatementPlan>(*item.statement);
  former->until_lsn = std::min(former->until_lsn, lsn);
  item.statement = Successor(*former, next, lsn);
  item.former.push_back(std::move(former));
}

void ReplaceItem(Deployment& deployment, const std::string& name, const flow::StatementPlan& next,
                 uint64_t lsn) {
  Deployed* known = deployment.FindMutable(name);
  HR_CHECK(known != nullptr);
  Replace(*known, next, lsn);
}

// What the object stands for in `base`, when it was made by the same statements there.
const Deployed* Unchanged(const Deployment& base, const catalog::Object& object) {
  const catalog::Object* before = base.catalog.Find(object.name);
  const bool same = before != nullptr && before->revisions.size() == object.revisions.size() &&
                    before->revisions.front().lsn == object.revisions.front().lsn &&
                    before->latest().joined_lsn == object.latest().joined_lsn &&
                    before->latest().halted_lsn == object.latest().halted_lsn &&
                    before->latest().lsn == object.latest().lsn;
  return same ? base.Find(object.name) : nullptr;
}

}  // namespace

std::vector<log::Entry> ControlsOf(const std::vector<catalog::Change>& changes) {
  std::vector<log::Entry> controls;
  for (const catalog::Change& change : changes) {
    log::Entry& entry = controls.emplace_back();
    entry.kind = log::EntryKind::kControl;
    entry.bytes = change.Encode();
  }
  return controls;
}

Deployed SideOutputOf(const sql::Planner& planner, const flow::StatementPlan& of, uint64_t lsn) {
  auto plan = std::make_shared<flow::StatementPlan>(*planner.PlanSideOutput(of));
  plan->created_lsn = lsn;
  plan->joined_lsn = of.joined_lsn;
  plan->until_lsn = of.until_lsn;
  Deployed item;
  item.name = plan->name;
  item.statement = std::move(plan);
  return item;
}

// Plans one script statement by statement over a growing copy of the deployment.
class ScriptPlanner {
 public:
  ScriptPlanner(Deployer& deployer, const sql::SourceMap& sources, std::string file,
                Deployment deployment)
      : growing_(sources, std::move(file), std::move(deployment)),
        models_(deployer, growing_),
        drops_(growing_) {}

  void PlanStatement(const sql::Statement& statement) {
    if (const auto* relation = std::get_if<sql::CreateRelation>(&statement.body)) {
      PlanRelation(statement, *relation);
    } else if (const auto* model = std::get_if<sql::CreateModel>(&statement.body)) {
      models_.Create(statement, *model);
    } else if (const auto* policy = std::get_if<sql::CreatePolicy>(&statement.body)) {
      PlanPolicy(statement, *policy);
    } else if (const auto* alter = std::get_if<sql::AlterModel>(&statement.body)) {
      models_.Alter(statement, *alter);
    } else if (const auto* drop = std::get_if<sql::Drop>(&statement.body)) {
      drops_.Drop(*drop, statement.span);
    } else {
      sql::Complain(diagnostics_, "HR1150", "this statement deploys nothing", statement.span).hint =
          "a script holds CREATE, ALTER and DROP; ask queries with `headrace sql`";
    }
  }

  std::vector<sql::Diagnostic>& diagnostics() { return diagnostics_; }
  Draft TakeDraft() {
    growing_.draft.deployment = std::move(growing_.deployment);
    return std::move(growing_.draft);
  }

 private:
  // True when a derived stream of this name finds its topic free; otherwise a conflict.
  bool TopicIsFree(const sql::Identifier& name) {
    const Deployed* reader = deployment_.FindByTopic(name.name);
    if (deployment_.catalog.left_topics().contains(name.name)) {
      sql::Complain(diagnostics_, "HR1205",
                    "topic `" + name.name + "` holds events of a stream that was dropped",
                    name.span)
          .hint = "DROP TOPIC " + name.name + " removes them; or use another name";
      return false;
    }
    if (reader == nullptr) return true;
    sql::Complain(diagnostics_, "HR1205",
                  "topic `" + name.name + "` is that of `" + reader->name + "`", name.span)
        .hint = "use another name: the rows of a derived stream stand in a topic of its name";
    return false;
  }

  // True when neither name nor topic is one that Headrace takes itself.
  bool NamesAreFree(const Deployed& item, const sql::Identifier& name) {
    const bool health = item.name.starts_with(kHealthPrefix) ||
                        item.topic().starts_with(kHealthPrefix) || item.name == kModelHealth;
    if (item.name.starts_with(kTrainingPrefix) || item.topic().starts_with(kTrainingPrefix)) {
      sql::Complain(diagnostics_, "HR1260", "`" + item.name + "` is Headrace's own", name.span)
          .hint = "names that begin with `" + std::string(kTrainingPrefix) +
                  "` tell of trainings: take another name";
      return false;
    }
    const bool own =
        item.topic() == KeptAnswers::kTopic || item.topic() == flow::kRemoteAnswersTopic;
    if (!health && !own) return true;
    sql::Complain(diagnostics_, health ? "HR1279" : "HR1205",
                  (health ? "`" + item.name : "topic `" + item.topic()) + "` is Headrace's own",
                  name.span)
        .hint = health ? "names that begin with `" + std::string(kHealthPrefix) +
                             "` tell how models do: take another name"
                       : "take another name";
    return false;
  }

  // The same for a declared stream whose topic has events of one that was dropped: they are its
  // own from now on.
  bool CanTakeOver(const flow::SourcePlan& plan, const sql::Identifier& name) {
    auto left = deployment_.catalog.left_topics().find(plan.topic);
    if (left == deployment_.catalog.left_topics().end()) return true;
    std::string reason;
    if (plan.partitions < left->second.partitions) {
      reason = "stand in " + std::to_string(left->second.partitions) + " partitions";
    } else if (!plan.dedup_slots.empty() && RepeatsOf(plan) != left->second.repeats) {
      reason = left->second.repeats.empty()
                   ? "were taken without DEDUPLICATE BY"
                   : "were taken with DEDUPLICATE BY " + left->second.repeats;
    }
    if (reason.empty()) return true;
    sql::Complain(diagnostics_, "HR1100", "the events in topic `" + plan.topic + "` " + reason,
                  name.span)
        .hint = "declare it so, or DROP TOPIC " + plan.topic + " first: the events go then";
    return false;
  }

  // The same for the name of a side output, which only its statement can define.
  bool SideOutputIsFree(const sql::CreateRelation& create) {
    const sql::Identifier& name = create.query->late_rows->output;
    if (deployment_.Find(name.name) == nullptr && name.name != create.name.name) {
      return TopicIsFree(name);
    }
    sql::Complain(diagnostics_, "HR1201", "`" + name.name + "` exists already", name.span).hint =
        "a side output is a new stream: use another name";
    return false;
  }

  void PlanRelation(const sql::Statement& statement, const sql::CreateRelation& create) {
    if (create.kind == sql::RelationKind::kTable) {
      sql::Complain(diagnostics_, "HR1151", "CREATE TABLE is not supported", create.name.span)
          .hint = "CREATE STREAM, or a materialized view";
      return;
    }
    const Deployed* known = deployment_.Find(create.name.name);
    if (create.or_replace && known != nullptr) return PlanReplacement(statement, create, *known);
    if (!growing_.NameIsFree(statement, create.name, create.if_not_exists)) return;
    DeploymentLookup lookup(deployment_);
    sql::Planner planner(lookup, sources_, diagnostics_);
    Deployed item;
    std::optional<Deployed> side;
    item.name = create.name.name;
    if (create.query) {
      item.statement = WithWatch(planner.PlanStatement(create), deployment_, nullptr);
      if (!item.statement || !TopicIsFree(create.name)) return;
      if (!models_.FitsCanaries(*item.statement, create.name.span)) return;
      if (!item.statement->side_output.empty()) {
        if (!SideOutputIsFree(create)) return;
        side = SideOutputOf(planner, *item.statement, 0);
      }
    } else {
      item.source = planner.PlanSource(create);
      if (!item.source) return;
      if (deployment_.FindByTopic(item.source->topic) != nullptr) {
        sql::Complain(diagnostics_, "HR1205",
                      "topic `" + item.source->topic + "` is read by another stream",
                      create.name.span);
        return;
      }
      if (!CanTakeOver(*item.source, create.name)) return;
    }
    if (!NamesAreFree(item, create.name)) return;
    growing_.Record(growing_.Creation(statement, item.name));
    std::optional<Deployed> health;
    if (item.statement && !item.statement->health.empty()) health = HealthOf(*item.statement, 0);
    deployment_.Add(std::move(item));
    if (side) deployment_.Add(std::move(*side));
    if (health) deployment_.Add(std::move(*health));
  }

  void PlanPolicy(const sql::Statement& statement, const sql::CreatePolicy& create) {
    const Deployed* known = deployment_.Find(create.name.name);
    if (create.or_replace && known != nullptr && known->policy) {
      const std::string text = sql::TextOf(sources_, statement.span);
      const catalog::Object* object = deployment_.catalog.Find(create.name.name);
      if (object != nullptr && SameDefinition(object->latest().text, text)) {
        growing_.draft.unchanged.push_back(create.name.name);
        return;
      }
      sql::Complain(diagnostics_, "HR1209", "a policy stays what it is: what it learned is its own",
                    create.name.span)
          .hint = "CREATE it under another name, and let the statements choose by that";
      return;
    }
    if (!growing_.NameIsFree(statement, create.name, create.if_not_exists)) return;
    DeploymentLookup lookup(deployment_);
    Deployed item;
    item.name = create.name.name;
    item.policy = sql::Planner(lookup, sources_, diagnostics_).PlanPolicy(create);
    if (!item.policy) return;
    growing_.Record(growing_.Creation(statement, item.name));
    deployment_.Add(std::move(item));
  }

  void PlanReplacement(const sql::Statement& statement, const sql::CreateRelation& create,
                       const Deployed& known) {
    const catalog::Object* object = deployment_.catalog.Find(create.name.name);
    catalog::Change change = growing_.Creation(statement, create.name.name);
    change.kind = catalog::ChangeKind::kReplace;
    // A statement that was halted is begun anew by its own text.
    if (object != nullptr && !known.halted() &&
        SameDefinition(object->latest().text, change.text)) {
      growing_.draft.unchanged.push_back(create.name.name);
      return;
    }
    if (known.statement && !known.statement->side_of.empty()) {
      sql::Complain(
          diagnostics_, "HR1209",
          "`" + create.name.name + "` is the side output of `" + known.statement->side_of + "`",
          create.name.span)
          .hint = "CREATE OR REPLACE `" + known.statement->side_of + "` replaces both";
      return;
    }
    if (!known.statement || !create.query) {
      sql::Complain(diagnostics_, "HR1209",
                    "`" + create.name.name + "` is not a statement that can be replaced",
                    create.name.span)
          .hint = "CREATE OR REPLACE changes streams and views that are made AS SELECT";
      return;
    }
    DeploymentLookup lookup(deployment_);
    sql::Planner planner(lookup, sources_, diagnostics_);
    StatementPtr next = WithWatch(planner.PlanStatement(create), deployment_, &known);
    if (!next || !models_.FitsCanaries(*next, create.name.span)) return;
    std::optional<std::string> reason = ReasonAgainst(deployment_, known, *next);
    std::optional<Deployed> side;
    if (!reason && !next->side_output.empty()) {
      side = SideOutputOf(planner, *next, 0);
      reason = ReasonAgainst(deployment_, *deployment_.Find(side->name), *side->statement);
      if (reason) *reason += " (its side output `" + side->name + "`)";
    }
    if (reason) {
      sql::Complain(diagnostics_, "HR1209",
                    "`" + create.name.name + "` cannot be replaced by this: " + *reason,
                    create.name.span)
          .hint = "CREATE it under another name";
      return;
    }
    growing_.Record(std::move(change));
    ReplaceItem(deployment_, create.name.name, *next, UINT64_MAX - 1);
    if (side) ReplaceItem(deployment_, side->name, *side->statement, UINT64_MAX - 1);
    if (next->health.empty()) return;
    ReplaceItem(deployment_, next->health, *HealthOf(*next, 0).statement, UINT64_MAX - 1);
  }

  GrowingDraft growing_;
  ModelPlanner models_;
  DropPlanner drops_;
  // Its parts.
  const sql::SourceMap& sources_ = growing_.sources;
  Deployment& deployment_ = growing_.deployment;
  std::vector<sql::Diagnostic>& diagnostics_ = growing_.diagnostics;
};

Deployer::Deployer(os::FileSystem& files, std::string directory, bool read_only)
    : files_(files), directory_(std::move(directory)), read_only_(read_only) {}

Result<Draft> Deployer::Plan(std::string_view script, const std::string& file,
                             const Deployment& base) {
  sql::SourceMap sources;
  int index = sources.Add(file, std::string(script));
  sql::ParseResult parsed = sql::Parse(sources.text(index), index);
  ScriptPlanner planner(*this, sources, file, base);
  planner.diagnostics() = parsed.errors;
  for (const sql::Statement& statement : parsed.statements)
    planner.PlanStatement(statement);
  if (!planner.diagnostics().empty()) {
    const sql::Diagnostic& first = planner.diagnostics().front();
    return Error(ErrorKind::kInvalidArgument, first.code,
                 sql::Render(planner.diagnostics(), sources))
        .AtPlace(sql::PlaceOf(sources, first.span));
  }
  return planner.TakeDraft();
}

Result<std::shared_ptr<const Deployment>> Deployer::Deploy(const catalog::Catalog& catalog,
                                                           const Deployment& base) {
  // As the statements came: each is planned over what was there then.
  std::map<uint64_t, std::pair<const catalog::Object*, const catalog::Revision*>> history;
  for (const catalog::Object& object : catalog.objects()) {
    for (const catalog::Revision& revision : object.revisions)
      history[revision.made_lsn] = {&object, &revision};
    if (object.pending) history[object.pending->made_lsn] = {&object, &*object.pending};
  }
  auto deployment = std::make_shared<Deployment>();
  for (const auto& [lsn, made] : history) {
    const catalog::Object& object = *made.first;
    if (!object.versions.empty()) {
      HR_TRY(DeployModel(object, *deployment));
    } else if (object.pending && made.second == &*object.pending) {
      HR_TRY(DeployPending(object, base, *deployment));
    } else if (const Deployed* known = Unchanged(base, object)) {
      if (deployment->Find(object.name) != nullptr) continue;
      deployment->AddFrom(base, known->name);
    } else {
      HR_TRY(DeployRevision(object.name, *made.second, *deployment));
    }
  }
  deployment->catalog = catalog;
  return std::shared_ptr<const Deployment>(std::move(deployment));
}

Result<std::shared_ptr<const Deployment>> Deployer::DeployBehind(
    const std::vector<catalog::Change>& changes, const Deployment& base, log::Lsn last_lsn) {
  catalog::Catalog catalog = base.catalog;
  for (const catalog::Change& change : changes)
    HR_TRY(catalog.Apply(change, ++last_lsn));
  return Deploy(catalog, base);
}

Status Deployer::DeployModel(const catalog::Object& object, Deployment& deployment) {
  auto versions = std::make_shared<flow::ModelVersions>();
  model::ReasonTexts reasons;  // a version that declares none has those of the one before
  for (const catalog::ModelVersion& version : object.versions) {
    HR_ASSIGN(auto loaded, LoadModel(version.sha256));
    const std::string& text = version.number == 1 ? object.revisions.front().text : version.text;
    if (!text.empty()) {
      HR_ASSIGN(reasons, ReasonsOf(text, loaded->info()));
    }
    versions->versions.push_back(std::move(loaded));
    versions->reasons.push_back(reasons);
  }
  for (const catalog::Activation& activation : object.activations) {
    versions->activations.push_back({activation.lsn, activation.number});
  }
  for (const catalog::CanaryPeriod& period : object.canaries) {
    const catalog::Canary& canary = period.canary;
    versions->canaries.push_back(
        {period.lsn, period.until_lsn, period.number, canary.percent, canary.salt, canary.key});
  }
  if (object.watched) {
    HR_ASSIGN(versions->watch, WatchOf(object.revisions.front().text));
  }
  Deployed item;
  item.name = object.name;
  item.models = std::move(versions);
  deployment.Add(std::move(item));
  return Ok();
}

Status Deployer::DeployRevision(const std::string& name, const catalog::Revision& revision,
                                Deployment& deployment) {
  HR_ASSIGN(std::vector<Deployed> items, PlanRevision(name, revision, deployment));
  for (Deployed& item : items) {
    if (deployment.Find(item.name) == nullptr) {
      deployment.Add(std::move(item));
    } else {
      ReplaceItem(deployment, item.name, *item.statement, revision.lsn);
    }
  }
  return Ok();
}

Status Deployer::DeployPending(const catalog::Object& object, const Deployment& base,
                               Deployment& deployment) {
  const catalog::Object* before = base.catalog.Find(object.name);
  const bool same =
      before != nullptr && before->pending && before->pending->made_lsn == object.pending->made_lsn;
  HR_ASSIGN(std::vector<Deployed> items, PlanRevision(object.name, *object.pending, deployment));
  for (const Deployed& item : items) {
    Deployed* known = deployment.FindMutable(item.name);
    HR_CHECK(known != nullptr);
    known->pending = same ? base.Find(item.name)->pending
                          : Successor(*known->statement, *item.statement, UINT64_MAX);
  }
  return Ok();
}

Result<std::vector<Deployed>> Deployer::PlanRevision(const std::string& name,
                                                     const catalog::Revision& revision,
                                                     const Deployment& deployment) {
  sql::SourceMap sources;
  std::string padding(static_cast<size_t>(std::max(0, revision.line - 1)), '\n');
  int index = sources.Add(revision.file, padding + revision.text);
  sql::ParseResult parsed = sql::Parse(sources.text(index), index);
  std::vector<sql::Diagnostic> diagnostics = parsed.errors;
  DeploymentLookup lookup(deployment);
  sql::Planner planner(lookup, sources, diagnostics);
  std::vector<Deployed> items(1);
  Deployed& item = items.front();
  item.name = name;
  if (diagnostics.empty() &&
      std::holds_alternative<sql::CreateModel>(parsed.statements.at(0).body)) {
    const auto& create = std::get<sql::CreateModel>(parsed.statements[0].body);
    if (create.remote) item.remote = planner.PlanRemote(create);
    if (create.learner) item.learner = planner.PlanLearner(create);
    if (create.train) item.trainer = planner.PlanTrainer(create);
  } else if (diagnostics.empty() &&
             std::holds_alternative<sql::CreatePolicy>(parsed.statements[0].body)) {
    item.policy = planner.PlanPolicy(std::get<sql::CreatePolicy>(parsed.statements[0].body));
  } else if (diagnostics.empty()) {
    const auto& create = std::get<sql::CreateRelation>(parsed.statements.at(0).body);
    if (create.query) {
      if (auto plan = planner.PlanStatement(create)) {
        auto dated = std::make_shared<flow::StatementPlan>(*plan);
        dated->created_lsn = revision.made_lsn;
        dated->joined_lsn = revision.joined_lsn;
        dated->until_lsn = revision.halted_lsn;
        if (dated->start_lsn == UINT64_MAX) dated->start_lsn = revision.made_lsn;
        item.statement = WithWatch(std::move(dated), deployment, deployment.Find(name));
      }
    } else {
      item.source = planner.PlanSource(create);
    }
  }
  if (!diagnostics.empty()) {
    return Error(
        ErrorKind::kCorruption, "HR5303",
        "a deployed statement does not plan any more: " + sql::Render(diagnostics, sources));
  }
  if (item.statement && !item.statement->side_output.empty()) {
    items.push_back(SideOutputOf(planner, *item.statement, revision.made_lsn));
  }
  const StatementPtr made = items.front().statement;
  if (made && !made->health.empty()) items.push_back(HealthOf(*made, revision.made_lsn));
  return items;
}

Result<std::shared_ptr<const model::Model>> Deployer::TakeModelFile(const std::string& path) {
  HR_ASSIGN(std::string sha, StoreModel(path, ""));
  return LoadModel(sha);
}

Result<std::string> Deployer::StoreModel(const std::string& path, const std::string& script_file) {
  namespace fs = std::filesystem;
  std::string beside = (fs::path(script_file).parent_path() / path).string();
  std::string found = files_.Exists(beside) ? beside : path;
  HR_ASSIGN(std::string bytes, os::ReadFile(files_, found, model::kModelBytesMax));
  HR_ASSIGN(auto loaded, model::Model::Load(bytes));
  std::string sha = loaded->info().sha256;
  HR_TRY(KeepModel(bytes, std::move(loaded)));
  return sha;
}

Status Deployer::KeepModel(std::string_view bytes, std::shared_ptr<const model::Model> loaded) {
  const std::string sha = loaded->info().sha256;
  models_[sha] = std::move(loaded);
  if (read_only_) return Ok();
  // Written again when it is there already: a program that was killed may have left it unflushed.
  HR_TRY(files_.CreateDirectories(directory_ + "/models"));
  return os::ReplaceFile(files_, directory_ + "/models/" + sha, bytes);
}

Result<std::shared_ptr<const model::Model>> Deployer::LoadModel(const std::string& sha256) {
  auto known = models_.find(sha256);
  if (known != models_.end()) return known->second;
  std::string path = directory_ + "/models/" + sha256;
  HR_ASSIGN(std::string bytes, os::ReadFile(files_, path, model::kModelBytesMax));
  if (base::Sha256Hex(bytes) != sha256) {
    return Error(ErrorKind::kCorruption, "HR5304", "a model's bytes do not match its name")
        .AtPlace(path);
  }
  HR_ASSIGN(auto loaded, model::Model::Load(bytes));
  models_[sha256] = loaded;
  return loaded;
}

}  // namespace headrace::engine
