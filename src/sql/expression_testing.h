#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "row/text.h"
#include "sql/ast.h"
#include "sql/bind_expression.h"
#include "sql/parser.h"

namespace headrace::sql {

// What became of an expression: the text of its value as PostgreSQL prints it, or an error.
struct Outcome {
  std::string text;  // "NULL" for NULL
  std::string type;
  std::string error;  // code and message, or empty
  std::string hint;   // of the error
  bool null = false;
};

inline Outcome FailedWith(const std::string& code, const std::string& message,
                          const std::string& hint) {
  Outcome outcome;
  outcome.error = code + ": " + message;
  outcome.hint = hint;
  return outcome;
}

// Bound and evaluated.
inline Outcome EvaluateItem(const Expression& expression) {
  EmptyScope scope;
  std::vector<Diagnostic> diagnostics;
  ExpressionBinder binder(scope, diagnostics);
  binder.KeepWideResults();
  const expr::ExprPtr bound = binder.BindResolved(expression);
  if (!bound) {
    const Diagnostic& first = diagnostics.at(0);
    return FailedWith(first.code, first.message, first.hint);
  }
  base::Arena arena;
  expr::EvalContext context{arena, std::nullopt};
  const row::Value value = bound->Evaluate(nullptr, context);
  if (context.error) {
    return FailedWith(context.error->code(), context.error->message(), context.error->hint());
  }
  Outcome outcome;
  outcome.type = row::PostgresName(bound->type());
  outcome.null = value.null;
  outcome.text = "NULL";
  if (value.null) return outcome;
  outcome.text.clear();
  row::AppendText(value, bound->type(), outcome.text);
  return outcome;
}

// `SELECT <expression>` without FROM: parsed, bound and evaluated.
inline Outcome Evaluate(std::string_view select) {
  const ParseResult parsed = Parse(select, 0);
  if (!parsed.ok()) {
    const Diagnostic& first = parsed.errors.front();
    return FailedWith(first.code, first.message, first.hint);
  }
  const auto& query = std::get<SelectPtr>(parsed.statements.at(0).body);
  return EvaluateItem(*query->items.at(0).expression);
}

}  // namespace headrace::sql
