#pragma once

#include <string>
#include <vector>

#include "sql/plan_support.h"
#include "state/group_table.h"

namespace headrace::sql {

// The scope of a SELECT with GROUP BY or aggregates. Two slot spaces: the input's (columns, window
// bounds, then evaluated keys and arguments), and the group's, in which items are bound: keys
// first, then aggregates. Call order: AddWindowColumns (windowed only), PlanKeys, bind items,
// Finish. Unsynchronized; lives for one statement.
class GroupScope final : public NameScope {
 public:
  GroupScope(const Select& select, const row::Schema& input, std::string qualifier,
             std::vector<Diagnostic>& diagnostics);

  // window_start and window_end become columns behind the input's, and the first keys (window_end
  // first: windows close in that order).
  void AddWindowColumns();
  void PlanKeys();

  std::optional<Binding> Resolve(const std::string& qualifier, const std::string& name) override;
  std::vector<std::string> names() const override;
  Interception Intercept(const Expression& node, Binding* binding) override;
  std::vector<std::string> call_names() const override;

  int input_columns() const { return static_cast<int>(input_.columns.size()); }
  // The keys behind the window's bounds, as the result calls them or as they are written.
  std::vector<std::string> KeyNames() const;
  bool has_aggregates() const { return !table_.aggregates.empty(); }
  void Finish(std::vector<flow::Evaluation>* evaluations, state::GroupTableSpec* table, int* slots);

 private:
  struct Key {
    const Expression* expression = nullptr;  // null: a window bound
    std::string name;                        // of a window bound
    Binding binding;                         // in the group's slot space
  };

  void AddKey(const Expression* expression, const std::string& name, int slot, row::Type type);
  const Expression* KeyExpression(const Expression& written);
  int InputSlot(const Expression& expression, row::Type* type);
  Interception BindAggregate(const Expression& call, Binding* binding);

  const Select& select_;
  row::Schema input_;
  row::Schema visible_;  // the input and the window bounds
  std::string qualifier_;
  std::vector<Diagnostic>& diagnostics_;
  std::vector<Key> keys_;
  state::GroupTableSpec table_;
  std::vector<flow::Evaluation> evaluations_;
  int next_slot_ = 0;
};

}  // namespace headrace::sql
