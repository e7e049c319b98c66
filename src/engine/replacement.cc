#include "engine/replacement.h"

#include <algorithm>
#include <vector>

#include "sql/format.h"
#include "sql/parser.h"

namespace headrace::engine {
namespace {

// The columns of its input that a statement reads, as indices into its input_schema.
std::vector<int> ColumnsRead(const flow::StatementPlan& plan) {
  std::vector<int> slots;
  if (plan.select) {
    slots = plan.select->copied_columns;
    if (plan.select->where) plan.select->where->CollectSlots(slots);
  } else {
    if (plan.window->where) plan.window->where->CollectSlots(slots);
    for (const flow::Evaluation& evaluation : plan.window->evaluations)
      evaluation.expression->CollectSlots(slots);
    slots.insert(slots.end(), plan.window->table.key_slots.begin(),
                 plan.window->table.key_slots.end());
    for (const state::GroupAggregate& aggregate : plan.window->table.aggregates) {
      slots.push_back(aggregate.argument_slot);
      slots.push_back(aggregate.filter_slot);
    }
  }
  auto columns = static_cast<int>(plan.input_schema.columns.size());
  std::erase_if(slots, [&](int slot) { return slot < 0 || slot >= columns; });
  return slots;
}

bool ReadsItself(const Deployment& deployment, const std::string& name,
                 const flow::StatementPlan& next) {
  // What is read through revisions that were replaced is the past: only the newest count.
  const Deployed* input = deployment.Find(next.input());
  for (; input != nullptr && input->statement; input = deployment.Find(input->statement->input())) {
    if (input->name == name) return true;
  }
  return false;
}

std::vector<std::string> KeyNames(const flow::StatementPlan& plan) {
  std::vector<std::string> names;
  for (int column : plan.view_key)
    names.push_back(plan.schema.columns[static_cast<size_t>(column)].name);
  return names;
}

std::optional<std::string> TypeChange(const Deployed& known, const flow::StatementPlan& next) {
  for (const StatementPtr& revision : known.revisions()) {
    for (const row::Column& before : revision->schema.columns) {
      int at = next.schema.Find(before.name);
      if (at < 0) continue;
      row::Type now = next.schema.columns[static_cast<size_t>(at)].type;
      if (now == before.type) continue;
      return "column `" + before.name + "` is " + row::ToString(before.type) + ", not " +
             row::ToString(now) + "; give the new one another name";
    }
  }
  return {};
}

std::optional<std::string> MissedByReader(const Deployment& deployment, const Deployed& known,
                                          const flow::StatementPlan& next) {
  for (const Deployed& reader : deployment.items) {
    if (!reader.statement || reader.statement->input() != known.name) continue;
    for (int column : ColumnsRead(*reader.statement)) {
      const std::string& name =
          reader.statement->input_schema.columns[static_cast<size_t>(column)].name;
      if (next.schema.Find(name) < 0) {
        return "`" + reader.name + "` reads its column `" + name + "`";
      }
    }
  }
  return {};
}

// The text of a CREATE without what only says how it is to be applied.
std::string Canonical(std::string_view text) {
  sql::ParseResult parsed = sql::Parse(text, 0);
  if (!parsed.errors.empty() || parsed.statements.size() != 1) return std::string(text);
  sql::Statement& statement = parsed.statements.front();
  if (auto* relation = std::get_if<sql::CreateRelation>(&statement.body)) {
    relation->or_replace = false;
    relation->if_not_exists = false;
  }
  if (auto* model = std::get_if<sql::CreateModel>(&statement.body)) {
    model->or_replace = false;
    model->if_not_exists = false;
  }
  if (auto* policy = std::get_if<sql::CreatePolicy>(&statement.body)) {
    policy->or_replace = false;
    policy->if_not_exists = false;
  }
  statement.comments.clear();
  statement.trailing_comments.clear();
  return sql::Format(statement);
}

}  // namespace

bool SameDefinition(std::string_view one, std::string_view other) {
  return one == other || Canonical(one) == Canonical(other);
}

std::optional<std::string> ReasonAgainst(const Deployment& deployment, const Deployed& known,
                                         const flow::StatementPlan& next) {
  if (known.statement->view != next.view) {
    return known.statement->view ? "it is a materialized view" : "it is a stream";
  }
  if (known.statement->select.has_value() != next.select.has_value()) {
    return "a statement with windows of time and one without are told apart";
  }
  if (known.statement->side_output != next.side_output) {
    return "a side output stays as it is: " + (known.statement->side_output.empty()
                                                   ? "it has none"
                                                   : "`" + known.statement->side_output + "`");
  }
  if (known.statement->on_watermark != next.on_watermark) {
    return "EMIT ON WATERMARK cannot come or go: rows would be missed or emitted twice";
  }
  if (next.on_watermark && known.statement->lateness != next.lateness) {
    return "with EMIT ON WATERMARK the ALLOWED LATENESS stays: rows would be missed or emitted "
           "twice";
  }
  if (ReadsItself(deployment, known.name, next)) return "it would read itself";
  const Deployed* input = deployment.Find(next.input());
  if (next.keeps_partitions() && input->partitions != known.partitions) {
    return "it has " + std::to_string(known.partitions) + " partitions, its input would have " +
           std::to_string(input->partitions);
  }
  if (next.view && KeyNames(*known.statement) != KeyNames(next)) {
    return "the view is kept by other columns";
  }
  if (auto change = TypeChange(known, next)) return change;
  return MissedByReader(deployment, known, next);
}

}  // namespace headrace::engine
