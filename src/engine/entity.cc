#include "engine/entity.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace headrace::engine {
namespace {

constexpr size_t kWindowKeys = 2;  // window_end and window_start come first in a group's slots

// Collects what one slot is computed from.
class OriginWalk {
 public:
  explicit OriginWalk(const flow::SelectPlan& plan) : plan_(plan) {}

  ColumnOrigin From(int slot) {
    std::vector<int> open = {slot};
    while (!open.empty()) {
      const int next = open.back();
      open.pop_back();
      if (seen_.insert(next).second) Visit(next, open);
    }
    std::sort(origin_.features.begin(), origin_.features.end());
    return std::move(origin_);
  }
  bool Saw(int slot) const { return seen_.count(slot) > 0; }

 private:
  void Visit(int slot, std::vector<int>& open) {
    for (size_t i = 0; i < plan_.features.size(); ++i) {
      if (plan_.features[i].slot != slot) continue;
      origin_.features.push_back(i);
      return;
    }
    for (const flow::Stage& stage : plan_.stages) {
      for (const flow::Evaluation& evaluation : stage.evaluations) {
        if (evaluation.slot == slot) evaluation.expression->CollectSlots(open);
      }
      for (const flow::Prediction& prediction : stage.predictions) {
        const std::vector<int>& outputs = prediction.output_slots;
        const bool gives = prediction.result_slot == slot ||
                           std::find(outputs.begin(), outputs.end(), slot) != outputs.end();
        if (!gives) continue;
        origin_.scored = true;
        open.insert(open.end(), prediction.input_slots.begin(), prediction.input_slots.end());
      }
      for (const flow::RemoteQuestion& question : stage.questions) {
        const std::vector<int>& outputs = question.output_slots;
        const bool gives = question.json_slot == slot ||
                           std::find(outputs.begin(), outputs.end(), slot) != outputs.end();
        if (!gives) continue;
        origin_.scored = true;
        open.insert(open.end(), question.input_slots.begin(), question.input_slots.end());
      }
    }
  }

  const flow::SelectPlan& plan_;
  std::set<int> seen_;
  ColumnOrigin origin_;
};

// The output columns that carry the slots, or nothing when one is not among them.
std::optional<std::vector<size_t>> Carriers(const flow::SelectPlan& plan,
                                            const std::vector<int>& slots) {
  std::vector<size_t> columns;
  for (int slot : slots) {
    auto found = std::find(plan.output_slots.begin(), plan.output_slots.end(), slot);
    if (found == plan.output_slots.end()) return std::nullopt;
    columns.push_back(static_cast<size_t>(found - plan.output_slots.begin()));
  }
  std::sort(columns.begin(), columns.end());
  return columns;
}

// A function with a memory that gives the slot, and the memories it is among; nulls: a window does.
std::pair<const state::RunningSpec*, const state::RunningCall*> RunningOf(
    const flow::SelectPlan& plan, const flow::FeatureNote& feature) {
  for (const state::RunningSpec& running : plan.stages[feature.stage].running) {
    for (const state::RunningCall& call : running.calls) {
      if (call.result_slot == feature.slot) return {&running, &call};
    }
  }
  return {nullptr, nullptr};
}

// Of the aggregates behind a column, when they are all of one PARTITION BY that can be seen.
std::optional<std::vector<size_t>> PartitionOf(const flow::SelectPlan& plan,
                                               const ColumnOrigin& origin) {
  std::optional<std::vector<size_t>> all;
  for (size_t index : origin.features) {
    const flow::FeatureNote& feature = plan.features[index];
    const state::RunningSpec* running = RunningOf(plan, feature).first;
    auto one = Carriers(plan, running != nullptr
                                  ? running->key_slots
                                  : plan.stages[feature.stage].key_blocks[feature.block].key_slots);
    if (!one || (all && *all != *one)) return std::nullopt;
    all = std::move(one);
  }
  if (all && all->empty()) return std::nullopt;  // over all rows
  return all;
}

bool IsWindowKey(const flow::WindowPlan& window, size_t column) {
  std::vector<int> slots;
  window.outputs[column]->CollectSlots(slots);
  return window.size > 0 && slots.size() == 1 && slots[0] < static_cast<int>(kWindowKeys);
}

std::vector<size_t> KeysOfView(const flow::StatementPlan& plan) {
  std::vector<size_t> keys;
  for (int key : plan.view_key) {
    const auto column = static_cast<size_t>(key);
    if (!IsWindowKey(*plan.window, column)) keys.push_back(column);
  }
  return keys;
}

std::vector<size_t> KeysOfSource(const Deployment& deployment, const Deployed& item) {
  const Deployed* source = &item;
  while (source->statement)
    source = deployment.Find(source->statement->input());
  std::vector<size_t> keys;
  if (!source->source) return keys;
  const row::Schema schema = deployment.SchemaOf(item);
  for (int slot : source->source->partition_slots) {
    const std::vector<int>& slots = source->source->schema_slots;
    const auto at =
        static_cast<size_t>(std::find(slots.begin(), slots.end(), slot) - slots.begin());
    const int column =
        at < slots.size() ? schema.Find(source->source->schema.columns[at].name) : -1;
    if (column < 0) return {};
    keys.push_back(static_cast<size_t>(column));
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

}  // namespace

ColumnOrigin OriginOf(const flow::StatementPlan& plan, size_t column) {
  if (!plan.select) return {};
  return OriginWalk(*plan.select).From(plan.select->output_slots[column]);
}

bool ComesFrom(const flow::SelectPlan& plan, int slot, int from) {
  OriginWalk walk(plan);
  const ColumnOrigin origin = walk.From(slot);
  if (walk.Saw(from)) return true;
  return std::any_of(origin.features.begin(), origin.features.end(), [&](size_t index) {
    const flow::FeatureNote& feature = plan.features[index];
    if (const state::RunningCall* call = RunningOf(plan, feature).second) {
      return std::find(call->argument_slots.begin(), call->argument_slots.end(), from) !=
             call->argument_slots.end();
    }
    const auto& block = plan.stages[feature.stage].key_blocks[feature.block];
    return std::any_of(
        block.aggregates.begin(), block.aggregates.end(), [&](const auto& aggregate) {
          return aggregate.result_slot == feature.slot && aggregate.argument_slot == from;
        });
  });
}

std::vector<size_t> EntityOf(const Deployment& deployment, const Deployed& item, size_t column) {
  if (item.statement && item.statement->window) return KeysOfView(*item.statement);
  if (item.statement) {
    auto partition = PartitionOf(*item.statement->select, OriginOf(*item.statement, column));
    if (partition) return *partition;
  }
  return KeysOfSource(deployment, item);
}

bool IsFeature(const Deployed& item, size_t column) {
  if (!item.statement || !item.statement->side_of.empty()) return false;
  if (item.statement->window) {
    const std::vector<int>& keys = item.statement->view_key;
    return std::find(keys.begin(), keys.end(), static_cast<int>(column)) == keys.end();
  }
  const ColumnOrigin origin = OriginOf(*item.statement, column);
  return !origin.features.empty() && !origin.scored;
}

}  // namespace headrace::engine
