#include "engine/draft_kind.h"

#include <algorithm>
#include <set>

namespace headrace::engine {
namespace {

using catalog::Change;
using catalog::ChangeKind;

bool IsOfModel(const Change& change) {
  using enum ChangeKind;
  return change.kind == kAddVersion || change.kind == kActivateVersion ||
         change.kind == kShadowVersion || change.kind == kRetireVersion ||
         change.kind == kCanaryVersion;
}

bool IsDrop(const Change& change) {
  return change.kind == ChangeKind::kDrop || change.kind == ChangeKind::kDropTopic;
}

}  // namespace

bool IsOfStatement(const Change& change, const Draft& draft) {
  const Deployed* item = draft.deployment.Find(change.name);
  return !IsOfModel(change) && item != nullptr && item->statement != nullptr;
}

bool OnlyModels(const Draft& draft) {
  return std::all_of(draft.changes.begin(), draft.changes.end(), IsOfModel);
}

bool OnlyDrops(const Draft& draft) {
  return std::all_of(draft.changes.begin(), draft.changes.end(), IsDrop);
}

bool AnyDrop(const Draft& draft) {
  return std::any_of(draft.changes.begin(), draft.changes.end(), IsDrop);
}

bool NoStatements(const Draft& draft) {
  return std::none_of(draft.changes.begin(), draft.changes.end(),
                      [&](const Change& change) { return IsOfStatement(change, draft); });
}

bool TakesOverEvents(const Draft& draft, const log::Log& log) {
  return std::any_of(draft.changes.begin(), draft.changes.end(), [&](const Change& change) {
    const Deployed* item = draft.deployment.Find(change.name);
    if (change.kind != ChangeKind::kCreate || !item->source) return false;
    bool any = false;
    for (int32_t p = 0; p < log.topic_config(item->topic()).partitions; ++p) {
      any = any || log.next_offset(item->topic(), p) > log.start_offset(item->topic(), p);
    }
    return any;
  });
}

bool MakesTwice(const Draft& draft) {
  std::set<std::string> made;
  return std::any_of(draft.changes.begin(), draft.changes.end(), [&](const Change& change) {
    return IsOfStatement(change, draft) && !made.insert(change.name).second;
  });
}

bool UsesPolicies(const Draft& draft) {
  return std::any_of(draft.changes.begin(), draft.changes.end(), [&](const Change& change) {
    return IsOfStatement(change, draft) && !PoliciesOf(*draft.deployment.Find(change.name)).empty();
  });
}

void AddWithSides(const Deployment& deployment, const std::string& name,
                  std::vector<std::string>& names) {
  names.push_back(name);
  const std::vector<std::string> sides = deployment.Find(name)->statement->sides();
  names.insert(names.end(), sides.begin(), sides.end());
}

}  // namespace headrace::engine
