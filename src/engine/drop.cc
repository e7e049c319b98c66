#include "engine/drop.h"

#include <algorithm>
#include <set>

#include "engine/training_steps.h"

namespace headrace::engine {
namespace {

using catalog::ChangeKind;

bool Reads(const flow::StatementPlan& plan, const std::string& name) {
  if (plan.input() == name || Asks(plan, name) || Uses(plan, name)) return true;
  if (!plan.select) return false;
  const std::vector<std::string>& learners = plan.select->learners;
  return std::find(learners.begin(), learners.end(), name) != learners.end();
}

bool ReadsIt(const Deployment& deployment, const flow::StatementPlan& plan,
             const std::string& name) {
  if (Reads(plan, name)) return true;
  const Deployed* item = deployment.Find(name);
  if (item == nullptr || !item->statement) return false;
  // What a policy learned from one is in what it chose for the other.
  for (const std::string& policy : PoliciesOf(*item)) {
    if (Uses(plan, policy)) return true;
  }
  const std::vector<std::string> sides = item->statement->sides();
  return std::any_of(sides.begin(), sides.end(),
                     [&](const std::string& side) { return Reads(plan, side); });
}

bool TrainsWith(const sql::TrainerPlan& trainer, const std::string& name) {
  return trainer.stream == name || trainer.shadow_of == name || StepsName(trainer.name) == name;
}

void AddDependents(const Deployment& deployment, const std::string& name,
                   std::set<std::string>& seen, std::vector<std::string>& in_order) {
  for (const Deployed& item : deployment.items) {
    if (item.trainer && TrainsWith(*item.trainer, name) && seen.insert(item.name).second) {
      in_order.push_back(item.name);
    }
    // A side output reads what its statement does.
    if (!item.statement || !item.statement->side_of.empty()) continue;
    const std::vector<StatementPtr> plans = item.plans();
    const bool reads = std::any_of(plans.begin(), plans.end(), [&](const StatementPtr& plan) {
      return ReadsIt(deployment, *plan, name);
    });
    if (!reads || !seen.insert(item.name).second) continue;
    AddDependents(deployment, item.name, seen, in_order);
    in_order.push_back(item.name);
  }
}

void AddEnds(const Deployed& item, const log::Log& log, catalog::Offsets& offsets) {
  for (int32_t p = 0; p < log.topic_config(item.topic()).partitions; ++p)
    offsets[{item.topic(), p}] = log.next_offset(item.topic(), p);
}

catalog::Drop Fill(const Deployed& item, const Deployment& deployment, const log::Log& log) {
  catalog::Drop drop;
  if (item.is_model()) return drop;
  if (item.source) {
    drop.topic = item.topic();
    drop.partitions = log.topic_config(item.topic()).partitions;
    drop.repeats = RepeatsOf(*item.source);
  } else {
    AddEnds(item, log, drop.ended);
  }
  AddEnds(*deployment.Find(DeadTopic(item.topic())), log, drop.ended);
  if (!item.statement) return drop;
  for (const StatementPtr& revision : item.revisions()) {
    const Deployed* input = deployment.Find(revision->input());
    AddEnds(*deployment.Find(DeadTopic(input->topic())), log, drop.letters);
  }
  for (const std::string& name : item.statement->sides()) {
    const Deployed& side = *deployment.Find(name);
    AddEnds(side, log, drop.ended);
    AddEnds(*deployment.Find(DeadTopic(side.topic())), log, drop.ended);
  }
  return drop;
}

}  // namespace

Result<catalog::Catalog> ReadCatalog(const log::Log& log) {
  catalog::Catalog catalog;
  HR_ASSIGN(auto cursor, log.ScanControls());
  log::Entry entry;
  while (true) {
    HR_ASSIGN(bool more, cursor->Next(&entry));
    if (!more) return catalog;
    HR_ASSIGN(catalog::Change change, catalog::Change::Decode(entry.bytes));
    HR_TRY(catalog.Apply(change, entry.lsn));
  }
}

Status BeginTopics(const catalog::Catalog& catalog, log::Log& log) {
  catalog::Offsets begins = catalog.begins();
  for (const auto& [of, trimmed] : catalog.trims())
    begins[of] = std::max(begins[of], trimmed.begins);
  for (const auto& [of, offset] : begins) {
    const auto& [topic, partition] = of;
    if (offset <= log.begins_at(topic, partition)) continue;
    if (offset > log.next_offset(topic, partition)) {
      return Error(ErrorKind::kCorruption, "HR5300",
                   topic + ":" + std::to_string(partition) + " ends before offset " +
                       std::to_string(offset) + ", before which a control says all is gone")
          .WithHint("run `headrace log verify`; restore a copy, or `headrace log salvage`");
    }
    log.BeginAt(topic, partition, offset);
  }
  return Ok();
}

std::vector<std::string> DependentsOf(const Deployment& deployment, const std::string& name) {
  std::set<std::string> seen = {name};
  std::vector<std::string> in_order;
  AddDependents(deployment, name, seen, in_order);
  return in_order;
}

bool ReadsNow(const Deployment& deployment, const flow::StatementPlan& plan,
              const std::string& name) {
  return ReadsIt(deployment, plan, name);
}

std::string RepeatsOf(const flow::SourcePlan& plan) {
  std::string text;
  for (int slot : plan.dedup_slots) {
    auto at = std::find(plan.schema_slots.begin(), plan.schema_slots.end(), slot);
    HR_CHECK(at != plan.schema_slots.end());
    const row::Column& column =
        plan.schema.columns[static_cast<size_t>(at - plan.schema_slots.begin())];
    text += (text.empty() ? "" : ", ") + column.name + " " + row::ToString(column.type);
  }
  return text.empty() ? text : text + " within " + std::to_string(plan.dedup_within) + " us";
}

void FillDrops(std::vector<catalog::Change>& changes, const Deployment& deployment,
               const log::Log& log) {
  for (catalog::Change& change : changes) {
    if (change.kind == ChangeKind::kDrop) {
      change.text = Fill(*deployment.Find(change.name), deployment, log).Encode();
    } else if (change.kind == ChangeKind::kDropTopic) {
      catalog::Offsets ended;
      for (int32_t p = 0; p < log.topic_config(change.name).partitions; ++p)
        ended[{change.name, p}] = log.next_offset(change.name, p);
      change.text = catalog::EncodeOffsets(ended);
    }
  }
}

}  // namespace headrace::engine
