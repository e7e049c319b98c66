#include "sql/parser_select.h"

#include <utility>

#include "sql/parser.h"
#include "sql/parser_option.h"

namespace headrace::sql {

bool SelectParser::AtQuery() {
  size_t ahead = 0;
  while (cursor_.AtSymbol("(", ahead))
    ++ahead;
  return cursor_.AtWord("select", ahead) || cursor_.AtWord("with", ahead) ||
         cursor_.AtWord("values", ahead);
}

SelectPtr SelectParser::Parse() {
  if (depth_ >= kMaxQueryDepth) {
    cursor_.FailAt(
        cursor_.Peek().span, "HR1003",
        "queries are nested more than " + std::to_string(kMaxQueryDepth) + " levels deep",
        "give an inner query a name with CREATE STREAM");
    return nullptr;
  }
  ++depth_;
  SelectPtr select = cursor_.AtSymbol("(") ? ParseParenthesized() : nullptr;
  if (!select && !cursor_.failed()) {
    auto query = std::make_unique<Select>();
    query->span = cursor_.Peek().span;
    const bool read = ParseItems(*query) && (!cursor_.AcceptWord("from") || ParseFrom(*query)) &&
                      ParseFilters(*query) && ParseWindows(*query) && ParseTail(*query);
    if (read) {
      query->span = cursor_.SpanFrom(query->span);
      select = std::move(query);
    }
  }
  --depth_;
  return select;
}

SelectPtr SelectParser::ParseParenthesized() {
  const SourceSpan open = cursor_.Take().span;
  SelectPtr select = Parse();
  if (!select || !cursor_.ExpectClose(open)) return nullptr;
  return select;
}

bool SelectParser::ParseItems(Select& out) {
  if (cursor_.AtWord("with")) {
    return cursor_.Refuse(cursor_.Peek().span, "WITH in front of a query is not supported",
                          "give the inner query a name with CREATE STREAM name AS SELECT ...");
  }
  if (cursor_.AtWord("values")) {
    return cursor_.Refuse(cursor_.Peek().span, "VALUES is not a query here",
                          "write SELECT, or INSERT INTO stream VALUES (...)");
  }
  if (!cursor_.ExpectWord("select")) return false;
  out.distinct = cursor_.AcceptWord("distinct");
  if (out.distinct && cursor_.AtWord("on")) {
    return cursor_.Refuse(cursor_.Peek().span, "DISTINCT ON is not supported",
                          "use first_value(...) OVER, or DEDUPLICATE BY of the stream");
  }
  if (!out.distinct) cursor_.AcceptWord("all");
  do {
    if (!out.items.empty() && cursor_.AtWord("from")) {
      return cursor_.FailAt(cursor_.Peek().span, "HR1001",
                            "expected an expression, found " + cursor_.Describe(cursor_.Peek()),
                            "remove the comma in front of it");
    }
    SelectItem item;
    if (!ParseItem(item)) return false;
    out.items.push_back(std::move(item));
  } while (cursor_.AcceptSymbol(","));
  return true;
}

bool SelectParser::ParseItem(SelectItem& out) {
  if (cursor_.AtOperator("*")) {
    out.expression = std::make_unique<Expression>(ExpressionKind::kStar, cursor_.Peek().span);
    cursor_.Take();
    return true;
  }
  out.expression = expressions_.Parse();
  if (!out.expression) return false;
  if (out.expression->kind == ExpressionKind::kStar) return true;
  return ParseAlias(out.alias);
}

bool SelectParser::ParseAlias(Identifier& out) {
  if (cursor_.AcceptWord("as")) {
    const Token& token = cursor_.Peek();
    if (token.kind != TokenKind::kWord && token.kind != TokenKind::kQuotedName) {
      return cursor_.Fail("the name of the column");
    }
    out = {token.text, token.span};
    cursor_.Take();
    return true;
  }
  if (AtClause() || !cursor_.AtName()) return true;
  return cursor_.ExpectName("a name", out);
}

bool SelectParser::AtJoin() {
  return cursor_.AtWord("join") || cursor_.AtWord("inner") || cursor_.AtWord("left") ||
         cursor_.AtWords("asof", "join") || cursor_.AtWord("cross") || cursor_.AtWord("right") ||
         cursor_.AtWord("full") || cursor_.AtWord("natural");
}

bool SelectParser::AtSetOperation() {
  return cursor_.AtWord("union") || cursor_.AtWord("intersect") || cursor_.AtWord("except");
}

bool SelectParser::AtClause() {
  const bool emit =
      cursor_.AtWord("emit") &&
      (cursor_.AtWord("on", 1) || cursor_.AtWord("changes", 1) || cursor_.AtWord("final", 1));
  return emit || AtJoin() || AtSetOperation() || cursor_.AtWord("from") ||
         cursor_.AtWord("where") || cursor_.AtWord("group") || cursor_.AtWord("having") ||
         cursor_.AtWord("window") || cursor_.AtWord("qualify") || cursor_.AtWord("order") ||
         cursor_.AtWord("limit") || cursor_.AtWord("offset") || cursor_.AtWord("with") ||
         cursor_.AtWords("late", "rows") || cursor_.AtWords("allowed", "lateness") ||
         cursor_.AtWords("start", "from") || cursor_.AtWords("explain", "when");
}

bool SelectParser::ParseFilters(Select& out) {
  if (cursor_.AcceptWord("where")) {
    out.where = expressions_.Parse();
    if (!out.where) return false;
  }
  if (cursor_.AcceptWord("group")) {
    if (!cursor_.ExpectWord("by") || !expressions_.ParseList(out.group_by)) return false;
  }
  if (cursor_.AcceptWord("having")) {
    out.having = expressions_.Parse();
    if (!out.having) return false;
  }
  return true;
}

bool SelectParser::ParseWindows(Select& out) {
  if (cursor_.AcceptWord("window")) {
    do {
      NamedWindow window;
      if (!cursor_.CheckCount(out.windows.size(), "windows")) return false;
      if (!cursor_.ExpectName("the name of a window", window.name)) return false;
      if (!cursor_.ExpectWord("as") || !expressions_.ParseWindow(window.window)) return false;
      for (const NamedWindow& other : out.windows) {
        if (other.name.name != window.name.name) continue;
        return cursor_.FailTwice(window.name.span, "the window `" + window.name.name + "`");
      }
      out.windows.push_back(std::move(window));
    } while (cursor_.AcceptSymbol(","));
  }
  if (cursor_.AcceptWord("qualify")) {
    out.qualify = expressions_.Parse();
    if (!out.qualify) return false;
  }
  return true;
}

// The clauses that may come in any order, each once.
bool SelectParser::ParseTail(Select& out) {
  bool any = true;
  while (any) {
    any = false;
    if (!ParseOrdering(out, any) || !ParseStreaming(out, any)) return false;
  }
  if (!AtSetOperation()) return true;
  return cursor_.Refuse(cursor_.Peek().span,
                        cursor_.Describe(cursor_.Peek()) + " of queries is not supported",
                        "write one CREATE STREAM for each query");
}

bool SelectParser::ParseOrdering(Select& out, bool& any) {
  const SourceSpan place = cursor_.Peek().span;
  if (cursor_.AcceptWord("order")) {
    any = true;
    if (!out.order_by.empty()) return cursor_.FailTwice(place, "ORDER BY");
    return cursor_.ExpectWord("by") && expressions_.ParseOrderBy(out.order_by);
  }
  const bool limit = cursor_.AcceptWord("limit");
  if (limit || cursor_.AcceptWord("offset")) {
    any = true;
    ExpressionPtr& slot = limit ? out.limit : out.offset;
    if (slot) return cursor_.FailTwice(place, limit ? "LIMIT" : "OFFSET");
    slot = expressions_.Parse();
    if (slot && !limit && !cursor_.AcceptWord("rows")) cursor_.AcceptWord("row");
    return slot != nullptr;
  }
  if (cursor_.AtWord("fetch")) {
    return cursor_.Refuse(place, "FETCH is not supported", "write LIMIT n");
  }
  if (cursor_.AtWord("with") && cursor_.AtSymbol("(", 1)) {
    any = true;
    if (!out.options.empty()) return cursor_.FailTwice(place, "WITH");
    cursor_.Take();
    return ParseOptions(cursor_, out.options);
  }
  return true;
}

bool SelectParser::ParseStreaming(Select& out, bool& any) {
  const SourceSpan place = cursor_.Peek().span;
  if (cursor_.AcceptWord("emit")) {
    any = true;
    return out.emit ? cursor_.FailTwice(place, "EMIT") : ParseEmit(out);
  }
  if (cursor_.AcceptWord("late")) {
    any = true;
    return out.late_rows ? cursor_.FailTwice(place, "LATE ROWS") : ParseLateRows(out);
  }
  if (cursor_.AcceptWord("allowed")) {
    any = true;
    if (out.allowed_lateness) return cursor_.FailTwice(place, "ALLOWED LATENESS");
    if (!cursor_.ExpectWord("lateness")) return false;
    out.allowed_lateness = expressions_.Parse();
    return out.allowed_lateness != nullptr;
  }
  if (cursor_.AtWords("explain", "when")) {
    any = true;
    if (out.explain_when) return cursor_.FailTwice(place, "EXPLAIN WHEN");
    cursor_.Take();
    cursor_.Take();
    out.explain_when = expressions_.Parse();
    return out.explain_when != nullptr;
  }
  if (cursor_.AcceptWord("start")) {
    any = true;
    return out.start_from ? cursor_.FailTwice(place, "START FROM") : ParseStart(out);
  }
  return true;
}

bool SelectParser::ParseEmit(Select& out) {
  EmitClause emit;
  emit.span = cursor_.Peek().span;
  if (cursor_.AcceptWord("changes")) {
    emit.mode = EmitMode::kChanges;
    if (cursor_.AcceptWord("every")) {
      emit.every = expressions_.Parse();
      if (!emit.every) return false;
    }
  } else if (cursor_.AcceptWord("final")) {
    emit.mode = EmitMode::kOnWindowClose;
  } else if (!cursor_.AcceptWord("on")) {
    return cursor_.Fail("`ON ARRIVAL`, `ON WATERMARK`, `ON WINDOW CLOSE` or `CHANGES`");
  } else if (cursor_.AcceptWord("arrival")) {
    emit.mode = EmitMode::kOnArrival;
  } else if (cursor_.AcceptWord("watermark")) {
    emit.mode = EmitMode::kOnWatermark;
  } else if (cursor_.AcceptWord("window")) {
    if (!cursor_.ExpectWord("close")) return false;
    emit.mode = EmitMode::kOnWindowClose;
  } else {
    return cursor_.Fail("`ARRIVAL`, `WATERMARK` or `WINDOW CLOSE`");
  }
  emit.span = cursor_.SpanFrom(emit.span);
  out.emit = std::move(emit);
  return true;
}

bool SelectParser::ParseLateRows(Select& out) {
  LateRows late;
  late.span = cursor_.Peek().span;
  if (!cursor_.ExpectWord("rows")) return false;
  if (cursor_.AcceptWord("dead")) {
    if (!cursor_.ExpectWord("letter")) return false;
    late.action = LateAction::kDeadLetter;
  } else if (cursor_.AcceptWord("drop")) {
    late.action = LateAction::kDrop;
  } else if (cursor_.AcceptWord("side")) {
    late.action = LateAction::kSideOutput;
    if (!cursor_.ExpectWord("output") || !cursor_.ExpectWord("to")) return false;
    if (!cursor_.ExpectName("the name of a stream", late.output)) return false;
  } else {
    return cursor_.Fail("`DEAD LETTER`, `DROP` or `SIDE OUTPUT TO`");
  }
  late.span = cursor_.SpanFrom(late.span);
  out.late_rows = std::move(late);
  return true;
}

bool SelectParser::ParseStart(Select& out) {
  StartFrom start;
  start.span = cursor_.Peek().span;
  if (!cursor_.ExpectWord("from")) return false;
  if (cursor_.AcceptWord("earliest")) {
    start.kind = StartKind::kEarliest;
  } else if (cursor_.AcceptWord("now")) {
    start.kind = StartKind::kNow;
  } else if (cursor_.AtWord("timestamp") || cursor_.AtWord("timestamptz")) {
    start.kind = StartKind::kTimestamp;
    start.timestamp = expressions_.Parse();
    if (!start.timestamp) return false;
    if (start.timestamp->kind != ExpressionKind::kTypedLiteral) {
      return cursor_.FailAt(start.timestamp->span, "HR1014", "START FROM takes a fixed time",
                            "write TIMESTAMP '2026-01-31 12:00:00Z'");
    }
    // A point of the log is an instant whatever the spelling: without a zone it is UTC.
    start.timestamp->type.name = "timestamptz";
  } else {
    return cursor_.Fail("`EARLIEST`, `NOW` or `TIMESTAMP '...'`");
  }
  start.span = cursor_.SpanFrom(start.span);
  out.start_from = std::move(start);
  return true;
}

}  // namespace headrace::sql
