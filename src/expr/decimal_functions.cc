// Operators and functions of decimal.
#include <cmath>

#include "expr/decimal_math.h"
#include "expr/decimal_series.h"
#include "expr/function.h"
#include "expr/wide_math.h"
#include "row/decimal.h"
#include "row/text.h"

namespace headrace::expr {
namespace {

using row::SpecialDecimal;

Value Answer(DecimalError error, const Value& result, EvalContext& context) {
  if (error == DecimalError::kNone) return result;
  if (error == DecimalError::kDivisionByZero) return FailDivisionByZero(context);
  return Fail(context, "HR2102", "value overflows numeric format");
}

template <auto kOperation>
Value Binary(const Value* a, CallFrame& frame) {
  Value result = Value::Null();
  const DecimalError error = kOperation(a[0], a[1], frame.context.arena, &result);
  return Answer(error, result, frame.context);
}

Value Negate(const Value* a, CallFrame&) {
  return NegateDecimal(a[0]);
}

Value Same(const Value* a, CallFrame&) {
  return a[0];
}

bool IsNegative(const Value& value) {
  return value.special != row::kNaN && DecimalSign(value) < 0;
}

bool IsZero(const Value& value) {
  return row::IsFinite(value) && DecimalSign(value) == 0;
}

Value Absolute(const Value* a, CallFrame&) {
  return IsNegative(a[0]) ? NegateDecimal(a[0]) : a[0];
}

Value Sign(const Value* a, CallFrame&) {
  if (a[0].special == row::kNaN) return a[0];
  return Value::Decimal(IsNegative(a[0]) ? -1 : IsZero(a[0]) ? 0 : 1, 0);
}

Value RoundTo(const Value& value, int64_t digits, Rounding rounding, EvalContext& context) {
  constexpr int64_t kLimit = 2000;  // PostgreSQL's
  const int64_t clamped = digits > kLimit ? kLimit : digits < -kLimit ? -kLimit : digits;
  Value result = Value::Null();
  const DecimalError error =
      RoundDecimal(value, static_cast<int>(clamped), rounding, context.arena, &result);
  return Answer(error, result, context);
}

template <Rounding kRounding>
Value RoundWhole(const Value* a, CallFrame& frame) {
  return RoundTo(a[0], 0, kRounding, frame.context);
}

template <Rounding kRounding>
Value RoundDigits(const Value* a, CallFrame& frame) {
  return RoundTo(a[0], a[1].integer, kRounding, frame.context);
}

Value Scale(const Value* a, CallFrame&) {
  return row::IsFinite(a[0]) ? Value::Integer(row::ScaleOf(a[0])) : Value::Null();
}

Value TrimScale(const Value* a, CallFrame& frame) {
  Value trimmed = a[0];
  if (trimmed.special != row::kWide) {
    row::TrimScale(&trimmed);
    return trimmed;
  }
  row::WideDecimal wide = row::Widen(trimmed);
  while (wide.scale > 0 && wide.unscaled % 10 == 0) {
    wide.unscaled /= 10;
    --wide.scale;
  }
  return Answer(GiveWide(wide, frame.context.arena, &trimmed), trimmed, frame.context);
}

Value MinScale(const Value* a, CallFrame& frame) {
  if (!row::IsFinite(a[0])) return Value::Null();
  return Value::Integer(row::ScaleOf(TrimScale(a, frame)));
}

Value Sqrt(const Value* a, CallFrame& frame) {
  if (IsNegative(a[0])) {
    return Fail(frame.context, "HR2103", "cannot take square root of a negative number");
  }
  if (!row::IsFinite(a[0])) return a[0];
  Value result = Value::Null();
  return Answer(SqrtDecimal(a[0], frame.context.arena, &result), result, frame.context);
}

Value Exp(const Value* a, CallFrame& frame) {
  if (a[0].special == row::kNegativeInfinity) return Value::Decimal(0, 0);
  if (!row::IsFinite(a[0])) return a[0];
  Value result = Value::Null();
  return Answer(ExpDecimal(a[0], frame.context.arena, &result), result, frame.context);
}

// Whether a logarithm of it exists; otherwise the row fails.
bool HasLogarithm(const Value& value, EvalContext& context) {
  if (IsNegative(value)) {
    Fail(context, "HR2103", "cannot take logarithm of a negative number");
    return false;
  }
  if (IsZero(value)) {
    Fail(context, "HR2103", "cannot take logarithm of zero");
    return false;
  }
  return true;
}

Value Ln(const Value* a, CallFrame& frame) {
  if (!HasLogarithm(a[0], frame.context)) return Value::Null();
  if (!row::IsFinite(a[0])) return a[0];
  Value result = Value::Null();
  return Answer(LnDecimal(a[0], frame.context.arena, &result), result, frame.context);
}

Value LogBase(const Value* a, CallFrame& frame) {
  if (!HasLogarithm(a[0], frame.context) || !HasLogarithm(a[1], frame.context)) {
    return Value::Null();
  }
  if (!row::IsFinite(a[0]) || !row::IsFinite(a[1])) {
    const bool nan = a[0].special == row::kNaN || a[1].special == row::kNaN;
    if (nan || (!row::IsFinite(a[0]) && !row::IsFinite(a[1]))) return SpecialDecimal(row::kNaN);
    return row::IsFinite(a[0]) ? SpecialDecimal(row::kInfinity) : Value::Decimal(0, 0);
  }
  Value result = Value::Null();
  return Answer(LogDecimal(a[0], a[1], frame.context.arena, &result), result, frame.context);
}

Value Log10(const Value* a, CallFrame& frame) {
  if (a[0].special == row::kInfinity || a[0].special == row::kNaN) return a[0];
  const Value arguments[2] = {Value::Decimal(10, 0), a[0]};
  return LogBase(arguments, frame);
}

Value PowerSpecial(const Value& base, const Value& exponent) {
  const double power = std::pow(row::DecimalToDouble(base), row::DecimalToDouble(exponent));
  if (std::isnan(power)) return SpecialDecimal(row::kNaN);
  if (std::isinf(power)) return SpecialDecimal(power > 0 ? row::kInfinity : row::kNegativeInfinity);
  return Value::Decimal(static_cast<row::Int128>(power), 0);
}

Value Power(const Value* a, CallFrame& frame) {
  const Value& base = a[0];
  const Value& exponent = a[1];
  if (IsZero(base) && IsNegative(exponent)) {
    return Fail(frame.context, "HR2103", "zero raised to a negative power is undefined");
  }
  const double power = row::DecimalToDouble(exponent);
  if (IsNegative(base) && row::IsFinite(exponent) && power != std::trunc(power)) {
    return Fail(frame.context, "HR2103",
                "a negative number raised to a non-integer power yields a complex result");
  }
  if (!row::IsFinite(base) || !row::IsFinite(exponent)) return PowerSpecial(base, exponent);
  Value result = Value::Null();
  return Answer(PowerDecimal(base, exponent, frame.context.arena, &result), result, frame.context);
}

Value Gcd(const Value* a, CallFrame& frame) {
  if (!row::IsFinite(a[0]) || !row::IsFinite(a[1])) return SpecialDecimal(row::kNaN);
  row::WideDecimal left = row::Widen(a[0]);
  row::WideDecimal right = row::Widen(a[1]);
  const int scale = std::max(left.scale, right.scale);
  row::Rescale(&left, scale);
  row::Rescale(&right, scale);
  left.unscaled = boost::multiprecision::gcd(left.unscaled, right.unscaled);
  Value result = Value::Null();
  return Answer(GiveWide(left, frame.context.arena, &result), result, frame.context);
}

Value Lcm(const Value* a, CallFrame& frame) {
  const Value gcd = Gcd(a, frame);
  if (gcd.null || !row::IsFinite(gcd) || IsZero(gcd)) return gcd;
  Value quotient = Value::Null();
  Value product = Value::Null();
  DecimalError error = QuotientDecimal(a[0], gcd, frame.context.arena, &quotient);
  if (error == DecimalError::kNone)
    error = MultiplyDecimal(quotient, a[1], frame.context.arena, &product);
  const int scale = std::max(row::ScaleOf(a[0]), row::ScaleOf(a[1]));
  if (error == DecimalError::kNone) {
    error = RoundDecimal(product, scale, Rounding::kTowardZero, frame.context.arena, &product);
  }
  const Value result = Answer(error, product, frame.context);
  return result.null ? result : Absolute(&result, frame);
}

// Which of `count` equal buckets between low and high holds the operand; 0 and count + 1 are
// outside. `lower` is the bound at which bucket 1 begins.
Value WidthBucket(const Value* a, CallFrame& frame) {
  const Value& operand = a[0];
  const int64_t count = a[3].integer;
  if (count <= 0) return Fail(frame.context, "HR2103", "count must be greater than zero");
  for (int i = 0; i < 3; ++i) {
    if (a[i].special == row::kNaN) {
      return Fail(frame.context, "HR2103", "operand, lower bound, and upper bound cannot be NaN");
    }
    if (i > 0 && !row::IsFinite(a[i])) {
      return Fail(frame.context, "HR2103", "lower and upper bounds must be finite");
    }
  }
  const int order = row::CompareDecimal(a[1], a[2]);
  if (order == 0) {
    return Fail(frame.context, "HR2103", "lower bound cannot equal upper bound");
  }
  const int from_low = row::CompareDecimal(operand, a[1]);
  const int from_high = row::CompareDecimal(operand, a[2]);
  if (order < 0 ? from_low < 0 : from_low > 0) return Value::Integer(0);
  if (order < 0 ? from_high >= 0 : from_high <= 0) {
    if (count == INT32_MAX) return FailOutOfRange(frame.context, "integer");
    return Value::Integer(count + 1);
  }
  base::Arena& arena = frame.context.arena;
  Value offset = Value::Null();
  Value width = Value::Null();
  Value scaled = Value::Null();
  Value bucket = Value::Null();
  DecimalError error = SubtractDecimal(operand, a[1], arena, &offset);
  if (error == DecimalError::kNone) error = SubtractDecimal(a[2], a[1], arena, &width);
  if (error == DecimalError::kNone) {
    error = MultiplyDecimal(offset, Value::Decimal(count, 0), arena, &scaled);
  }
  // The quotient is rounded before it is cut, as PostgreSQL's is.
  if (error == DecimalError::kNone) error = DivideDecimal(scaled, width, arena, &bucket);
  if (error == DecimalError::kNone) {
    error = RoundDecimal(bucket, 0, Rounding::kDown, arena, &bucket);
  }
  bucket = Answer(error, bucket, frame.context);
  if (bucket.null) return bucket;
  return Value::Integer(static_cast<int64_t>(bucket.unscaled()) + 1);
}

constexpr FunctionEntry kFunctions[] = {
    Define("+", {kDecimal, kDecimal}, kDecimal, &Binary<&AddDecimal>),
    Define("-", {kDecimal, kDecimal}, kDecimal, &Binary<&SubtractDecimal>),
    Define("*", {kDecimal, kDecimal}, kDecimal, &Binary<&MultiplyDecimal>),
    Define("/", {kDecimal, kDecimal}, kDecimal, &Binary<&DivideDecimal>),
    Define("%", {kDecimal, kDecimal}, kDecimal, &Binary<&ModuloDecimal>),
    Define("mod", {kDecimal, kDecimal}, kDecimal, &Binary<&ModuloDecimal>),
    Define("div", {kDecimal, kDecimal}, kDecimal, &Binary<&QuotientDecimal>),
    Define("^", {kDecimal, kDecimal}, kDecimal, &Power),
    Define("power", {kDecimal, kDecimal}, kDecimal, &Power),
    Define("pow", {kDecimal, kDecimal}, kDecimal, &Power),
    Define("-", {kDecimal}, kDecimal, &Negate),
    Define("+", {kDecimal}, kDecimal, &Same),
    Define("@", {kDecimal}, kDecimal, &Absolute),
    Define("abs", {kDecimal}, kDecimal, &Absolute),
    Define("sign", {kDecimal}, kDecimal, &Sign),
    Define("round", {kDecimal}, kDecimal, &RoundWhole<Rounding::kHalfAwayFromZero>),
    Define("round", {kDecimal, kInteger}, kDecimal, &RoundDigits<Rounding::kHalfAwayFromZero>),
    Define("trunc", {kDecimal}, kDecimal, &RoundWhole<Rounding::kTowardZero>),
    Define("trunc", {kDecimal, kInteger}, kDecimal, &RoundDigits<Rounding::kTowardZero>),
    Define("ceil", {kDecimal}, kDecimal, &RoundWhole<Rounding::kUp>),
    Define("ceiling", {kDecimal}, kDecimal, &RoundWhole<Rounding::kUp>),
    Define("floor", {kDecimal}, kDecimal, &RoundWhole<Rounding::kDown>),
    Define("scale", {kDecimal}, kInteger, &Scale),
    Define("min_scale", {kDecimal}, kInteger, &MinScale),
    Define("trim_scale", {kDecimal}, kDecimal, &TrimScale),
    Define("sqrt", {kDecimal}, kDecimal, &Sqrt),
    Define("exp", {kDecimal}, kDecimal, &Exp),
    Define("ln", {kDecimal}, kDecimal, &Ln),
    Define("log", {kDecimal}, kDecimal, &Log10),
    Define("log10", {kDecimal}, kDecimal, &Log10),
    Define("log", {kDecimal, kDecimal}, kDecimal, &LogBase),
    Define("gcd", {kDecimal, kDecimal}, kDecimal, &Gcd),
    Define("lcm", {kDecimal, kDecimal}, kDecimal, &Lcm),
    Define("width_bucket", {kDecimal, kDecimal, kDecimal, kInteger}, kInteger, &WidthBucket),
};

}  // namespace

std::span<const FunctionEntry> DecimalFunctions() {
  return kFunctions;
}

}  // namespace headrace::expr
