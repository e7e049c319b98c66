#include <cmath>
#include <optional>

#include "expr/json_order.h"
#include "expr/node.h"
#include "row/array_text.h"
#include "row/decimal.h"
#include "row/text.h"

namespace headrace::expr {
namespace {

enum class Op : uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

template <Op kOp>
inline bool Decide(int order) {
  switch (kOp) {
    case Op::kEqual:
      return order == 0;
    case Op::kNotEqual:
      return order != 0;
    case Op::kLess:
      return order < 0;
    case Op::kLessEqual:
      return order <= 0;
    case Op::kGreater:
      return order > 0;
    case Op::kGreaterEqual:
      return order >= 0;
  }
  return false;
}

// Orders of the types that comparisons meet often, to be inlined into their nodes.
struct IntegerOrder {
  static int Of(const Value& a, const Value& b) {
    return a.integer < b.integer ? -1 : a.integer > b.integer ? 1 : 0;
  }
};

struct DoubleOrder {
  static int Of(const Value& a, const Value& b) {
    if (a.number < b.number) return -1;
    if (a.number > b.number) return 1;
    if (a.number == b.number) return 0;
    return (std::isnan(a.number) ? 1 : 0) - (std::isnan(b.number) ? 1 : 0);
  }
};

struct DecimalOrder {
  static int Of(const Value& a, const Value& b) {
    if (a.scale != b.scale || (a.special | b.special) != 0) return row::CompareDecimal(a, b);
    const row::Int128 left = a.unscaled();
    const row::Int128 right = b.unscaled();
    return left < right ? -1 : left > right ? 1 : 0;
  }
};

struct TextOrder {
  static int Of(const Value& a, const Value& b) { return row::Compare(a, b, kText); }
};

struct BooleanOrder {
  static int Of(const Value& a, const Value& b) {
    return (a.boolean ? 1 : 0) - (b.boolean ? 1 : 0);
  }
};

struct IntervalOrder {
  static int Of(const Value& a, const Value& b) { return row::Compare(a, b, kInterval); }
};

struct JsonbOrder {
  static int Of(const Value& a, const Value& b) { return CompareJsonb(a.text(), b.text()); }
};

// Element by element; NULL is the largest element, and the longer array is larger.
int CompareArrays(const Value& a, const Value& b, Type type) {
  const Result<row::ArrayElements> left = row::ParseArray(a.text());
  const Result<row::ArrayElements> right = row::ParseArray(b.text());
  if (!left.ok() || !right.ok()) return row::Compare(a, b, kText);
  const Type element = type.kind == TypeKind::kBigintArray ? kBigint : kText;
  for (size_t i = 0; i < left->size() && i < right->size(); ++i) {
    const auto& x = (*left)[i];
    const auto& y = (*right)[i];
    if (!x || !y) {
      if (x || y) return x ? -1 : 1;
      continue;
    }
    base::Arena arena(64);
    const Result<Value> first = row::ParseText(*x, element, arena);
    const Result<Value> second = row::ParseText(*y, element, arena);
    const int order = first.ok() && second.ok() ? row::Compare(*first, *second, element) : 0;
    if (order != 0) return order;
  }
  return left->size() < right->size() ? -1 : left->size() > right->size() ? 1 : 0;
}

struct BigintArrayOrder {
  static int Of(const Value& a, const Value& b) { return CompareArrays(a, b, kBigintArray); }
};

struct TextArrayOrder {
  static int Of(const Value& a, const Value& b) { return CompareArrays(a, b, kTextArray); }
};

template <typename Order, Op kOp>
class CompareNode final : public ParentNode {
 public:
  CompareNode(ExprPtr left, ExprPtr right)
      : ParentNode(List(std::move(left), std::move(right)), kBoolean) {}

  Value Evaluate(const Value* row, EvalContext& context) const override {
    const Value left = child(0).Evaluate(row, context);
    const Value right = child(1).Evaluate(row, context);
    if (left.null || right.null) return Value::Null();
    return Value::Boolean(Decide<kOp>(Order::Of(left, right)));
  }
};

// column <op> constant, neither needing a call.
template <typename Order, Op kOp>
class CompareSlotNode final : public ParentNode {
 public:
  CompareSlotNode(ExprPtr left, ExprPtr right, Value constant)
      : ParentNode(List(std::move(left), std::move(right)), kBoolean),
        slot_(SlotOf(child(0))),
        constant_(constant) {}

  Value Evaluate(const Value* row, EvalContext&) const override {
    const Value& left = row[slot_];
    if (left.null) return Value::Null();
    return Value::Boolean(Decide<kOp>(Order::Of(left, constant_)));
  }

 private:
  int slot_;
  Value constant_;  // its bytes belong to the literal, a child
};

template <typename Order, Op kOp>
ExprPtr MakeNode(ExprPtr left, ExprPtr right) {
  if (SlotOf(*left) >= 0 && right->constant()) {
    base::Arena arena;
    Result<Value> constant = EvaluateConstant(*right, arena);
    if (constant.ok() && !constant->null) {
      right = Literal(*constant, right->type());
      const Value owned = *EvaluateConstant(*right, arena);
      return std::make_unique<CompareSlotNode<Order, kOp>>(std::move(left), std::move(right),
                                                           owned);
    }
  }
  return std::make_unique<CompareNode<Order, kOp>>(std::move(left), std::move(right));
}

template <typename Order>
ExprPtr MakeOrdered(Op op, ExprPtr left, ExprPtr right) {
  switch (op) {
    case Op::kEqual:
      return MakeNode<Order, Op::kEqual>(std::move(left), std::move(right));
    case Op::kNotEqual:
      return MakeNode<Order, Op::kNotEqual>(std::move(left), std::move(right));
    case Op::kLess:
      return MakeNode<Order, Op::kLess>(std::move(left), std::move(right));
    case Op::kLessEqual:
      return MakeNode<Order, Op::kLessEqual>(std::move(left), std::move(right));
    case Op::kGreater:
      return MakeNode<Order, Op::kGreater>(std::move(left), std::move(right));
    case Op::kGreaterEqual:
      return MakeNode<Order, Op::kGreaterEqual>(std::move(left), std::move(right));
  }
  return nullptr;
}

std::optional<Op> FindOp(std::string_view name) {
  if (name == "=") return Op::kEqual;
  if (name == "<>" || name == "!=") return Op::kNotEqual;
  if (name == "<") return Op::kLess;
  if (name == "<=") return Op::kLessEqual;
  if (name == ">") return Op::kGreater;
  if (name == ">=") return Op::kGreaterEqual;
  return std::nullopt;
}

// IS [NOT] DISTINCT FROM: NULL is a value like others.
class DistinctNode final : public ParentNode {
 public:
  DistinctNode(bool negated, ExprPtr left, ExprPtr right)
      : ParentNode(List(std::move(left), std::move(right)), kBoolean),
        negated_(negated),
        compared_(child(0).type()) {}

  Value Evaluate(const Value* row, EvalContext& context) const override {
    const Value left = child(0).Evaluate(row, context);
    const Value right = child(1).Evaluate(row, context);
    const bool same = left.null || right.null ? left.null && right.null
                                              : CompareValues(left, right, compared_) == 0;
    return Value::Boolean(same == negated_);
  }

 private:
  bool negated_;
  Type compared_;
};

// GREATEST and LEAST skip NULLs.
class ExtremeNode final : public ParentNode {
 public:
  ExtremeNode(bool greatest, std::vector<ExprPtr> arguments, Type type)
      : ParentNode(std::move(arguments), type), greatest_(greatest) {}

  Value Evaluate(const Value* row, EvalContext& context) const override {
    Value best = Value::Null();
    for (size_t i = 0; i < size(); ++i) {
      const Value value = child(i).Evaluate(row, context);
      if (value.null) continue;
      if (best.null) {
        best = value;
        continue;
      }
      const int order = CompareValues(value, best, type());
      if (greatest_ ? order > 0 : order < 0) best = value;
    }
    return best;
  }

 private:
  bool greatest_;
};

// Brings both sides to the type they compare as.
Result<Type> Unify(std::string_view name, ExprPtr& left, ExprPtr& right) {
  HR_ASSIGN(std::vector<ExprPtr> sides, DropPadding(List(std::move(left), std::move(right))));
  left = std::move(sides[0]);
  right = std::move(sides[1]);
  const std::optional<Type> type = ComparisonType(left->type(), right->type());
  if (!type) {
    return TypeError("no operator " + row::ToString(BaseOf(left->type())) + " " +
                     std::string(name) + " " + row::ToString(BaseOf(right->type())))
        .WithHint("convert one side with a cast: x::type");
  }
  for (ExprPtr* side : {&left, &right}) {
    // Integers of every width hold 64 bits already.
    if (IsInteger((*side)->type()) && IsInteger(*type)) continue;
    const Type target = (*side)->type() == row::kReal && *type == kDouble ? row::kReal : *type;
    HR_ASSIGN(*side, Cast(std::move(*side), target));
  }
  return *type;
}

}  // namespace

bool IsComparison(std::string_view name) {
  return FindOp(name).has_value();
}

int CompareValues(const Value& a, const Value& b, Type type) {
  switch (type.kind) {
    case TypeKind::kJsonb:
      return CompareJsonb(a.text(), b.text());
    case TypeKind::kTextArray:
    case TypeKind::kBigintArray:
      return CompareArrays(a, b, type);
    default:
      return row::Compare(a, b, type);
  }
}

Result<ExprPtr> MakeComparison(std::string_view name, ExprPtr left, ExprPtr right) {
  HR_ASSIGN(const Type type, Unify(name, left, right));
  const Op op = *FindOp(name);
  switch (type.kind) {
    case TypeKind::kBoolean:
      return MakeOrdered<BooleanOrder>(op, std::move(left), std::move(right));
    case TypeKind::kDouble:
      return MakeOrdered<DoubleOrder>(op, std::move(left), std::move(right));
    case TypeKind::kDecimal:
      return MakeOrdered<DecimalOrder>(op, std::move(left), std::move(right));
    case TypeKind::kInterval:
      return MakeOrdered<IntervalOrder>(op, std::move(left), std::move(right));
    case TypeKind::kJsonb:
      return MakeOrdered<JsonbOrder>(op, std::move(left), std::move(right));
    case TypeKind::kTextArray:
      return MakeOrdered<TextArrayOrder>(op, std::move(left), std::move(right));
    case TypeKind::kBigintArray:
      return MakeOrdered<BigintArrayOrder>(op, std::move(left), std::move(right));
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return MakeOrdered<IntegerOrder>(op, std::move(left), std::move(right));
    default:
      return MakeOrdered<TextOrder>(op, std::move(left), std::move(right));
  }
}

Result<ExprPtr> MakeDistinct(bool negated, ExprPtr left, ExprPtr right) {
  HR_ASSIGN(const Type type, Unify("IS DISTINCT FROM", left, right));
  static_cast<void>(type);
  return ExprPtr(std::make_unique<DistinctNode>(negated, std::move(left), std::move(right)));
}

Result<ExprPtr> MakeExtreme(bool greatest, std::vector<ExprPtr> arguments) {
  HR_ASSIGN(arguments, DropPadding(std::move(arguments)));
  std::vector<Type> types;
  for (const ExprPtr& argument : arguments)
    types.push_back(argument->type());
  const std::optional<Type> type = CommonType(types);
  if (!type || type->kind == TypeKind::kJson) {
    return TypeError(std::string(greatest ? "greatest" : "least") +
                     " takes arguments of one type, not of " + row::ToString(types.front()) +
                     " and " + row::ToString(types.back()));
  }
  HR_ASSIGN(arguments, CastAll(std::move(arguments), *type));
  return ExprPtr(std::make_unique<ExtremeNode>(greatest, std::move(arguments), *type));
}

}  // namespace headrace::expr
