#include <utility>

#include "sql/parser_option.h"
#include "sql/parser_statement.h"
#include "sql/parser_type.h"

namespace headrace::sql {

bool StatementParser::ParseIfNotExists(bool& out) {
  if (!cursor_.AtWord("if") || !cursor_.AtWord("not", 1)) return true;
  cursor_.Take();
  cursor_.Take();
  out = true;
  return cursor_.ExpectWord("exists");
}

bool StatementParser::ParseCreateModel(CreateModel& out) {
  if (!ParseIfNotExists(out.if_not_exists)) return false;
  if (!cursor_.ExpectName("the name of the model", out.name)) return false;
  if (cursor_.AcceptWord("learner")) {
    if (!ParseLearner(out.learner.emplace())) return false;
    return !cursor_.AcceptWord("with") || ParseOptions(cursor_, out.options);
  }
  if (cursor_.AcceptWord("input")) {
    return ParseRemote(out.remote.emplace()) && cursor_.ExpectWord("with") &&
           ParseOptions(cursor_, out.options);
  }
  if (cursor_.AcceptWord("train")) return ParseTrain(out);
  return cursor_.ExpectWord("with") && ParseOptions(cursor_, out.options) &&
         ParseReasons(out.reasons);
}

bool StatementParser::ParseCreatePolicy(CreatePolicy& out) {
  if (!ParseIfNotExists(out.if_not_exists)) return false;
  if (!cursor_.ExpectName("the name of the policy", out.name)) return false;
  if (!cursor_.ExpectWord("arms")) return false;
  const SourceSpan open = cursor_.Peek().span;
  if (!cursor_.ExpectSymbol("(")) return false;
  do {
    if (!cursor_.CheckCount(out.arms.size(), "arms")) return false;
    if (cursor_.Peek().kind != TokenKind::kString) return cursor_.Fail("an arm as a text");
    const SourceSpan span = cursor_.Peek().span;
    out.arms.push_back({cursor_.Take().text, span});
  } while (cursor_.AcceptSymbol(","));
  if (!cursor_.ExpectClose(open)) return false;
  if (cursor_.AcceptWord("context")) {
    const SourceSpan context = cursor_.Peek().span;
    if (!cursor_.ExpectSymbol("(")) return false;
    do {
      if (!cursor_.CheckCount(out.context.size(), "columns")) return false;
      if (!ParseModelColumn(out.context.emplace_back())) return false;
    } while (cursor_.AcceptSymbol(","));
    if (!cursor_.ExpectClose(context)) return false;
  }
  return cursor_.ExpectWord("with") && ParseOptions(cursor_, out.options);
}

// [REASONS (feature 'text', ...)].
bool StatementParser::ParseReasons(std::vector<ReasonDefinition>& out) {
  if (!cursor_.AcceptWord("reasons")) return true;
  const SourceSpan open = cursor_.Peek().span;
  if (!cursor_.ExpectSymbol("(")) return false;
  do {
    ReasonDefinition reason;
    if (!cursor_.ExpectName("a feature of the model", reason.feature)) return false;
    if (cursor_.Peek().kind != TokenKind::kString) return cursor_.Fail("the reason as a text");
    reason.text = cursor_.Take().text;
    out.push_back(std::move(reason));
  } while (cursor_.AcceptSymbol(","));
  return cursor_.ExpectClose(open);
}

bool StatementParser::ParseLearner(LearnerClause& out) {
  if (!cursor_.ExpectName("the name of a learner", out.kind)) return false;
  if (!ParseModelColumns("inputs", out.inputs)) return false;
  if (!cursor_.AcceptWord("label")) return true;
  const SourceSpan label = cursor_.Peek().span;
  return cursor_.ExpectSymbol("(") && ParseModelColumn(out.label.emplace()) &&
         cursor_.ExpectClose(label);
}

// Behind INPUT.
bool StatementParser::ParseRemote(RemoteClause& out) {
  return ParseModelColumns("inputs", out.inputs) && cursor_.ExpectWord("output") &&
         ParseModelColumns("outputs", out.outputs);
}

bool StatementParser::ParseModelColumns(std::string_view what, std::vector<ModelColumn>& out) {
  const SourceSpan open = cursor_.Peek().span;
  if (!cursor_.ExpectSymbol("(")) return false;
  do {
    if (!cursor_.CheckCount(out.size(), what)) return false;
    if (!ParseModelColumn(out.emplace_back())) return false;
  } while (cursor_.AcceptSymbol(","));
  return cursor_.ExpectClose(open);
}

bool StatementParser::ParseModelColumn(ModelColumn& out) {
  return cursor_.ExpectName("the name of a column", out.name) && ParseTypeName(cursor_, out.type);
}

bool StatementParser::ParseRelation(CreateRelation& out) {
  if (!ParseIfNotExists(out.if_not_exists)) return false;
  const std::string_view what = out.kind == RelationKind::kStream  ? "the name of the stream"
                                : out.kind == RelationKind::kTable ? "the name of the table"
                                                                   : "the name of the view";
  if (!cursor_.ExpectName(what, out.name)) return false;
  if (cursor_.AtSymbol("(") && !ParseElements(out)) return false;
  if (!ParseRelationClauses(out)) return false;
  if (cursor_.AcceptWord("as")) {
    out.query = selects_.Parse();
    if (!out.query) return false;
  } else if (out.columns.empty()) {
    return cursor_.Fail(out.kind == RelationKind::kView ? "`AS SELECT ...`"
                                                        : "`(` with columns, or `AS SELECT ...`");
  }
  return CheckRelation(out);
}

bool StatementParser::CheckRelation(const CreateRelation& create) {
  if (create.query && !create.columns.empty()) {
    return cursor_.FailAt(create.columns.front().span, "HR1014",
                          "the columns of a query come from its SELECT list",
                          "remove the list of columns, or remove AS SELECT ...");
  }
  if (create.kind == RelationKind::kView && !create.query) {
    return cursor_.FailAt(create.name.span, "HR1014", "a materialized view needs a query",
                          "write CREATE MATERIALIZED VIEW name AS SELECT ...");
  }
  if (create.query && create.deduplicate) {
    return cursor_.FailAt(create.deduplicate->span, "HR1014",
                          "DEDUPLICATE BY belongs to a stream with columns",
                          "put it on the stream that the query reads");
  }
  return true;
}

bool StatementParser::ParseElements(CreateRelation& out) {
  const SourceSpan open = cursor_.Take().span;
  do {
    if (cursor_.AtSymbol(")") && !out.columns.empty()) {
      return cursor_.FailAt(cursor_.Peek().span, "HR1001", "expected a column, found `)`",
                            "remove the comma in front of it");
    }
    if (!ParseElement(out)) return false;
  } while (cursor_.AcceptSymbol(","));
  if (!cursor_.ExpectClose(open)) return false;
  if (!out.columns.empty()) return true;
  return cursor_.FailAt(cursor_.SpanFrom(open), "HR1014", "the list has no column",
                        "declare at least one column: name TYPE");
}

bool StatementParser::ParseElement(CreateRelation& out) {
  if (cursor_.AtWord("watermark") && cursor_.AtWord("for", 1)) return ParseWatermark(out);
  if (cursor_.AcceptWord("constraint")) {
    Identifier name;
    if (!cursor_.ExpectName("the name of the constraint", name)) return false;
    return ParseTableCheck(out, std::move(name));
  }
  if (cursor_.AtWord("check")) return ParseTableCheck(out, {});
  const SourceSpan place = cursor_.Peek().span;
  if (cursor_.AcceptWord("primary")) {
    if (!out.primary_key.empty()) return cursor_.FailTwice(place, "PRIMARY KEY");
    if (!cursor_.ExpectWord("key")) return false;
    return cursor_.ExpectNameList("a column", out.primary_key);
  }
  if (cursor_.AtWord("unique")) {
    return cursor_.Refuse(place, "UNIQUE is not supported",
                          "use DEDUPLICATE BY (columns) WITHIN INTERVAL '...'");
  }
  ColumnDefinition column;
  if (!cursor_.CheckCount(out.columns.size(), "columns") || !ParseColumn(column)) return false;
  for (const ColumnDefinition& other : out.columns) {
    if (other.name.name != column.name.name) continue;
    return cursor_.FailTwice(column.name.span, "the column `" + column.name.name + "`");
  }
  out.columns.push_back(std::move(column));
  return true;
}

bool StatementParser::ParseWatermark(CreateRelation& out) {
  WatermarkDefinition watermark;
  watermark.span = cursor_.Peek().span;
  if (out.watermark) return cursor_.FailTwice(watermark.span, "WATERMARK");
  cursor_.Take();
  cursor_.Take();
  if (!cursor_.ExpectName("the event-time column", watermark.column)) return false;
  if (!cursor_.ExpectWord("as")) return false;
  watermark.value = expressions_.Parse();
  if (!watermark.value) return false;
  if (cursor_.AcceptWord("with") && !ParseOptions(cursor_, watermark.options)) return false;
  watermark.span = cursor_.SpanFrom(watermark.span);
  out.watermark = std::move(watermark);
  return true;
}

bool StatementParser::ParseTableCheck(CreateRelation& out, Identifier name) {
  CheckDefinition check;
  check.name = std::move(name);
  if (!cursor_.ExpectWord("check") || !ParseParenthesized(check.condition)) return false;
  out.checks.push_back(std::move(check));
  return true;
}

bool StatementParser::ParseParenthesized(ExpressionPtr& out) {
  const SourceSpan open = cursor_.Peek().span;
  if (!cursor_.ExpectSymbol("(")) return false;
  out = expressions_.Parse();
  return out && cursor_.ExpectClose(open);
}

bool StatementParser::ParseColumn(ColumnDefinition& out) {
  out.span = cursor_.Peek().span;
  if (!cursor_.ExpectName("the name of a column", out.name)) return false;
  if (cursor_.AcceptWord("as")) {
    out.computed = expressions_.Parse();
    if (!out.computed) return false;
  } else {
    out.type.emplace();
    if (!ParseTypeName(cursor_, *out.type)) return false;
  }
  if (!ParseColumnConstraints(out)) return false;
  out.span = cursor_.SpanFrom(out.span);
  return true;
}

bool StatementParser::ParseColumnConstraints(ColumnDefinition& out) {
  while (true) {
    const SourceSpan place = cursor_.Peek().span;
    if (cursor_.AcceptWord("not")) {
      if (!cursor_.ExpectWord("null")) return false;
      out.not_null = true;
    } else if (cursor_.AcceptWord("null")) {
      // The default, said.
    } else if (cursor_.AcceptWord("primary")) {
      if (!cursor_.ExpectWord("key")) return false;
      out.primary_key = true;
    } else if (cursor_.AcceptWord("check")) {
      ExpressionPtr check;
      if (!ParseParenthesized(check)) return false;
      out.checks.push_back(std::move(check));
    } else if (cursor_.AcceptWord("default")) {
      if (out.default_value) return cursor_.FailTwice(place, "DEFAULT");
      out.default_value = expressions_.Parse();
      if (!out.default_value) return false;
    } else if (cursor_.AtWord("as") || cursor_.AtWord("generated")) {
      if (out.computed) return cursor_.FailTwice(place, "the value of the column");
      if (!ParseGenerated(out)) return false;
    } else {
      return true;
    }
  }
}

// AS (e) [STORED] or GENERATED ALWAYS AS (e) STORED.
bool StatementParser::ParseGenerated(ColumnDefinition& out) {
  if (cursor_.AcceptWord("generated") && !cursor_.ExpectWord("always")) return false;
  if (!cursor_.ExpectWord("as")) return false;
  if (!ParseParenthesized(out.computed)) return false;
  if (!cursor_.AcceptWord("stored")) cursor_.AcceptWord("virtual");
  return true;
}

bool StatementParser::ParseRelationClauses(CreateRelation& out) {
  bool any = true;
  while (any) {
    any = false;
    if (!ParsePartitioning(out, any)) return false;
    const SourceSpan place = cursor_.Peek().span;
    if (!cursor_.AcceptWord("with")) continue;
    any = true;
    if (!out.options.empty()) return cursor_.FailTwice(place, "WITH");
    if (!ParseOptions(cursor_, out.options)) return false;
  }
  return true;
}

bool StatementParser::ParsePartitioning(CreateRelation& out, bool& any) {
  const SourceSpan place = cursor_.Peek().span;
  if (cursor_.AcceptWord("partition") || cursor_.AcceptWord("partitioned")) {
    any = true;
    if (!out.partition_by.empty()) return cursor_.FailTwice(place, "PARTITION BY");
    if (!cursor_.ExpectWord("by")) return false;
    return ParseColumns(out.partition_by);
  }
  if (cursor_.AcceptWord("deduplicate")) {
    any = true;
    if (out.deduplicate) return cursor_.FailTwice(place, "DEDUPLICATE BY");
    return ParseDeduplicate(out);
  }
  return true;
}

// (a, b), or the same without parentheses.
bool StatementParser::ParseColumns(std::vector<Identifier>& out) {
  if (cursor_.AtSymbol("(")) return cursor_.ExpectNameList("a column", out);
  do {
    Identifier column;
    if (!cursor_.ExpectName("a column", column)) return false;
    out.push_back(std::move(column));
  } while (cursor_.AcceptSymbol(","));
  return true;
}

bool StatementParser::ParseDeduplicate(CreateRelation& out) {
  DeduplicateClause clause;
  clause.span = cursor_.Peek().span;
  if (!cursor_.ExpectWord("by") || !ParseColumns(clause.columns)) return false;
  if (!cursor_.ExpectWord("within")) return false;
  clause.within = expressions_.Parse();
  if (!clause.within) return false;
  clause.span = cursor_.SpanFrom(clause.span);
  out.deduplicate = std::move(clause);
  return true;
}

}  // namespace headrace::sql
