// Nodes for + - * / of the frequent types, with the operation inlined.
#include <cmath>

#include "expr/decimal_math.h"
#include "expr/function.h"
#include "expr/node.h"
#include "row/decimal.h"

namespace headrace::expr {
namespace {

template <typename Int>
struct IntegerOps {
  static constexpr std::string_view kName = sizeof(Int) == 4 ? "integer" : "bigint";

  template <char kOp>
  static Value Apply(const Value& a, const Value& b, EvalContext& context) {
    const auto left = static_cast<Int>(a.integer);
    const auto right = static_cast<Int>(b.integer);
    Int result = 0;
    bool overflow = false;
    if constexpr (kOp == '+') {
      overflow = __builtin_add_overflow(left, right, &result);
    } else if constexpr (kOp == '-') {
      overflow = __builtin_sub_overflow(left, right, &result);
    } else if constexpr (kOp == '*') {
      overflow = __builtin_mul_overflow(left, right, &result);
    } else {
      if (right == 0) return FailDivisionByZero(context);
      if (right == -1) {
        overflow = __builtin_sub_overflow(Int{0}, left, &result);
      } else {
        result = left / right;
      }
    }
    if (overflow) return FailOutOfRange(context, kName);
    return Value::Integer(result);
  }
};

struct DoubleOps {
  template <char kOp>
  static Value Apply(const Value& a, const Value& b, EvalContext& context) {
    double result = 0;
    if constexpr (kOp == '+') {
      result = a.number + b.number;
    } else if constexpr (kOp == '-') {
      result = a.number - b.number;
    } else if constexpr (kOp == '*') {
      result = a.number * b.number;
    } else {
      if (b.number == 0 && !std::isnan(a.number)) return FailDivisionByZero(context);
      result = a.number / b.number;
    }
    if (std::isinf(result) && !std::isinf(a.number) && !std::isinf(b.number)) {
      return Fail(context, "HR2102", "value out of range: overflow");
    }
    constexpr bool kScales = kOp == '*' || kOp == '/';
    if (kScales && result == 0 && a.number != 0 &&
        (kOp == '*' ? b.number != 0 : !std::isinf(b.number))) {
      return Fail(context, "HR2102", "value out of range: underflow");
    }
    return Value::Double(result);
  }
};

struct DecimalOps {
  template <char kOp>
  static Value Apply(const Value& a, const Value& b, EvalContext& context) {
    if constexpr (kOp == '+' || kOp == '-') {
      if (a.scale == b.scale && (a.special | b.special) == 0) {
        const row::Int128 sum =
            kOp == '+' ? a.unscaled() + b.unscaled() : a.unscaled() - b.unscaled();
        if (row::FitsDecimal(row::Magnitude(sum))) return Value::Decimal(sum, a.scale);
      }
    }
    Value result;
    const DecimalError error = kOp == '+'   ? AddDecimal(a, b, context.arena, &result)
                               : kOp == '-' ? SubtractDecimal(a, b, context.arena, &result)
                               : kOp == '*' ? MultiplyDecimal(a, b, context.arena, &result)
                                            : DivideDecimal(a, b, context.arena, &result);
    if (error == DecimalError::kNone) return result;
    if (error == DecimalError::kDivisionByZero) return FailDivisionByZero(context);
    return Fail(context, "HR2102", "value overflows numeric format");
  }
};

template <typename Ops, char kOp>
class ArithmeticNode final : public ParentNode {
 public:
  ArithmeticNode(ExprPtr left, ExprPtr right, Type type)
      : ParentNode(List(std::move(left), std::move(right)), type) {}

  Value Evaluate(const Value* row, EvalContext& context) const override {
    const Value left = child(0).Evaluate(row, context);
    const Value right = child(1).Evaluate(row, context);
    if (left.null || right.null) return Value::Null();
    return Ops::template Apply<kOp>(left, right, context);
  }
};

template <typename Ops>
ExprPtr Make(char op, ExprPtr& left, ExprPtr& right, Type type) {
  switch (op) {
    case '+':
      return std::make_unique<ArithmeticNode<Ops, '+'>>(std::move(left), std::move(right), type);
    case '-':
      return std::make_unique<ArithmeticNode<Ops, '-'>>(std::move(left), std::move(right), type);
    case '*':
      return std::make_unique<ArithmeticNode<Ops, '*'>>(std::move(left), std::move(right), type);
    case '/':
      return std::make_unique<ArithmeticNode<Ops, '/'>>(std::move(left), std::move(right), type);
    default:
      return nullptr;
  }
}

}  // namespace

ExprPtr MakeFastArithmetic(char op, ExprPtr& left, ExprPtr& right) {
  const Type type = BaseOf(left->type());
  if (!SameBase(type, right->type())) return nullptr;
  if (type == kInteger) return Make<IntegerOps<int32_t>>(op, left, right, kInteger);
  if (type == kBigint) return Make<IntegerOps<int64_t>>(op, left, right, kBigint);
  if (type == kDouble) return Make<DoubleOps>(op, left, right, kDouble);
  if (type == kDecimal) return Make<DecimalOps>(op, left, right, kDecimal);
  return nullptr;
}

}  // namespace headrace::expr
