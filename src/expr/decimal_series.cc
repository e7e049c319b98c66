#include "expr/decimal_series.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <boost/multiprecision/cpp_dec_float.hpp>

#include "expr/wide_math.h"
#include "row/decimal.h"
#include "row/text.h"

namespace headrace::expr {
namespace {

using row::BigInteger;
using row::BigPow10;
using row::ScaleOf;
using row::Value;
using row::WideDecimal;

template <unsigned kDigits>
using Real = boost::multiprecision::number<boost::multiprecision::cpp_dec_float<kDigits>,
                                           boost::multiprecision::et_off>;

constexpr int kSignificantDigits = 16;
constexpr int kMaxScale = 1000;  // PostgreSQL's for functions
constexpr int kGuardDigits = 10;
constexpr unsigned kUsualDigits = 60;
constexpr unsigned kMostDigits = 1100;
constexpr int kMaxExactDigits = 8000;  // of a power before it is rounded
constexpr double kMaxWeight = 3000;
constexpr double kLog10E = 0.434294481903252;
constexpr double kLn10 = 2.302585092994046;

template <unsigned kDigits>
Real<kDigits> ToReal(const Value& value) {
  std::string text;
  row::AppendDecimal(value, text);
  return Real<kDigits>(text);
}

template <unsigned kDigits>
DecimalError Narrow(const Real<kDigits>& number, int scale, base::Arena& arena, Value* result) {
  if (!boost::multiprecision::isfinite(number)) return DecimalError::kOverflow;
  WideDecimal wide;
  if (!row::ParseWideDecimal(number.str(scale, std::ios_base::fixed), &wide)) {
    return DecimalError::kOverflow;
  }
  return GiveWide(wide, arena, result);
}

// Computes with as many digits as the result shows; `weight` are those before the point. Boost
// reports what it cannot do by exceptions; here it can only be a range.
template <typename Compute>
DecimalError WithDigits(double weight, int scale, Compute compute) {
  const double digits = std::max(weight, 0.0) + scale + kGuardDigits;
  if (digits > kMostDigits) return DecimalError::kOverflow;
  try {
    if (digits <= kUsualDigits) {
      return compute.template operator()<kUsualDigits>();
    }
    return compute.template operator()<kMostDigits>();
  } catch (const std::exception&) {
    return DecimalError::kOverflow;
  }
}

int ClampScale(double scale) {
  return static_cast<int>(std::clamp(scale, 0.0, double{kMaxScale}));
}

// Natural logarithm of the magnitude, as an estimate that no value makes infinite.
double EstimateLn(const Value& value) {
  if (value.special == row::kWide) {
    return (row::DigitCount(row::Widen(value).unscaled) - ScaleOf(value)) * kLn10;
  }
  return std::log(std::fabs(row::DecimalToDouble(value)));
}

// Decimal weight of ln(value), as PostgreSQL estimates it.
int LnWeight(const Value& value) {
  const double number = row::DecimalToDouble(value);
  if (number >= 0.9 && number <= 1.1) {
    Value one = Value::Decimal(1, 0);
    Value difference;
    base::Arena arena;
    if (SubtractDecimal(value, one, arena, &difference) != DecimalError::kNone ||
        DecimalSign(difference) == 0) {
      return 0;
    }
    const int weight = DecimalWeight(difference);
    const double place = std::fabs(row::DecimalToDouble(difference)) / std::pow(10000.0, weight);
    return weight * 4 + static_cast<int>(std::log10(std::max(1.0, std::floor(place))));
  }
  return static_cast<int>(std::log10(std::fabs(EstimateLn(value))));
}

// A whole power by squaring.
template <typename Number>
Number PowerBySquaring(const Number& base, unsigned long exponent) {
  Number power = 1;
  Number square = base;
  for (unsigned long n = exponent; n > 0; n >>= 1) {
    if ((n & 1) != 0) power *= square;
    if (n > 1) square *= square;
  }
  return power;
}

// base^exponent without an error before the one rounding.
DecimalError ExactPower(const WideDecimal& base, long exponent, int scale, base::Arena& arena,
                        Value* result) {
  const auto count = static_cast<unsigned long>(std::labs(exponent));
  WideDecimal power{PowerBySquaring(base.unscaled, count), base.scale * static_cast<int>(count)};
  if (exponent >= 0) {
    row::Rescale(&power, scale);
    return GiveWide(power, arena, result);
  }
  const bool negative = power.unscaled < 0;
  const BigInteger divisor = boost::multiprecision::abs(power.unscaled);
  BigInteger whole;
  BigInteger rest;
  boost::multiprecision::divide_qr(BigPow10(scale + power.scale), divisor, whole, rest);
  if (rest * 2 >= divisor) ++whole;
  return GiveWide({negative ? BigInteger(-whole) : whole, scale}, arena, result);
}

DecimalError WholePower(const Value& base, long exponent, base::Arena& arena, Value* result) {
  const int scale = ClampScale(std::max(kSignificantDigits, ScaleOf(base)));
  if (DecimalSign(base) == 0) {
    return GiveWide({exponent == 0 ? BigPow10(scale) : BigInteger(0), scale}, arena, result);
  }
  const double weight = static_cast<double>(exponent) * EstimateLn(base) * kLog10E;
  if (weight > kMaxWeight) return DecimalError::kOverflow;
  if (weight < -kMaxWeight) return GiveWide({BigInteger(0), scale}, arena, result);
  const WideDecimal wide = row::Widen(base);
  const double digits = std::fabs(static_cast<double>(exponent)) *
                        std::max(row::DigitCount(wide.unscaled), wide.scale);
  if (digits <= kMaxExactDigits) return ExactPower(wide, exponent, scale, arena, result);
  return WithDigits(weight, scale, [&]<unsigned kDigits>() {
    const auto count = static_cast<unsigned long>(std::labs(exponent));
    const Real<kDigits> power = PowerBySquaring(ToReal<kDigits>(base), count);
    return Narrow<kDigits>(exponent < 0 ? Real<kDigits>(1) / power : power, scale, arena, result);
  });
}

}  // namespace

DecimalError SqrtDecimal(const Value& value, base::Arena& arena, Value* result) {
  const int digits = DecimalWeight(value) * 2 + 1;
  const int scale = ClampScale(std::max(kSignificantDigits - digits, ScaleOf(value)));
  WideDecimal wide = row::Widen(value);
  row::Rescale(&wide, 2 * scale);
  BigInteger rest;
  BigInteger root = boost::multiprecision::sqrt(wide.unscaled, rest);
  if (rest > root) ++root;
  return GiveWide({root, scale}, arena, result);
}

DecimalError ExpDecimal(const Value& value, base::Arena& arena, Value* result) {
  const double weight = row::DecimalToDouble(value) * kLog10E;
  if (weight > kMaxWeight) return DecimalError::kOverflow;
  const double wanted = kSignificantDigits - std::trunc(std::max(weight, -kMaxWeight));
  const int scale = ClampScale(std::max(wanted, double(ScaleOf(value))));
  if (weight < -kMaxWeight) return GiveWide({BigInteger(0), scale}, arena, result);
  return WithDigits(weight, scale, [&]<unsigned kDigits>() {
    return Narrow<kDigits>(boost::multiprecision::exp(ToReal<kDigits>(value)), scale, arena,
                           result);
  });
}

DecimalError LnDecimal(const Value& value, base::Arena& arena, Value* result) {
  const int scale = ClampScale(std::max(kSignificantDigits - LnWeight(value), ScaleOf(value)));
  return WithDigits(LnWeight(value), scale, [&]<unsigned kDigits>() {
    return Narrow<kDigits>(boost::multiprecision::log(ToReal<kDigits>(value)), scale, arena,
                           result);
  });
}

DecimalError LogDecimal(const Value& base, const Value& value, base::Arena& arena, Value* result) {
  const int weight = LnWeight(value) - LnWeight(base);
  const int scale =
      ClampScale(std::max({kSignificantDigits - weight, ScaleOf(base), ScaleOf(value)}));
  return WithDigits(weight, scale, [&]<unsigned kDigits>() {
    const Real<kDigits> denominator = boost::multiprecision::log(ToReal<kDigits>(base));
    if (denominator == 0) return DecimalError::kDivisionByZero;
    return Narrow<kDigits>(boost::multiprecision::log(ToReal<kDigits>(value)) / denominator, scale,
                           arena, result);
  });
}

DecimalError PowerDecimal(const Value& base, const Value& exponent, base::Arena& arena,
                          Value* result) {
  const double power = row::DecimalToDouble(exponent);
  const WideDecimal wide = row::Widen(exponent);
  const bool whole = wide.unscaled % BigPow10(wide.scale) == 0;
  if (whole && power >= INT32_MIN && power <= INT32_MAX) {
    return WholePower(base, static_cast<long>(power), arena, result);
  }
  if (DecimalSign(base) == 0) return GiveWide({BigInteger(0), kSignificantDigits}, arena, result);
  const double weight = power * EstimateLn(base) * kLog10E;
  // 1 to the power of what is infinite as a double.
  if (std::isnan(weight))
    return GiveWide({BigPow10(kSignificantDigits), kSignificantDigits}, arena, result);
  if (weight > kMaxWeight) return DecimalError::kOverflow;
  const double wanted = kSignificantDigits - std::trunc(std::max(weight, -kMaxWeight));
  const int scale =
      ClampScale(std::max({wanted, double(ScaleOf(base)), double(ScaleOf(exponent))}));
  if (weight < -kMaxWeight) return GiveWide({BigInteger(0), scale}, arena, result);
  return WithDigits(weight, scale, [&]<unsigned kDigits>() {
    return Narrow<kDigits>(
        boost::multiprecision::pow(ToReal<kDigits>(base), ToReal<kDigits>(exponent)), scale, arena,
        result);
  });
}

}  // namespace headrace::expr
