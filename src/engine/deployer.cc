#include "engine/deployer.h"

#include <algorithm>
#include <filesystem>

#include "base/hash.h"
#include "engine/kept_answers.h"
#include "engine/lookup.h"
#include "engine/replacement.h"
#include "sql/parser.h"
#include "sql/plan_support.h"
#include "sql/planner.h"

namespace headrace::engine {
namespace {

// From `lsn` on the statement is what `next` says.
void Replace(Deployed& item, const flow::StatementPlan& next, uint64_t lsn) {
  auto former = std::make_shared<flow::StatementPlan>(*item.statement);
  former->until_lsn = lsn;
  auto newest = std::make_shared<flow::StatementPlan>(next);
  newest->from_lsn = lsn;
  // Rows of all revisions stand in one topic and are read with the newest schema.
  for (row::Column& column : newest->schema.columns) {
    int before = former->schema.Find(column.name);
    column.not_null = column.not_null && before >= 0 &&
                      former->schema.columns[static_cast<size_t>(before)].not_null;
  }
  item.former.push_back(std::move(former));
  item.statement = std::move(newest);
}

void ReplaceItem(Deployment& deployment, const std::string& name, const flow::StatementPlan& next,
                 uint64_t lsn) {
  auto known = std::find_if(deployment.items.begin(), deployment.items.end(),
                            [&](const Deployed& item) { return item.name == name; });
  HR_CHECK(known != deployment.items.end());
  Replace(*known, next, lsn);
}

// What the object stands for in `base`, when it was made by the same statements there.
const Deployed* Unchanged(const Deployment& base, const catalog::Object& object) {
  const catalog::Object* before = base.catalog.Find(object.name);
  const bool same = before != nullptr && before->revisions.size() == object.revisions.size() &&
                    before->revisions.front().lsn == object.revisions.front().lsn &&
                    before->latest().joined_lsn == object.latest().joined_lsn &&
                    before->latest().lsn == object.latest().lsn;
  return same ? base.Find(object.name) : nullptr;
}

}  // namespace

Deployed SideOutputOf(const sql::Planner& planner, const flow::StatementPlan& of, uint64_t lsn) {
  auto plan = std::make_shared<flow::StatementPlan>(*planner.PlanSideOutput(of));
  plan->created_lsn = lsn;
  plan->joined_lsn = of.joined_lsn;
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
      : deployer_(deployer),
        sources_(sources),
        file_(std::move(file)),
        deployment_(std::move(deployment)) {}

  void PlanStatement(const sql::Statement& statement) {
    if (const auto* relation = std::get_if<sql::CreateRelation>(&statement.body)) {
      PlanRelation(statement, *relation);
    } else if (const auto* model = std::get_if<sql::CreateModel>(&statement.body)) {
      PlanModel(statement, *model);
    } else if (const auto* alter = std::get_if<sql::AlterModel>(&statement.body)) {
      PlanAlter(*alter);
    } else if (const auto* drop = std::get_if<sql::Drop>(&statement.body)) {
      PlanDrop(*drop, statement.span);
    } else {
      sql::Complain(diagnostics_, "HR1150", "this statement deploys nothing", statement.span).hint =
          "a script holds CREATE, ALTER and DROP; ask queries with `headrace sql`";
    }
  }

  std::vector<sql::Diagnostic>& diagnostics() { return diagnostics_; }
  Draft TakeDraft() {
    draft_.deployment = std::move(deployment_);
    return std::move(draft_);
  }

 private:
  // True when a derived stream of this name finds its topic free; otherwise a conflict.
  bool TopicIsFree(const sql::Identifier& name) {
    const Deployed* reader = deployment_.FindByTopic(name.name);
    if (reader == nullptr) return true;
    sql::Complain(diagnostics_, "HR1205",
                  "topic `" + name.name + "` is that of `" + reader->name + "`", name.span)
        .hint = "use another name: the rows of a derived stream stand in a topic of its name";
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

  // True when the name is free; otherwise the statement is known already or a conflict.
  bool NameIsFree(const sql::Statement& statement, const sql::Identifier& name,
                  bool if_not_exists) {
    if (deployment_.Find(name.name) == nullptr) return true;
    const catalog::Object* known = deployment_.catalog.Find(name.name);
    std::string text = sql::TextOf(sources_, statement.span);
    bool same = known != nullptr && std::any_of(known->revisions.begin(), known->revisions.end(),
                                                [&](const catalog::Revision& revision) {
                                                  return SameDefinition(revision.text, text);
                                                });
    if (!same && !if_not_exists) {
      sql::Complain(diagnostics_, "HR1201", "`" + name.name + "` exists already, defined otherwise",
                    name.span)
          .hint = "CREATE OR REPLACE changes a statement; otherwise use another name";
    }
    draft_.unchanged.push_back(name.name);
    return false;
  }

  catalog::Change Creation(const sql::Statement& statement, const std::string& name) {
    catalog::Change change;
    change.name = name;
    change.text = sql::TextOf(sources_, statement.span);
    change.file = file_;
    change.line = statement.span.line;
    return change;
  }

  void PlanRelation(const sql::Statement& statement, const sql::CreateRelation& create) {
    if (create.kind == sql::RelationKind::kTable) {
      sql::Complain(diagnostics_, "HR1151", "CREATE TABLE is not supported", create.name.span)
          .hint = "CREATE STREAM, or a materialized view";
      return;
    }
    const Deployed* known = deployment_.Find(create.name.name);
    if (create.or_replace && known != nullptr) return PlanReplacement(statement, create, *known);
    if (!NameIsFree(statement, create.name, create.if_not_exists)) return;
    DeploymentLookup lookup(deployment_);
    sql::Planner planner(lookup, sources_, diagnostics_);
    Deployed item;
    std::optional<Deployed> side;
    item.name = create.name.name;
    if (create.query) {
      item.statement = planner.PlanStatement(create);
      if (!item.statement || !TopicIsFree(create.name)) return;
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
    }
    if (item.topic() == KeptAnswers::kTopic) {
      sql::Complain(diagnostics_, "HR1205", "topic `" + item.topic() + "` is Headrace's own",
                    create.name.span)
          .hint = "take another name";
      return;
    }
    Record(Creation(statement, item.name));
    deployment_.Add(std::move(item));
    if (side) deployment_.Add(std::move(*side));
  }

  // Statements behind it see the change, too.
  void Record(catalog::Change change) {
    Status applied = deployment_.catalog.Apply(change, UINT64_MAX - 1);
    HR_CHECK(applied.ok());
    draft_.changes.push_back(std::move(change));
  }

  void PlanReplacement(const sql::Statement& statement, const sql::CreateRelation& create,
                       const Deployed& known) {
    const catalog::Object* object = deployment_.catalog.Find(create.name.name);
    catalog::Change change = Creation(statement, create.name.name);
    change.kind = catalog::ChangeKind::kReplace;
    if (object != nullptr && SameDefinition(object->latest().text, change.text)) {
      draft_.unchanged.push_back(create.name.name);
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
    StatementPtr next = planner.PlanStatement(create);
    if (!next) return;
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
    Record(std::move(change));
    ReplaceItem(deployment_, create.name.name, *next, UINT64_MAX - 1);
    if (side) ReplaceItem(deployment_, side->name, *side->statement, UINT64_MAX - 1);
  }

  void PlanModel(const sql::Statement& statement, const sql::CreateModel& create) {
    if (create.or_replace && deployment_.Find(create.name.name) != nullptr) {
      return PlanNewVersion(create);
    }
    if (!NameIsFree(statement, create.name, create.if_not_exists)) return;
    if (create.learner) return PlanLearner(statement, create);
    std::string sha = Store(create.options, create.name.span);
    if (sha.empty()) return;
    catalog::Change change = Creation(statement, create.name.name);
    change.sha256 = sha;
    Deployed item;
    item.name = create.name.name;
    auto versions = std::make_shared<flow::ModelVersions>();
    versions->versions.push_back(deployer_.LoadModel(sha).value());
    versions->activations.push_back({0, 1});
    item.models = std::move(versions);
    Record(std::move(change));
    deployment_.Add(std::move(item));
  }

  void PlanLearner(const sql::Statement& statement, const sql::CreateModel& create) {
    DeploymentLookup lookup(deployment_);
    Deployed item;
    item.name = create.name.name;
    item.learner = sql::Planner(lookup, sources_, diagnostics_).PlanLearner(create);
    if (!item.learner) return;
    Record(Creation(statement, item.name));
    deployment_.Add(std::move(item));
  }

  // CREATE OR REPLACE of a model that is there: a version of it that decides from now on.
  void PlanNewVersion(const sql::CreateModel& create) {
    if (create.learner || deployment_.Find(create.name.name)->learner) {
      sql::Complain(diagnostics_, "HR1209", "a learner has no versions that could be replaced",
                    create.name.span)
          .hint = "CREATE it under another name";
      return;
    }
    sql::AlterModel alter;
    alter.model = create.name;
    const catalog::Object* object = deployment_.catalog.Find(create.name.name);
    if (object == nullptr || object->versions.empty()) {
      sql::Complain(diagnostics_, "HR1201", "`" + create.name.name + "` exists and is no model",
                    create.name.span)
          .hint = "use another name";
      return;
    }
    std::string sha = Store(create.options, create.name.span);
    if (sha.empty()) return;
    auto known = std::find_if(object->versions.begin(), object->versions.end(),
                              [&](const catalog::ModelVersion& v) { return v.sha256 == sha; });
    bool is_new = known == object->versions.end();
    alter.version = is_new ? static_cast<int>(object->versions.size()) + 1 : known->number;
    if (alter.version == object->activations.back().number) return;
    if (is_new) {
      alter.action = sql::ModelAction::kAddVersion;
      alter.options = create.options;
      size_t before = diagnostics_.size();
      PlanAlter(alter);
      if (diagnostics_.size() > before) return;
    }
    alter.action = sql::ModelAction::kActivate;
    PlanAlter(alter);
  }

  // The hash of the stored model, or "" after a diagnostic.
  std::string Store(const std::vector<sql::Option>& options, const sql::SourceSpan& span) {
    sql::CheckOptions(options, {"path", "format"}, diagnostics_);
    const sql::Option* path = sql::FindOption(options, "path");
    if (path == nullptr) {
      sql::Complain(diagnostics_, "HR1137", "a model needs WITH (path = '...')", span);
      return "";
    }
    Result<std::string> stored = deployer_.StoreModel(path->value, file_);
    if (stored.ok()) return *stored;
    const Error& error = stored.error();
    std::string place = error.place().empty() ? "" : " at " + error.place();
    sql::Complain(diagnostics_, error.code(),
                  "model '" + path->value + "'" + place + ": " + error.message(), path->value_span)
        .hint = error.hint();
    return "";
  }

  void PlanAlter(const sql::AlterModel& alter) {
    const Deployed* item = deployment_.Find(alter.model.name);
    const catalog::Object* object = deployment_.catalog.Find(alter.model.name);
    if (item == nullptr || !item->models || object == nullptr) {
      sql::Complain(diagnostics_, "HR1107", "unknown model `" + alter.model.name + "`",
                    alter.model.span)
          .candidates =
          expr::CloseNames(alter.model.name, DeploymentLookup(deployment_).model_names());
      return;
    }
    catalog::Change change;
    change.name = alter.model.name;
    auto versions = static_cast<int32_t>(object->versions.size());
    if (alter.action == sql::ModelAction::kAddVersion) {
      change.kind = catalog::ChangeKind::kAddVersion;
      change.sha256 = Store(alter.options, alter.model.span);
      change.number = versions + 1;
      if (change.sha256.empty() || !SameInputs(*item, change.sha256, alter)) return;
      bool known = std::any_of(
          object->versions.begin(), object->versions.end(),
          [&](const catalog::ModelVersion& version) { return version.sha256 == change.sha256; });
      if (known) return draft_.unchanged.push_back(alter.model.name);
    } else if (alter.action == sql::ModelAction::kCanary) {
      sql::Complain(diagnostics_, "HR1151", "CANARY is not supported", alter.model.span).hint =
          "SHADOW VERSION compares a version with the one that decides";
      return;
    } else if (!PlanVersion(alter, *object, change)) {
      return;
    }
    Record(std::move(change));
  }

  // ACTIVATE, SHADOW and RETIRE of a version that is there. False: nothing is to be done, or a
  // diagnostic.
  bool PlanVersion(const sql::AlterModel& alter, const catalog::Object& object,
                   catalog::Change& change) {
    const auto versions = static_cast<int32_t>(object.versions.size());
    change.number = alter.version;
    if (alter.version < 1 || alter.version > versions) {
      sql::Complain(diagnostics_, "HR1206",
                    "model `" + object.name + "` has versions 1 to " + std::to_string(versions),
                    alter.version_span);
      return false;
    }
    const catalog::ModelVersion& version = object.versions[size_t(alter.version) - 1];
    const bool decides = object.activations.back().number == alter.version;
    bool done = decides;
    if (alter.action == sql::ModelAction::kActivate) {
      change.kind = catalog::ChangeKind::kActivateVersion;
      change.text = alter.reason;
    } else if (decides) {
      sql::Complain(diagnostics_, "HR1214",
                    "version " + std::to_string(alter.version) + " of `" + object.name +
                        "` is the one that decides",
                    alter.version_span)
          .hint = "ACTIVATE another one first";
      return false;
    } else if (alter.action == sql::ModelAction::kShadow) {
      change.kind = catalog::ChangeKind::kShadowVersion;
      done = version.shadow_lsn > 0;
    } else {
      change.kind = catalog::ChangeKind::kRetireVersion;
      done = version.retired;
    }
    if (done) draft_.unchanged.push_back(object.name);
    return !done;
  }

  bool SameInputs(const Deployed& item, const std::string& sha, const sql::AlterModel& alter) {
    const model::ModelInfo& now = item.models->versions[0]->info();
    const model::ModelInfo& next = deployer_.LoadModel(sha).value()->info();
    if (model::Exchangeable(now, next)) return true;
    sql::Complain(diagnostics_, "HR1207",
                  "the version takes other inputs or gives other outputs than version 1",
                  alter.model.span)
        .hint = "CREATE MODEL under another name";
    return false;
  }

  void PlanDrop(const sql::Drop& drop, const sql::SourceSpan& span) {
    const Deployed* item = deployment_.Find(drop.name.name);
    if (item != nullptr && item->statement && !item->statement->side_of.empty()) {
      sql::Complain(diagnostics_, "HR1208",
                    "`" + item->name + "` is the side output of `" + item->statement->side_of + "`",
                    span)
          .hint = "deployed objects stay; start with an empty data directory";
      return;
    }
    if (item == nullptr || deployment_.catalog.Find(drop.name.name) == nullptr) {
      if (drop.if_exists) return;
      sql::Complain(diagnostics_, "HR1202", "`" + drop.name.name + "` does not exist",
                    drop.name.span);
      return;
    }
    for (const Deployed& reader : deployment_.items) {
      if (!reader.statement) continue;
      bool reads = reader.statement->input() == drop.name.name;
      if (reader.statement->select) {
        for (const flow::Stage& stage : reader.statement->select->stages) {
          for (const flow::Prediction& p : stage.predictions) {
            reads = reads || p.model == drop.name.name;
          }
        }
        const std::vector<std::string>& learners = reader.statement->select->learners;
        reads =
            reads || std::find(learners.begin(), learners.end(), drop.name.name) != learners.end();
      }
      if (!reads) continue;
      sql::Complain(diagnostics_, "HR1208", "`" + reader.name + "` reads `" + drop.name.name + "`",
                    span)
          .hint = "deployed objects stay; start with an empty data directory";
      return;
    }
    sql::Complain(diagnostics_, "HR1151", "DROP of a deployed object is not supported", span).hint =
        "start with an empty data directory";
  }

  Deployer& deployer_;
  const sql::SourceMap& sources_;
  std::string file_;
  Deployment deployment_;
  std::vector<sql::Diagnostic> diagnostics_;
  Draft draft_;
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
      history[revision.lsn] = {&object, &revision};
  }
  auto deployment = std::make_shared<Deployment>();
  for (const auto& [lsn, made] : history) {
    const catalog::Object& object = *made.first;
    if (!object.versions.empty()) {
      HR_TRY(DeployModel(object, *deployment));
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

Status Deployer::DeployModel(const catalog::Object& object, Deployment& deployment) {
  auto versions = std::make_shared<flow::ModelVersions>();
  for (const catalog::ModelVersion& version : object.versions) {
    HR_ASSIGN(auto loaded, LoadModel(version.sha256));
    versions->versions.push_back(std::move(loaded));
  }
  for (const catalog::Activation& activation : object.activations) {
    versions->activations.push_back({activation.lsn, activation.number});
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
    item.learner = planner.PlanLearner(std::get<sql::CreateModel>(parsed.statements[0].body));
  } else if (diagnostics.empty()) {
    const auto& create = std::get<sql::CreateRelation>(parsed.statements.at(0).body);
    if (create.query) {
      if (auto plan = planner.PlanStatement(create)) {
        auto dated = std::make_shared<flow::StatementPlan>(*plan);
        dated->created_lsn = revision.lsn;
        dated->joined_lsn = revision.joined_lsn;
        if (dated->start_lsn == UINT64_MAX) dated->start_lsn = revision.lsn;
        item.statement = std::move(dated);
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
    items.push_back(SideOutputOf(planner, *item.statement, revision.lsn));
  }
  return items;
}

Result<std::string> Deployer::StoreModel(const std::string& path, const std::string& script_file) {
  namespace fs = std::filesystem;
  std::string beside = (fs::path(script_file).parent_path() / path).string();
  std::string found = files_.Exists(beside) ? beside : path;
  HR_ASSIGN(std::string bytes, os::ReadFile(files_, found, model::kModelBytesMax));
  HR_ASSIGN(auto loaded, model::Model::Load(bytes));
  std::string sha = loaded->info().sha256;
  models_[sha] = std::move(loaded);
  std::string kept = directory_ + "/models/" + sha;
  if (!read_only_) {
    // Written again when it is there already: a program that was killed may have left it unflushed.
    HR_TRY(files_.CreateDirectories(directory_ + "/models"));
    HR_TRY(os::ReplaceFile(files_, kept, bytes));
  }
  return sha;
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
