#include <utility>

#include "sql/parser_expr.h"
#include "sql/parser_type.h"

namespace headrace::sql {

ExpressionPtr ExpressionParser::ParsePrimary() {
  switch (cursor_.Peek().kind) {
    case TokenKind::kNumber:
      return ParseLiteral(ExpressionKind::kNumber);
    case TokenKind::kString:
      return ParseLiteral(ExpressionKind::kString);
    case TokenKind::kBitString:
      return ParseLiteral(ExpressionKind::kBitString);
    case TokenKind::kWord:
    case TokenKind::kQuotedName:
      return ParseWord();
    default:
      if (cursor_.AtSymbol("(")) return ParseParenthesis();
      cursor_.Fail("an expression");
      return nullptr;
  }
}

ExpressionPtr ExpressionParser::ParseLiteral(ExpressionKind kind) {
  const Token& token = cursor_.Take();
  ExpressionPtr literal = Make(kind, token.span);
  literal->name = token.text;
  return literal;
}

ExpressionPtr ExpressionParser::ParseWord() {
  if (AtTypedLiteral(cursor_)) return ParseTypedLiteral(cursor_);
  if (cursor_.Peek().kind == TokenKind::kWord) {
    bool known = true;
    ExpressionPtr expression = ParseKeyword(known);
    if (known) return expression;
  }
  if (cursor_.AtSymbol("(", 1)) return ParseCall();
  return ParseName();
}

// The words that begin an expression of their own. `known` becomes false when it is none of them.
ExpressionPtr ExpressionParser::ParseKeyword(bool& known) {
  const Token& token = cursor_.Peek();
  if (cursor_.AcceptWord("null")) return Make(ExpressionKind::kNull, token.span);
  if (cursor_.AtWord("true") || cursor_.AtWord("false")) {
    ExpressionPtr literal = Make(ExpressionKind::kBoolean, token.span);
    literal->flag = cursor_.Take().text == "true";
    return literal;
  }
  if (cursor_.AtWord("case")) return ParseCase();
  if (cursor_.AtCall("cast")) return ParseCast();
  if (cursor_.AtWord("array") && cursor_.AtSymbol("[", 1)) return ParseArray();
  if (cursor_.AtCall("row")) return ParseRow();
  if (cursor_.AtWord("exists") || (cursor_.AtWord("array") && cursor_.AtSymbol("(", 1))) {
    return RefuseQuery();
  }
  for (const std::string_view word : {"current_timestamp", "current_date", "current_time"}) {
    if (!cursor_.AcceptWord(word)) continue;
    ExpressionPtr call = Make(ExpressionKind::kCall, token.span);
    call->name = word;
    call->name_span = token.span;
    call->flag = true;
    return call;
  }
  if (cursor_.AtSymbol("(", 1)) return ParseSpecialCall(known);
  known = false;
  return nullptr;
}

ExpressionPtr ExpressionParser::ParseName() {
  const SourceSpan begin = cursor_.Peek().span;
  Identifier first;
  if (!cursor_.ExpectName("an expression", first)) return nullptr;
  ExpressionPtr column = Make(ExpressionKind::kColumn, begin);
  column->name = std::move(first.name);
  column->name_span = first.span;
  if (!cursor_.AcceptSymbol(".")) return column;
  column->qualifier = std::move(column->name);
  column->name.clear();
  const Token& token = cursor_.Peek();
  if (cursor_.AtOperator("*")) {
    column->kind = ExpressionKind::kStar;
  } else if (token.kind == TokenKind::kWord || token.kind == TokenKind::kQuotedName) {
    column->name = token.text;
  } else {
    cursor_.Fail("a column or `*`");
    return nullptr;
  }
  column->name_span = token.span;
  cursor_.Take();
  Close(*column);
  if (cursor_.AtSymbol("(")) {
    cursor_.Refuse(column->span, "functions have no schema here",
                   "write the name of the function alone: " + column->name + "(...)");
    return nullptr;
  }
  if (cursor_.AtSymbol(".")) {
    cursor_.Refuse(column->span, "a column has one qualifier at most",
                   "write stream.column; a field of a JSON value is read with ->> 'field'");
    return nullptr;
  }
  return column;
}

ExpressionPtr ExpressionParser::ParseParenthesis() {
  const SourceSpan open = cursor_.Take().span;
  if (cursor_.AtWord("select") || cursor_.AtWord("with")) return RefuseQuery();
  ExpressionPtr first = Parse();
  if (!first) return nullptr;
  if (!cursor_.AtSymbol(",")) {
    if (!cursor_.ExpectClose(open)) return nullptr;
    return first;
  }
  ExpressionPtr tuple = Make(ExpressionKind::kTuple, open);
  if (!Attach(*tuple, std::move(first))) return nullptr;
  while (cursor_.AcceptSymbol(",")) {
    if (!Attach(*tuple, Parse())) return nullptr;
  }
  if (!cursor_.ExpectClose(open)) return nullptr;
  Close(*tuple);
  return cursor_.AtWord("overlaps") ? ParseOverlaps(std::move(tuple)) : std::move(tuple);
}

ExpressionPtr ExpressionParser::ParseRow() {
  const SourceSpan begin = cursor_.Take().span;
  const SourceSpan open = cursor_.Take().span;
  ExpressionPtr tuple = Make(ExpressionKind::kTuple, begin);
  tuple->flag = true;
  if (!cursor_.AtSymbol(")")) {
    do {
      if (!Attach(*tuple, Parse())) return nullptr;
    } while (cursor_.AcceptSymbol(","));
  }
  if (!cursor_.ExpectClose(open)) return nullptr;
  Close(*tuple);
  return cursor_.AtWord("overlaps") ? ParseOverlaps(std::move(tuple)) : std::move(tuple);
}

ExpressionPtr ExpressionParser::ParseOverlaps(ExpressionPtr left) {
  ExpressionPtr call = Make(ExpressionKind::kCall, left->span);
  call->name = "overlaps";
  call->name_span = cursor_.Take().span;
  call->flag = true;
  const SourceSpan begin = cursor_.Peek().span;
  if (cursor_.AtCall("row")) cursor_.Take();
  const SourceSpan open = cursor_.Peek().span;
  if (!cursor_.ExpectSymbol("(")) return nullptr;
  ExpressionPtr right = Make(ExpressionKind::kTuple, begin);
  do {
    if (!Attach(*right, Parse())) return nullptr;
  } while (cursor_.AcceptSymbol(","));
  if (!cursor_.ExpectClose(open)) return nullptr;
  Close(*call);
  if (left->children.size() != 2 || right->children.size() != 2) {
    cursor_.FailAt(call->span, "HR1014", "OVERLAPS compares two pairs",
                   "write (start, end) OVERLAPS (start, end)");
    return nullptr;
  }
  for (Expression* side : {left.get(), right.get()}) {
    for (ExpressionPtr& part : side->children) {
      if (!Attach(*call, std::move(part))) return nullptr;
    }
  }
  return call;
}

ExpressionPtr ExpressionParser::ParseCase() {
  ExpressionPtr result = Make(ExpressionKind::kCase, cursor_.Take().span);
  if (!cursor_.AtWord("when")) {
    result->operand = Parse();
    if (!Grow(*result, result->operand.get())) return nullptr;
  }
  if (!cursor_.AtWord("when")) {
    cursor_.Fail("`WHEN`");
    return nullptr;
  }
  while (cursor_.AcceptWord("when")) {
    if (!Attach(*result, Parse())) return nullptr;
    if (!cursor_.ExpectWord("then")) return nullptr;
    if (!Attach(*result, Parse())) return nullptr;
  }
  if (cursor_.AcceptWord("else")) {
    result->otherwise = Parse();
    if (!Grow(*result, result->otherwise.get())) return nullptr;
  }
  if (!cursor_.AcceptWord("end")) {
    cursor_.Fail("`END` of the CASE");
    return nullptr;
  }
  Close(*result);
  return result;
}

ExpressionPtr ExpressionParser::ParseCast() {
  ExpressionPtr cast = Make(ExpressionKind::kCast, cursor_.Take().span);
  const SourceSpan open = cursor_.Take().span;
  if (!Attach(*cast, Parse()) || !cursor_.ExpectWord("as")) return nullptr;
  if (!ParseTypeName(cursor_, cast->type) || !cursor_.ExpectClose(open)) return nullptr;
  Close(*cast);
  return cast;
}

ExpressionPtr ExpressionParser::ParseArray() {
  const SourceSpan begin = cursor_.Take().span;
  return ParseArrayItems(begin);
}

// [a, b] or, inside of an array, [[a, b], [c, d]].
ExpressionPtr ExpressionParser::ParseArrayItems(const SourceSpan& begin) {
  const DepthGuard guard(cursor_);
  if (!guard.ok()) return nullptr;
  ExpressionPtr array = Make(ExpressionKind::kArray, begin);
  if (!cursor_.ExpectSymbol("[")) return nullptr;
  while (!cursor_.AtSymbol("]")) {
    const bool nested = cursor_.AtSymbol("[");
    if (!Attach(*array, nested ? ParseArrayItems(cursor_.Peek().span) : Parse())) return nullptr;
    if (!cursor_.AcceptSymbol(",")) break;
    if (cursor_.AtSymbol("]")) {
      cursor_.Fail("an expression");
      return nullptr;
    }
  }
  if (!cursor_.ExpectSymbol("]")) return nullptr;
  Close(*array);
  return array;
}

ExpressionPtr ExpressionParser::RefuseQuery() {
  cursor_.Refuse(
      cursor_.Peek().span, "a query inside an expression is not supported",
      "give the query a name with CREATE STREAM or CREATE MATERIALIZED VIEW and join it");
  return nullptr;
}

}  // namespace headrace::sql
