#include "expr/expr.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "expr/function.h"
#include "expr/node.h"
#include "row/decimal.h"

namespace headrace::expr {
namespace {

// A slot of the row.
class ColumnNode final : public Expr {
 public:
  ColumnNode(int slot, Type type) : slot_(slot), type_(type) {}

  Value Evaluate(const Value* row, EvalContext&) const override { return row[slot_]; }
  Type type() const override { return type_; }
  void CollectSlots(std::vector<int>& slots) const override { slots.push_back(slot_); }
  bool constant() const override { return false; }
  int slot() const { return slot_; }

 private:
  int slot_;
  Type type_;
};

bool HasBytes(Type type) {
  switch (type.kind) {
    case TypeKind::kUnknown:
    case TypeKind::kText:
    case TypeKind::kBytea:
    case TypeKind::kJson:
    case TypeKind::kJsonb:
    case TypeKind::kTextArray:
    case TypeKind::kBigintArray:
      return true;
    default:
      return false;
  }
}

// A constant. Owns its bytes.
class LiteralNode final : public Expr {
 public:
  LiteralNode(const Value& value, Type type) : value_(value), type_(type) {
    const bool wide = type.kind == TypeKind::kDecimal && value.special == row::kWide;
    if (value.null || !(wide || HasBytes(type))) return;
    bytes_ = std::string(value.text());
    value_.data = bytes_.data();
  }

  Value Evaluate(const Value*, EvalContext&) const override { return value_; }
  Type type() const override { return type_; }
  void CollectSlots(std::vector<int>&) const override {}
  bool constant() const override { return true; }

 private:
  std::string bytes_;
  Value value_;
  Type type_;
};

// Three-valued AND (kStop false) and OR (kStop true). The right side is not evaluated when the left
// one decides.
template <bool kStop>
class LogicNode final : public ParentNode {
 public:
  LogicNode(ExprPtr left, ExprPtr right)
      : ParentNode(List(std::move(left), std::move(right)), kBoolean) {}

  Value Evaluate(const Value* row, EvalContext& context) const override {
    const Value left = child(0).Evaluate(row, context);
    if (!left.null && left.boolean == kStop) return left;
    const Value right = child(1).Evaluate(row, context);
    if (!right.null && right.boolean == kStop) return right;
    return left.null ? left : right;
  }
};

// Refuses decimals that no row can hold.
class NarrowNode final : public ParentNode {
 public:
  explicit NarrowNode(ExprPtr argument) : ParentNode(List(std::move(argument)), kDecimal) {}

  Value Evaluate(const Value* row, EvalContext& context) const override {
    const Value value = child(0).Evaluate(row, context);
    if (value.special != row::kWide || value.null) return value;
    Fail(context, "HR2102", "value overflows numeric format");
    context.error->WithHint("rows hold decimals of at most 38 digits: use round() or a cast");
    return Value::Null();
  }
};

}  // namespace

ExprPtr Column(int slot, row::Type type) {
  return std::make_unique<ColumnNode>(slot, type);
}

ExprPtr Literal(row::Value value, row::Type type) {
  return std::make_unique<LiteralNode>(value, type);
}

ExprPtr And(ExprPtr left, ExprPtr right) {
  return std::make_unique<LogicNode<false>>(std::move(left), std::move(right));
}

ExprPtr Or(ExprPtr left, ExprPtr right) {
  return std::make_unique<LogicNode<true>>(std::move(left), std::move(right));
}

ExprPtr NarrowDecimal(ExprPtr argument) {
  const Type type = argument->type();
  const bool narrow =
      type.kind != TypeKind::kDecimal || type.precision > 0 || SlotOf(*argument) >= 0;
  if (narrow) return argument;
  if (argument->constant()) {
    base::Arena arena;
    const Result<Value> value = EvaluateConstant(*argument, arena);
    if (value.ok() && (value->null || value->special != row::kWide)) return argument;
  }
  return std::make_unique<NarrowNode>(std::move(argument));
}

Result<ExprPtr> ResolveUnknown(ExprPtr argument) {
  if (argument->type().kind != TypeKind::kUnknown) return argument;
  return Cast(std::move(argument), kText);
}

int SlotOf(const Expr& expression) {
  const auto* column = dynamic_cast<const ColumnNode*>(&expression);
  return column == nullptr ? -1 : column->slot();
}

Result<Value> EvaluateConstant(const Expr& expression, base::Arena& arena) {
  EvalContext context{arena, std::nullopt};
  const Value value = expression.Evaluate(nullptr, context);
  if (context.error) return *std::move(context.error);
  return value;
}

Result<std::vector<ExprPtr>> CastAll(std::vector<ExprPtr> arguments, Type type) {
  for (ExprPtr& argument : arguments) {
    HR_ASSIGN(argument, Cast(std::move(argument), type));
  }
  return arguments;
}

Result<std::vector<ExprPtr>> DropPadding(std::vector<ExprPtr> arguments) {
  const auto padded = [](const ExprPtr& argument) { return argument->type() == kPaddedText; };
  if (std::none_of(arguments.begin(), arguments.end(), padded)) return arguments;
  for (ExprPtr& argument : arguments) {
    if (argument->type() == kUnknown) {
      HR_ASSIGN(argument, Cast(std::move(argument), kPaddedText));
    }
    if (!padded(argument)) continue;
    HR_ASSIGN(argument, Cast(std::move(argument), kText));
  }
  return arguments;
}

Error TypeError(std::string message) {
  return Error(ErrorKind::kInvalidArgument, "HR1102", std::move(message));
}

}  // namespace headrace::expr
