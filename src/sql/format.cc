#include "sql/format.h"

#include <utility>

#include "sql/format_expr.h"
#include "sql/format_select.h"
#include "sql/parser_cursor.h"

namespace headrace::sql {
namespace {

std::string NameList(const std::vector<Identifier>& names) {
  std::string text;
  for (const Identifier& name : names)
    text += (text.empty() ? "" : ", ") + FormatName(name.name);
  return "(" + text + ")";
}

std::string_view ObjectWord(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kStream:
      return "STREAM";
    case ObjectKind::kTable:
      return "TABLE";
    case ObjectKind::kView:
      return "MATERIALIZED VIEW";
    case ObjectKind::kPolicy:
      return "POLICY";
    case ObjectKind::kModel:
      return "MODEL";
    case ObjectKind::kTopic:
      return "TOPIC";
  }
  return "";
}

std::string WriteColumn(const ColumnDefinition& column) {
  std::string text = FormatName(column.name.name);
  if (column.type) text += " " + WriteType(*column.type);
  if (column.computed) {
    const std::string value = Format(*column.computed);
    text += column.type ? " AS (" + value + ")" : " AS " + value;
  }
  if (column.not_null) text += " NOT NULL";
  if (column.primary_key) text += " PRIMARY KEY";
  if (column.default_value) text += " DEFAULT " + Format(*column.default_value);
  for (const ExpressionPtr& check : column.checks)
    text += " CHECK (" + Format(*check) + ")";
  return text;
}

std::string WriteElements(const CreateRelation& create) {
  std::vector<std::string> elements;
  for (const ColumnDefinition& column : create.columns)
    elements.push_back(WriteColumn(column));
  for (const CheckDefinition& check : create.checks) {
    const std::string name =
        check.name.empty() ? "" : "CONSTRAINT " + FormatName(check.name.name) + " ";
    elements.push_back(name + "CHECK (" + Format(*check.condition) + ")");
  }
  if (!create.primary_key.empty()) {
    elements.push_back("PRIMARY KEY " + NameList(create.primary_key));
  }
  if (create.watermark) {
    std::string text = "WATERMARK FOR " + FormatName(create.watermark->column.name) + " AS " +
                       Format(*create.watermark->value);
    if (!create.watermark->options.empty()) text += " " + WriteOptions(create.watermark->options);
    elements.push_back(std::move(text));
  }
  std::string text = " (\n";
  for (size_t i = 0; i < elements.size(); ++i) {
    text += "  " + elements[i] + (i + 1 < elements.size() ? ",\n" : "\n");
  }
  return text + ")";
}

class StatementWriter {
 public:
  std::string operator()(const CreateRelation& create) const {
    std::string text = "CREATE ";
    if (create.or_replace) text += "OR REPLACE ";
    text += create.kind == RelationKind::kStream  ? "STREAM "
            : create.kind == RelationKind::kTable ? "TABLE "
                                                  : "MATERIALIZED VIEW ";
    if (create.if_not_exists) text += "IF NOT EXISTS ";
    text += FormatName(create.name.name);
    if (!create.columns.empty()) text += WriteElements(create);
    if (!create.partition_by.empty()) text += "\nPARTITION BY " + NameList(create.partition_by);
    if (create.deduplicate) {
      text += "\nDEDUPLICATE BY " + NameList(create.deduplicate->columns) + " WITHIN " +
              Format(*create.deduplicate->within);
    }
    if (!create.options.empty()) text += "\n" + WriteOptions(create.options);
    const bool own_line = create.query && text.find('\n') != std::string::npos;
    if (create.query) text += (own_line ? "\nAS\n" : " AS\n") + WriteSelect(*create.query, true);
    return text;
  }

  std::string operator()(const CreateModel& model) const {
    std::string text = "CREATE ";
    if (model.or_replace) text += "OR REPLACE ";
    text += "MODEL ";
    if (model.if_not_exists) text += "IF NOT EXISTS ";
    text += FormatName(model.name.name) + " ";
    if (model.remote) {
      return text + "INPUT (" + WriteModelColumns(model.remote->inputs) + ") OUTPUT (" +
             WriteModelColumns(model.remote->outputs) + ") " + WriteOptions(model.options);
    }
    if (model.train) return text + WriteTrain(*model.train, model.options);
    if (!model.learner) return text + WriteOptions(model.options) + Reasons(model.reasons);
    text += "LEARNER " + FormatName(model.learner->kind.name) + " (" +
            WriteModelColumns(model.learner->inputs) + ")";
    if (model.learner->label) text += " LABEL (" + WriteModelColumn(*model.learner->label) + ")";
    return model.options.empty() ? text : text + " " + WriteOptions(model.options);
  }

  std::string operator()(const CreatePolicy& policy) const {
    std::string text = "CREATE ";
    if (policy.or_replace) text += "OR REPLACE ";
    text += "POLICY ";
    if (policy.if_not_exists) text += "IF NOT EXISTS ";
    text += FormatName(policy.name.name) + " ARMS (";
    for (size_t i = 0; i < policy.arms.size(); ++i)
      text += (i == 0 ? "" : ", ") + Literal(policy.arms[i].text);
    text += ")";
    for (size_t i = 0; i < policy.context.size(); ++i)
      text += (i == 0 ? " CONTEXT (" : ", ") + WriteModelColumn(policy.context[i]);
    if (!policy.context.empty()) text += ")";
    return text + " " + WriteOptions(policy.options);
  }

  static std::string WriteTrain(const TrainClause& train, const std::vector<Option>& options) {
    std::string text = "TRAIN " + FormatName(train.algorithm.name) + " " +
                       NameList(train.features) + " LABEL " + FormatName(train.label.name) +
                       " ON " + FormatName(train.stream.name);
    if (!options.empty()) text += "\n  " + WriteOptions(options);
    text += "\n  WHEN ";
    if (train.every) text += "EVERY INTERVAL " + Literal(train.every->text);
    if (train.every && train.drift) text += " OR ";
    if (train.drift) {
      text += "drift(" + FormatName(train.drift_of.name) + ") > " + train.drift->text;
    }
    return text + "\n  INTO SHADOW OF " + FormatName(train.shadow_of.name);
  }

  static std::string Reasons(const std::vector<ReasonDefinition>& reasons) {
    if (reasons.empty()) return "";
    std::string text;
    for (const ReasonDefinition& reason : reasons) {
      text += (text.empty() ? "\nREASONS (\n  " : ",\n  ") + FormatName(reason.feature.name) + " " +
              Literal(reason.text);
    }
    return text + "\n)";
  }

  static std::string WriteModelColumns(const std::vector<ModelColumn>& columns) {
    std::string text;
    for (const ModelColumn& column : columns)
      text += (text.empty() ? "" : ", ") + WriteModelColumn(column);
    return text;
  }

  static std::string WriteModelColumn(const ModelColumn& column) {
    return FormatName(column.name.name) + " " + WriteType(column.type);
  }

  static std::string Literal(std::string_view text) {
    std::string literal = "'";
    for (char c : text)
      literal += c == '\'' ? "''" : std::string(1, c);
    return literal + "'";
  }

  static std::string Because(const std::string& reason) {
    return reason.empty() ? "" : " BECAUSE " + Literal(reason);
  }

  std::string operator()(const AlterModel& alter) const {
    const std::string text = "ALTER MODEL " + FormatName(alter.model.name) + " ";
    const std::string version = "VERSION " + std::to_string(alter.version);
    switch (alter.action) {
      case ModelAction::kAddVersion:
        return text + "ADD VERSION " + WriteOptions(alter.options) + Reasons(alter.reasons);
      case ModelAction::kActivate:
        return text + "ACTIVATE " + version + Because(alter.reason);
      case ModelAction::kRollback:
        return text + "ROLLBACK" + Because(alter.reason);
      case ModelAction::kShadow:
        return text + "SHADOW " + version;
      case ModelAction::kCanary:
        return text + "CANARY " + std::to_string(alter.percent) + " PERCENT" +
               (alter.version == 0 ? "" : " " + version) +
               (alter.options.empty() ? "" : " " + WriteOptions(alter.options));
      case ModelAction::kRetire:
        return text + "RETIRE " + version;
    }
    return text;
  }

  std::string operator()(const Drop& drop) const {
    return "DROP " + std::string(ObjectWord(drop.kind)) + (drop.if_exists ? " IF EXISTS " : " ") +
           FormatName(drop.name.name) + (drop.cascade ? " CASCADE" : "");
  }

  std::string operator()(const Insert& insert) const {
    std::string text = "INSERT INTO " + FormatName(insert.target.name);
    if (!insert.columns.empty()) text += " " + NameList(insert.columns);
    text += insert.rows.size() > 1 ? "\nVALUES " : " VALUES ";
    for (size_t i = 0; i < insert.rows.size(); ++i) {
      if (i > 0) text += ",\n       ";
      std::string row;
      for (const ExpressionPtr& value : insert.rows[i]) {
        row += (row.empty() ? "" : ", ") + Format(*value);
      }
      text += "(" + row + ")";
    }
    return text;
  }

  std::string operator()(const SelectPtr& select) const { return WriteSelect(*select, true); }

  std::string operator()(const Show& show) const {
    if (show.kind == ObjectKind::kView) return "SHOW VIEWS";
    if (show.kind == ObjectKind::kPolicy) return "SHOW POLICIES";
    return "SHOW " + std::string(ObjectWord(show.kind)) + "S";
  }

  std::string operator()(const Explain& explain) const {
    return std::string("EXPLAIN ") +
           (explain.analyze ? "ANALYZE "
            : explain.diff  ? "DIFF "
                            : "") +
           std::visit(*this, explain.statement->body);
  }

  std::string operator()(const Describe& describe) const {
    return "DESCRIBE " + FormatName(describe.name.name);
  }
};

// With the comments in front of the semicolon, which a line comment would otherwise swallow.
std::string AsWritten(const Statement& statement, std::string_view text) {
  const SourceSpan& span = statement.span;
  std::string written(text.substr(span.begin, span.end - span.begin));
  std::string_view tail = text.substr(span.end, statement.source_end - span.end);
  while (!tail.empty() && (tail.back() == ' ' || (tail.back() >= '\t' && tail.back() <= '\r'))) {
    tail.remove_suffix(1);
  }
  return tail.empty() ? written : written + std::string(tail) + "\n";
}

}  // namespace

std::string Format(const Statement& statement) {
  std::string text;
  for (const std::string& comment : statement.comments)
    text += comment + "\n";
  return text + std::visit(StatementWriter(), statement.body);
}

std::string FormatScript(const ParseResult& script, std::string_view text) {
  std::string out;
  for (const Statement& statement : script.statements) {
    if (!out.empty()) out += "\n";
    if (statement.inner_comments) {
      for (const std::string& comment : statement.comments)
        out += comment + "\n";
      out += AsWritten(statement, text);
    } else {
      out += Format(statement);
    }
    out += ";";
    for (const std::string& comment : statement.trailing_comments)
      out += "  " + comment;
    out += "\n";
  }
  if (!out.empty() && !script.comments.empty()) out += "\n";
  for (const std::string& comment : script.comments)
    out += comment + "\n";
  return out;
}

}  // namespace headrace::sql
