#include <iterator>
#include <utility>

#include "sql/parser_select.h"

namespace headrace::sql {

bool SelectParser::ParseFrom(Select& out) {
  if (!ParseTable(out.from)) return false;
  while (AtJoin()) {
    JoinClause join;
    if (!ParseJoin(join)) return false;
    out.joins.push_back(std::move(join));
  }
  if (!cursor_.AtSymbol(",")) return true;
  return cursor_.Refuse(cursor_.Peek().span, "a list of streams in FROM is not supported",
                        "write a JOIN b ON condition");
}

bool SelectParser::ParseTable(TableReference& out) {
  out.span = cursor_.Peek().span;
  bool read = false;
  if (cursor_.AtSymbol("(")) {
    read = ParseSubquery(out);
  } else if (cursor_.AtWord("table") && cursor_.AtSymbol("(", 1)) {
    cursor_.Take();
    const SourceSpan open = cursor_.Take().span;
    read = ParseWindowFunction(out) && cursor_.ExpectClose(open);
  } else if (cursor_.AtSymbol("(", 1)) {
    read = ParseWindowFunction(out);
  } else {
    read = ParseNamed(out);
  }
  if (!read || !ParseTableAlias(out)) return false;
  out.span = cursor_.SpanFrom(out.span);
  return true;
}

bool SelectParser::ParseNamed(TableReference& out) {
  out.kind = TableKind::kNamed;
  if (cursor_.AtWord("lateral")) {
    return cursor_.Refuse(cursor_.Peek().span, "LATERAL is not supported", "");
  }
  if (!cursor_.ExpectName("the name of a stream, table or view", out.name)) return false;
  if (cursor_.AtSymbol(".")) {
    return cursor_.Refuse(out.name.span, "streams have no schema here",
                          "write the name of the stream alone");
  }
  return ParseAsOf(out);
}

bool SelectParser::ParseAsOf(TableReference& out) {
  // `AS of` alone is an alias.
  const bool moment = cursor_.AtWord("as") && cursor_.AtWord("of", 1) &&
                      (cursor_.AtWord("lsn", 2) || cursor_.AtWord("timestamp", 2) ||
                       cursor_.AtWord("timestamptz", 2));
  if (cursor_.AcceptWord("for")) {
    if (!cursor_.ExpectWord("system_time")) return false;
  } else if (!moment) {
    return true;
  }
  if (!cursor_.ExpectWord("as") || !cursor_.ExpectWord("of")) return false;
  out.as_of_lsn = cursor_.AcceptWord("lsn");
  out.as_of = expressions_.Parse();
  return out.as_of != nullptr;
}

bool SelectParser::ParseSubquery(TableReference& out) {
  out.kind = TableKind::kSubquery;
  const SourceSpan open = cursor_.Take().span;
  out.query = Parse();
  return out.query != nullptr && cursor_.ExpectClose(open);
}

bool SelectParser::ParseTableAlias(TableReference& out) {
  const bool as = cursor_.AcceptWord("as");
  if (!as && (AtClause() || !cursor_.AtName())) return true;
  if (!cursor_.ExpectName("an alias", out.alias)) return false;
  if (!cursor_.AtSymbol("(")) return true;
  return cursor_.Refuse(cursor_.Peek().span, "an alias with a list of columns is not supported",
                        "rename the columns in a SELECT");
}

bool SelectParser::ParseWindowFunction(TableReference& out) {
  const Token& token = cursor_.Peek();
  if (cursor_.AcceptWord("tumble")) {
    out.kind = TableKind::kTumble;
  } else if (cursor_.AcceptWord("hop")) {
    out.kind = TableKind::kHop;
  } else if (cursor_.AcceptWord("cumulate")) {
    out.kind = TableKind::kCumulate;
  } else if (cursor_.AcceptWord("session")) {
    out.kind = TableKind::kSession;
  } else if (cursor_.AcceptWord("ml_predict")) {
    out.kind = TableKind::kMlPredict;
    return ParseMlPredict(out);
  } else if (!cursor_.AtName()) {
    return cursor_.Fail("the name of a stream, table or view");
  } else {
    return RefuseTableFunction();
  }
  const SourceSpan open = cursor_.Peek().span;
  if (!cursor_.ExpectSymbol("(") || !ParseWindowArguments(out)) return false;
  if (!cursor_.ExpectClose(open)) return false;
  out.span = cursor_.SpanFrom(token.span);
  return CheckWindowArguments(out);
}

// TABLE name, MODEL model, DESCRIPTOR(columns): in this order, or each behind its name and `=>`.
bool SelectParser::ParseMlPredict(TableReference& out) {
  constexpr std::string_view kNames[] = {"input", "model", "args"};
  bool given[std::size(kNames)] = {};
  const SourceSpan open = cursor_.Peek().span;
  if (!cursor_.ExpectSymbol("(")) return false;
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (i > 0 && !cursor_.ExpectSymbol(",")) return false;
    size_t which = i;
    if (cursor_.AtSymbol("=>", 1)) {
      which = 0;
      while (which < std::size(kNames) && !cursor_.AtWord(kNames[which]))
        ++which;
      if (which == std::size(kNames) || given[which]) {
        return cursor_.Fail("`INPUT =>`, `MODEL =>` or `ARGS =>`, each once");
      }
      cursor_.Take();
      cursor_.Take();
    }
    if (given[which]) return cursor_.Fail("the name of this argument and `=>`");
    given[which] = true;
    if (!ParseMlArgument(which, out)) return false;
  }
  if (!cursor_.AtSymbol(",")) return cursor_.ExpectClose(open);
  return cursor_.FailAt(cursor_.Peek().span, "HR1011", "ML_PREDICT takes three arguments here",
                        "how a model is asked stands in the WITH of its CREATE MODEL");
}

bool SelectParser::ParseMlArgument(size_t which, TableReference& out) {
  if (which == 0) {
    cursor_.AcceptWord("table");
    return cursor_.ExpectName("the name of a stream", out.name);
  }
  if (which == 1) {
    if (cursor_.AtWord("model") && cursor_.AtName(1)) cursor_.Take();
    return cursor_.ExpectName("the name of a model", out.model);
  }
  return cursor_.ExpectWord("descriptor") &&
         cursor_.ExpectNameList("an input of the model", out.columns);
}

bool SelectParser::RefuseTableFunction() {
  const Token& token = cursor_.Peek();
  std::string close;
  for (const std::string_view word : {"tumble", "hop", "cumulate", "session", "ml_predict"}) {
    if (EditDistance(token.text, word, 2) <= 2) close = ToUpper(word);
  }
  return cursor_.FailAt(token.span, "HR1011",
                        "there is no table function " + cursor_.Describe(token),
                        (close.empty() ? "" : "did you mean `" + close + "`? ") +
                            "FROM knows TUMBLE, HOP, CUMULATE, SESSION and ML_PREDICT");
}

// [TABLE] name [PARTITION BY a, b], then DESCRIPTOR(ts) or ts, then the intervals.
bool SelectParser::ParseWindowArguments(TableReference& out) {
  if (!ParseWindowSource(out) || !cursor_.ExpectSymbol(",")) return false;
  if (cursor_.AtCall("descriptor")) {
    cursor_.Take();
    std::vector<Identifier> columns;
    const SourceSpan open = cursor_.Peek().span;
    if (!cursor_.ExpectNameList("the event-time column", columns)) return false;
    if (columns.size() != 1) {
      return cursor_.FailAt(cursor_.SpanFrom(open), "HR1014", "DESCRIPTOR takes one column here",
                            "name the event-time column of the stream");
    }
    out.descriptor = std::move(columns.front());
  } else if (!cursor_.ExpectName("`DESCRIPTOR(column)`", out.descriptor)) {
    return false;
  }
  while (cursor_.AcceptSymbol(",")) {
    ExpressionPtr argument = expressions_.Parse();
    if (!argument) return false;
    out.arguments.push_back(std::move(argument));
  }
  return true;
}

bool SelectParser::ParseWindowSource(TableReference& out) {
  cursor_.AcceptWord("table");
  if (!cursor_.ExpectName("the name of a stream", out.name)) return false;
  if (!cursor_.AcceptWord("partition")) return true;
  if (!cursor_.ExpectWord("by")) return false;
  if (cursor_.AtSymbol("(")) return cursor_.ExpectNameList("a column", out.partition_by);
  // The comma that ends the argument also separates columns: a list needs parentheses.
  Identifier column;
  if (!cursor_.ExpectName("a column", column)) return false;
  out.partition_by.push_back(std::move(column));
  return true;
}

bool SelectParser::CheckWindowArguments(const TableReference& table) {
  const bool two = table.kind == TableKind::kHop || table.kind == TableKind::kCumulate;
  const size_t least = two ? 2 : 1;
  const size_t most = table.kind == TableKind::kSession ? 1 : least + 1;
  const size_t count = table.arguments.size();
  if (count >= least && count <= most) {
    if (table.partition_by.empty() || table.kind == TableKind::kSession) return true;
    return cursor_.FailAt(table.partition_by.front().span, "HR1014",
                          "PARTITION BY belongs to SESSION windows only",
                          "put the column into GROUP BY");
  }
  std::string_view usage = "TUMBLE(TABLE s, DESCRIPTOR(ts), size[, offset])";
  if (table.kind == TableKind::kHop) usage = "HOP(TABLE s, DESCRIPTOR(ts), slide, size[, offset])";
  if (table.kind == TableKind::kCumulate) {
    usage = "CUMULATE(TABLE s, DESCRIPTOR(ts), step, size[, offset])";
  }
  if (table.kind == TableKind::kSession) {
    usage = "SESSION(TABLE s [PARTITION BY column], DESCRIPTOR(ts), gap)";
  }
  return cursor_.FailAt(table.span, "HR1014",
                        "the window takes " + std::to_string(least) +
                            (most > least ? " or " + std::to_string(most) : "") +
                            " intervals, not " + std::to_string(count),
                        "write " + std::string(usage));
}

bool SelectParser::ParseJoin(JoinClause& out) {
  const Token& first = cursor_.Peek();
  out.span = first.span;
  for (const std::string_view word : {"cross", "right", "full", "natural"}) {
    if (!cursor_.AtWord(word)) continue;
    return cursor_.Refuse(first.span, cursor_.Describe(first) + " JOIN is not supported",
                          "use JOIN or LEFT JOIN with ON");
  }
  if (cursor_.AcceptWord("left")) {
    out.kind = JoinKind::kLeft;
    cursor_.AcceptWord("outer");
  } else {
    cursor_.AcceptWord("inner");
  }
  out.as_of = cursor_.AcceptWord("asof");
  if (!cursor_.ExpectWord("join") || !ParseTable(out.table)) return false;
  if (cursor_.AtWord("using")) {
    return cursor_.Refuse(cursor_.Peek().span, "USING is not supported",
                          "write ON a.column = b.column");
  }
  if (!cursor_.ExpectWord("on")) return false;
  out.condition = expressions_.Parse();
  out.span = cursor_.SpanFrom(first.span);
  return out.condition != nullptr;
}

}  // namespace headrace::sql
