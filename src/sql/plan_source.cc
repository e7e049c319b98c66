#include <algorithm>

#include "sql/format.h"
#include "sql/plan_support.h"
#include "sql/planner.h"

namespace headrace::sql {

int KnownName::time_column() const {
  if (statement) return statement->time_column;
  if (!source || source->time_slot < 0) return -1;
  for (size_t i = 0; i < source->schema_slots.size(); ++i) {
    if (source->schema_slots[i] == source->time_slot) return static_cast<int>(i);
  }
  return -1;
}

std::vector<int> KnownName::partition_columns() const {
  if (statement) return statement->partition_columns;
  std::vector<int> columns;
  for (int slot : source ? source->partition_slots : std::vector<int>()) {
    const auto at = std::find(source->schema_slots.begin(), source->schema_slots.end(), slot);
    columns.push_back(static_cast<int>(at - source->schema_slots.begin()));
  }
  return columns;
}

namespace {

constexpr int kPartitionsMax = 1024;

// Plans CREATE STREAM name (columns ...). Slots are the columns in order; only those that are read
// from the payload are decoded, so the decoded schema is a prefix and computed columns must follow.
class SourcePlanner {
 public:
  SourcePlanner(const CreateRelation& create, std::vector<Diagnostic>& diagnostics)
      : create_(create), diagnostics_(diagnostics), plan_(std::make_shared<flow::SourcePlan>()) {}

  std::shared_ptr<const flow::SourcePlan> Run() {
    size_t before = diagnostics_.size();
    plan_->name = create_.name.name;
    PlanColumns();
    if (diagnostics_.size() == before) {
      PlanComputed();
      PlanChecks();
      PlanWatermark();
      plan_->partition_slots = Slots(create_.partition_by, &plan_->partition_types);
      PlanDeduplication();
    }
    PlanOptions();
    if (diagnostics_.size() != before) return nullptr;
    plan_->slots = static_cast<int>(plan_->schema.columns.size());
    return plan_;
  }

 private:
  void PlanColumns() {
    bool computed_seen = false;
    for (const ColumnDefinition& column : create_.columns) {
      if (!column.computed && computed_seen) {
        Complain(diagnostics_, "HR1141",
                 "column `" + column.name.name + "` stands behind a computed one", column.span)
            .hint = "list the columns of the event first, then the computed ones";
      }
      computed_seen = computed_seen || column.computed;
      if (column.default_value) {
        Complain(diagnostics_, "HR1142", "DEFAULT is not supported", column.span).hint =
            "use coalesce(" + column.name.name + ", ...) in a SELECT";
      }
      row::Column made{column.name.name, {}, column.not_null};
      if (column.type) {
        std::optional<row::Type> type = ToRowType(*column.type);
        if (!type) {
          Complain(diagnostics_, "HR1143", "a column cannot be of type " + ToString(*column.type),
                   column.type->span)
              .hint =
              "types: boolean, integer, bigint, double precision, decimal(p,s), text, bytea, "
              "date, timestamptz, interval, jsonb";
          continue;
        }
        made.type = *type;
      } else if (!column.computed) {
        Complain(diagnostics_, "HR1144", "column `" + column.name.name + "` needs a type",
                 column.span);
      }
      plan_->schema_slots.push_back(static_cast<int>(plan_->schema.columns.size()));
      plan_->schema.columns.push_back(made);
      if (!column.computed) plan_->decoded.columns.push_back(made);
    }
    CheckUnique(plan_->schema, create_.name.span, diagnostics_);
  }

  void PlanComputed() {
    for (size_t i = 0; i < create_.columns.size(); ++i) {
      const ColumnDefinition& column = create_.columns[i];
      if (!column.computed) continue;
      row::Schema visible;
      visible.columns.assign(plan_->schema.columns.begin(),
                             plan_->schema.columns.begin() + static_cast<ptrdiff_t>(i));
      ColumnScope scope(visible, plan_->name);
      ExpressionBinder binder(scope, diagnostics_);
      expr::ExprPtr bound = binder.BindResolved(*column.computed);
      if (!bound) continue;
      row::Column& made = plan_->schema.columns[i];
      if (column.type) {
        Result<expr::ExprPtr> cast = expr::Cast(std::move(bound), made.type);
        if (!cast.ok()) {
          Complain(diagnostics_, cast.error().code(), cast.error().message(), column.span);
          continue;
        }
        bound = std::move(cast).value();
      } else {
        made.type = bound->type();
      }
      plan_->computed.push_back({static_cast<int>(i), std::move(bound)});
    }
  }

  void AddCheck(const Expression& condition) {
    ColumnScope scope(plan_->schema, plan_->name);
    ExpressionBinder binder(scope, diagnostics_);
    expr::ExprPtr bound = binder.BindCondition(condition, "CHECK");
    if (bound) plan_->checks.push_back({std::move(bound), Format(condition)});
  }

  void PlanChecks() {
    for (const ColumnDefinition& column : create_.columns) {
      for (const ExpressionPtr& check : column.checks)
        AddCheck(*check);
    }
    for (const CheckDefinition& check : create_.checks)
      AddCheck(*check.condition);
  }

  // WATERMARK FOR ts AS ts - INTERVAL '...': the delay is constant, in microseconds.
  void PlanWatermark() {
    if (!create_.watermark) return;
    const WatermarkDefinition& watermark = *create_.watermark;
    int column = plan_->schema.Find(watermark.column.name);
    if (column < 0) {
      Complain(diagnostics_, "HR1104", "unknown column `" + watermark.column.name + "`",
               watermark.column.span)
          .candidates =
          expr::CloseNames(watermark.column.name, ColumnScope(plan_->schema, "").names());
      return;
    }
    if (plan_->schema.columns[static_cast<size_t>(column)].type.kind !=
        row::TypeKind::kTimestampTz) {
      Complain(diagnostics_, "HR1145", "the event time must be a TIMESTAMPTZ",
               watermark.column.span);
      return;
    }
    plan_->time_slot = column;
    ColumnScope scope(plan_->schema, plan_->name);
    ExpressionBinder binder(scope, diagnostics_);
    expr::ExprPtr bound = binder.BindResolved(*watermark.value);
    if (!bound) return;
    std::optional<int64_t> delay = DelayOf(*bound, column);
    if (!delay || bound->type().kind != row::TypeKind::kTimestampTz) {
      Complain(diagnostics_, "HR1146",
               "a watermark must be the event time minus a constant interval", watermark.span)
          .hint = "write WATERMARK FOR " + watermark.column.name + " AS " + watermark.column.name +
                  " - INTERVAL '5 seconds'";
      return;
    }
    plan_->watermark_delay = *delay;
  }

  // What the expression takes off the event time, if that is the same at several moments.
  std::optional<int64_t> DelayOf(const expr::Expr& watermark, int column) const {
    std::vector<row::Value> row(plan_->schema.columns.size(), row::Value::Null());
    base::Arena arena(1024);
    expr::EvalContext context{arena, std::nullopt};
    std::optional<int64_t> delay;
    for (int64_t days : {10'000, 10'031, 10'059, 10'400}) {
      int64_t time = days * 86'400'000'000;
      row[static_cast<size_t>(column)] = row::Value::Integer(time);
      row::Value value = watermark.Evaluate(row.data(), context);
      if (context.error || value.null) return {};
      if (delay && *delay != time - value.integer) return {};
      delay = time - value.integer;
    }
    return delay;
  }

  std::vector<int> Slots(const std::vector<Identifier>& columns, std::vector<row::Type>* types) {
    std::vector<int> slots;
    for (const Identifier& name : columns) {
      int slot = plan_->schema.Find(name.name);
      if (slot < 0) {
        Complain(diagnostics_, "HR1104", "unknown column `" + name.name + "`", name.span)
            .candidates = expr::CloseNames(name.name, ColumnScope(plan_->schema, "").names());
        continue;
      }
      slots.push_back(slot);
      types->push_back(plan_->schema.columns[static_cast<size_t>(slot)].type);
    }
    return slots;
  }

  void PlanDeduplication() {
    if (!create_.deduplicate) return;
    plan_->dedup_slots = Slots(create_.deduplicate->columns, &plan_->dedup_types);
    if (plan_->time_slot < 0) {
      Complain(diagnostics_, "HR1147", "DEDUPLICATE BY needs an event time",
               create_.deduplicate->span)
          .hint = "declare WATERMARK FOR a column";
      return;
    }
    std::optional<int64_t> within =
        ConstantMicros(*create_.deduplicate->within, "WITHIN", diagnostics_);
    if (within) plan_->dedup_within = *within;
  }

  void PlanOptions() {
    std::vector<std::string> known = {"topic", "format", "timestamp_unit", "bad_records",
                                      "partitions"};
    known.insert(known.end(), kRetentionOptions.begin(), kRetentionOptions.end());
    CheckOptions(create_.options, known, diagnostics_);
    plan_->retention = PlanRetention(create_.options, diagnostics_);
    const Option* topic = FindOption(create_.options, "topic");
    plan_->topic = topic != nullptr ? topic->value : plan_->name;
    if (const Option* format = FindOption(create_.options, "format");
        format != nullptr && format->value != "json") {
      Complain(diagnostics_, "HR1132", "format '" + format->value + "' is not supported",
               format->value_span)
          .hint = "format = 'json'";
    }
    if (const Option* unit = FindOption(create_.options, "timestamp_unit")) PlanUnit(*unit);
    if (const Option* bad = FindOption(create_.options, "bad_records");
        bad != nullptr && bad->value != "dead_letter") {
      Complain(diagnostics_, "HR1133", "bad_records = '" + bad->value + "' is not supported",
               bad->value_span)
          .hint = "bad_records = 'dead_letter'";
    }
    if (const Option* partitions = FindOption(create_.options, "partitions")) {
      int count = std::atoi(partitions->value.c_str());
      if (count < 1 || count > kPartitionsMax) {
        Complain(diagnostics_, "HR1134", "partitions must be 1 to 1024", partitions->value_span);
      }
      plan_->partitions = count;
    }
    bool keyless = create_.partition_by.empty();
    if (plan_->partitions > 1 && keyless) {
      Complain(diagnostics_, "HR1135", "several partitions need PARTITION BY", create_.name.span);
    }
  }

  void PlanUnit(const Option& unit) {
    using enum schema::TimestampUnit;
    if (unit.value == "s") {
      plan_->json.timestamp_unit = kSeconds;
    } else if (unit.value == "ms") {
      plan_->json.timestamp_unit = kMilliseconds;
    } else if (unit.value == "us") {
      plan_->json.timestamp_unit = kMicroseconds;
    } else {
      Complain(diagnostics_, "HR1136", "timestamp_unit '" + unit.value + "' is unknown",
               unit.value_span)
          .hint = "timestamp_unit = 's', 'ms' or 'us'";
    }
  }

  const CreateRelation& create_;
  std::vector<Diagnostic>& diagnostics_;
  std::shared_ptr<flow::SourcePlan> plan_;
};

}  // namespace

std::shared_ptr<const flow::SourcePlan> Planner::PlanSource(const CreateRelation& create) {
  return SourcePlanner(create, diagnostics_).Run();
}

}  // namespace headrace::sql
