#include "expr/wide_math.h"

#include <algorithm>

#include "row/decimal.h"

namespace headrace::expr {
namespace {

using row::BigInteger;
using row::BigPow10;
using row::Value;
using row::WideDecimal;

constexpr int kMinSignificantDigits = 16;
constexpr int kDigitsPerPlace = 4;
constexpr int kMaxQuotientScale = 1000;  // PostgreSQL's

BigInteger Magnitude(const BigInteger& number) {
  return boost::multiprecision::abs(number);
}

void Align(WideDecimal* a, WideDecimal* b) {
  const int scale = std::max(a->scale, b->scale);
  row::Rescale(a, scale);
  row::Rescale(b, scale);
}

int FloorDivide(int number, int divisor) {
  const int quotient = number / divisor;
  return quotient - (number % divisor < 0 ? 1 : 0);
}

// Where the first digit in base 10000 stands, and which it is.
struct Lead {
  int weight = 0;
  int place = 0;
};

Lead LeadOf(const WideDecimal& number) {
  const int digits = row::DigitCount(number.unscaled);
  if (digits == 0) return {};
  Lead lead;
  lead.weight = FloorDivide(digits - 1 - number.scale, kDigitsPerPlace);
  const int drop = kDigitsPerPlace * lead.weight + number.scale;
  const BigInteger magnitude = Magnitude(number.unscaled);
  const BigInteger place =
      drop >= 0 ? BigInteger(magnitude / BigPow10(drop)) : BigInteger(magnitude * BigPow10(-drop));
  lead.place = static_cast<int>(place);
  return lead;
}

int QuotientScale(const WideDecimal& a, const WideDecimal& b) {
  const Lead lead_a = LeadOf(a);
  const Lead lead_b = LeadOf(b);
  int weight = lead_a.weight - lead_b.weight;
  if (lead_a.place <= lead_b.place) --weight;
  const int scale = std::max({kMinSignificantDigits - weight * kDigitsPerPlace, a.scale, b.scale});
  return std::clamp(scale, 0, kMaxQuotientScale);
}

// a / b to `scale` digits; half away from zero, or cut.
WideDecimal DivideTo(const WideDecimal& a, const WideDecimal& b, int scale, bool cut) {
  const int shift = scale + b.scale - a.scale;
  BigInteger dividend = Magnitude(a.unscaled);
  BigInteger divisor = Magnitude(b.unscaled);
  if (shift >= 0) {
    dividend *= BigPow10(shift);
  } else {
    divisor *= BigPow10(-shift);
  }
  WideDecimal result;
  BigInteger rest;
  boost::multiprecision::divide_qr(dividend, divisor, result.unscaled, rest);
  if (!cut && rest * 2 >= divisor) ++result.unscaled;
  if ((a.unscaled < 0) != (b.unscaled < 0)) result.unscaled = -result.unscaled;
  result.scale = scale;
  return result;
}

}  // namespace

DecimalError GiveWide(const WideDecimal& wide, base::Arena& arena, Value* result) {
  return row::StoreDecimal(wide, arena, result) ? DecimalError::kNone : DecimalError::kOverflow;
}

DecimalError WideAdd(const Value& a, const Value& b, base::Arena& arena, Value* result) {
  WideDecimal left = row::Widen(a);
  WideDecimal right = row::Widen(b);
  Align(&left, &right);
  left.unscaled += right.unscaled;
  return GiveWide(left, arena, result);
}

DecimalError WideMultiply(const Value& a, const Value& b, base::Arena& arena, Value* result) {
  WideDecimal left = row::Widen(a);
  const WideDecimal right = row::Widen(b);
  left.unscaled *= right.unscaled;
  left.scale += right.scale;
  return GiveWide(left, arena, result);
}

DecimalError WideDivide(const Value& a, const Value& b, base::Arena& arena, Value* result) {
  const WideDecimal left = row::Widen(a);
  const WideDecimal right = row::Widen(b);
  if (right.unscaled == 0) return DecimalError::kDivisionByZero;
  return GiveWide(DivideTo(left, right, QuotientScale(left, right), false), arena, result);
}

DecimalError WideModulo(const Value& a, const Value& b, base::Arena& arena, Value* result) {
  WideDecimal left = row::Widen(a);
  WideDecimal right = row::Widen(b);
  if (right.unscaled == 0) return DecimalError::kDivisionByZero;
  Align(&left, &right);
  left.unscaled %= right.unscaled;  // takes the sign of the dividend
  return GiveWide(left, arena, result);
}

DecimalError WideQuotient(const Value& a, const Value& b, base::Arena& arena, Value* result) {
  const WideDecimal left = row::Widen(a);
  const WideDecimal right = row::Widen(b);
  if (right.unscaled == 0) return DecimalError::kDivisionByZero;
  return GiveWide(DivideTo(left, right, 0, true), arena, result);
}

DecimalError WideRound(const Value& value, int digits, Rounding rounding, base::Arena& arena,
                       Value* result) {
  WideDecimal number = row::Widen(value);
  if (digits >= number.scale) {
    if (digits > row::kMaxWideScale) return DecimalError::kOverflow;
    row::Rescale(&number, digits);
    return GiveWide(number, arena, result);
  }
  const bool negative = number.unscaled < 0;
  const BigInteger unit = BigPow10(number.scale - digits);
  BigInteger whole;
  BigInteger rest;
  boost::multiprecision::divide_qr(Magnitude(number.unscaled), unit, whole, rest);
  const bool up = rounding == Rounding::kHalfAwayFromZero ? rest * 2 >= unit
                  : rounding == Rounding::kDown           ? negative && rest != 0
                  : rounding == Rounding::kUp             ? !negative && rest != 0
                                                          : false;
  if (up) ++whole;
  if (digits < 0) whole *= BigPow10(-digits);
  number.unscaled = negative ? BigInteger(-whole) : whole;
  number.scale = std::max(digits, 0);
  return GiveWide(number, arena, result);
}

Value WideNegate(const Value& value) {
  Value negated = value;
  negated.span.months = -value.span.months;
  return negated;
}

}  // namespace headrace::expr
