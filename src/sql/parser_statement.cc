#include "sql/parser_statement.h"

#include <utility>

#include "sql/parser_option.h"

namespace headrace::sql {
namespace {

constexpr int kMaxVersion = 1'000'000;
constexpr int kMaxPercent = 100;
constexpr std::string_view kBegin =
    "a statement: CREATE, DROP, ALTER, INSERT, SELECT, SHOW, EXPLAIN or DESCRIBE";

}  // namespace

bool StatementParser::Parse(Statement& out) {
  out.span = cursor_.Peek().span;
  if (!ParseBody(out)) return false;
  out.span = cursor_.SpanFrom(out.span);
  return cursor_.AtEnd() || cursor_.Fail("the end of the statement");
}

bool StatementParser::ParseBody(Statement& out) {
  if (cursor_.AtWord("create")) return ParseCreate(out);
  if (cursor_.AtWord("select") || cursor_.AtSymbol("(")) {
    SelectPtr select = selects_.Parse();
    if (!select) return false;
    out.body = std::move(select);
    return true;
  }
  if (cursor_.AtWord("drop")) return ParseDrop(out);
  if (cursor_.AtWord("alter")) return ParseAlterModel(out);
  if (cursor_.AtWord("insert")) return ParseInsert(out);
  if (cursor_.AtWord("show")) return ParseShow(out);
  if (cursor_.AtWord("explain")) return ParseExplain(out);
  if (cursor_.AtWord("describe") || cursor_.AtWord("desc")) return ParseDescribe(out);
  return RefuseStatement();
}

bool StatementParser::RefuseStatement() {
  const Token& token = cursor_.Peek();
  struct Known {
    std::string_view word;
    std::string_view hint;
  };
  constexpr Known kKnown[] = {
      {"with", "give the inner query a name with CREATE STREAM name AS SELECT ..."},
      {"values", "write SELECT, or INSERT INTO stream VALUES (...)"},
      {"update", "events are never changed; send a new one"},
      {"delete", "events are never changed; a stream goes away with DROP STREAM"},
      {"truncate", "a stream goes away with DROP STREAM"},
      {"set", "settings are options: WITH (name = value), or flags of the command"},
      {"begin", "each statement takes effect by itself"},
      {"commit", "each statement takes effect by itself"},
      {"rollback", "each statement takes effect by itself"},
  };
  for (const Known& known : kKnown) {
    if (token.kind != TokenKind::kWord || token.text != known.word) continue;
    return cursor_.Refuse(token.span, cursor_.Describe(token) + " is not a statement here",
                          std::string(known.hint));
  }
  return cursor_.Fail(kBegin);
}

bool StatementParser::ParseCreate(Statement& out) {
  cursor_.Take();
  bool replace = false;
  if (cursor_.AcceptWord("or")) {
    if (!cursor_.ExpectWord("replace")) return false;
    replace = true;
  }
  if (cursor_.AcceptWord("model")) {
    CreateModel model;
    model.or_replace = replace;
    if (!ParseCreateModel(model)) return false;
    out.body = std::move(model);
    return true;
  }
  if (cursor_.AcceptWord("policy")) {
    CreatePolicy policy;
    policy.or_replace = replace;
    if (!ParseCreatePolicy(policy)) return false;
    out.body = std::move(policy);
    return true;
  }
  CreateRelation create;
  create.or_replace = replace;
  const Token& token = cursor_.Peek();
  if (cursor_.AcceptWord("stream")) {
    create.kind = RelationKind::kStream;
  } else if (cursor_.AcceptWord("table")) {
    create.kind = RelationKind::kTable;
  } else if (cursor_.AcceptWord("materialized")) {
    if (!cursor_.ExpectWord("view")) return false;
    create.kind = RelationKind::kView;
  } else if (cursor_.AtWord("view")) {
    return cursor_.Refuse(token.span, "a view without MATERIALIZED is not supported",
                          "write CREATE MATERIALIZED VIEW, or CREATE STREAM name AS SELECT ...");
  } else if (cursor_.AtWord("source") || cursor_.AtWord("sink")) {
    return cursor_.Refuse(token.span, "CREATE SOURCE and CREATE SINK are not supported",
                          "declare the stream with CREATE STREAM name (...) WITH (topic = '...')");
  } else {
    return cursor_.Fail("`STREAM`, `TABLE`, `MATERIALIZED VIEW`, `MODEL` or `POLICY`");
  }
  if (!ParseRelation(create)) return false;
  out.body = std::move(create);
  return true;
}

bool StatementParser::ParseObjectKind(ObjectKind& out) {
  if (cursor_.AcceptWord("stream")) {
    out = ObjectKind::kStream;
  } else if (cursor_.AcceptWord("table")) {
    out = ObjectKind::kTable;
  } else if (cursor_.AcceptWord("model")) {
    out = ObjectKind::kModel;
  } else if (cursor_.AcceptWord("policy")) {
    out = ObjectKind::kPolicy;
  } else if (cursor_.AcceptWord("materialized")) {
    out = ObjectKind::kView;
    return cursor_.ExpectWord("view");
  } else if (cursor_.AcceptWord("view")) {
    out = ObjectKind::kView;
  } else {
    return cursor_.Fail("`STREAM`, `TABLE`, `MATERIALIZED VIEW`, `MODEL` or `POLICY`");
  }
  return true;
}

bool StatementParser::ParseDrop(Statement& out) {
  cursor_.Take();
  Drop drop;
  if (cursor_.AcceptWord("topic")) {
    drop.kind = ObjectKind::kTopic;
  } else if (!ParseObjectKind(drop.kind)) {
    return false;
  }
  if (cursor_.AtWord("if") && cursor_.AtWord("exists", 1)) {
    cursor_.Take();
    cursor_.Take();
    drop.if_exists = true;
  }
  if (!cursor_.ExpectName("the name to drop", drop.name)) return false;
  drop.cascade = cursor_.AcceptWord("cascade");
  if (!drop.cascade) cursor_.AcceptWord("restrict");
  out.body = std::move(drop);
  return true;
}

bool StatementParser::ParseAlterModel(Statement& out) {
  cursor_.Take();
  AlterModel alter;
  if (cursor_.AtWord("stream") || cursor_.AtWord("table") || cursor_.AtWord("materialized")) {
    return cursor_.Refuse(cursor_.Peek().span, "only models can be altered",
                          "write CREATE OR REPLACE with the new definition");
  }
  if (!cursor_.ExpectWord("model")) return false;
  if (!cursor_.ExpectName("the name of a model", alter.model)) return false;
  if (!ParseModelAction(alter)) return false;
  out.body = std::move(alter);
  return true;
}

bool StatementParser::ParseModelAction(AlterModel& out) {
  if (cursor_.AcceptWord("add")) {
    out.action = ModelAction::kAddVersion;
    return cursor_.ExpectWord("version") && cursor_.ExpectWord("with") &&
           ParseOptions(cursor_, out.options) && ParseReasons(out.reasons);
  }
  if (cursor_.AcceptWord("canary")) {
    out.action = ModelAction::kCanary;
    if (!ParseCanary(out)) return false;
    return !cursor_.AcceptWord("with") || ParseOptions(cursor_, out.options);
  }
  if (cursor_.AcceptWord("rollback")) {
    out.action = ModelAction::kRollback;
    return ParseBecause(out.reason);
  }
  if (cursor_.AcceptWord("activate")) {
    out.action = ModelAction::kActivate;
  } else if (cursor_.AcceptWord("shadow")) {
    out.action = ModelAction::kShadow;
  } else if (cursor_.AcceptWord("retire")) {
    out.action = ModelAction::kRetire;
  } else {
    return cursor_.Fail("`ADD`, `ACTIVATE`, `SHADOW`, `CANARY`, `RETIRE` or `ROLLBACK`");
  }
  if (!cursor_.ExpectWord("version")) return false;
  out.version_span = cursor_.Peek().span;
  if (!cursor_.ExpectNumber("the version of a model", 1, kMaxVersion, out.version)) return false;
  return out.action != ModelAction::kActivate || ParseBecause(out.reason);
}

// [BECAUSE 'text'].
bool StatementParser::ParseBecause(std::string& out) {
  if (!cursor_.AcceptWord("because")) return true;
  if (cursor_.Peek().kind != TokenKind::kString) return cursor_.Fail("the reason as a text");
  out = cursor_.Take().text;
  return true;
}

bool StatementParser::ParseCanary(AlterModel& out) {
  const auto version = [&] {
    out.version_span = cursor_.Peek().span;
    return cursor_.ExpectNumber("the version of a model", 1, kMaxVersion, out.version);
  };
  const auto percent = [&] {
    return cursor_.ExpectNumber("the percentage", 0, kMaxPercent, out.percent);
  };
  if (cursor_.AcceptWord("version")) {
    if (!version()) return false;
    if (cursor_.AcceptWord("percent")) return percent();
    return percent() && cursor_.ExpectWord("percent");
  }
  out.version_span = cursor_.Peek().span;
  if (!percent() || !cursor_.ExpectWord("percent")) return false;
  return !cursor_.AcceptWord("version") || version();
}

bool StatementParser::ParseInsert(Statement& out) {
  cursor_.Take();
  Insert insert;
  if (!cursor_.ExpectWord("into")) return false;
  if (!cursor_.ExpectName("the name of a stream", insert.target)) return false;
  if (cursor_.AtSymbol("(") && !selects_.AtQuery() &&
      !cursor_.ExpectNameList("a column", insert.columns)) {
    return false;
  }
  if (!cursor_.AtWord("values") && selects_.AtQuery()) {
    return cursor_.Refuse(cursor_.Peek().span, "INSERT from a query is not supported",
                          "write CREATE STREAM name AS SELECT ...");
  }
  if (!cursor_.ExpectWord("values")) return false;
  do {
    const SourceSpan open = cursor_.Peek().span;
    if (!cursor_.ExpectSymbol("(")) return false;
    std::vector<ExpressionPtr> row;
    if (!expressions_.ParseList(row) || !cursor_.ExpectClose(open)) return false;
    const size_t wanted = insert.rows.empty() ? insert.columns.size() : insert.rows[0].size();
    if (wanted != 0 && row.size() != wanted) {
      return cursor_.FailAt(
          cursor_.SpanFrom(open), "HR1014",
          "the row has " + std::to_string(row.size()) + " values, not " + std::to_string(wanted),
          "give each column one value");
    }
    insert.rows.push_back(std::move(row));
  } while (cursor_.AcceptSymbol(","));
  out.body = std::move(insert);
  return true;
}

bool StatementParser::ParseShow(Statement& out) {
  cursor_.Take();
  Show show;
  if (cursor_.AcceptWord("streams")) {
    show.kind = ObjectKind::kStream;
  } else if (cursor_.AcceptWord("tables")) {
    show.kind = ObjectKind::kTable;
  } else if (cursor_.AcceptWord("models")) {
    show.kind = ObjectKind::kModel;
  } else if (cursor_.AcceptWord("policies")) {
    show.kind = ObjectKind::kPolicy;
  } else if (cursor_.AcceptWord("views") || cursor_.AcceptWords("materialized", "views")) {
    show.kind = ObjectKind::kView;
  } else {
    return cursor_.Fail("`STREAMS`, `TABLES`, `VIEWS`, `MODELS` or `POLICIES`");
  }
  out.body = show;
  return true;
}

bool StatementParser::ParseExplain(Statement& out) {
  cursor_.Take();
  Explain explain;
  explain.analyze = cursor_.AcceptWord("analyze");
  explain.diff = !explain.analyze && cursor_.AcceptWord("diff");
  if (cursor_.AtWord("explain")) return cursor_.Fail("the statement to explain");
  explain.statement = std::make_unique<Statement>();
  explain.statement->span = cursor_.Peek().span;
  if (!ParseBody(*explain.statement)) return false;
  explain.statement->span = cursor_.SpanFrom(explain.statement->span);
  out.body = std::move(explain);
  return true;
}

bool StatementParser::ParseDescribe(Statement& out) {
  cursor_.Take();
  Describe describe;
  const bool kind = cursor_.AtName(1) && (cursor_.AtWord("stream") || cursor_.AtWord("model") ||
                                          cursor_.AtWord("policy"));
  if (kind || cursor_.AtWord("table")) cursor_.Take();
  cursor_.AcceptWords("materialized", "view");
  if (!cursor_.ExpectName("the name to describe", describe.name)) return false;
  out.body = std::move(describe);
  return true;
}

}  // namespace headrace::sql
