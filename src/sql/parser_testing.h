#pragma once

#include <string>
#include <string_view>
#include <variant>

#include <gtest/gtest.h>

#include "sql/ast.h"
#include "sql/diagnostics.h"
#include "sql/format.h"
#include "sql/parser.h"

namespace headrace::sql {

// The expression of `SELECT <text>`, written back; or "error CODE" and its message.
inline std::string Canonical(std::string_view text) {
  const ParseResult result = Parse("SELECT " + std::string(text), 0);
  if (!result.ok()) return "error " + result.errors[0].code + ": " + result.errors[0].message;
  return Format(*std::get<SelectPtr>(result.statements.at(0).body)->items.at(0).expression);
}

// The statement, written back; or the error.
inline std::string CanonicalStatement(std::string_view text) {
  const ParseResult result = Parse(text, 0);
  if (!result.ok()) return "error " + result.errors[0].code + ": " + result.errors[0].message;
  return Format(result.statements.at(0));
}

// Every error of a script, as a user sees it.
inline std::string Errors(std::string_view text) {
  SourceMap sources;
  const int file = sources.Add("app.sql", std::string(text));
  return Render(Parse(text, file).errors, sources);
}

// The fully parenthesized form: makes the tree visible.
inline std::string Tree(const Expression& e) {
  std::string text = "(" + e.qualifier + (e.qualifier.empty() ? "" : ".") + e.name;
  switch (e.kind) {
    case ExpressionKind::kNull:
      return "null";
    case ExpressionKind::kBoolean:
      return e.flag ? "true" : "false";
    case ExpressionKind::kNumber:
    case ExpressionKind::kColumn:
      return text.substr(1);
    case ExpressionKind::kString:
      return "'" + e.name + "'";
    case ExpressionKind::kCast:
      text += "cast:" + ToString(e.type);
      break;
    case ExpressionKind::kIsNull:
      text += e.negated ? "notnull" : "isnull";
      break;
    case ExpressionKind::kIn:
      text += e.negated ? "notin" : "in";
      break;
    case ExpressionKind::kBetween:
      text += e.negated ? "notbetween" : "between";
      break;
    case ExpressionKind::kTypedLiteral:
      text = "(" + ToString(e.type) + " '" + e.name + "'";
      break;
    case ExpressionKind::kSubscript:
      text += "subscript";
      break;
    case ExpressionKind::kTuple:
      text += "tuple";
      break;
    case ExpressionKind::kArray:
      text += "array";
      break;
    case ExpressionKind::kCase:
      text += "case";
      break;
    case ExpressionKind::kQuantified:
      text += e.flag ? " all" : " any";
      break;
    default:
      break;
  }
  if (e.operand) text += " operand:" + Tree(*e.operand);
  for (const ExpressionPtr& child : e.children)
    text += " " + Tree(*child);
  if (e.otherwise) text += " else:" + Tree(*e.otherwise);
  return text + ")";
}

inline std::string TreeOf(std::string_view text) {
  const ParseResult result = Parse("SELECT " + std::string(text), 0);
  if (!result.ok()) return "error " + result.errors[0].code + ": " + result.errors[0].message;
  return Tree(*std::get<SelectPtr>(result.statements.at(0).body)->items.at(0).expression);
}

}  // namespace headrace::sql
