#include "engine/fork.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <filesystem>
#include <optional>

#include "engine/deployer.h"
#include "engine/lookup.h"
#include "engine/model_planner.h"
#include "engine/model_watch.h"
#include "engine/replacement.h"
#include "expr/expr.h"
#include "sql/parser.h"
#include "sql/plan_support.h"
#include "sql/planner.h"

namespace headrace::engine {
namespace {

// Behind all that is there: what a fork makes takes no state of a snapshot.
constexpr uint64_t kForkLsn = UINT64_MAX - 1;

std::optional<int32_t> VersionNumber(std::string_view text) {
  int32_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

// One object of the fork before it is planned.
struct Definition {
  std::string name;
  const Deployed* base = nullptr;           // as it was; null: it is new
  const catalog::Object* object = nullptr;  // of `base`
  sql::Statement* given = nullptr;          // of the script; null: it stays
};

// Plans the objects of a fork, each behind what it reads. Confined.
class ForkPlanner {
 public:
  ForkPlanner(const Deployment& base, os::FileSystem& files, const ForkRequest& request)
      : base_(base), files_(files), request_(request) {}

  Result<Fork> Plan() {
    deployment_->catalog = base_.catalog;
    HR_TRY(Collect());
    while (!pending_.empty()) {
      auto ready = std::find_if(pending_.begin(), pending_.end(),
                                [&](const Definition& d) { return IsReady(d); });
      // What reads an unknown name is never ready: planning it tells so.
      Definition next = ready == pending_.end() ? pending_.front() : *ready;
      pending_.erase(ready == pending_.end() ? pending_.begin() : ready);
      HR_TRY(Place(next));
    }
    for (const auto& [name, value] : request_.models)
      HR_TRY(SetModel(name, value));
    return Fork{std::move(deployment_), std::move(changed_), std::move(last_), std::move(models_)};
  }

 private:
  Status Collect() {
    script_ = sources_.Add(request_.file, request_.script);
    parsed_.push_back(sql::Parse(sources_.text(script_), script_));
    diagnostics_ = parsed_.back().errors;
    HR_TRY(Complaints());
    for (const catalog::Object& object : base_.catalog.objects())
      pending_.push_back({object.name, base_.Find(object.name), &object, nullptr});
    for (sql::Statement& statement : parsed_.back().statements) {
      std::string name;
      if (const auto* relation = std::get_if<sql::CreateRelation>(&statement.body)) {
        name = last_ = relation->name.name;
      } else if (const auto* model = std::get_if<sql::CreateModel>(&statement.body)) {
        name = model->name.name;
      } else if (const auto* policy = std::get_if<sql::CreatePolicy>(&statement.body)) {
        name = policy->name.name;
      } else {
        sql::Complain(diagnostics_, "HR1210", "a replay takes CREATE statements alone",
                      statement.span)
            .hint = "a statement takes the place of the one of its name";
        return Complaints();
      }
      const Deployed* was = base_.Find(name);
      if (was != nullptr && was->statement && !was->statement->side_of.empty()) {
        sql::Complain(diagnostics_, "HR1210",
                      "`" + name + "` is the side output of `" + was->statement->side_of + "`",
                      statement.span)
            .hint = "give that statement another definition";
        return Complaints();
      }
      auto known = std::find_if(pending_.begin(), pending_.end(),
                                [&](const Definition& d) { return d.name == name; });
      if (known == pending_.end()) {
        // A model reads nothing, and what stands already may ask it.
        const bool model = !std::holds_alternative<sql::CreateRelation>(statement.body);
        known =
            pending_.insert(model ? pending_.begin() : known, {name, nullptr, nullptr, nullptr});
      }
      known->given = &statement;
    }
    return Ok();
  }

  // What it reads when it is planned as it stands, or as the script says.
  static std::vector<std::string> InputsOf(const Definition& definition) {
    if (definition.given != nullptr) {
      const auto* create = std::get_if<sql::CreateRelation>(&definition.given->body);
      if (create == nullptr || !create->query) return {};
      return {create->query->from.name.name};
    }
    std::vector<std::string> inputs;
    for (const StatementPtr& revision : definition.base->revisions()) {
      inputs.push_back(revision->input());
      if (!revision->select) continue;
      inputs.insert(inputs.end(), revision->select->learners.begin(),
                    revision->select->learners.end());
      for (const flow::Stage& stage : revision->select->stages) {
        for (const flow::RemoteQuestion& question : stage.questions)
          inputs.push_back(question.model->name);
      }
    }
    for (const std::string& policy : PoliciesOf(*definition.base))
      inputs.push_back(policy);
    return inputs;
  }

  // The streams that it makes besides: of late rows, of the health of models.
  static std::vector<std::string> SidesOf(const Definition& definition) {
    if (definition.given == nullptr) {
      return definition.base->statement ? definition.base->statement->sides()
                                        : std::vector<std::string>{};
    }
    const auto* create = std::get_if<sql::CreateRelation>(&definition.given->body);
    if (create == nullptr || !create->query) return {};
    std::vector<std::string> sides = {HealthName(definition.name)};
    if (create->query->late_rows) sides.push_back(create->query->late_rows->output.name);
    return sides;
  }

  bool IsReady(const Definition& definition) const {
    for (const std::string& input : InputsOf(definition)) {
      auto waits = [&](const Definition& other) {
        const std::vector<std::string> sides = SidesOf(other);
        return other.name == input || std::find(sides.begin(), sides.end(), input) != sides.end();
      };
      if (std::any_of(pending_.begin(), pending_.end(), waits)) return false;
    }
    return true;
  }

  Status Place(const Definition& definition) {
    if (definition.given != nullptr &&
        std::holds_alternative<sql::CreateModel>(definition.given->body)) {
      return PlaceModel(definition, std::get<sql::CreateModel>(definition.given->body));
    }
    if (definition.given != nullptr &&
        std::holds_alternative<sql::CreatePolicy>(definition.given->body)) {
      return PlacePolicy(definition);
    }
    if (definition.base != nullptr && (definition.base->learner || definition.base->remote ||
                                       definition.base->policy || definition.base->trainer)) {
      deployment_->AddFrom(base_, definition.name);
      return Ok();
    }
    const bool same_text = definition.given == nullptr ||
                           (definition.object != nullptr &&
                            SameDefinition(definition.object->latest().text,
                                           sql::TextOf(sources_, definition.given->span)));
    std::vector<std::string> inputs = InputsOf(definition);
    if (same_text && definition.base != nullptr) {  // with what it learns by
      Definition stands = definition;
      stands.given = nullptr;
      inputs = InputsOf(stands);
    }
    const bool same_inputs = std::none_of(
        inputs.begin(), inputs.end(), [&](const std::string& i) { return changed_.contains(i); });
    if (same_text && same_inputs && definition.base != nullptr) {
      deployment_->AddFrom(base_, definition.name);
      return Ok();
    }
    changed_.insert(definition.name);
    for (const std::string& side : SidesOf(definition)) {
      // Whether it has a health stream is known when it is planned.
      if (side != HealthName(definition.name)) changed_.insert(side);
    }
    if (definition.given != nullptr) {
      return PlaceRelation(definition, std::get<sql::CreateRelation>(definition.given->body));
    }
    // It reads what is otherwise now: its own text, planned over that.
    const catalog::Revision& latest = definition.object->latest();
    std::string padding(static_cast<size_t>(std::max(0, latest.line - 1)), '\n');
    const int index = sources_.Add(latest.file, padding + latest.text);
    parsed_.push_back(sql::Parse(sources_.text(index), index));
    diagnostics_ = parsed_.back().errors;
    HR_TRY(Complaints());
    return PlaceRelation(definition,
                         std::get<sql::CreateRelation>(parsed_.back().statements.front().body));
  }

  Status PlaceRelation(const Definition& definition, const sql::CreateRelation& create) {
    DeploymentLookup lookup(*deployment_);
    sql::Planner planner(lookup, sources_, diagnostics_);
    Deployed item;
    item.name = definition.name;
    if (create.query) {
      if (auto plan = planner.PlanStatement(create)) {
        item.statement = WithWatch(InFork(definition, *plan), *deployment_, definition.base);
      }
    } else {
      item.source = planner.PlanSource(create);
    }
    HR_TRY(Complaints());
    const bool chose = definition.base != nullptr && !PoliciesOf(*definition.base).empty();
    if (chose || !PoliciesOf(item).empty()) return ChoosesOtherwise(item.name);
    const bool computed = item.statement != nullptr;
    if (definition.base != nullptr && computed != (definition.base->statement != nullptr)) {
      return Error(ErrorKind::kInvalidArgument, "HR1210",
                   "`" + item.name + "` was " + (computed ? "read" : "computed") +
                       ", it cannot be " + (computed ? "computed" : "read") + " in a replay");
    }
    std::optional<Deployed> side;
    if (computed && !item.statement->side_output.empty()) {
      side = engine::SideOutputOf(planner, *item.statement, kForkLsn);
      const bool taken = deployment_->Find(side->name) != nullptr || side->name == item.name;
      if (taken) {
        return Error(ErrorKind::kInvalidArgument, "HR1201", "`" + side->name + "` exists already")
            .WithHint("a side output is a new stream: use another name");
      }
    }
    std::optional<Deployed> health;
    if (computed && !item.statement->health.empty()) {
      health = HealthOf(*item.statement, kForkLsn);
      changed_.insert(health->name);
    }
    deployment_->Add(std::move(item));
    if (side) deployment_->Add(std::move(*side));
    if (health) deployment_->Add(std::move(*health));
    return Ok();
  }

  static Error ChoosesOtherwise(const std::string& name) {
    return Error(ErrorKind::kInvalidArgument, "HR1251",
                 "`" + name + "` would choose otherwise than was done in a replay")
        .WithHint(
            "no reward is known of what was not chosen: `headrace policy evaluate` estimates "
            "what another policy would have earned");
  }

  Status PlacePolicy(const Definition& definition) {
    const bool same = definition.base != nullptr && definition.base->policy &&
                      definition.object != nullptr &&
                      SameDefinition(definition.object->latest().text,
                                     sql::TextOf(sources_, definition.given->span));
    if (!same) return ChoosesOtherwise(definition.name);
    deployment_->AddFrom(base_, definition.name);
    return Ok();
  }

  // START FROM NOW is when the statement was deployed; a new one takes everything.
  static StatementPtr InFork(const Definition& definition, const flow::StatementPlan& plan) {
    auto dated = std::make_shared<flow::StatementPlan>(plan);
    dated->created_lsn = dated->joined_lsn = kForkLsn;
    // What asked is answered as it was; a new statement has asked nothing.
    const Deployed* base = definition.base;
    if (dated->asks() && base != nullptr && base->statement && base->statement->asks()) {
      dated->joined_lsn = base->statement->joined_lsn;
    }
    if (dated->start_lsn == UINT64_MAX) {
      dated->start_lsn =
          definition.object == nullptr ? 0 : definition.object->revisions.front().lsn;
    }
    return dated;
  }

  // What learns by it learns anew; what asks it is answered what the log holds for the same inputs.
  Status PlaceDeclared(const Definition& definition, const sql::CreateModel& create) {
    const Deployed* base = definition.base;
    if (base != nullptr && (base->learner || base->remote) && definition.object != nullptr &&
        SameDefinition(definition.object->latest().text,
                       sql::TextOf(sources_, definition.given->span))) {
      deployment_->AddFrom(base_, definition.name);
      return Ok();
    }
    DeploymentLookup lookup(*deployment_);
    Deployed item;
    item.name = definition.name;
    sql::Planner planner(lookup, sources_, diagnostics_);
    if (create.learner) item.learner = planner.PlanLearner(create);
    if (create.remote) item.remote = planner.PlanRemote(create);
    HR_TRY(Complaints());
    const bool learner = item.learner != nullptr;
    if (base != nullptr && (learner ? base->learner == nullptr : base->remote == nullptr)) {
      return Error(ErrorKind::kInvalidArgument, "HR1210",
                   "`" + item.name + "` was no " + (learner ? "learner" : "remote model") +
                       ", it cannot be one in a replay");
    }
    changed_.insert(item.name);
    deployment_->Add(std::move(item));
    return Ok();
  }

  Status PlaceModel(const Definition& definition, const sql::CreateModel& create) {
    if (create.train) {  // nothing is trained in a replay
      if (definition.base != nullptr) deployment_->AddFrom(base_, definition.name);
      return Ok();
    }
    if (create.learner || create.remote) return PlaceDeclared(definition, create);
    if (definition.base != nullptr && (definition.base->learner || definition.base->remote)) {
      return Error(ErrorKind::kInvalidArgument, "HR1210",
                   "`" + definition.name + "` is a " +
                       (definition.base->learner ? "learner" : "remote model") +
                       ", it cannot be a file in a replay");
    }
    const sql::Option* path = sql::FindOption(create.options, "path");
    if (path == nullptr) {
      sql::Complain(diagnostics_, "HR1137", "a model needs WITH (path = '...')", create.name.span);
      return Complaints();
    }
    namespace fs = std::filesystem;
    const std::string beside = (fs::path(request_.file).parent_path() / path->value).string();
    models_.insert(definition.name);
    return UseModel(definition.name, files_.Exists(beside) ? beside : path->value, &create.reasons);
  }

  Status SetModel(const std::string& name, const std::string& value) {
    const Deployed* item = deployment_->Find(name);
    if (item != nullptr && (item->learner || item->remote)) {
      return Error(ErrorKind::kInvalidArgument, "HR1210",
                   "`" + name + "` has no versions: it is a " +
                       (item->learner ? "learner" : "remote model"));
    }
    if (item == nullptr || !item->models) {
      const std::vector<std::string> close =
          expr::CloseNames(name, DeploymentLookup(*deployment_).model_names());
      Error error(ErrorKind::kNotFound, "HR1107", "unknown model `" + name + "`");
      return close.empty() ? error : Error(error).WithHint("did you mean `" + close.front() + "`?");
    }
    std::optional<int32_t> number = VersionNumber(value);
    if (!number) return UseModel(name, value, nullptr);
    const auto versions = static_cast<int32_t>(item->models->versions.size());
    if (*number < 1 || *number > versions) {
      return Error(ErrorKind::kNotFound, "HR1206",
                   "model `" + name + "` has versions 1 to " + std::to_string(versions));
    }
    auto chosen = std::make_shared<flow::ModelVersions>(*item->models);
    chosen->activations = {{0, *number}};
    // They choose as they did, so that one can tell whom; all decide alike.
    for (flow::ModelVersions::Canary& canary : chosen->canaries)
      canary.version = *number;
    MutableItem(name)->models = std::move(chosen);
    return Ok();
  }

  // The file's model decides from the first event on, with these reasons or, without any, those of
  // the newest version.
  Status UseModel(const std::string& name, const std::string& path,
                  const std::vector<sql::ReasonDefinition>* declared) {
    HR_ASSIGN(std::string bytes, os::ReadFile(files_, path, model::kModelBytesMax));
    Result<std::shared_ptr<const model::Model>> loaded = model::Model::Load(bytes);
    if (!loaded.ok()) {
      const Error& error = loaded.error();
      return Error(error).AtPlace(error.place().empty() ? path : path + ":" + error.place());
    }
    auto only = std::make_shared<flow::ModelVersions>();
    only->reasons.emplace_back();
    only->versions.push_back(std::move(loaded).value());
    only->activations.push_back({0, 1});
    const Deployed* before = base_.Find(name);
    if (before != nullptr && before->models) {
      if (!model::Exchangeable(before->models->versions.front()->info(),
                               only->versions.front()->info())) {
        return Error(ErrorKind::kInvalidArgument, "HR1207",
                     "the model takes other inputs or gives other outputs than `" + name + "`")
            .AtPlace(path);
      }
      only->reasons = {before->models->reasons.back()};
      only->watch = before->models->watch;
    }
    if (declared != nullptr && !declared->empty()) {
      only->reasons = {BindReasons(*declared, only->versions.front()->info(), diagnostics_)};
      HR_TRY(Complaints());
    }
    if (Deployed* item = MutableItem(name)) {
      item->models = std::move(only);
      return Ok();
    }
    Deployed item;
    item.name = name;
    item.models = std::move(only);
    deployment_->Add(std::move(item));
    return Ok();
  }

  Deployed* MutableItem(const std::string& name) {
    const Deployed* item = deployment_->Find(name);
    return item == nullptr ? nullptr : &deployment_->items[item - deployment_->items.data()];
  }

  Status Complaints() const {
    if (diagnostics_.empty()) return Ok();
    const sql::Diagnostic& first = diagnostics_.front();
    return Error(ErrorKind::kInvalidArgument, first.code, sql::Render(diagnostics_, sources_))
        .AtPlace(sql::PlaceOf(sources_, first.span));
  }

  const Deployment& base_;
  os::FileSystem& files_;
  const ForkRequest& request_;
  sql::SourceMap sources_;
  int script_ = 0;
  std::deque<sql::ParseResult> parsed_;  // own the statements
  std::vector<sql::Diagnostic> diagnostics_;
  std::deque<Definition> pending_;
  std::shared_ptr<Deployment> deployment_ = std::make_shared<Deployment>();
  std::set<std::string> changed_;
  std::set<std::string> models_;  // whose files the script gives
  std::string last_;
};

}  // namespace

Result<Fork> MakeFork(const Deployment& base, os::FileSystem& files, const ForkRequest& request) {
  return ForkPlanner(base, files, request).Plan();
}

}  // namespace headrace::engine
