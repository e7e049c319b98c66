// From the text of a query to its result: parsing, planning, and the statements that only look.

#include "engine/deployer.h"
#include "engine/lookup.h"
#include "engine/query.h"
#include "sql/parser.h"
#include "sql/plan_support.h"
#include "sql/planner.h"

namespace headrace::engine {
namespace {

Error FirstOf(const std::vector<sql::Diagnostic>& diagnostics) {
  const sql::Diagnostic& first = diagnostics.front();
  return Error(ErrorKind::kInvalidArgument, first.code, first.message)
      .AtPlace(std::to_string(first.span.line) + ":" + std::to_string(first.span.column))
      .WithHint(sql::FullHint(first));
}

// A result of text columns.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> columns) {
    result_.arena = std::make_shared<base::Arena>();
    for (std::string& name : columns) {
      result_.columns.columns.push_back({std::move(name), {row::TypeKind::kText, 0, 0}, true});
    }
  }
  void Add(const std::vector<std::string>& cells) {
    auto& row = result_.rows.emplace_back();
    for (const std::string& cell : cells) {
      row.push_back(row::Value::Text(result_.arena->Copy(cell)));
    }
  }
  QueryResult Take() { return std::move(result_); }

 private:
  QueryResult result_;
};

// A row for each version; `decides_from` has the LSNs at which it was made the one that decides.
QueryResult ShowModels(const Deployment& deployment) {
  TextTable table({"name", "version", "role", "format", "sha256", "decides_from"});
  for (const Deployed& item : deployment.items) {
    if (item.learner) table.Add({item.name, "", "learns", item.learner->spec.kind, "", ""});
    if (item.remote) table.Add({item.name, "", "remote", "open-inference-v2", "", ""});
    if (item.trainer) table.Add({item.name, "", "trains " + item.trainer->shadow_of, "", "", ""});
    if (!item.models) continue;
    const catalog::Object* object = deployment.catalog.Find(item.name);
    for (size_t i = 0; i < item.models->versions.size(); ++i) {
      const model::ModelInfo& info = item.models->versions[i]->info();
      std::string from;
      for (const auto& activation : item.models->activations) {
        if (activation.version != static_cast<int32_t>(i) + 1) continue;
        from += (from.empty() ? "" : " ") + std::to_string(activation.from_lsn);
      }
      table.Add({item.name, std::to_string(i + 1), std::string(object->RoleOf(object->versions[i])),
                 std::string(model::ToString(info.format)), info.sha256, from});
    }
  }
  return table.Take();
}

QueryResult ShowPolicies(const Deployment& deployment) {
  TextTable table({"name", "type", "arms", "context"});
  for (const Deployed& item : deployment.items) {
    if (!item.policy) continue;
    std::string arms;
    for (const std::string& arm : item.policy->arms)
      arms += (arms.empty() ? "" : ", ") + arm;
    std::string context;
    for (const row::Column& column : item.policy->context)
      context += (context.empty() ? "" : ", ") + column.name;
    table.Add({item.name, item.policy->spec.type, arms, context});
  }
  return table.Take();
}

QueryResult ShowObjects(sql::ObjectKind kind, const Deployment& deployment) {
  if (kind == sql::ObjectKind::kModel) return ShowModels(deployment);
  if (kind == sql::ObjectKind::kPolicy) return ShowPolicies(deployment);
  TextTable table({"name", "kind"});
  for (const Deployed& item : deployment.items) {
    bool view = item.statement && item.statement->view;
    if (item.is_model() || view != (kind == sql::ObjectKind::kView)) continue;
    const char* word = view ? "view" : item.dead_of.empty() ? "stream" : "dead letters";
    table.Add({item.name, word});
  }
  return table.Take();
}

Result<QueryResult> DescribeObject(const sql::Identifier& name, const Deployment& deployment) {
  const Deployed* item = deployment.Find(name.name);
  if (item == nullptr && name.name == kModelHealth) {
    TextTable table({"column", "type"});
    for (const row::Column& column : ModelHealthSchema().columns)
      table.Add({column.name, row::ToString(column.type)});
    return table.Take();
  }
  if (item == nullptr) {
    return Error(ErrorKind::kInvalidArgument, "HR1105", "unknown name `" + name.name + "`")
        .AtPlace(std::to_string(name.span.line) + ":" + std::to_string(name.span.column));
  }
  TextTable table({"column", "type"});
  if (item->learner) {
    for (const row::Column& input : item->learner->inputs)
      table.Add({input.name, row::ToString(input.type)});
    if (item->learner->labelled())
      table.Add({item->learner->label.name, row::ToString(item->learner->label.type)});
    return table.Take();
  }
  if (item->remote) {
    for (const std::vector<row::Column>* columns :
         {&item->remote->inputs, &item->remote->outputs}) {
      for (const row::Column& column : *columns)
        table.Add({column.name, row::ToString(column.type)});
    }
    return table.Take();
  }
  if (item->trainer) {
    for (const std::string& feature : item->trainer->features)
      table.Add({feature, "double precision"});
    table.Add({item->trainer->label, "double precision"});
    return table.Take();
  }
  if (item->policy) {
    for (const row::Column& column : item->policy->context)
      table.Add({column.name, row::ToString(column.type)});
    return table.Take();
  }
  if (item->models) {
    const model::ModelInfo& info = item->models->versions.back()->info();
    for (size_t f = 0; f < info.features.size(); ++f) {
      const bool text = info.exact_categories && !info.categories[f].empty();
      table.Add({info.features[f], text ? "text" : "double precision"});
    }
    return table.Take();
  }
  for (const row::Column& column : deployment.SchemaOf(*item).columns) {
    table.Add({column.name, row::ToString(column.type)});
  }
  return table.Take();
}

}  // namespace

Result<QueryResult> RunQuery(std::string_view text, const log::Log& log,
                             const Deployment& deployment) {
  sql::SourceMap sources;
  int file = sources.Add("query", std::string(text));
  sql::ParseResult parsed = sql::Parse(sources.text(file), file);
  if (!parsed.errors.empty()) return FirstOf(parsed.errors);
  if (parsed.statements.size() != 1) {
    return Error(ErrorKind::kInvalidArgument, "HR1152", "one statement at a time, please")
        .AtPlace("1:1");
  }
  const sql::StatementBody& body = parsed.statements[0].body;
  if (const auto* show = std::get_if<sql::Show>(&body)) return ShowObjects(show->kind, deployment);
  if (const auto* describe = std::get_if<sql::Describe>(&body)) {
    return DescribeObject(describe->name, deployment);
  }
  const auto* select = std::get_if<sql::SelectPtr>(&body);
  if (select == nullptr) {
    return Error(ErrorKind::kInvalidArgument, "HR1153", "this statement is not a query")
        .AtPlace("1:1")
        .WithHint("SELECT, SHOW and DESCRIBE are");
  }
  std::vector<sql::Diagnostic> diagnostics;
  DeploymentLookup lookup(deployment);
  sql::Planner planner(lookup, sources, diagnostics);
  std::shared_ptr<const sql::QueryPlan> plan = planner.PlanQuery(**select);
  if (!plan) return FirstOf(diagnostics);
  return RunPlan(*plan, log, deployment);
}

}  // namespace headrace::engine
