#include "sql/group_scope.h"

#include <algorithm>
#include <charconv>

#include "sql/format.h"
#include "sql/select_scope.h"

namespace headrace::sql {

GroupScope::GroupScope(const Select& select, const row::Schema& input, std::string qualifier,
                       std::vector<Diagnostic>& diagnostics)
    : select_(select),
      input_(input),
      visible_(input),
      qualifier_(std::move(qualifier)),
      diagnostics_(diagnostics),
      next_slot_(static_cast<int>(input.columns.size())) {}

void GroupScope::AddWindowColumns() {
  row::Type time{row::TypeKind::kTimestampTz, 0, 0};
  int start = next_slot_++;
  int end = next_slot_++;
  visible_.columns.push_back({"window_start", time, false});
  visible_.columns.push_back({"window_end", time, false});
  AddKey(nullptr, "window_end", end, time);
  AddKey(nullptr, "window_start", start, time);
}

void GroupScope::AddKey(const Expression* expression, const std::string& name, int slot,
                        row::Type type) {
  Binding binding{static_cast<int>(keys_.size()), type};
  keys_.push_back({expression, name, binding});
  table_.key_slots.push_back(slot);
  table_.key_types.push_back(type);
}

// GROUP BY 2 and GROUP BY alias mean the item of the SELECT list.
const Expression* GroupScope::KeyExpression(const Expression& written) {
  if (written.kind == ExpressionKind::kNumber) {
    int position = 0;
    auto [end, error] =
        std::from_chars(written.name.data(), written.name.data() + written.name.size(), position);
    bool whole = error == std::errc() && end == written.name.data() + written.name.size();
    if (!whole || position < 1 || static_cast<size_t>(position) > select_.items.size()) {
      Complain(diagnostics_, "HR1116", "GROUP BY position " + written.name + " is not in the list",
               written.span);
      return nullptr;
    }
    return select_.items[static_cast<size_t>(position) - 1].expression.get();
  }
  bool bare = written.kind == ExpressionKind::kColumn && written.qualifier.empty();
  if (!bare || visible_.Find(written.name) >= 0) return &written;
  for (const SelectItem& item : select_.items) {
    if (item.alias.name == written.name) return item.expression.get();
  }
  return &written;
}

void GroupScope::PlanKeys() {
  for (const ExpressionPtr& written : select_.group_by) {
    const Expression* expression = KeyExpression(*written);
    if (expression == nullptr) continue;
    bool bound_key = expression->kind == ExpressionKind::kColumn &&
                     std::any_of(keys_.begin(), keys_.end(),
                                 [&](const Key& k) { return k.name == expression->name; });
    if (bound_key) continue;
    row::Type type;
    int slot = InputSlot(*expression, &type);
    if (slot >= 0) AddKey(expression, "", slot, type);
  }
}

int GroupScope::InputSlot(const Expression& expression, row::Type* type) {
  ColumnScope scope(visible_, qualifier_);
  if (expression.kind == ExpressionKind::kColumn) {
    if (auto column = scope.Resolve(expression.qualifier, expression.name)) {
      *type = column->type;
      return column->slot;
    }
  }
  ExpressionBinder binder(scope, diagnostics_);
  expr::ExprPtr bound = binder.BindResolved(expression);
  if (!bound) return -1;
  *type = bound->type();
  evaluations_.push_back({next_slot_, std::move(bound)});
  return next_slot_++;
}

Interception GroupScope::Intercept(const Expression& node, Binding* binding) {
  for (const Key& key : keys_) {
    bool same = key.expression != nullptr
                    ? Same(*key.expression, node)
                    : node.kind == ExpressionKind::kColumn && node.name == key.name;
    if (!same) continue;
    *binding = key.binding;
    return Interception::kBound;
  }
  if (node.kind == ExpressionKind::kPredict ||
      (node.kind == ExpressionKind::kCall && node.windowed())) {
    Complain(diagnostics_, "HR1118", "PREDICT and OVER are not supported beside GROUP BY",
             node.span);
    return Interception::kFailed;
  }
  if (node.kind == ExpressionKind::kCall && !node.flag && state::FindAggregate(node.name)) {
    return BindAggregate(node, binding);
  }
  if (node.kind == ExpressionKind::kColumn) {
    ColumnScope scope(visible_, qualifier_);
    if (scope.Resolve(node.qualifier, node.name)) {
      Complain(diagnostics_, "HR1115",
               "column `" + node.name + "` must appear in GROUP BY or in an aggregate", node.span);
      return Interception::kFailed;
    }
  }
  return Interception::kNone;
}

Interception GroupScope::BindAggregate(const Expression& call, Binding* binding) {
  std::optional<state::AggregateKind> kind = KindOfCall(call, diagnostics_);
  if (!kind) return Interception::kFailed;
  state::GroupAggregate aggregate;
  aggregate.kind = *kind;
  if (!call.children.empty()) {
    aggregate.argument_slot = InputSlot(*call.children[0], &aggregate.argument_type);
    if (aggregate.argument_slot < 0) return Interception::kFailed;
  }
  if (call.filter) {
    row::Type type;
    aggregate.filter_slot = InputSlot(*call.filter, &type);
    if (aggregate.filter_slot < 0) return Interception::kFailed;
    if (type.kind != row::TypeKind::kBoolean) {
      Complain(diagnostics_, "HR1102", "FILTER must be boolean, not " + row::ToString(type),
               call.filter->span);
      return Interception::kFailed;
    }
  }
  Result<row::Type> type = state::ResultType(aggregate.kind, aggregate.argument_type);
  if (!type.ok()) {
    Complain(diagnostics_, type.error().code(), type.error().message(), call.span);
    return Interception::kFailed;
  }
  aggregate.result_type = *type;
  binding->slot = static_cast<int>(keys_.size() + table_.aggregates.size());
  binding->type = *type;
  table_.aggregates.push_back(aggregate);
  return Interception::kBound;
}

std::optional<Binding> GroupScope::Resolve(const std::string&, const std::string&) {
  return {};  // keys are intercepted; any other column is refused there
}

std::vector<std::string> GroupScope::names() const {
  return ColumnScope(visible_, qualifier_).names();
}

std::vector<std::string> GroupScope::call_names() const {
  return {"avg",        "bool_and", "bool_or",     "count",   "max",      "min",     "stddev",
          "stddev_pop", "sum",      "stddev_samp", "var_pop", "var_samp", "variance"};
}

std::vector<std::string> GroupScope::KeyNames() const {
  std::vector<std::string> names;
  for (const Key& key : keys_) {
    if (key.expression == nullptr) continue;
    std::string name = Format(*key.expression);
    for (const SelectItem& item : select_.items) {
      if (!Same(*item.expression, *key.expression)) continue;
      name = item.alias.empty() ? DefaultName(*item.expression) : item.alias.name;
      break;
    }
    names.push_back(std::move(name));
  }
  return names;
}

void GroupScope::Finish(std::vector<flow::Evaluation>* evaluations, state::GroupTableSpec* table,
                        int* slots) {
  *evaluations = std::move(evaluations_);
  *table = std::move(table_);
  *slots = next_slot_;
}

}  // namespace headrace::sql
