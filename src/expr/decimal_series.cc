#include "expr/decimal_series.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <boost/multiprecision/cpp_dec_float.hpp>

#include "row/decimal.h"
#include "row/text.h"

namespace headrace::expr {
namespace {

using row::Value;
using Real = boost::multiprecision::number<boost::multiprecision::cpp_dec_float<60>,
                                           boost::multiprecision::et_off>;

constexpr int kSignificantDigits = 16;
constexpr double kLog10E = 0.434294481903252;

Real Widen(const Value& value) {
  std::string text;
  row::AppendDecimal(value, text);
  return Real(text);
}

DecimalError Narrow(const Real& number, int scale, Value* result) {
  if (!boost::multiprecision::isfinite(number)) return DecimalError::kOverflow;
  const int capped = std::clamp(scale, 0, row::kMaxDecimalScale);
  const std::string text = number.str(capped, std::ios_base::fixed);
  if (!row::ParseDecimal(text, result)) return DecimalError::kOverflow;
  return DecimalError::kNone;
}

// Boost reports what it cannot do by exceptions; here it can only be a range.
template <typename Compute>
DecimalError Guard(Compute compute) {
  try {
    return compute();
  } catch (const std::exception&) {
    return DecimalError::kOverflow;
  }
}

// Decimal weight of ln(value), as PostgreSQL estimates it.
int LnWeight(const Value& value) {
  const double number = row::DecimalToDouble(value);
  if (number >= 0.9 && number <= 1.1) {
    Value one = Value::Decimal(1, 0);
    Value difference;
    if (SubtractDecimal(value, one, &difference) != DecimalError::kNone ||
        difference.unscaled() == 0) {
      return 0;
    }
    return DecimalWeight(difference) * 4 +
           static_cast<int>(
               std::log10(std::max(1.0, std::floor(std::fabs(row::DecimalToDouble(difference)) /
                                                   std::pow(10000.0, DecimalWeight(difference))))));
  }
  return static_cast<int>(std::log10(std::fabs(std::log(number))));
}

// Exact powers need many digits at most, so they go by squaring.
Real IntegerPower(const Real& base, long exponent) {
  Real power = 1;
  Real square = base;
  for (unsigned long n = exponent < 0 ? 0UL - static_cast<unsigned long>(exponent)
                                      : static_cast<unsigned long>(exponent);
       n > 0; n >>= 1) {
    if ((n & 1) != 0) power *= square;
    square *= square;
  }
  return exponent < 0 ? Real(1) / power : power;
}

}  // namespace

DecimalError SqrtDecimal(const Value& value, Value* result) {
  const int digits = DecimalWeight(value) * 2 + 1;
  const int scale = std::max({kSignificantDigits - digits, int{value.scale}, 0});
  return Guard([&] { return Narrow(boost::multiprecision::sqrt(Widen(value)), scale, result); });
}

DecimalError ExpDecimal(const Value& value, Value* result) {
  const double weight = row::DecimalToDouble(value) * kLog10E;
  if (weight > 100) return DecimalError::kOverflow;
  const int scale = std::max(
      {kSignificantDigits - static_cast<int>(std::max(weight, -80.0)), int{value.scale}, 0});
  return Guard([&] { return Narrow(boost::multiprecision::exp(Widen(value)), scale, result); });
}

DecimalError LnDecimal(const Value& value, Value* result) {
  const int scale = std::max({kSignificantDigits - LnWeight(value), int{value.scale}, 0});
  return Guard([&] { return Narrow(boost::multiprecision::log(Widen(value)), scale, result); });
}

DecimalError LogDecimal(const Value& base, const Value& value, Value* result) {
  const int weight = LnWeight(value) - LnWeight(base);
  const int scale = std::max({kSignificantDigits - weight, int{base.scale}, int{value.scale}, 0});
  return Guard([&] {
    const Real denominator = boost::multiprecision::log(Widen(base));
    if (denominator == 0) return DecimalError::kDivisionByZero;
    return Narrow(boost::multiprecision::log(Widen(value)) / denominator, scale, result);
  });
}

DecimalError PowerDecimal(const Value& base, const Value& exponent, Value* result) {
  const double power = row::DecimalToDouble(exponent);
  const double number = std::fabs(row::DecimalToDouble(base));
  const double weight = number == 0 ? 0 : power * std::log10(number);
  if (weight > 100) return DecimalError::kOverflow;
  const int scale = std::max({kSignificantDigits - static_cast<int>(std::max(weight, -80.0)),
                              int{base.scale}, int{exponent.scale}, 0});
  return Guard([&] {
    if (power == std::trunc(power) && std::fabs(power) < 1e6) {
      return Narrow(IntegerPower(Widen(base), static_cast<long>(power)), scale, result);
    }
    return Narrow(boost::multiprecision::pow(Widen(base), Widen(exponent)), scale, result);
  });
}

}  // namespace headrace::expr
