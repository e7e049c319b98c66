#include "sql/bind_expression.h"

#include <algorithm>
#include <charconv>

#include "flow/running_functions.h"
#include "row/text.h"
#include "sql/ast.h"
#include "sql/bind_type.h"

namespace headrace::sql {
namespace {

// One pass over one expression tree.
class TreeBinder {
 public:
  TreeBinder(NameScope& scope, std::vector<Diagnostic>& diagnostics)
      : scope_(scope), diagnostics_(diagnostics) {}

  expr::ExprPtr Bind(const Expression& node) {
    Binding binding;
    switch (scope_.Intercept(node, &binding)) {
      case Interception::kBound:
        return expr::Column(binding.slot, binding.type);
      case Interception::kFailed:
        return nullptr;
      case Interception::kNone:
        break;
    }
    return Fold(BindNode(node));
  }

 private:
  expr::ExprPtr BindNode(const Expression& node) {
    switch (node.kind) {
      case ExpressionKind::kNull:
        return expr::Literal(row::Value::Null(), {});
      case ExpressionKind::kBoolean:
        return expr::Literal(row::Value::Boolean(node.flag), {row::TypeKind::kBoolean, 0, 0});
      case ExpressionKind::kNumber:
        return BindNumber(node);
      case ExpressionKind::kString:
        return expr::Literal(row::Value::Text(node.name), {});
      case ExpressionKind::kTypedLiteral:
        return BindTypedLiteral(node);
      case ExpressionKind::kColumn:
        return BindColumn(node);
      case ExpressionKind::kUnary:
        return BindOperator(node);
      case ExpressionKind::kBinary:
        return BindBinary(node);
      case ExpressionKind::kCall:
        return BindCall(node);
      case ExpressionKind::kCast:
        return BindCast(node);
      case ExpressionKind::kCase:
        return BindCase(node);
      case ExpressionKind::kCoalesce:
        return Finish(node, BindAll(node),
                      [](auto arguments) { return expr::Coalesce(std::move(arguments)); });
      case ExpressionKind::kNullIf:
        return Finish(node, BindAll(node), [](auto arguments) {
          return expr::NullIf(std::move(arguments[0]), std::move(arguments[1]));
        });
      case ExpressionKind::kIn:
        return BindIn(node);
      case ExpressionKind::kBetween:
        return BindBetween(node);
      case ExpressionKind::kIsNull:
        return Finish(node, BindAll(node), [&](auto arguments) {
          return expr::IsNull(std::move(arguments[0]), node.negated);
        });
      case ExpressionKind::kArray:
        return Finish(node, BindAll(node),
                      [](auto arguments) { return expr::Call("array", std::move(arguments)); });
      case ExpressionKind::kSubscript:
        return Finish(node, BindAll(node),
                      [](auto arguments) { return expr::Call("subscript", std::move(arguments)); });
      case ExpressionKind::kQuantified:
        return BindQuantified(node);
      case ExpressionKind::kCollate:
        return Bind(*node.children[0]);
      default:
        return Complain(node.span, "HR1111", "this expression is not supported here");
    }
  }

  expr::ExprPtr Complain(const SourceSpan& span, std::string code, std::string message,
                         std::string hint = "", std::vector<std::string> candidates = {}) {
    diagnostics_.push_back(
        {std::move(code), std::move(message), span, std::move(hint), std::move(candidates)});
    return nullptr;
  }

  expr::ExprPtr Complain(const SourceSpan& span, const Error& error) {
    const bool silent = error.hint().empty();
    return Complain(span, error.code(), error.message(),
                    silent ? expr::HintFor(error.code()) : error.hint());
  }

  // Every argument, or nothing when one of them failed.
  std::optional<std::vector<expr::ExprPtr>> BindAll(const Expression& node) {
    std::vector<expr::ExprPtr> bound;
    for (const ExpressionPtr& child : node.children)
      bound.push_back(Bind(*child));
    if (std::any_of(bound.begin(), bound.end(), [](const auto& e) { return e == nullptr; }))
      return {};
    return bound;
  }

  template <typename Make>
  expr::ExprPtr Finish(const Expression& node, std::optional<std::vector<expr::ExprPtr>> arguments,
                       Make make) {
    if (!arguments) return nullptr;
    Result<expr::ExprPtr> made = make(std::move(*arguments));
    if (made.ok()) return std::move(made).value();
    const SourceSpan& span = node.name_span.end > 0 ? node.name_span : node.span;
    return Complain(span, made.error());
  }

  expr::ExprPtr BindNumber(const Expression& node) {
    int64_t whole = 0;
    const char* end = node.name.data() + node.name.size();
    auto [stop, error] = std::from_chars(node.name.data(), end, whole);
    if (error == std::errc() && stop == end) {
      const bool narrow = row::FitsInteger(whole, {row::TypeKind::kInteger, 0, 0});
      return expr::Literal(row::Value::Integer(whole),
                           {narrow ? row::TypeKind::kInteger : row::TypeKind::kBigint, 0, 0});
    }
    // A decimal; its unknown text is read as a cast reads it, however long.
    Result<expr::ExprPtr> decimal =
        expr::Cast(expr::Literal(row::Value::Text(node.name), {}), {row::TypeKind::kDecimal, 0, 0});
    if (decimal.ok()) return std::move(decimal).value();
    return Complain(node.span, "HR1112", "the number " + node.name + " is out of range",
                    "decimals have at most 4,000 digits, 2,000 of them behind the point");
  }

  expr::ExprPtr BindTypedLiteral(const Expression& node) {
    return CastTo(expr::Literal(row::Value::Text(node.name), {}), node);
  }

  expr::ExprPtr CastTo(expr::ExprPtr argument, const Expression& node) {
    Result<expr::CastTarget> target = ToCastTarget(node.type);
    if (!target.ok()) return Complain(node.type.span, target.error());
    Result<expr::ExprPtr> cast = expr::CastTo(std::move(argument), *target);
    if (!cast.ok()) return Complain(node.span, cast.error());
    return std::move(cast).value();
  }

  expr::ExprPtr BindColumn(const Expression& node) {
    std::optional<Binding> binding = scope_.Resolve(node.qualifier, node.name);
    if (binding) return expr::Column(binding->slot, binding->type);
    std::string shown = node.qualifier.empty() ? node.name : node.qualifier + "." + node.name;
    return Complain(node.span, "HR1104", "unknown column `" + shown + "`", "",
                    expr::CloseNames(node.name, scope_.names()));
  }

  expr::ExprPtr BindOperator(const Expression& node) {
    return Finish(node, BindAll(node),
                  [&](auto arguments) { return expr::Call(node.name, std::move(arguments)); });
  }

  expr::ExprPtr BindBinary(const Expression& node) {
    if (node.name != "and" && node.name != "or") return BindOperator(node);
    expr::ExprPtr left = BindBoolean(*node.children[0], node.name);
    expr::ExprPtr right = BindBoolean(*node.children[1], node.name);
    if (!left || !right) return nullptr;
    return node.name == "and" ? expr::And(std::move(left), std::move(right))
                              : expr::Or(std::move(left), std::move(right));
  }

 public:
  expr::ExprPtr BindBoolean(const Expression& node, std::string_view clause) {
    expr::ExprPtr bound = Bind(node);
    if (!bound) return nullptr;
    if (bound->type().kind == row::TypeKind::kUnknown) {
      Result<expr::ExprPtr> cast = expr::Cast(std::move(bound), {row::TypeKind::kBoolean, 0, 0});
      if (!cast.ok()) return Complain(node.span, cast.error());
      return std::move(cast).value();
    }
    if (bound->type().kind == row::TypeKind::kBoolean) return bound;
    return Complain(node.span, "HR1114",
                    "the argument of " + std::string(clause) + " must be boolean, not " +
                        row::ToString(bound->type()));
  }

 private:
  expr::ExprPtr BindCall(const Expression& node) {
    std::vector<std::string> known = expr::FunctionNames();
    if (flow::FindRunningFunction(node.name) != nullptr || node.name == "learn") {
      return Complain(
          node.span, "HR1185",
          "`" + node.name + "` has a memory: it belongs into the SELECT list of a stream",
          "CREATE STREAM c AS SELECT " + node.name +
              "(...) AS c FROM s, without GROUP BY; then query c");
    }
    if (node.name == "choose" || node.name == "reward") {
      return Complain(
          node.span, "HR1246", "`" + node.name + "` belongs into the SELECT list of a stream",
          "CREATE STREAM c AS SELECT " + node.name + "(policy, ...) AS c FROM s, without GROUP BY");
    }
    if (!std::binary_search(known.begin(), known.end(), node.name)) {
      for (std::string& name : scope_.call_names())
        known.push_back(std::move(name));
      return Complain(node.name_span.end > 0 ? node.name_span : node.span, "HR1101",
                      "unknown function `" + node.name + "`", "",
                      expr::CloseNames(node.name, known));
    }
    if (node.windowed() || node.star || node.distinct || node.filter ||
        !node.argument_order.empty()) {
      return Complain(node.span, "HR1102", "`" + node.name + "` is no aggregate");
    }
    return Finish(node, BindAll(node), [&](auto arguments) -> Result<expr::ExprPtr> {
      HR_ASSIGN(arguments,
                expr::ArrangeArguments(node.name, std::move(arguments), node.argument_names));
      return expr::Call(node.name, std::move(arguments));
    });
  }

  expr::ExprPtr BindCast(const Expression& node) {
    expr::ExprPtr argument = Bind(*node.children[0]);
    return argument ? CastTo(std::move(argument), node) : nullptr;
  }

  expr::ExprPtr BindCase(const Expression& node) {
    std::vector<expr::CaseBranch> branches;
    bool good = true;
    for (size_t i = 0; i + 1 < node.children.size(); i += 2) {
      expr::CaseBranch branch;
      branch.when = node.operand ? BindEquals(*node.operand, *node.children[i])
                                 : BindBoolean(*node.children[i], "WHEN");
      branch.then = Bind(*node.children[i + 1]);
      good = good && branch.when && branch.then;
      branches.push_back(std::move(branch));
    }
    expr::ExprPtr otherwise = node.otherwise ? Bind(*node.otherwise) : nullptr;
    if (!good || (node.otherwise && !otherwise)) return nullptr;
    Result<expr::ExprPtr> made = expr::Case(std::move(branches), std::move(otherwise));
    if (!made.ok()) return Complain(node.span, made.error());
    return std::move(made).value();
  }

  expr::ExprPtr BindEquals(const Expression& left, const Expression& right) {
    std::vector<expr::ExprPtr> sides;
    sides.push_back(Bind(left));
    sides.push_back(Bind(right));
    if (!sides[0] || !sides[1]) return nullptr;
    Result<expr::ExprPtr> made = expr::Call("=", std::move(sides));
    if (!made.ok()) return Complain(right.span, made.error());
    return std::move(made).value();
  }

  expr::ExprPtr BindIn(const Expression& node) {
    return Finish(node, BindAll(node), [&](std::vector<expr::ExprPtr> all) {
      expr::ExprPtr needle = std::move(all[0]);
      all.erase(all.begin());
      return expr::In(std::move(needle), std::move(all), node.negated);
    });
  }

  // x BETWEEN a AND b is a <= x AND x <= b; SYMMETRIC takes the bounds in either order.
  expr::ExprPtr BindBetween(const Expression& node) {
    expr::ExprPtr inside = BindRange(node, 1, 2);
    if (node.flag && inside) {
      expr::ExprPtr swapped = BindRange(node, 2, 1);
      if (!swapped) return nullptr;
      inside = expr::Or(std::move(inside), std::move(swapped));
    }
    if (!inside || !node.negated) return inside;
    std::vector<expr::ExprPtr> operand;
    operand.push_back(std::move(inside));
    Result<expr::ExprPtr> made = expr::Call("not", std::move(operand));
    if (!made.ok()) return Complain(node.span, made.error());
    return std::move(made).value();
  }

  expr::ExprPtr BindRange(const Expression& node, size_t low, size_t high) {
    expr::ExprPtr above = BindComparison(node, ">=", low);
    expr::ExprPtr below = BindComparison(node, "<=", high);
    if (!above || !below) return nullptr;
    return expr::And(std::move(above), std::move(below));
  }

  expr::ExprPtr BindComparison(const Expression& node, std::string_view comparison, size_t bound) {
    std::vector<expr::ExprPtr> sides;
    sides.push_back(Bind(*node.children[0]));
    sides.push_back(Bind(*node.children[bound]));
    if (!sides[0] || !sides[1]) return nullptr;
    Result<expr::ExprPtr> made = expr::Call(comparison, std::move(sides));
    if (!made.ok()) return Complain(node.span, made.error());
    return std::move(made).value();
  }

  expr::ExprPtr BindQuantified(const Expression& node) {
    const Expression& array = *node.children[1];
    if (array.kind != ExpressionKind::kArray) {
      return Finish(node, BindAll(node), [&](auto sides) {
        return expr::Quantified(node.name, std::move(sides[0]), std::move(sides[1]), node.flag);
      });
    }
    expr::ExprPtr result;
    for (const ExpressionPtr& element : array.children) {
      std::vector<expr::ExprPtr> sides;
      sides.push_back(Bind(*node.children[0]));
      sides.push_back(Bind(*element));
      if (!sides[0] || !sides[1]) return nullptr;
      Result<expr::ExprPtr> made = expr::Call(node.name, std::move(sides));
      if (!made.ok()) return Complain(node.span, made.error());
      expr::ExprPtr one = std::move(made).value();
      if (!result) {
        result = std::move(one);
      } else {
        result = node.flag ? expr::And(std::move(result), std::move(one))
                           : expr::Or(std::move(result), std::move(one));
      }
    }
    if (result) return result;
    return expr::Literal(row::Value::Boolean(node.flag), {row::TypeKind::kBoolean, 0, 0});
  }

  // A constant is computed once; one that fails stays, for it may never be reached.
  static expr::ExprPtr Fold(expr::ExprPtr bound) {
    if (!bound || !bound->constant() || bound->type().kind == row::TypeKind::kUnknown) return bound;
    base::Arena arena(1024);
    expr::EvalContext context{arena, std::nullopt};
    row::Value value = bound->Evaluate(nullptr, context);
    if (context.error) return bound;
    return expr::Literal(value, bound->type());
  }

  NameScope& scope_;
  std::vector<Diagnostic>& diagnostics_;
};

}  // namespace

expr::ExprPtr ExpressionBinder::Bind(const Expression& expression) {
  expr::ExprPtr bound = TreeBinder(scope_, diagnostics_).Bind(expression);
  return bound && !wide_results_ ? expr::NarrowDecimal(std::move(bound)) : std::move(bound);
}

expr::ExprPtr ExpressionBinder::BindResolved(const Expression& expression) {
  expr::ExprPtr bound = Bind(expression);
  if (!bound) return nullptr;
  Result<expr::ExprPtr> resolved = expr::ResolveUnknown(std::move(bound));
  if (resolved.ok()) return std::move(resolved).value();
  diagnostics_.push_back(
      {resolved.error().code(), resolved.error().message(), expression.span, "", {}});
  return nullptr;
}

expr::ExprPtr ExpressionBinder::BindCondition(const Expression& expression,
                                              std::string_view clause) {
  return TreeBinder(scope_, diagnostics_).BindBoolean(expression, clause);
}

}  // namespace headrace::sql
