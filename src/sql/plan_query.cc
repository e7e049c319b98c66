#include <algorithm>
#include <charconv>

#include "sql/group_scope.h"
#include "sql/plan_support.h"
#include "sql/planner.h"

namespace headrace::sql {
namespace {

bool HasAggregate(const Expression& expression) {
  bool call =
      expression.kind == ExpressionKind::kCall && !expression.windowed() && !expression.flag;
  if (call && state::FindAggregate(expression.name)) return true;
  if (expression.operand && HasAggregate(*expression.operand)) return true;
  if (expression.otherwise && HasAggregate(*expression.otherwise)) return true;
  return std::any_of(expression.children.begin(), expression.children.end(),
                     [](const ExpressionPtr& child) { return child && HasAggregate(*child); });
}

// Plans a SELECT over stored rows: one relation or none, WHERE, GROUP BY, HAVING, DISTINCT,
// ORDER BY, LIMIT, OFFSET.
class QueryPlanner {
 public:
  QueryPlanner(const NameLookup& names, const Select& select, std::vector<Diagnostic>& diagnostics)
      : names_(names),
        select_(select),
        diagnostics_(diagnostics),
        plan_(std::make_shared<QueryPlan>()) {}

  std::shared_ptr<const QueryPlan> Run() {
    size_t before = diagnostics_.size();
    RefuseStreaming();
    if (select_.from.kind == TableKind::kNamed) {
      std::optional<KnownName> known = FindRelation(names_, select_.from.name, diagnostics_);
      if (!known) return nullptr;
      plan_->input = select_.from.name.name;
      schema_ = known->schema();
      if (select_.from.as_of) PlanAsOf(*select_.from.as_of);
    } else if (select_.from.kind != TableKind::kNone) {
      Complain(diagnostics_, "HR1130", "a query reads one stream or view", select_.from.span);
      return nullptr;
    }
    qualifier_ = select_.from.alias.empty() ? plan_->input : select_.from.alias.name;
    plan_->slots = static_cast<int>(schema_.columns.size());
    PlanBody();
    PlanLimits();
    return diagnostics_.size() == before ? plan_ : nullptr;
  }

 private:
  void PlanAsOf(const Expression& moment) {
    if (select_.from.as_of_lsn) {
      std::optional<int64_t> lsn = ConstantInteger(moment, "an LSN", diagnostics_);
      if (lsn) plan_->as_of_lsn = static_cast<uint64_t>(*lsn);
      return;
    }
    plan_->as_of_micros = ConstantTime(moment, "AS OF", diagnostics_);
  }

  void RefuseStreaming() {
    bool streaming = select_.emit || select_.explain_when || select_.late_rows ||
                     select_.allowed_lateness || select_.start_from || !select_.windows.empty() ||
                     !select_.joins.empty() || select_.qualify || !select_.options.empty();
    if (!streaming) return;
    Complain(diagnostics_, "HR1118", "a query has no WINDOW, JOIN, EMIT, LATE ROWS or START FROM",
             select_.span)
        .hint = "those belong to CREATE STREAM ... AS SELECT";
  }

  void PlanBody() {
    if (select_.where) {
      ColumnScope columns(schema_, qualifier_);
      ExpressionBinder binder(columns, diagnostics_);
      plan_->where = binder.BindCondition(*select_.where, "WHERE");
    }
    bool grouped = !select_.group_by.empty() || select_.having;
    for (const SelectItem& item : select_.items) {
      grouped = grouped || HasAggregate(*item.expression);
    }
    if (!grouped) {
      ColumnScope columns(schema_, qualifier_);
      PlanItems(columns);
      return;
    }
    GroupScope scope(select_, schema_, qualifier_, diagnostics_);
    scope.PlanKeys();
    PlanItems(scope);
    if (select_.having) {
      ExpressionBinder binder(scope, diagnostics_);
      plan_->having = binder.BindCondition(*select_.having, "HAVING");
    }
    plan_->group.emplace();
    scope.Finish(&plan_->evaluations, &*plan_->group, &plan_->slots);
    plan_->one_group = select_.group_by.empty();
  }

  void PlanItems(NameScope& scope) {
    ExpressionBinder binder(scope, diagnostics_);
    binder.KeepWideResults();
    for (const SelectItem& item : select_.items) {
      const Expression& expression = *item.expression;
      if (expression.kind == ExpressionKind::kStar) {
        PlanStar(expression);
        continue;
      }
      expr::ExprPtr bound = binder.BindResolved(expression);
      if (!bound) continue;
      std::string name = item.alias.empty() ? DefaultName(expression) : item.alias.name;
      plan_->columns.columns.push_back({name, bound->type(), false});
      AddOutput(std::move(bound));
    }
    plan_->distinct = select_.distinct;
    for (const OrderItem& order : select_.order_by)
      PlanOrder(order, binder);
  }

  void PlanStar(const Expression& star) {
    if (schema_.columns.empty() || select_.group_by.size() > 0) {
      Complain(diagnostics_, "HR1118", "* needs FROM and no GROUP BY", star.span);
      return;
    }
    for (size_t c = 0; c < schema_.columns.size(); ++c) {
      plan_->columns.columns.push_back(schema_.columns[c]);
      AddOutput(expr::Column(static_cast<int>(c), schema_.columns[c].type));
    }
  }

  void AddOutput(expr::ExprPtr expression) {
    plan_->output_types.push_back(expression->type());
    plan_->outputs.push_back(std::move(expression));
  }

  // ORDER BY 2, ORDER BY alias, or any expression (a hidden output).
  void PlanOrder(const OrderItem& order, ExpressionBinder& binder) {
    SortKey key;
    key.descending = order.descending;
    key.nulls_first = order.nulls_first.value_or(order.descending);
    const Expression& expression = *order.expression;
    if (expression.kind == ExpressionKind::kNumber) {
      size_t position = 0;
      std::from_chars(expression.name.data(), expression.name.data() + expression.name.size(),
                      position);
      if (position < 1 || position > plan_->columns.columns.size()) {
        Complain(diagnostics_, "HR1116",
                 "ORDER BY position " + expression.name + " is not in the list", expression.span);
        return;
      }
      key.output = position - 1;
      plan_->sort.push_back(key);
      return;
    }
    int named = expression.kind == ExpressionKind::kColumn && expression.qualifier.empty()
                    ? plan_->columns.Find(expression.name)
                    : -1;
    if (named >= 0) {
      key.output = static_cast<size_t>(named);
    } else {
      expr::ExprPtr bound = binder.BindResolved(expression);
      if (!bound) return;
      key.output = plan_->outputs.size();
      AddOutput(std::move(bound));
    }
    plan_->sort.push_back(key);
  }

  void PlanLimits() {
    if (select_.limit) {
      plan_->limit = ConstantInteger(*select_.limit, "LIMIT", diagnostics_);
      if (plan_->limit && *plan_->limit < 0) {
        Complain(diagnostics_, "HR1126", "LIMIT must not be negative", select_.limit->span);
      }
    }
    if (!select_.offset) return;
    plan_->offset = ConstantInteger(*select_.offset, "OFFSET", diagnostics_).value_or(0);
    if (plan_->offset < 0) {
      Complain(diagnostics_, "HR1126", "OFFSET must not be negative", select_.offset->span);
    }
  }

  const NameLookup& names_;
  const Select& select_;
  std::vector<Diagnostic>& diagnostics_;
  std::shared_ptr<QueryPlan> plan_;
  row::Schema schema_;
  std::string qualifier_;
};

}  // namespace

std::shared_ptr<const QueryPlan> Planner::PlanQuery(const Select& select) {
  return QueryPlanner(names_, select, diagnostics_).Run();
}

}  // namespace headrace::sql
