#include "engine/deployment.h"

#include <algorithm>
#include <utility>

namespace headrace::engine {
namespace {

constexpr int32_t kOneOrder = 1;  // partitions of what comes in an order of its own

}  // namespace

std::string Deployed::topic() const {
  if (source) return source->topic;
  if (statement) return statement->name;
  return dead_of.empty() ? "" : name;
}

std::vector<StatementPtr> Deployed::revisions() const {
  std::vector<StatementPtr> all = former;
  if (statement) all.push_back(statement);
  return all;
}

std::vector<StatementPtr> Deployed::plans() const {
  std::vector<StatementPtr> all = revisions();
  if (pending) all.push_back(pending);
  return all;
}

bool Deployed::joined() const {
  return !statement || statement->joined_lsn != UINT64_MAX;
}

bool Deployed::halted() const {
  return statement && statement->until_lsn != UINT64_MAX;
}

const flow::StatementPlan& Deployed::RevisionAt(uint64_t lsn) const {
  for (const StatementPtr& revision : former) {
    if (revision->IsLive(lsn)) return *revision;
  }
  return *statement;
}

void Deployment::Add(Deployed item) {
  if (item.source) {
    item.partitions = item.source->partitions;
    item.retention = item.source->retention;
  }
  if (item.statement) {
    item.retention = item.statement->retention;
    const Deployed* input = Find(item.statement->input());
    item.partitions = item.statement->keeps_partitions() ? input->partitions : kOneOrder;
  }
  Deployed dead;
  dead.name = DeadTopic(item.topic());
  dead.dead_of = item.name;
  dead.partitions = item.partitions;
  dead.retention = item.retention;
  bool model = item.is_model();
  items.push_back(std::move(item));
  if (!model) items.push_back(std::move(dead));
}

void Deployment::AddFrom(const Deployment& base, const std::string& name) {
  const Deployed* item = base.Find(name);
  HR_CHECK(item != nullptr);
  Deployed taken = *item;
  taken.pending = nullptr;
  Add(std::move(taken));
  if (!item->statement) return;
  for (const std::string& side : item->statement->sides())
    AddFrom(base, side);
}

void Deployment::Remove(const std::string& name) {
  const Deployed* item = Find(name);
  HR_CHECK(item != nullptr);
  std::set<std::string> gone{name};
  if (item->statement) {
    for (const std::string& side : item->statement->sides())
      gone.insert(side);
  }
  std::erase_if(items, [&](const Deployed& each) {
    return gone.contains(each.dead_of.empty() ? each.name : each.dead_of);
  });
}

Deployed* Deployment::FindMutable(const std::string& name) {
  return const_cast<Deployed*>(std::as_const(*this).Find(name));
}

const Deployed* Deployment::Find(const std::string& name) const {
  for (const Deployed& item : items) {
    if (item.name == name) return &item;
  }
  return nullptr;
}

const Deployed* Deployment::FindByTopic(const std::string& topic) const {
  for (const Deployed& item : items) {
    if (item.topic() == topic) return &item;
  }
  return nullptr;
}

const catalog::Object* Deployment::ObjectOf(const Deployed& item) const {
  const bool side = item.statement && !item.statement->side_of.empty();
  return catalog.Find(side ? item.statement->side_of : item.name);
}

row::Schema Deployment::SchemaOf(const Deployed& item) const {
  if (item.source) return item.source->schema;
  if (item.statement) return item.statement->schema;
  return DeadSchema();
}

bool Asks(const flow::StatementPlan& plan, const std::string& model) {
  if (!plan.select) return false;
  for (const flow::Stage& stage : plan.select->stages) {
    for (const flow::Prediction& prediction : stage.predictions) {
      if (prediction.model == model) return true;
    }
    for (const flow::RemoteQuestion& question : stage.questions) {
      if (question.model->name == model) return true;
    }
  }
  return false;
}

bool Uses(const flow::StatementPlan& plan, const std::string& policy) {
  return plan.select &&
         std::any_of(plan.select->policy_calls.begin(), plan.select->policy_calls.end(),
                     [&](const flow::PolicyCall& call) { return call.policy->name == policy; });
}

std::set<std::string> PoliciesOf(const Deployed& item) {
  std::set<std::string> policies;
  for (const StatementPtr& plan : item.plans()) {
    if (!plan->select) continue;
    for (const flow::PolicyCall& call : plan->select->policy_calls)
      policies.insert(call.policy->name);
  }
  return policies;
}

bool AllJoined(const Deployment& deployment) {
  return std::all_of(deployment.items.begin(), deployment.items.end(),
                     [](const Deployed& item) { return item.joined() && !item.pending; });
}

Deployment JoinedPart(const Deployment& deployment) {
  Deployment joined;
  joined.catalog = deployment.catalog;
  for (const Deployed& item : deployment.items) {
    const Deployed* of = item.dead_of.empty() ? &item : deployment.Find(item.dead_of);
    if (of->joined()) joined.items.push_back(item);
  }
  return joined;
}

Deployment AsJoined(const Deployment& deployment) {
  Deployment joined = deployment;
  for (const catalog::Object& object : deployment.catalog.objects()) {
    if (!object.pending && object.latest().joined_lsn != UINT64_MAX) continue;
    catalog::Change change;
    change.kind = catalog::ChangeKind::kJoin;
    change.name = object.name;
    Status applied = joined.catalog.Apply(change, UINT64_MAX - 1);
    HR_CHECK(applied.ok());
  }
  for (Deployed& item : joined.items) {
    if (!item.pending) continue;
    item.former.push_back(std::move(item.statement));
    item.statement = std::exchange(item.pending, nullptr);
  }
  return joined;
}

std::string DeadTopic(const std::string& topic) {
  return topic + ".dead";
}

const row::Schema& DeadSchema() {
  using enum row::TypeKind;
  static const row::Schema kSchema = {{{"code", {kText, 0, 0}, true},
                                       {"reason", {kText, 0, 0}, true},
                                       {"topic", {kText, 0, 0}, true},
                                       {"partition", {kInteger, 0, 0}, true},
                                       {"offset", {kBigint, 0, 0}, true},
                                       {"pointer", {kText, 0, 0}, false},
                                       {"payload", {kText, 0, 0}, true}}};
  return kSchema;
}

}  // namespace headrace::engine
