#include <utility>

#include "sql/parser_expr.h"

namespace headrace::sql {

bool ExpressionParser::ParseWindow(WindowSpec& out) {
  const SourceSpan open = cursor_.Peek().span;
  out.span = open;
  if (!cursor_.ExpectSymbol("(")) return false;
  const bool partition = cursor_.AtWord("partition");
  const bool framed = cursor_.AtWord("range") || cursor_.AtWord("rows") || cursor_.AtWord("groups");
  if (!partition && !framed && !cursor_.AtWord("order") && cursor_.AtName() &&
      !cursor_.ExpectName("the name of a window", out.base)) {
    return false;
  }
  if (cursor_.AcceptWord("partition")) {
    if (!cursor_.ExpectWord("by") || !ParseList(out.partition_by)) return false;
  }
  if (cursor_.AcceptWord("order")) {
    if (!cursor_.ExpectWord("by") || !ParseOrderBy(out.order_by)) return false;
  }
  if (cursor_.AtWord("range") || cursor_.AtWord("rows") || cursor_.AtWord("groups")) {
    out.frame.emplace();
    if (!ParseFrame(*out.frame)) return false;
  }
  if (!cursor_.AtSymbol(")")) {
    return cursor_.Fail("`PARTITION BY`, `ORDER BY`, `RANGE`, `ROWS` or `)`");
  }
  cursor_.Take();
  out.span = cursor_.SpanFrom(open);
  return true;
}

bool ExpressionParser::ParseFrame(Frame& out) {
  const Token& mode = cursor_.Take();
  out.span = mode.span;
  out.mode = mode.text == "rows"     ? FrameMode::kRows
             : mode.text == "groups" ? FrameMode::kGroups
                                     : FrameMode::kRange;
  if (cursor_.AcceptWord("between")) {
    if (!ParseBound(out.start) || !cursor_.ExpectWord("and") || !ParseBound(out.end)) return false;
  } else {
    if (!ParseBound(out.start)) return false;
    out.end.kind = FrameBoundKind::kCurrentRow;
    out.end.span = out.start.span;
  }
  out.span = cursor_.SpanFrom(out.span);
  if (cursor_.AtWord("exclude")) {
    return cursor_.Refuse(cursor_.Peek().span, "EXCLUDE is not supported in a frame",
                          "subtract the row itself from the aggregate");
  }
  return CheckFrame(out);
}

bool ExpressionParser::CheckFrame(const Frame& frame) {
  const bool backwards = frame.start.kind > frame.end.kind ||
                         frame.start.kind == FrameBoundKind::kUnboundedFollowing ||
                         frame.end.kind == FrameBoundKind::kUnboundedPreceding;
  if (!backwards) return true;
  return cursor_.FailAt(frame.span, "HR1014", "the frame ends before it begins",
                        "write the earlier bound first: BETWEEN x PRECEDING AND CURRENT ROW");
}

bool ExpressionParser::ParseBound(FrameBound& out) {
  const SourceSpan begin = cursor_.Peek().span;
  if (cursor_.AcceptWord("unbounded")) {
    const bool preceding = cursor_.AcceptWord("preceding");
    if (!preceding && !cursor_.AcceptWord("following")) {
      return cursor_.Fail("`PRECEDING` or `FOLLOWING`");
    }
    out.kind =
        preceding ? FrameBoundKind::kUnboundedPreceding : FrameBoundKind::kUnboundedFollowing;
  } else if (cursor_.AcceptWord("current")) {
    if (!cursor_.ExpectWord("row")) return false;
    out.kind = FrameBoundKind::kCurrentRow;
  } else {
    out.offset = Parse();
    if (!out.offset) return false;
    const bool preceding = cursor_.AcceptWord("preceding");
    if (!preceding && !cursor_.AcceptWord("following")) {
      return cursor_.Fail("`PRECEDING` or `FOLLOWING`");
    }
    out.kind = preceding ? FrameBoundKind::kPreceding : FrameBoundKind::kFollowing;
  }
  out.span = cursor_.SpanFrom(begin);
  return true;
}

}  // namespace headrace::sql
