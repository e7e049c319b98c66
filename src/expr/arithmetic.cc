// Operators and functions of smallint, integer and bigint.
#include <limits>
#include <type_traits>

#include "expr/function.h"
#include "row/wide_decimal.h"

namespace headrace::expr {
namespace {

template <typename Int>
constexpr std::string_view NameOf() {
  return sizeof(Int) == 2 ? "smallint" : sizeof(Int) == 4 ? "integer" : "bigint";
}

template <typename Int>
Int Get(const Value& value) {
  return static_cast<Int>(value.integer);
}

template <typename Int>
Value Add(const Value* a, CallFrame& frame) {
  Int result;
  if (__builtin_add_overflow(Get<Int>(a[0]), Get<Int>(a[1]), &result)) {
    return FailOutOfRange(frame.context, NameOf<Int>());
  }
  return Value::Integer(result);
}

template <typename Int>
Value Subtract(const Value* a, CallFrame& frame) {
  Int result;
  if (__builtin_sub_overflow(Get<Int>(a[0]), Get<Int>(a[1]), &result)) {
    return FailOutOfRange(frame.context, NameOf<Int>());
  }
  return Value::Integer(result);
}

template <typename Int>
Value Multiply(const Value* a, CallFrame& frame) {
  Int result;
  if (__builtin_mul_overflow(Get<Int>(a[0]), Get<Int>(a[1]), &result)) {
    return FailOutOfRange(frame.context, NameOf<Int>());
  }
  return Value::Integer(result);
}

template <typename Int>
Value Divide(const Value* a, CallFrame& frame) {
  if (a[1].integer == 0) return FailDivisionByZero(frame.context);
  if (a[1].integer == -1) {
    const Value operands[2] = {Value::Integer(0), a[0]};
    return Subtract<Int>(operands, frame);
  }
  return Value::Integer(a[0].integer / a[1].integer);
}

Value Modulo(const Value* a, CallFrame& frame) {
  if (a[1].integer == 0) return FailDivisionByZero(frame.context);
  if (a[1].integer == -1) return Value::Integer(0);
  return Value::Integer(a[0].integer % a[1].integer);
}

template <typename Int>
Value Negate(const Value* a, CallFrame& frame) {
  const Value operands[2] = {Value::Integer(0), a[0]};
  return Subtract<Int>(operands, frame);
}

template <typename Int>
Value Absolute(const Value* a, CallFrame& frame) {
  return a[0].integer < 0 ? Negate<Int>(a, frame) : a[0];
}

Value Same(const Value* a, CallFrame&) {
  return a[0];
}

Value BitAnd(const Value* a, CallFrame&) {
  return Value::Integer(a[0].integer & a[1].integer);
}
Value BitOr(const Value* a, CallFrame&) {
  return Value::Integer(a[0].integer | a[1].integer);
}
Value BitXor(const Value* a, CallFrame&) {
  return Value::Integer(a[0].integer ^ a[1].integer);
}
Value BitNot(const Value* a, CallFrame&) {
  return Value::Integer(~a[0].integer);
}

// The count is taken modulo the width of the machine operation PostgreSQL uses (32 or 64 bits).
template <typename Int>
Value ShiftLeft(const Value* a, CallFrame&) {
  using Machine = std::conditional_t<sizeof(Int) == 8, uint64_t, uint32_t>;
  const auto by = static_cast<unsigned>(a[1].integer) & (sizeof(Machine) * 8 - 1);
  return Value::Integer(static_cast<Int>(static_cast<Machine>(a[0].integer) << by));
}

template <typename Int>
Value ShiftRight(const Value* a, CallFrame&) {
  const auto by = static_cast<unsigned>(a[1].integer) & (sizeof(Int) == 8 ? 63U : 31U);
  return Value::Integer(a[0].integer >> by);
}

template <typename Int>
using Unsigned = std::make_unsigned_t<Int>;

template <typename Int>
Unsigned<Int> MagnitudeOf(int64_t value) {
  const auto bits = static_cast<Unsigned<Int>>(value);
  return value < 0 ? static_cast<Unsigned<Int>>(0 - bits) : bits;
}

template <typename Int>
Value Gcd(const Value* a, CallFrame& frame) {
  auto x = MagnitudeOf<Int>(a[0].integer);
  auto y = MagnitudeOf<Int>(a[1].integer);
  while (y != 0) {
    const auto rest = x % y;
    x = y;
    y = rest;
  }
  if (x > static_cast<Unsigned<Int>>(std::numeric_limits<Int>::max())) {
    return FailOutOfRange(frame.context, NameOf<Int>());
  }
  return Value::Integer(static_cast<Int>(x));
}

template <typename Int>
Value Lcm(const Value* a, CallFrame& frame) {
  if (a[0].integer == 0 || a[1].integer == 0) return Value::Integer(0);
  const Value gcd = Gcd<Int>(a, frame);
  if (gcd.null) return gcd;
  const Value operands[2] = {Value::Integer(a[0].integer / gcd.integer), a[1]};
  const Value product = Multiply<Int>(operands, frame);
  return product.null ? product : Absolute<Int>(&product, frame);
}

Value Factorial(const Value* a, CallFrame& frame) {
  if (a[0].integer < 0) {
    return Fail(frame.context, "HR2103", "factorial of a negative number is undefined");
  }
  constexpr int64_t kLargest = 1400;  // has fewer than 4,000 digits
  row::WideDecimal product{1, 0};
  for (int64_t i = 2; i <= a[0].integer && i <= kLargest; ++i)
    product.unscaled *= i;
  Value result = Value::Null();
  if (a[0].integer > kLargest || !row::StoreDecimal(product, frame.context.arena, &result)) {
    return Fail(frame.context, "HR2102", "value overflows numeric format");
  }
  return result;
}

constexpr FunctionEntry kFunctions[] = {
    Define("+", {kSmallint, kSmallint}, kSmallint, &Add<int16_t>),
    Define("+", {kInteger, kInteger}, kInteger, &Add<int32_t>),
    Define("+", {kBigint, kBigint}, kBigint, &Add<int64_t>),
    Define("-", {kSmallint, kSmallint}, kSmallint, &Subtract<int16_t>),
    Define("-", {kInteger, kInteger}, kInteger, &Subtract<int32_t>),
    Define("-", {kBigint, kBigint}, kBigint, &Subtract<int64_t>),
    Define("*", {kSmallint, kSmallint}, kSmallint, &Multiply<int16_t>),
    Define("*", {kInteger, kInteger}, kInteger, &Multiply<int32_t>),
    Define("*", {kBigint, kBigint}, kBigint, &Multiply<int64_t>),
    Define("/", {kSmallint, kSmallint}, kSmallint, &Divide<int16_t>),
    Define("/", {kInteger, kInteger}, kInteger, &Divide<int32_t>),
    Define("/", {kBigint, kBigint}, kBigint, &Divide<int64_t>),
    Define("%", {kSmallint, kSmallint}, kSmallint, &Modulo),
    Define("%", {kInteger, kInteger}, kInteger, &Modulo),
    Define("%", {kBigint, kBigint}, kBigint, &Modulo),
    Define("mod", {kSmallint, kSmallint}, kSmallint, &Modulo),
    Define("mod", {kInteger, kInteger}, kInteger, &Modulo),
    Define("mod", {kBigint, kBigint}, kBigint, &Modulo),
    Define("-", {kSmallint}, kSmallint, &Negate<int16_t>),
    Define("-", {kInteger}, kInteger, &Negate<int32_t>),
    Define("-", {kBigint}, kBigint, &Negate<int64_t>),
    Define("+", {kSmallint}, kSmallint, &Same),
    Define("+", {kInteger}, kInteger, &Same),
    Define("+", {kBigint}, kBigint, &Same),
    Define("abs", {kSmallint}, kSmallint, &Absolute<int16_t>),
    Define("abs", {kInteger}, kInteger, &Absolute<int32_t>),
    Define("abs", {kBigint}, kBigint, &Absolute<int64_t>),
    Define("@", {kSmallint}, kSmallint, &Absolute<int16_t>),
    Define("@", {kInteger}, kInteger, &Absolute<int32_t>),
    Define("@", {kBigint}, kBigint, &Absolute<int64_t>),
    Define("&", {kSmallint, kSmallint}, kSmallint, &BitAnd),
    Define("&", {kInteger, kInteger}, kInteger, &BitAnd),
    Define("&", {kBigint, kBigint}, kBigint, &BitAnd),
    Define("|", {kSmallint, kSmallint}, kSmallint, &BitOr),
    Define("|", {kInteger, kInteger}, kInteger, &BitOr),
    Define("|", {kBigint, kBigint}, kBigint, &BitOr),
    Define("#", {kSmallint, kSmallint}, kSmallint, &BitXor),
    Define("#", {kInteger, kInteger}, kInteger, &BitXor),
    Define("#", {kBigint, kBigint}, kBigint, &BitXor),
    Define("~", {kSmallint}, kSmallint, &BitNot),
    Define("~", {kInteger}, kInteger, &BitNot),
    Define("~", {kBigint}, kBigint, &BitNot),
    Define("<<", {kSmallint, kInteger}, kSmallint, &ShiftLeft<int16_t>),
    Define("<<", {kInteger, kInteger}, kInteger, &ShiftLeft<int32_t>),
    Define("<<", {kBigint, kInteger}, kBigint, &ShiftLeft<int64_t>),
    Define(">>", {kSmallint, kInteger}, kSmallint, &ShiftRight<int16_t>),
    Define(">>", {kInteger, kInteger}, kInteger, &ShiftRight<int32_t>),
    Define(">>", {kBigint, kInteger}, kBigint, &ShiftRight<int64_t>),
    Define("gcd", {kInteger, kInteger}, kInteger, &Gcd<int32_t>),
    Define("gcd", {kBigint, kBigint}, kBigint, &Gcd<int64_t>),
    Define("lcm", {kInteger, kInteger}, kInteger, &Lcm<int32_t>),
    Define("lcm", {kBigint, kBigint}, kBigint, &Lcm<int64_t>),
    Define("factorial", {kBigint}, kDecimal, &Factorial),
};

}  // namespace

std::span<const FunctionEntry> ArithmeticFunctions() {
  return kFunctions;
}

}  // namespace headrace::expr
