#include "engine/fork_state.h"

#include <algorithm>
#include <map>

namespace headrace::engine {
namespace {

using Slots = std::set<int>;

bool Meets(const std::vector<int>& slots, const Slots& marked) {
  return std::any_of(slots.begin(), slots.end(), [&](int slot) { return marked.contains(slot); });
}

bool Reads(const std::shared_ptr<const expr::Expr>& expression, const Slots& marked) {
  if (!expression) return false;
  std::vector<int> slots;
  expression->CollectSlots(slots);
  return Meets(slots, marked);
}

// Follows values that may be otherwise through the statements of a fork. Confined.
class OtherValues {
 public:
  OtherValues(const Fork& fork, const std::vector<std::pair<std::string, std::string>>& models)
      : fork_(fork), models_(fork.models) {
    for (const auto& [name, value] : models)
      models_.insert(name);
  }

  bool ReachState() {
    for (const Deployed& item : fork_.deployment->items) {
      for (const StatementPtr& revision : item.revisions()) {
        if (Reach(item.name, *revision)) return true;
      }
    }
    return false;
  }

 private:
  // Whether state of the statement reads any. Marks the columns that it gives.
  bool Reach(const std::string& name, const flow::StatementPlan& plan) {
    const bool other_rows = other_rows_.contains(plan.input());
    Slots marked = columns_[plan.input()];
    // A watch tells of nothing that a fork is asked for but health, which is told anew.
    if (!plan.health.empty()) MarkHealth(plan.health);
    if (plan.of_health) return false;
    if (fork_.changed.contains(name)) {
      // Any of its rows may be otherwise.
      if (DependsOnPast(plan)) return true;
      MarkAll(name, plan);
      return false;
    }
    if (DependsOnPast(plan) && other_rows) return true;
    if (plan.window) return !marked.empty() && ReadsInWindow(*plan.window, marked);
    const flow::SelectPlan& select = *plan.select;
    if (plan.on_watermark && Meets(select.copied_columns, marked)) return true;
    const bool filtered = Reads(select.where, marked);
    if (filtered && DependsOnPast(plan)) return true;
    for (const flow::Stage& stage : select.stages) {
      if (MarkStage(stage, marked)) return true;
    }
    for (const flow::PolicyCall& call : select.policy_calls) {
      if (Meets(call.argument_slots, marked)) return true;
    }
    Slots& given = columns_[name];
    for (size_t c = 0; c < select.output_slots.size(); ++c) {
      if (marked.contains(select.output_slots[c])) given.insert(static_cast<int>(c));
    }
    if (filtered || other_rows) other_rows_.insert(name);
    return false;
  }

  // Besides what its watches have seen.
  static bool DependsOnPast(const flow::StatementPlan& plan) {
    const auto holds = [](const flow::Stage& stage) {
      return stage.blocks() > stage.watches.size();
    };
    return plan.window || plan.on_watermark ||
           std::any_of(plan.select->stages.begin(), plan.select->stages.end(), holds);
  }

  void MarkHealth(const std::string& name) {
    for (int column = 0; column < flow::kHealthColumns; ++column)
      columns_[name].insert(column);
    other_rows_.insert(name);
  }

  bool MarkStage(const flow::Stage& stage, Slots& marked) const {
    for (const flow::Evaluation& evaluation : stage.evaluations) {
      if (Reads(evaluation.expression, marked)) marked.insert(evaluation.slot);
    }
    for (const state::KeyBlockSpec& block : stage.key_blocks) {
      std::vector<int> read = block.key_slots;
      for (const state::AggregateSpec& aggregate : block.aggregates) {
        read.push_back(aggregate.argument_slot);
        read.push_back(aggregate.filter_slot);
      }
      if (Meets(read, marked)) return true;
    }
    for (const state::RunningSpec& running : stage.running) {
      if (Meets(running.key_slots, marked)) return true;
      for (const state::RunningCall& call : running.calls) {
        if (Meets(call.argument_slots, marked)) return true;
        for (const state::RunningCall::Question& question : call.questions) {
          if (Meets(question.argument_slots, marked)) marked.insert(question.result_slot);
        }
      }
    }
    for (const flow::Prediction& prediction : stage.predictions) {
      const bool other = models_.contains(prediction.model) ||
                         Meets(prediction.input_slots, marked) ||
                         marked.contains(prediction.when_slot);
      if (other) marked.insert(prediction.result_slot);
      if (other) marked.insert(prediction.output_slots.begin(), prediction.output_slots.end());
    }
    // What waits is state.
    return std::any_of(
        stage.questions.begin(), stage.questions.end(), [&](const flow::RemoteQuestion& question) {
          return Meets(question.input_slots, marked) || marked.contains(question.when_slot);
        });
  }

  static bool ReadsInWindow(const flow::WindowPlan& window, const Slots& marked) {
    if (Reads(window.where, marked)) return true;
    for (const flow::Evaluation& evaluation : window.evaluations) {
      if (Reads(evaluation.expression, marked)) return true;
    }
    std::vector<int> read = window.table.key_slots;
    for (const state::GroupAggregate& aggregate : window.table.aggregates) {
      read.push_back(aggregate.argument_slot);
      read.push_back(aggregate.filter_slot);
    }
    return Meets(read, marked);
  }

  void MarkAll(const std::string& name, const flow::StatementPlan& plan) {
    for (size_t c = 0; c < plan.schema.columns.size(); ++c)
      columns_[name].insert(static_cast<int>(c));
    other_rows_.insert(name);
  }

  const Fork& fork_;
  std::set<std::string> models_;
  std::map<std::string, Slots> columns_;  // by stream: what may be otherwise
  std::set<std::string> other_rows_;      // streams that may lack rows, or have more
};

}  // namespace

bool KeepsState(const Fork& fork, const std::vector<std::pair<std::string, std::string>>& models) {
  return !OtherValues(fork, models).ReachState();
}

}  // namespace headrace::engine
