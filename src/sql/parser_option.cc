#include "sql/parser_option.h"

#include <algorithm>
#include <utility>

namespace headrace::sql {
namespace {

bool ParseKey(Cursor& cursor, Option& out) {
  const Token& first = cursor.Peek();
  const bool named = first.kind == TokenKind::kWord || first.kind == TokenKind::kQuotedName ||
                     first.kind == TokenKind::kString;
  if (!named) return cursor.Fail("the name of an option");
  out.key = {cursor.Take().text, first.span};
  while (cursor.AcceptSymbol(".")) {
    const Token& part = cursor.Peek();
    if (part.kind != TokenKind::kWord && part.kind != TokenKind::kQuotedName) {
      return cursor.Fail("the next part of the option's name");
    }
    out.key.name += "." + cursor.Take().text;
  }
  const SourceSpan open = cursor.Peek().span;
  if (cursor.AcceptSymbol("(")) {
    Identifier argument;
    if (!cursor.ExpectName("a name", argument) || !cursor.ExpectClose(open)) return false;
    out.argument = std::move(argument.name);
  }
  out.key.span = cursor.SpanFrom(first.span);
  return true;
}

bool ParseValue(Cursor& cursor, Option& out) {
  const Token& token = cursor.Peek();
  out.value_span = token.span;
  const bool minus = cursor.AtOperator("-");
  const Token& value = cursor.Peek(minus ? 1 : 0);
  if (minus && value.kind != TokenKind::kNumber) return cursor.Fail("the value of the option");
  switch (value.kind) {
    case TokenKind::kString:
      out.kind = OptionValueKind::kString;
      break;
    case TokenKind::kNumber:
      out.kind = OptionValueKind::kNumber;
      break;
    case TokenKind::kWord:
      out.kind = value.text == "true" || value.text == "false" ? OptionValueKind::kBoolean
                                                               : OptionValueKind::kWord;
      break;
    case TokenKind::kQuotedName:
      return cursor.FailAt(token.span, "HR1001", "the value of an option is not a quoted name",
                           "write it as text in single quotes");
    default:
      return cursor.Fail("the value of the option");
  }
  out.value = (minus ? "-" : "") + value.text;
  if (minus) cursor.Take();
  cursor.Take();
  out.value_span = cursor.SpanFrom(token.span);
  return true;
}

}  // namespace

bool ParseOptions(Cursor& cursor, std::vector<Option>& out) {
  const SourceSpan open = cursor.Peek().span;
  if (!cursor.ExpectSymbol("(")) return false;
  do {
    Option option;
    if (!cursor.CheckCount(out.size(), "options")) return false;
    if (!ParseKey(cursor, option)) return false;
    const bool twice = std::ranges::any_of(out, [&](const Option& other) {
      return other.key.name == option.key.name && other.argument == option.argument;
    });
    if (twice) return cursor.FailTwice(option.key.span, "the option `" + option.key.name + "`");
    if (!cursor.AtOperator("=")) return cursor.Fail("`=`");
    cursor.Take();
    if (!ParseValue(cursor, option)) return false;
    out.push_back(std::move(option));
  } while (cursor.AcceptSymbol(","));
  return cursor.ExpectClose(open);
}

}  // namespace headrace::sql
