// What a script would change, told before it is done.

#include <algorithm>

#include "engine/local_engine.h"

namespace headrace::engine {
namespace {

using Feature = PlannedChange::Feature;

std::vector<flow::FeatureNote> FeaturesOf(const Deployed* item) {
  if (item == nullptr || !item->statement || !item->statement->select) return {};
  return item->statement->select->features;
}

bool Holds(const std::vector<flow::FeatureNote>& features, const flow::FeatureNote& wanted) {
  return std::any_of(features.begin(), features.end(), [&](const flow::FeatureNote& feature) {
    return feature.name == wanted.name && feature.call == wanted.call &&
           feature.window == wanted.window;
  });
}

std::vector<Feature> Compare(const std::vector<flow::FeatureNote>& before,
                             const std::vector<flow::FeatureNote>& after) {
  std::vector<Feature> changes;
  for (const flow::FeatureNote& feature : after)
    changes.push_back({feature.name, Holds(before, feature) ? "kept" : "computed"});
  for (const flow::FeatureNote& feature : before) {
    if (!Holds(after, feature)) changes.push_back({feature.name, "dropped"});
  }
  return changes;
}

std::string Word(const catalog::Change& change) {
  switch (change.kind) {
    case catalog::ChangeKind::kReplace:
      return "replaced";
    case catalog::ChangeKind::kDrop:
      return "dropped";
    case catalog::ChangeKind::kAddVersion:
      return "version " + std::to_string(change.number);
    case catalog::ChangeKind::kActivateVersion:
      return "activate " + std::to_string(change.number);
    case catalog::ChangeKind::kShadowVersion:
      return "shadow " + std::to_string(change.number);
    case catalog::ChangeKind::kRetireVersion:
      return "retire " + std::to_string(change.number);
    case catalog::ChangeKind::kCanaryVersion:
      return "canary " + std::to_string(change.number);
    default:
      return "new";
  }
}

}  // namespace

PlannedChange LocalEngine::Describe(const catalog::Change& change, const Deployment& base,
                                    const Deployment& next) const {
  PlannedChange planned{change.name, Word(change), {}, 0};
  bool statement =
      change.kind == catalog::ChangeKind::kCreate || change.kind == catalog::ChangeKind::kReplace;
  const Deployed* item = next.Find(change.name);
  if (!statement || item == nullptr || !item->statement) return planned;
  planned.features = Compare(FeaturesOf(base.Find(change.name)), FeaturesOf(item));
  while (item->statement)
    item = next.Find(item->statement->input());
  planned.events = static_cast<uint64_t>(EventsIn(*item));
  return planned;
}

Result<std::vector<PlannedChange>> LocalEngine::Plan(std::string_view script,
                                                     const std::string& file) {
  auto base = deployment();
  HR_ASSIGN(Draft draft, deployer_.Plan(script, file, *base));
  std::vector<PlannedChange> changes;
  for (const std::string& name : draft.unchanged)
    changes.push_back({name, "none", {}, 0});
  for (const catalog::Change& change : draft.changes) {
    changes.push_back(Describe(change, *base, draft.deployment));
    const Deployed* item = draft.deployment.Find(change.name);
    if (item == nullptr || !item->statement) continue;
    const PlannedChange made = changes.back();
    for (const std::string& side : item->statement->sides())
      changes.push_back({side, made.change, {}, made.events});
  }
  return changes;
}

}  // namespace headrace::engine
