#include "engine/training_run.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "engine/training_rows.h"
#include "train/evaluate.h"
#include "train/trainer.h"

namespace headrace::engine {
namespace {

class Training {
 public:
  Training(const TrainingMeans& means, const Deployment& deployment, const Deployed& trainer,
           const TrainingTrigger& trigger)
      : means_(means),
        deployment_(deployment),
        plan_(*trainer.trainer),
        trigger_(trigger),
        task_(plan_.options.task()) {
    outcome_.trainer = trainer.name;
    outcome_.created_lsn = deployment.catalog.Find(trainer.name)->revisions.front().lsn;
    outcome_.head = {trigger.time, trigger.state.run, plan_.shadow_of, trigger.place.lsn};
    outcome_.state = trigger.state;
    std::string why = trigger.why;
    if (trigger.gate > 0)
      why +=
          (why.empty() ? "gate of version " : "; gate of version ") + std::to_string(trigger.gate);
    outcome_.steps.push_back({.step = "triggered", .why = std::move(why)});
  }

  Result<TrainingOutcome> Run(const std::atomic<bool>& stop) {
    if (trigger_.gate > 0) {
      HR_ASSIGN(outcome_.gate, AskGate(means_, deployment_, plan_, trigger_, stop));
    }
    if (!trigger_.why.empty()) HR_TRY(Train(stop));
    if (stop) return Error(ErrorKind::kUnavailable, "HR5001", "the program is stopping");
    return std::move(outcome_);
  }

 private:
  Status Train(const std::atomic<bool>& stop) {
    std::optional<TrainingRows> read(std::in_place, deployment_, plan_);
    if (!read->missing().empty()) {
      Skip("`" + plan_.stream + "` has no column `" + read->missing() + "` any more");
      return Ok();
    }
    HR_TRY(read->Read(means_.log, 0, trigger_.place, stop));
    if (stop) return Ok();
    if (read->unfit() > 0) {
      unfit_ = "; " + std::to_string(read->unfit()) + " labels do not fit the objective";
    }
    const NewestRows& all = read->rows();
    const size_t rows = all.rows();
    if (rows < 2 || all.seen() < static_cast<uint64_t>(plan_.min_rows)) {
      Skip("too few labels: " + std::to_string(all.seen()) + " rows have one, " +
           std::to_string(plan_.min_rows) + " are wanted");
      return Ok();
    }
    const auto held = static_cast<size_t>(std::clamp<double>(
        std::floor(plan_.holdout * static_cast<double>(rows)), 1, static_cast<double>(rows - 1)));
    train::Table learned = all.Take(plan_.features, 0, rows - held);
    train::Table tested = all.Take(plan_.features, rows - held, rows);
    read.reset();  // what it kept is memory for learning
    Learn(std::move(learned), std::move(tested));
    return Ok();
  }

  void Skip(const std::string& why) {
    outcome_.steps.push_back({.step = "skipped", .why = why + unfit_});
  }
  void Fail(const Error& error) {
    outcome_.steps.push_back({.step = "failed", .why = error.code() + ": " + error.message()});
  }
  void Learn(train::Table learned, train::Table held) {
    const auto [least, most] = std::minmax_element(learned.labels.begin(), learned.labels.end());
    if (*least == *most) return Skip("all labels that could be learned are alike");
    learned.classes = held.classes = task_ == train::Task::kMulticlass ? size_t(*most) + 1 : 1;
    const auto rows = static_cast<int64_t>(learned.rows());
    const bool stops = plan_.options.early_stopping > 0;
    const double newest = *std::max_element(held.labels.begin(), held.labels.end());
    if (task_ == train::Task::kMulticlass && newest > *most) {
      return Skip("a class stands only among the rows that are held out");
    }
    Result<train::Trained> trained =
        train::Learn(std::move(learned), stops ? &held : nullptr, plan_.options);
    if (!trained.ok()) return Fail(trained.error());
    auto loaded = model::Model::Load(trained->text);
    if (!loaded.ok()) return Fail(loaded.error());
    outcome_.bytes = std::move(trained->text);
    outcome_.model = std::move(*loaded);
    outcome_.steps.push_back({.step = "trained",
                              .why = std::to_string(trained->rounds) + " trees" + unfit_,
                              .rows = rows,
                              .held_out = static_cast<int64_t>(held.rows()),
                              .sha256 = outcome_.model->info().sha256});
    Measure(held);
  }

  // Beside the version that decided at the trigger, where that gives what can be compared.
  void Measure(const train::Table& held) {
    const std::vector<train::Measure> trained = MeasuresOf(task_, *outcome_.model, held);
    std::vector<train::Measure> deciding;
    const flow::ModelVersions& versions = *deployment_.Find(plan_.shadow_of)->models;
    const model::Model& decides = DecidingAt(versions, trigger_.place.lsn);
    if (model::Exchangeable(decides.info(), outcome_.model->info())) {
      deciding = MeasuresOf(task_, decides, held);
    }
    for (size_t i = 0; i < trained.size(); ++i) {
      TrainingStep& step = outcome_.steps.emplace_back();
      step.step = "measured";
      step.held_out = static_cast<int64_t>(held.rows());
      step.metric = trained[i].name;
      step.value = trained[i].value;
      if (i < deciding.size() && deciding[i].name == trained[i].name)
        step.deciding = deciding[i].value;
    }
  }

  const TrainingMeans& means_;
  const Deployment& deployment_;
  const sql::TrainerPlan& plan_;
  const TrainingTrigger& trigger_;
  const train::Task task_;
  TrainingOutcome outcome_;
  std::string unfit_;  // of the labels that were left out
};

catalog::Change Of(catalog::ChangeKind kind, const std::string& model, int32_t version) {
  catalog::Change change;
  change.kind = kind;
  change.name = model;
  change.number = version;
  return change;
}

// What becomes of the model; the changes that do it.
TrainingStep Place(const Deployment& base, TrainingOutcome& outcome,
                   std::vector<catalog::Change>& changes) {
  const std::string& name = outcome.head.model;
  const catalog::Object& object = *base.catalog.Find(name);
  const std::string& sha = outcome.model->info().sha256;
  const auto known = std::find_if(object.versions.begin(), object.versions.end(),
                                  [&](const auto& version) { return version.sha256 == sha; });
  if (known != object.versions.end()) {
    return {.step = "unchanged",
            .why = "it is version " + std::to_string(known->number) + " to the byte",
            .version = known->number,
            .sha256 = sha};
  }
  if (!model::Exchangeable(base.Find(name)->models->versions.front()->info(),
                           outcome.model->info())) {
    return {.step = "refused",
            .why = "HR1207: it takes other inputs or gives other outputs than version 1",
            .sha256 = sha};
  }
  const int32_t before = base.catalog.Find(outcome.trainer)->trained.version;
  const auto next = static_cast<int32_t>(object.versions.size()) + 1;
  const bool shadows = before > 0 && before < next && before != outcome.gate.promotes &&
                       object.RoleOf(object.versions[static_cast<size_t>(before) - 1]) == "shadow";
  if (shadows) changes.push_back(Of(catalog::ChangeKind::kRetireVersion, name, before));
  changes.push_back(Of(catalog::ChangeKind::kAddVersion, name, next));
  changes.back().sha256 = sha;
  changes.push_back(Of(catalog::ChangeKind::kShadowVersion, name, next));
  outcome.state.version = next;
  const sql::TrainerPlan& plan = *base.Find(outcome.trainer)->trainer;
  if (plan.promote_after) {
    outcome.state.gate_version = next;
    outcome.state.gate_time = outcome.head.time + *plan.promote_after;
    outcome.state.gate_from = outcome.head.lsn;
  }
  return {.step = "shadowed",
          .why = shadows ? "version " + std::to_string(before) + " is retired" : "",
          .version = next,
          .sha256 = sha};
}

// What becomes of the shadow that the gate was asked for.
TrainingStep PassGate(const Deployment& base, TrainingOutcome& outcome,
                      std::vector<catalog::Change>& changes) {
  const GateAnswer& gate = outcome.gate;
  const std::string& name = outcome.head.model;
  const catalog::Object& object = *base.catalog.Find(name);
  const catalog::ModelVersion& version = object.versions[static_cast<size_t>(gate.version) - 1];
  TrainingStep step{
      .step = "refused", .why = gate.why, .version = gate.version, .sha256 = version.sha256};
  outcome.gate.promotes = 0;
  if (!gate.open) return step;
  if (object.RoleOf(version) != "shadow" || object.canary() != nullptr) {
    step.why = object.canary() != nullptr ? "a canary is on" : "it is no shadow any more";
    return step;
  }
  step.step = "promoted";
  changes.push_back(Of(catalog::ChangeKind::kActivateVersion, name, gate.version));
  changes.back().text = "gate of " + outcome.trainer + ": " + gate.why;
  outcome.gate.promotes = gate.version;
  return step;
}

}  // namespace

Result<TrainingOutcome> RunTraining(const TrainingMeans& means, const Deployment& deployment,
                                    const Deployed& trainer, const TrainingTrigger& trigger,
                                    const std::atomic<bool>& stop) {
  return Training(means, deployment, trainer, trigger).Run(stop);
}

Result<PlannedTraining> PlanTraining(Deployer& deployer, const Deployment& base,
                                     TrainingOutcome& outcome) {
  PlannedTraining planned;
  outcome.state.version = base.catalog.Find(outcome.trainer)->trained.version;
  if (outcome.gate.version > 0) {
    TrainingStep step = PassGate(base, outcome, planned.changes);
    outcome.steps.insert(outcome.steps.begin() + 1, std::move(step));
  }
  if (outcome.model) {
    outcome.steps.push_back(Place(base, outcome, planned.changes));
    if (outcome.steps.back().step == "shadowed") {
      HR_TRY(deployer.KeepModel(outcome.bytes, outcome.model));
    }
  }
  catalog::Change answered = Of(catalog::ChangeKind::kTrained, outcome.trainer, 1);
  answered.text = outcome.state.Encode();
  planned.changes.push_back(std::move(answered));
  for (const TrainingStep& step : outcome.steps)
    planned.payloads.push_back(PayloadOf(outcome.head, step));
  return planned;
}

}  // namespace headrace::engine
