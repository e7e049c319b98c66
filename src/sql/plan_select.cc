#include <algorithm>

#include "sql/format.h"
#include "sql/group_scope.h"
#include "sql/plan_support.h"
#include "sql/planner.h"
#include "sql/select_scope.h"

namespace headrace::sql {
namespace {

// What a call reads.
void CollectSlots(const state::RunningCall& call, std::vector<int>& slots) {
  slots.insert(slots.end(), call.argument_slots.begin(), call.argument_slots.end());
  for (const state::RunningCall::Question& question : call.questions)
    slots.insert(slots.end(), question.argument_slots.begin(), question.argument_slots.end());
}

// Plans CREATE STREAM|VIEW name AS SELECT. Exactly one of PlanOnArrival and PlanWindowed applies.
class StatementPlanner {
 public:
  StatementPlanner(const NameLookup& names, const SourceMap& sources, const CreateRelation& create,
                   std::vector<Diagnostic>& diagnostics)
      : names_(names),
        sources_(sources),
        create_(create),
        select_(*create.query),
        diagnostics_(diagnostics),
        plan_(std::make_shared<flow::StatementPlan>()) {}

  std::shared_ptr<const flow::StatementPlan> Run() {
    size_t before = diagnostics_.size();
    plan_->name = create_.name.name;
    plan_->view = create_.kind == RelationKind::kView;
    CheckOptions(create_.options, kRetentionOptions, diagnostics_);
    plan_->retention = PlanRetention(create_.options, diagnostics_);
    RefuseWhatBatchesDo();
    bool windowed = select_.from.kind == TableKind::kTumble || select_.from.kind == TableKind::kHop;
    bool grouped = !select_.group_by.empty();
    const bool plain =
        select_.from.kind == TableKind::kNamed || select_.from.kind == TableKind::kMlPredict;
    if (!plain && !windowed) {
      Complain(diagnostics_, "HR1130",
               "a streaming SELECT reads one stream, TUMBLE, HOP or ML_PREDICT", select_.span);
    } else if (windowed != grouped) {
      Complain(diagnostics_, "HR1119",
               windowed ? "TUMBLE and HOP need GROUP BY window_start"
                        : "GROUP BY over a stream needs a window",
               select_.span)
          .hint = "FROM TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '1 minute') GROUP BY window_start";
    } else if (std::optional<KnownName> input =
                   FindRelation(names_, select_.from.name, diagnostics_)) {
      PlanTime(windowed, *input);
      plan_->input_schema = input->schema();
      if (input->plain != nullptr) {
        Complain(diagnostics_, "HR1130",
                 "`" + select_.from.name.name + "` can be queried, not streamed from",
                 select_.from.span);
      } else if (windowed) {
        PlanWindowed(*input);
        CheckLatenessOfLateRows(*input);
      } else {
        PlanOnArrival(*input);
      }
    }
    return diagnostics_.size() == before ? plan_ : nullptr;
  }

 private:
  void RefuseWhatBatchesDo() {
    struct Clause {
      bool present;
      const char* name;
    };
    for (const Clause& clause :
         {Clause{select_.distinct, "DISTINCT"}, Clause{!select_.joins.empty(), "JOIN"},
          Clause{!select_.order_by.empty(), "ORDER BY"}, Clause{select_.limit != nullptr, "LIMIT"},
          Clause{select_.offset != nullptr, "OFFSET"},
          Clause{select_.qualify != nullptr, "QUALIFY"},
          Clause{select_.explain_when && !select_.group_by.empty(), "GROUP BY with EXPLAIN WHEN"},
          Clause{select_.from.as_of != nullptr, "AS OF"},
          Clause{!select_.options.empty(), "SELECT ... WITH"}}) {
      if (!clause.present) continue;
      Complain(diagnostics_, "HR1118",
               std::string(clause.name) + " is not supported in a streaming SELECT", select_.span)
          .hint = "a query (`headrace sql`) over the stream may use ORDER BY, LIMIT and DISTINCT";
    }
    if (select_.emit && select_.emit->mode == EmitMode::kChanges) {
      Complain(diagnostics_, "HR1118", "this EMIT mode is not supported", select_.emit->span).hint =
          "rows are emitted on arrival or ON WATERMARK, windowed groups when their window closes";
    }
  }

  void PlanTime(bool windowed, const KnownName& input) {
    plan_->on_watermark = !windowed && select_.emit && select_.emit->mode == EmitMode::kOnWatermark;
    if (plan_->on_watermark && input.time_column() < 0) {
      Complain(diagnostics_, "HR1129",
               "`" + select_.from.name.name + "` has no event time to wait for", select_.emit->span)
          .hint = "declare WATERMARK FOR a column of the stream, and select that column along";
    }
    plan_->lateness = windowed || plan_->on_watermark ? 0 : flow::kDefaultLateness;
    if (select_.allowed_lateness) {
      std::optional<int64_t> lateness =
          ConstantMicros(*select_.allowed_lateness, "ALLOWED LATENESS", diagnostics_);
      if (lateness) plan_->lateness = *lateness;
    }
    if (select_.late_rows) PlanLateRows(*select_.late_rows, input);
    if (!select_.start_from) return;
    if (select_.start_from->kind == StartKind::kNow) {
      plan_->start_lsn = UINT64_MAX;  // the deployer puts the statement's own LSN here
    } else if (select_.start_from->kind == StartKind::kTimestamp) {
      PlanStartTime(*select_.start_from);
    }
  }

  void PlanLateRows(const LateRows& late, const KnownName& input) {
    if (late.action == LateAction::kDrop) plan_->late_policy = flow::LatePolicy::kDrop;
    if (late.action != LateAction::kSideOutput) return;
    plan_->late_policy = flow::LatePolicy::kSideOutput;
    plan_->side_output = late.output.name;
    if (input.time_column() >= 0) return;
    Complain(diagnostics_, "HR1129",
             "`" + select_.from.name.name + "` has no event time: no row of it is ever late",
             late.span)
        .hint = "declare WATERMARK FOR a column of the stream, and select that column along";
  }

  // What stands in a side output is behind the watermark. Where nothing has to be kept for it all
  // of it is taken; windows must be told how far back they are to reach.
  void CheckLatenessOfLateRows(const KnownName& input) {
    if (!input.statement || !input.statement->of_late_rows || select_.allowed_lateness) return;
    Complain(diagnostics_, "HR1149",
             "the rows of `" + select_.from.name.name +
                 "` are late: what keeps state for them needs ALLOWED LATENESS",
             select_.span)
        .hint = "ALLOWED LATENESS INTERVAL '1 day' keeps the windows of a day behind the watermark";
  }

  void PlanStartTime(const StartFrom& start) {
    std::optional<int64_t> micros = ConstantTime(*start.timestamp, "START FROM", diagnostics_);
    if (micros) plan_->start_time = *micros;
  }

  void PlanOnArrival(const KnownName& input) {
    flow::SelectPlan select;
    select.input = select_.from.name.name;
    SelectScope scope(names_, select_, input, diagnostics_);
    if (select_.where) {
      ColumnScope columns(input.schema(), QualifierOf());
      ExpressionBinder binder(columns, diagnostics_);
      select.where = binder.BindCondition(*select_.where, "WHERE");
    }
    if (select_.from.kind == TableKind::kMlPredict) scope.BindModelTable(select_.from);
    for (const SelectItem& item : select_.items)
      PlanItem(item, input, scope, select);
    PlanExplanation(scope, select);
    CheckUnique(plan_->schema, select_.span, diagnostics_);
    for (size_t i = 0; i < select.output_slots.size(); ++i) {
      if (input.time_column() >= 0 && select.output_slots[i] == input.time_column()) {
        plan_->time_column = static_cast<int>(i);
      }
    }
    scope.Finish(select);
    CheckAsking(select);
    StartPoliciesFromNow(select);
    PlanState(input, select);
    PlanPartitionKey(input, select);
    std::vector<int> kept;
    // A canary tells rows apart by their key. Rows that wait lose what is not read.
    if (plan_->on_watermark && Predicts(select)) kept = plan_->input_partition_columns;
    select.copied_columns =
        ReadColumns(select, std::move(kept), static_cast<int>(input.schema().columns.size()));
    plan_->select = std::move(select);
  }

  // Which output columns are copies of the partition key's.
  void PlanPartitionKey(const KnownName& input, const flow::SelectPlan& select) {
    plan_->input_partition_columns = input.partition_columns();
    for (int column : plan_->input_partition_columns) {
      const auto at = std::find(select.output_slots.begin(), select.output_slots.end(), column);
      if (at == select.output_slots.end()) return plan_->partition_columns.clear();
      plan_->partition_columns.push_back(static_cast<int>(at - select.output_slots.begin()));
    }
  }

  // A row that waits for a remote model goes on behind others: windows would not see it in its
  // place.
  void CheckAsking(const flow::SelectPlan& select) {
    const auto asks = [](const flow::Stage& stage) { return !stage.questions.empty(); };
    const auto first = std::find_if(select.stages.begin(), select.stages.end(), asks);
    if (first == select.stages.end()) return;
    const std::string& model = first->questions.front().model->name;
    const bool behind = std::any_of(first + 1, select.stages.end(),
                                    [](const flow::Stage& stage) { return stage.blocks() > 0; });
    const bool chooses = !select.policy_calls.empty();
    if (!behind && !chooses && !plan_->on_watermark) return;
    Complain(
        diagnostics_, "HR1233",
        behind || chooses
            ? std::string(behind ? "a window or a function with a memory" : "CHOOSE or REWARD") +
                  " stands behind the question to `" + model + "`, for whose answer a row waits"
            : "a statement that emits ON WATERMARK cannot ask `" + model + "`",
        select_.span)
        .hint = "ask in a statement of its own: a second one reads the stream that the first makes";
  }

  // How much longer the state of windows is kept for late rows.
  void PlanState(const KnownName& input, flow::SelectPlan& select) {
    bool windows = false;
    for (flow::Stage& stage : select.stages) {
      for (state::KeyBlockSpec& block : stage.key_blocks) {
        // What waited comes in order.
        block.lateness = plan_->on_watermark ? 0 : plan_->lateness;
        block.peers = plan_->on_watermark;
        windows = true;
      }
    }
    plan_->of_late_rows = input.statement && input.statement->of_late_rows;
    if (windows || plan_->on_watermark) {
      CheckLatenessOfLateRows(input);
    } else if (plan_->of_late_rows && !select_.allowed_lateness) {
      plan_->lateness = flow::kAnyLateness;
    }
  }

  std::string QualifierOf() const {
    return select_.from.alias.empty() ? select_.from.name.name : select_.from.alias.name;
  }

  void PlanItem(const SelectItem& item, const KnownName& input, SelectScope& scope,
                flow::SelectPlan& select) {
    const Expression& expression = *item.expression;
    if (expression.kind == ExpressionKind::kStar) {
      if (!expression.qualifier.empty() && expression.qualifier != QualifierOf()) {
        Complain(diagnostics_, "HR1105", "unknown stream `" + expression.qualifier + "`",
                 expression.span);
        return;
      }
      for (size_t c = 0; c < input.schema().columns.size(); ++c) {
        plan_->schema.columns.push_back(input.schema().columns[c]);
        select.output_slots.push_back(static_cast<int>(c));
      }
      for (const SelectScope::Column& column : scope.model_columns()) {
        plan_->schema.columns.push_back({column.name, column.binding.type, false});
        select.output_slots.push_back(column.binding.slot);
      }
      return;
    }
    std::string name = item.alias.empty() ? DefaultName(expression) : item.alias.name;
    if (IsPolicyCall(expression)) return PlanPolicyCall(expression, name, scope, select);
    scope.BeginItem(expression, name);
    Binding binding = scope.SlotOf(expression);
    if (binding.slot < 0) {
      // Known by name, so that later items do not complain about it again.
      return;
    }
    if (expression.kind == ExpressionKind::kCase) NoteRule(name, expression, scope, select);
    plan_->schema.columns.push_back({name, binding.type, false});
    select.output_slots.push_back(binding.slot);
    scope.AddAlias(name, binding);
  }

  // Of a choice the propensity is logged beside the arm, asked for or not.
  void PlanPolicyCall(const Expression& call, const std::string& name, SelectScope& scope,
                      flow::SelectPlan& select) {
    Binding result;
    Binding propensity;
    if (!scope.BindPolicyCall(call, &result, &propensity)) return;
    plan_->schema.columns.push_back({name, result.type, false});
    select.output_slots.push_back(result.slot);
    if (propensity.slot < 0) return;
    plan_->schema.columns.push_back({name + "_propensity", propensity.type, false});
    select.output_slots.push_back(propensity.slot);
  }

  // What a policy chose was done, or not: rows of the past cannot be chosen for any more, and what
  // they brought was brought by something else.
  void StartPoliciesFromNow(const flow::SelectPlan& select) {
    if (select.policy_calls.empty()) return;
    if (select_.start_from && select_.start_from->kind != StartKind::kNow) {
      Complain(diagnostics_, "HR1249", "a statement with CHOOSE or REWARD starts from now",
               select_.start_from->span)
          .hint = "leave START FROM out; `headrace policy evaluate` judges the past";
    }
    plan_->start_lsn = UINT64_MAX;  // the deployer puts the statement's own LSN here
    plan_->start_time = INT64_MIN;
  }

  void NoteRule(const std::string& name, const Expression& expression, SelectScope& scope,
                flow::SelectPlan& select) {
    flow::RuleNote rule{name, {}};
    for (size_t i = 0; i + 1 < expression.children.size(); i += 2) {
      const Expression& when = *expression.children[i];
      ExpressionPtr condition = Clone(when);
      if (expression.operand) {
        auto equals = std::make_unique<Expression>(ExpressionKind::kBinary, when.span);
        equals->name = "=";
        equals->children.push_back(Clone(*expression.operand));
        equals->children.push_back(std::move(condition));
        condition = std::move(equals);
      }
      ExpressionBinder binder(scope, diagnostics_);
      expr::ExprPtr bound = binder.BindCondition(*condition, "WHEN");
      if (!bound) return;
      rule.branches.push_back(
          {std::move(bound),
           "WHEN " + Format(when) + " THEN " + Format(*expression.children[i + 1]),
           PlaceOf(sources_, when.span)});
    }
    if (expression.otherwise) {
      rule.branches.push_back({nullptr, "ELSE " + Format(*expression.otherwise),
                               PlaceOf(sources_, expression.otherwise->span)});
    }
    select.rules.push_back(std::move(rule));
  }

  static bool Predicts(const flow::SelectPlan& select) {
    return std::any_of(select.stages.begin(), select.stages.end(),
                       [](const flow::Stage& stage) { return !stage.predictions.empty(); });
  }

  // EXPLAIN WHEN: one more column, with what the model has to say where the condition holds.
  void PlanExplanation(SelectScope& scope, flow::SelectPlan& select) {
    if (!select_.explain_when) return;
    const Binding binding = scope.BindExplanation(*select_.explain_when);
    if (binding.slot < 0) return;
    plan_->schema.columns.push_back({"explanation", binding.type, false});
    select.output_slots.push_back(binding.slot);
  }

  // Input columns that some expression, window, prediction or output reads.
  static std::vector<int> ReadColumns(const flow::SelectPlan& select, std::vector<int> slots,
                                      int columns) {
    slots.insert(slots.end(), select.output_slots.begin(), select.output_slots.end());
    for (const flow::Stage& stage : select.stages) {
      for (const flow::Evaluation& e : stage.evaluations)
        e.expression->CollectSlots(slots);
      for (const state::KeyBlockSpec& block : stage.key_blocks) {
        slots.insert(slots.end(), block.key_slots.begin(), block.key_slots.end());
        for (const state::AggregateSpec& a : block.aggregates) {
          slots.push_back(a.argument_slot);
          slots.push_back(a.filter_slot);
        }
      }
      for (const state::RunningSpec& running : stage.running) {
        slots.insert(slots.end(), running.key_slots.begin(), running.key_slots.end());
        for (const state::RunningCall& call : running.calls)
          CollectSlots(call, slots);
      }
      for (const flow::Prediction& p : stage.predictions) {
        slots.insert(slots.end(), p.input_slots.begin(), p.input_slots.end());
        slots.push_back(p.when_slot);
      }
      for (const flow::RemoteQuestion& q : stage.questions) {
        slots.insert(slots.end(), q.input_slots.begin(), q.input_slots.end());
        slots.push_back(q.when_slot);
      }
    }
    for (const flow::PolicyCall& call : select.policy_calls)
      slots.insert(slots.end(), call.argument_slots.begin(), call.argument_slots.end());
    for (const flow::RuleNote& rule : select.rules) {
      for (const auto& branch : rule.branches) {
        if (branch.when) branch.when->CollectSlots(slots);
      }
    }
    std::sort(slots.begin(), slots.end());
    slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
    std::erase_if(slots, [&](int slot) { return slot < 0 || slot >= columns; });
    return slots;
  }

  void PlanWindowed(const KnownName& input) {
    flow::WindowPlan window;
    window.input = select_.from.name.name;
    window.time_column = input.time_column();
    if (window.time_column < 0 ||
        input.schema().columns[static_cast<size_t>(window.time_column)].name !=
            select_.from.descriptor.name) {
      Complain(diagnostics_, "HR1129",
               "DESCRIPTOR must name the event time of `" + window.input + "`", select_.from.span)
          .hint = window.time_column < 0
                      ? "declare WATERMARK FOR a column of the stream, and select that column along"
                      : "write DESCRIPTOR(" +
                            input.schema().columns[static_cast<size_t>(window.time_column)].name +
                            ")";
      return;
    }
    if (!PlanWindowSizes(&window)) return;
    GroupScope scope(select_, input.schema(), QualifierOf(), diagnostics_);
    scope.AddWindowColumns();
    int start = scope.input_columns();
    window.window_start_slot = start;
    window.window_end_slot = start + 1;
    scope.PlanKeys();
    PlanGroupItems(scope, window);
    window.key_names = scope.KeyNames();
    scope.Finish(&window.evaluations, &window.table, &window.slots);
    if (select_.where) {
      ColumnScope columns(input.schema(), QualifierOf());
      ExpressionBinder binder(columns, diagnostics_);
      window.where = binder.BindCondition(*select_.where, "WHERE");
    }
    plan_->window = std::move(window);
  }

  bool PlanWindowSizes(flow::WindowPlan* window) {
    const std::vector<ExpressionPtr>& arguments = select_.from.arguments;
    std::vector<int64_t> values;
    for (const ExpressionPtr& argument : arguments) {
      std::optional<int64_t> value = ConstantMicros(*argument, "a window's size", diagnostics_);
      if (!value) return false;
      values.push_back(*value);
    }
    bool hop = select_.from.kind == TableKind::kHop;
    size_t sizes = hop ? 2 : 1;
    window->slide = values[0];
    window->size = values[sizes - 1];
    window->offset = values.size() > sizes ? values[sizes] : 0;
    bool good = window->slide > 0 && window->size > 0 && window->size % window->slide == 0 &&
                window->size / window->slide <= 10'000;
    if (!good) {
      Complain(diagnostics_, "HR1148",
               "a window's size must be positive and a multiple of its slide (at most 10000 times)",
               select_.from.span);
    }
    return good;
  }

  void PlanGroupItems(GroupScope& scope, flow::WindowPlan& window) {
    ExpressionBinder binder(scope, diagnostics_);
    for (const SelectItem& item : select_.items) {
      expr::ExprPtr bound = binder.BindResolved(*item.expression);
      std::string name = item.alias.empty() ? DefaultName(*item.expression) : item.alias.name;
      if (!bound) continue;
      plan_->schema.columns.push_back({name, bound->type(), false});
      std::vector<int> slots;
      bound->CollectSlots(slots);
      bool key = slots.size() == 1 && item.expression->kind == ExpressionKind::kColumn;
      if (key) plan_->view_key.push_back(static_cast<int>(plan_->schema.columns.size()) - 1);
      window.outputs.push_back(std::move(bound));
    }
    if (select_.having) window.having = binder.BindCondition(*select_.having, "HAVING");
    CheckUnique(plan_->schema, select_.span, diagnostics_);
  }

  const NameLookup& names_;
  const SourceMap& sources_;
  const CreateRelation& create_;
  const Select& select_;
  std::vector<Diagnostic>& diagnostics_;
  std::shared_ptr<flow::StatementPlan> plan_;
};

}  // namespace

std::shared_ptr<const flow::StatementPlan> Planner::PlanStatement(const CreateRelation& create) {
  return StatementPlanner(names_, sources_, create, diagnostics_).Run();
}

std::shared_ptr<const flow::StatementPlan> Planner::PlanSideOutput(
    const flow::StatementPlan& of) const {
  auto plan = std::make_shared<flow::StatementPlan>();
  plan->name = of.side_output;
  plan->side_of = of.name;
  plan->of_late_rows = true;
  plan->schema = of.input_schema;
  plan->input_schema = of.input_schema;
  plan->retention = of.retention;
  plan->lateness = flow::kAnyLateness;
  std::optional<KnownName> input = names_.Find(of.input());
  HR_CHECK(input.has_value());
  plan->time_column = input->time_column();
  plan->partition_columns = plan->input_partition_columns = input->partition_columns();
  flow::SelectPlan& select = plan->select.emplace();
  select.input = of.input();
  select.slots = static_cast<int>(plan->schema.columns.size());
  for (int column = 0; column < select.slots; ++column) {
    select.copied_columns.push_back(column);
    select.output_slots.push_back(column);
  }
  return plan;
}

}  // namespace headrace::sql
