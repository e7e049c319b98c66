#include "engine/drop_planner.h"

#include <algorithm>

#include "engine/drop.h"
#include "sql/plan_support.h"

namespace headrace::engine {
namespace {

using catalog::Change;
using catalog::ChangeKind;

std::string Quoted(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names)
    all += (all.empty() ? "`" : ", `") + name + "`";
  return all;
}

}  // namespace

void DropPlanner::Drop(const sql::Drop& drop, const sql::SourceSpan& span) {
  if (drop.kind == sql::ObjectKind::kTopic) return DropTopic(drop, span);
  const std::string& name = drop.name.name;
  const Deployed* item = growing_.deployment.Find(name);
  if (item != nullptr && item->statement && !item->statement->side_of.empty()) {
    sql::Complain(growing_.diagnostics, "HR1208",
                  "`" + name + "` is the side output of `" + item->statement->side_of + "`", span)
        .hint = "it goes with that: DROP STREAM " + item->statement->side_of;
    return;
  }
  if (item == nullptr || growing_.deployment.catalog.Find(name) == nullptr) {
    if (drop.if_exists) return;
    sql::Complain(growing_.diagnostics, "HR1202", "`" + name + "` does not exist", drop.name.span)
        .hint = "DROP ... IF EXISTS passes over what is not there";
    return;
  }
  if (!IsOfKind(drop, *item) || !MayGo(drop, name, span)) return;
  for (const std::string& dependent : DependentsOf(growing_.deployment, name))
    Record(dependent);
  Record(name);
}

bool DropPlanner::IsOfKind(const sql::Drop& drop, const Deployed& item) {
  const bool view = item.statement && item.statement->view;
  const bool model = item.is_model() && !item.policy;
  const bool fits = drop.kind == sql::ObjectKind::kModel    ? model
                    : drop.kind == sql::ObjectKind::kPolicy ? item.policy != nullptr
                    : drop.kind == sql::ObjectKind::kView   ? view
                                                            : !view && !item.is_model();
  if (fits && drop.kind != sql::ObjectKind::kTable) return true;
  const std::string is = item.policy ? "POLICY"
                         : model     ? "MODEL"
                         : view      ? "MATERIALIZED VIEW"
                                     : "STREAM";
  sql::Complain(growing_.diagnostics, "HR1200", "`" + item.name + "` is a " + is, drop.name.span)
      .hint = "DROP " + is + " " + item.name;
  return false;
}

bool DropPlanner::IsOfBefore(const std::string& name, const sql::SourceSpan& span) {
  const bool made = std::any_of(growing_.draft.changes.begin(), growing_.draft.changes.end(),
                                [&](const Change& change) {
                                  return change.name == name && change.kind != ChangeKind::kDrop;
                                });
  if (!made) return true;
  sql::Complain(growing_.diagnostics, "HR1200",
                "this script makes or changes `" + name + "` itself", span)
      .hint = "leave out what is to be dropped again, or DROP it by a script of its own";
  return false;
}

bool DropPlanner::MayGo(const sql::Drop& drop, const std::string& name,
                        const sql::SourceSpan& span) {
  const Deployment& deployment = growing_.deployment;
  const std::vector<std::string> dependents = DependentsOf(deployment, name);
  if (!dependents.empty() && !drop.cascade) {
    std::vector<std::string> now;
    std::vector<std::string> before;
    for (const std::string& dependent : dependents) {
      const Deployed& item = *deployment.Find(dependent);
      if (item.trainer) {
        now.push_back(dependent);
        continue;
      }
      const std::vector<StatementPtr> plans = item.plans();
      const bool direct = std::any_of(plans.begin(), plans.end(), [&](const StatementPtr& each) {
        return ReadsNow(deployment, *each, name);
      });
      if (!direct) continue;
      (ReadsNow(deployment, *plans.back(), name) ? now : before).push_back(dependent);
    }
    std::string who = now.empty() ? "" : Quoted(now) + " reads `" + name + "`";
    if (now.size() > 1) who = Quoted(now) + " read `" + name + "`";
    if (!before.empty()) {
      who += (who.empty() ? "" : "; ") + Quoted(before) + " did before it was replaced";
    }
    sql::Complain(growing_.diagnostics, "HR1208", who, span).hint =
        "CASCADE drops " + Quoted(dependents) + " with it, in this order";
    return false;
  }
  if (!IsOfBefore(name, span)) return false;
  return std::all_of(dependents.begin(), dependents.end(),
                     [&](const std::string& dependent) { return IsOfBefore(dependent, span); });
}

void DropPlanner::Record(const std::string& name) {
  Change change;
  change.kind = ChangeKind::kDrop;
  change.name = name;
  // With what planning has to know of it; where its topics stand is written when it is journalled.
  const Deployed* item = growing_.deployment.Find(name);
  catalog::Drop left;
  if (item->source) {
    left.topic = item->topic();
    left.partitions = item->partitions;
    left.repeats = RepeatsOf(*item->source);
  }
  change.text = left.Encode();
  growing_.Record(std::move(change));
  growing_.deployment.Remove(name);
}

void DropPlanner::DropTopic(const sql::Drop& drop, const sql::SourceSpan& span) {
  const std::string& topic = drop.name.name;
  const Deployment& deployment = growing_.deployment;
  const Deployed* reader = deployment.FindByTopic(topic);
  if (reader != nullptr && !reader->source) {
    const std::string& of = reader->dead_of.empty() ? reader->name : reader->dead_of;
    sql::Complain(growing_.diagnostics, "HR1208", "topic `" + topic + "` is that of `" + of + "`",
                  span)
        .hint = "it goes with that";
    return;
  }
  if (reader == nullptr && !deployment.catalog.left_topics().contains(topic)) {
    if (drop.if_exists) return;
    sql::Complain(growing_.diagnostics, "HR1202", "there is no topic `" + topic + "`",
                  drop.name.span);
    return;
  }
  if (reader != nullptr && !drop.cascade) {
    sql::Complain(growing_.diagnostics, "HR1208",
                  "stream `" + reader->name + "` reads topic `" + topic + "`", span)
        .hint = "DROP STREAM " + reader->name + " first, or CASCADE";
    return;
  }
  if (reader != nullptr) {
    const std::string name = reader->name;
    if (!MayGo(drop, name, span)) return;
    for (const std::string& dependent : DependentsOf(deployment, name))
      Record(dependent);
    Record(name);
  }
  Change change;
  change.kind = ChangeKind::kDropTopic;
  change.name = topic;
  change.text = catalog::EncodeOffsets({});
  growing_.Record(std::move(change));
}

}  // namespace headrace::engine
