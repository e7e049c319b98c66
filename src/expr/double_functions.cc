// Operators and functions of double precision and real.
#include <cmath>
#include <numbers>

#include "expr/function.h"

namespace headrace::expr {
namespace {

using Binary = double (*)(double, double);
using Unary = double (*)(double);

Value Overflow(EvalContext& context) {
  return Fail(context, "HR2102", "value out of range: overflow");
}
Value Underflow(EvalContext& context) {
  return Fail(context, "HR2102", "value out of range: underflow");
}

// An operation on T (float for real). kOp is one of + - * /.
template <typename T, char kOp>
Value Operate(const Value* a, CallFrame& frame) {
  const auto left = static_cast<T>(a[0].number);
  const auto right = static_cast<T>(a[1].number);
  if (kOp == '/' && right == 0 && !std::isnan(left)) return FailDivisionByZero(frame.context);
  const T result = kOp == '+'   ? left + right
                   : kOp == '-' ? left - right
                   : kOp == '*' ? left * right
                                : left / right;
  if (std::isinf(result) && !std::isinf(left) && !std::isinf(right)) {
    return Overflow(frame.context);
  }
  const bool scales = kOp == '*' || kOp == '/';
  if (scales && result == 0 && left != 0 && (kOp == '*' ? right != 0 : !std::isinf(right))) {
    return Underflow(frame.context);
  }
  return Value::Double(static_cast<double>(result));
}

template <Unary kFunction>
Value Apply(const Value* a, CallFrame&) {
  return Value::Double(kFunction(a[0].number));
}

// Where a finite argument may leave the range.
template <Unary kFunction>
Value ApplyChecked(const Value* a, CallFrame& frame) {
  const double result = kFunction(a[0].number);
  if (std::isinf(result) && !std::isinf(a[0].number)) return Overflow(frame.context);
  if (result == 0 && kFunction == static_cast<Unary>(&std::exp) && !std::isinf(a[0].number)) {
    return Underflow(frame.context);
  }
  return Value::Double(result);
}

// Functions of angles, which have no value at infinity.
template <Unary kFunction>
Value ApplyFinite(const Value* a, CallFrame& frame) {
  const double result = kFunction(a[0].number);
  if (std::isnan(result) && !std::isnan(a[0].number)) {
    return Fail(frame.context, "HR2102", "input is out of range");
  }
  return Value::Double(result);
}

Value Negate(const Value* a, CallFrame&) {
  return Value::Double(-a[0].number);
}
Value Same(const Value* a, CallFrame&) {
  return a[0];
}

double SignOf(double x) {
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}
double Degrees(double x) {
  return x / (std::numbers::pi / 180);
}
double Radians(double x) {
  return x * (std::numbers::pi / 180);
}

Value Sqrt(const Value* a, CallFrame& frame) {
  if (a[0].number < 0) {
    return Fail(frame.context, "HR2103", "cannot take square root of a negative number");
  }
  return Value::Double(std::sqrt(a[0].number));
}

template <Unary kFunction>
Value Logarithm(const Value* a, CallFrame& frame) {
  if (a[0].number == 0) return Fail(frame.context, "HR2103", "cannot take logarithm of zero");
  if (a[0].number < 0) {
    return Fail(frame.context, "HR2103", "cannot take logarithm of a negative number");
  }
  return Value::Double(kFunction(a[0].number));
}

Value Power(const Value* a, CallFrame& frame) {
  const double base = a[0].number;
  const double exponent = a[1].number;
  if (base == 0 && exponent < 0) {
    return Fail(frame.context, "HR2103", "zero raised to a negative power is undefined");
  }
  if (base < 0 && !std::isinf(exponent) && std::floor(exponent) != exponent) {
    return Fail(frame.context, "HR2103",
                "a negative number raised to a non-integer power yields a complex result");
  }
  const double result = std::pow(base, exponent);
  const bool finite = !std::isinf(base) && !std::isinf(exponent);
  if (finite && std::isinf(result)) return Overflow(frame.context);
  if (finite && result == 0 && base != 0) return Underflow(frame.context);
  return Value::Double(result);
}

template <Binary kFunction>
Value ApplyTwo(const Value* a, CallFrame&) {
  return Value::Double(kFunction(a[0].number, a[1].number));
}

Value Pi(const Value*, CallFrame&) {
  return Value::Double(std::numbers::pi);
}

Value WidthBucket(const Value* a, CallFrame& frame) {
  const double operand = a[0].number;
  const double low = a[1].number;
  const double high = a[2].number;
  const int64_t count = a[3].integer;
  if (count <= 0) return Fail(frame.context, "HR2103", "count must be greater than zero");
  if (std::isnan(operand) || std::isnan(low) || std::isnan(high)) {
    return Fail(frame.context, "HR2103", "operand, lower bound, and upper bound cannot be NaN");
  }
  if (std::isinf(low) || std::isinf(high)) {
    return Fail(frame.context, "HR2103", "lower and upper bounds must be finite");
  }
  if (low == high) {
    return Fail(frame.context, "HR2103", "lower bound cannot equal upper bound");
  }
  const bool up = low < high;
  if (up ? operand < low : operand > low) return Value::Integer(0);
  if (up ? operand >= high : operand <= high) {
    if (count == INT32_MAX) return FailOutOfRange(frame.context, "integer");
    return Value::Integer(count + 1);
  }
  const double distance = up ? operand - low : low - operand;
  const double width = up ? high - low : low - high;
  const double bucket = static_cast<double>(count) * distance / width + 1;
  if (!(bucket < static_cast<double>(INT32_MAX))) return FailOutOfRange(frame.context, "integer");
  return Value::Integer(static_cast<int64_t>(bucket));
}

// cot, as 1 over tan.
double Cotangent(double x) {
  return 1.0 / std::tan(x);
}

// Angles in degrees, exact where they should be: sind(30) is 0.5.
double SinOfUpTo30(double degrees) {
  static const double kSin30 = std::sin(30.0 * (std::numbers::pi / 180));
  return std::sin(degrees * (std::numbers::pi / 180)) / kSin30 / 2;
}
double CosOfUpTo60(double degrees) {
  static const double kGap60 = 1 - std::cos(60.0 * (std::numbers::pi / 180));
  return 1 - (1 - std::cos(degrees * (std::numbers::pi / 180))) / kGap60 / 2;
}
double SinOfQuadrant(double degrees) {
  return degrees <= 30 ? SinOfUpTo30(degrees) : CosOfUpTo60(90 - degrees);
}
double CosOfQuadrant(double degrees) {
  return degrees <= 60 ? CosOfUpTo60(degrees) : SinOfUpTo30(90 - degrees);
}
double SinDegrees(double x) {
  double degrees = std::fmod(x, 360.0);
  double sign = 1;
  if (degrees < 0) degrees = -degrees, sign = -1;
  if (degrees > 180) degrees = 360 - degrees, sign = -sign;
  if (degrees > 90) degrees = 180 - degrees;
  return sign * SinOfQuadrant(degrees);
}
double CosDegrees(double x) {
  double degrees = std::fabs(std::fmod(x, 360.0));
  double sign = 1;
  if (degrees > 180) degrees = 360 - degrees;
  if (degrees > 90) degrees = 180 - degrees, sign = -1;
  return sign * CosOfQuadrant(degrees);
}
double TanDegrees(double x) {
  double degrees = std::fmod(x, 360.0);
  double sign = 1;
  if (degrees < 0) degrees = -degrees, sign = -1;
  if (degrees > 180) degrees = 360 - degrees, sign = -sign;
  if (degrees > 90) degrees = 180 - degrees, sign = -sign;
  static const double kTan45 = SinOfQuadrant(45) / CosOfQuadrant(45);
  const double result = sign * (SinOfQuadrant(degrees) / CosOfQuadrant(degrees) / kTan45);
  return result == 0 ? 0 : result;
}

Value IsNaN(const Value* a, CallFrame&) {
  return Value::Boolean(std::isnan(a[0].number));
}

constexpr FunctionEntry kFunctions[] = {
    Define("+", {kReal, kReal}, kReal, &Operate<float, '+'>),
    Define("-", {kReal, kReal}, kReal, &Operate<float, '-'>),
    Define("*", {kReal, kReal}, kReal, &Operate<float, '*'>),
    Define("/", {kReal, kReal}, kReal, &Operate<float, '/'>),
    // With a real beside it, a number of another type makes both double precision.
    Define("+", {kReal, kDouble}, kDouble, &Operate<double, '+'>),
    Define("-", {kReal, kDouble}, kDouble, &Operate<double, '-'>),
    Define("*", {kReal, kDouble}, kDouble, &Operate<double, '*'>),
    Define("/", {kReal, kDouble}, kDouble, &Operate<double, '/'>),
    Define("+", {kDouble, kReal}, kDouble, &Operate<double, '+'>),
    Define("-", {kDouble, kReal}, kDouble, &Operate<double, '-'>),
    Define("*", {kDouble, kReal}, kDouble, &Operate<double, '*'>),
    Define("/", {kDouble, kReal}, kDouble, &Operate<double, '/'>),
    Define("+", {kDouble, kDouble}, kDouble, &Operate<double, '+'>),
    Define("-", {kDouble, kDouble}, kDouble, &Operate<double, '-'>),
    Define("*", {kDouble, kDouble}, kDouble, &Operate<double, '*'>),
    Define("/", {kDouble, kDouble}, kDouble, &Operate<double, '/'>),
    Define("-", {kReal}, kReal, &Negate),
    Define("-", {kDouble}, kDouble, &Negate),
    Define("+", {kReal}, kReal, &Same),
    Define("+", {kDouble}, kDouble, &Same),
    Define("@", {kReal}, kReal, &Apply<&std::fabs>),
    Define("@", {kDouble}, kDouble, &Apply<&std::fabs>),
    Define("abs", {kReal}, kReal, &Apply<&std::fabs>),
    Define("abs", {kDouble}, kDouble, &Apply<&std::fabs>),
    Define("^", {kDouble, kDouble}, kDouble, &Power),
    Define("power", {kDouble, kDouble}, kDouble, &Power),
    Define("pow", {kDouble, kDouble}, kDouble, &Power),
    Define("sign", {kDouble}, kDouble, &Apply<&SignOf>),
    // Half to even, as PostgreSQL.
    Define("round", {kDouble}, kDouble, &Apply<&std::rint>),
    Define("trunc", {kDouble}, kDouble, &Apply<&std::trunc>),
    Define("ceil", {kDouble}, kDouble, &Apply<&std::ceil>),
    Define("ceiling", {kDouble}, kDouble, &Apply<&std::ceil>),
    Define("floor", {kDouble}, kDouble, &Apply<&std::floor>),
    Define("sqrt", {kDouble}, kDouble, &Sqrt),
    Define("|/", {kDouble}, kDouble, &Sqrt),
    Define("cbrt", {kDouble}, kDouble, &Apply<&std::cbrt>),
    Define("||/", {kDouble}, kDouble, &Apply<&std::cbrt>),
    Define("exp", {kDouble}, kDouble, &ApplyChecked<&std::exp>),
    Define("ln", {kDouble}, kDouble, &Logarithm<&std::log>),
    Define("log", {kDouble}, kDouble, &Logarithm<&std::log10>),
    Define("log10", {kDouble}, kDouble, &Logarithm<&std::log10>),
    Define("degrees", {kDouble}, kDouble, &ApplyChecked<&Degrees>),
    Define("radians", {kDouble}, kDouble, &Apply<&Radians>),
    Define("pi", {}, kDouble, &Pi),
    Define("sin", {kDouble}, kDouble, &ApplyFinite<&std::sin>),
    Define("cos", {kDouble}, kDouble, &ApplyFinite<&std::cos>),
    Define("tan", {kDouble}, kDouble, &ApplyFinite<&std::tan>),
    Define("asin", {kDouble}, kDouble, &ApplyFinite<&std::asin>),
    Define("acos", {kDouble}, kDouble, &ApplyFinite<&std::acos>),
    Define("atan", {kDouble}, kDouble, &ApplyFinite<&std::atan>),
    Define("atan2", {kDouble, kDouble}, kDouble, &ApplyTwo<&std::atan2>),
    Define("sinh", {kDouble}, kDouble, &Apply<&std::sinh>),
    Define("cosh", {kDouble}, kDouble, &Apply<&std::cosh>),
    Define("tanh", {kDouble}, kDouble, &Apply<&std::tanh>),
    Define("asinh", {kDouble}, kDouble, &Apply<&std::asinh>),
    Define("acosh", {kDouble}, kDouble, &ApplyFinite<&std::acosh>),
    Define("atanh", {kDouble}, kDouble, &ApplyFinite<&std::atanh>),
    Define("cot", {kDouble}, kDouble, &ApplyFinite<&Cotangent>),
    Define("sind", {kDouble}, kDouble, &ApplyFinite<&SinDegrees>),
    Define("cosd", {kDouble}, kDouble, &ApplyFinite<&CosDegrees>),
    Define("tand", {kDouble}, kDouble, &ApplyFinite<&TanDegrees>),
    Define("isnan", {kDouble}, kBoolean, &IsNaN),
    Define("width_bucket", {kDouble, kDouble, kDouble, kInteger}, kInteger, &WidthBucket),
};

}  // namespace

std::span<const FunctionEntry> DoubleFunctions() {
  return kFunctions;
}

}  // namespace headrace::expr
