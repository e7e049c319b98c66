#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "expr/expr.h"
#include "expr/node.h"
#include "expr/types.h"
#include "row/text.h"

namespace headrace::expr {

// Short names for the leaves of expressions in tests.
inline ExprPtr Unknown(std::string_view text) {
  return Literal(Value::Text(text), kUnknown);
}
inline ExprPtr Of(std::string_view text, Type type) {
  return std::move(Cast(Unknown(text), type)).value();
}
inline ExprPtr Text(std::string_view text) {
  return Of(text, kText);
}
inline ExprPtr Int(int64_t number) {
  return Literal(Value::Integer(number), kInteger);
}
inline ExprPtr Big(int64_t number) {
  return Literal(Value::Integer(number), kBigint);
}
inline ExprPtr Dec(std::string_view digits) {
  return Of(digits, kDecimal);
}
inline ExprPtr Dbl(double number) {
  return Literal(Value::Double(number), kDouble);
}
inline ExprPtr Bool(bool truth) {
  return Literal(Value::Boolean(truth), kBoolean);
}
inline ExprPtr Null(Type type) {
  return Literal(Value::Null(), type);
}

// The value's text; "NULL"; or "HRnnnn message" of the error, whether binding or evaluating failed.
inline std::string Show(Result<ExprPtr> expression) {
  if (!expression.ok()) return expression.error().code() + " " + expression.error().message();
  base::Arena arena;
  EvalContext context{arena, std::nullopt};
  const Value value = (*expression)->Evaluate(nullptr, context);
  if (context.error) return context.error->code() + " " + context.error->message();
  if (value.null) return "NULL";
  std::string text;
  row::AppendText(value, (*expression)->type(), text);
  return text;
}

// name(arguments...) or left name right.
template <typename... Arguments>
std::string Answer(std::string_view name, Arguments... arguments) {
  return Show(Call(name, List(std::move(arguments)...)));
}

inline std::string Convert(ExprPtr argument, Type type) {
  return Show(Cast(std::move(argument), type));
}

}  // namespace headrace::expr
