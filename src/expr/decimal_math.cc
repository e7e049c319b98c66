#include "expr/decimal_math.h"

#include <algorithm>

#include <boost/multiprecision/cpp_int.hpp>

#include "expr/wide_math.h"
#include "row/decimal.h"

namespace headrace::expr {
namespace {

using row::Int128;
using row::kMaxDecimalScale;
using row::Magnitude;
using row::Pow10;
using row::UInt128;
using row::Value;

// Wide enough for 38 digits times any power of ten a scale asks for. Unchecked: nothing throws.
using Wide = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<
    1024, 1024, boost::multiprecision::unsigned_magnitude, boost::multiprecision::unchecked, void>>;

constexpr int kMinSignificantDigits = 16;  // of a quotient, as in PostgreSQL
constexpr int kDigitsPerPlace = 4;         // PostgreSQL counts in base 10000

Wide WidePow10(int exponent) {
  Wide power = 1;
  for (; exponent >= 19; exponent -= 19)
    power *= 10'000'000'000'000'000'000U;
  for (; exponent > 0; --exponent)
    power *= 10U;
  return power;
}

Wide Widen(UInt128 magnitude) {
  Wide wide = static_cast<uint64_t>(magnitude >> 64);
  wide <<= 64;
  wide |= static_cast<uint64_t>(magnitude);
  return wide;
}

bool Narrow(const Wide& wide, UInt128* magnitude) {
  static_assert(sizeof(unsigned long long) == 8);
  if (boost::multiprecision::msb(wide | 1U) >= 127) return false;
  const auto low = static_cast<uint64_t>(wide & 0xFFFF'FFFF'FFFF'FFFFU);
  const auto high = static_cast<uint64_t>(wide >> 64);
  *magnitude = static_cast<UInt128>(high) << 64 | low;
  return row::FitsDecimal(*magnitude);
}

DecimalError Give(UInt128 magnitude, bool negative, int scale, Value* result) {
  if (!row::FitsDecimal(magnitude) || scale > kMaxDecimalScale) return DecimalError::kOverflow;
  const auto unscaled = static_cast<Int128>(magnitude);
  *result = Value::Decimal(negative ? -unscaled : unscaled, static_cast<uint8_t>(scale));
  return DecimalError::kNone;
}

DecimalError Give(row::DecimalSpecial special, Value* result) {
  *result = row::SpecialDecimal(special);
  return DecimalError::kNone;
}

bool IsSpecial(const Value& a, const Value& b) {
  return !row::IsFinite(a) || !row::IsFinite(b);
}

// Neither needs more than 38 digits.
bool IsNarrow(const Value& a, const Value& b) {
  return (a.special | b.special) == 0;
}

bool IsNaN(const Value& a, const Value& b) {
  return a.special == row::kNaN || b.special == row::kNaN;
}

row::DecimalSpecial InfinityOf(int sign) {
  return sign > 0 ? row::kInfinity : row::kNegativeInfinity;
}

// Brings both to the larger scale. False when one does not fit.
bool Align(Value* a, Value* b) {
  const int scale = std::max(a->scale, b->scale);
  return row::Rescale(a, scale) && row::Rescale(b, scale);
}

// a * 10^shift / b (or a / (b * 10^-shift)), with the remainder's relation to a half.
struct Quotient {
  UInt128 whole = 0;
  bool round_up = false;  // half away from zero
  bool exact = true;
  bool fits = true;
};

Quotient DivideShifted(UInt128 a, UInt128 b, int shift) {
  Quotient q;
  if (a == 0) return q;
  const int digits = row::DigitCount(a);
  if (shift >= 0 && digits + shift <= row::kMaxDecimalDigits) {
    const UInt128 dividend = a * Pow10(shift);
    q.whole = dividend / b;
    const UInt128 rest = dividend - q.whole * b;
    q.exact = rest == 0;
    q.round_up = rest >= b - rest;
    return q;
  }
  const Wide dividend = shift >= 0 ? Widen(a) * WidePow10(shift) : Widen(a);
  const Wide divisor = shift >= 0 ? Widen(b) : Widen(b) * WidePow10(-shift);
  const Wide whole = dividend / divisor;
  const Wide rest = dividend - whole * divisor;
  q.exact = rest == 0;
  q.round_up = rest >= divisor - rest;
  q.fits = Narrow(whole, &q.whole);
  return q;
}

// First digit in base 10000; 0 for zero.
int FirstPlace(const Value& value, int weight) {
  const UInt128 magnitude = Magnitude(value.unscaled());
  if (magnitude == 0) return 0;
  // The place is worth 10^(4 * weight); digits below it are cut.
  const int drop = kDigitsPerPlace * weight + value.scale;
  if (drop >= 0) return static_cast<int>(magnitude / Pow10(std::min(drop, 38)));
  return static_cast<int>(magnitude * Pow10(-drop));
}

int QuotientScale(const Value& a, const Value& b) {
  const int weight_a = DecimalWeight(a);
  const int weight_b = DecimalWeight(b);
  int weight = weight_a - weight_b;
  if (FirstPlace(a, weight_a) <= FirstPlace(b, weight_b)) --weight;
  const int scale = kMinSignificantDigits - weight * kDigitsPerPlace;
  return std::max({scale, int{a.scale}, int{b.scale}, 0});
}

DecimalError DivideSpecial(const Value& a, const Value& b, Value* result) {
  if (IsNaN(a, b)) return Give(row::kNaN, result);
  if (!row::IsFinite(a)) {
    if (!row::IsFinite(b)) return Give(row::kNaN, result);
    if (DecimalSign(b) == 0) return DecimalError::kDivisionByZero;
    return Give(InfinityOf(DecimalSign(a) * DecimalSign(b)), result);
  }
  *result = Value::Decimal(0, 0);
  return DecimalError::kNone;
}

}  // namespace

int DecimalSign(const Value& value) {
  if (value.special == row::kInfinity) return 1;
  if (value.special == row::kNegativeInfinity) return -1;
  if (value.special == row::kWide) return value.length == 0 ? 0 : value.span.months;
  const Int128 unscaled = value.unscaled();
  return unscaled < 0 ? -1 : unscaled > 0 ? 1 : 0;
}

int DecimalWeight(const Value& value) {
  if (DecimalSign(value) == 0) return 0;
  const int digits = value.special == row::kWide ? row::DigitCount(row::Widen(value).unscaled)
                                                 : row::DigitCount(Magnitude(value.unscaled()));
  const int exponent = digits - 1 - row::ScaleOf(value);
  return exponent >= 0 ? exponent / kDigitsPerPlace
                       : -((-exponent + kDigitsPerPlace - 1) / kDigitsPerPlace);
}

Value NegateDecimal(const Value& value) {
  if (value.special == row::kNaN) return value;
  if (value.special == row::kWide) return WideNegate(value);
  if (value.special != 0) {
    return row::SpecialDecimal(value.special == row::kInfinity ? row::kNegativeInfinity
                                                               : row::kInfinity);
  }
  return Value::Decimal(-value.unscaled(), value.scale);
}

DecimalError AddDecimal(const Value& a, const Value& b, base::Arena& arena, Value* result) {
  if (IsSpecial(a, b)) {
    const bool both = !row::IsFinite(a) && !row::IsFinite(b);
    if (IsNaN(a, b) || (both && a.special != b.special)) return Give(row::kNaN, result);
    *result = row::IsFinite(a) ? b : a;
    return DecimalError::kNone;
  }
  Value left = a;
  Value right = b;
  if (IsNarrow(a, b) && (left.scale == right.scale || Align(&left, &right))) {
    const Int128 sum = left.unscaled() + right.unscaled();  // each below 10^38: no overflow
    const DecimalError error = Give(Magnitude(sum), sum < 0, left.scale, result);
    if (error == DecimalError::kNone) return error;
  }
  return WideAdd(a, b, arena, result);
}

DecimalError SubtractDecimal(const Value& a, const Value& b, base::Arena& arena, Value* result) {
  return AddDecimal(a, NegateDecimal(b), arena, result);
}

DecimalError MultiplyDecimal(const Value& a, const Value& b, base::Arena& arena, Value* result) {
  const int sign = DecimalSign(a) * DecimalSign(b);
  if (IsSpecial(a, b)) {
    return Give(IsNaN(a, b) || sign == 0 ? row::kNaN : InfinityOf(sign), result);
  }
  UInt128 product = 0;
  if (IsNarrow(a, b) &&
      !__builtin_mul_overflow(Magnitude(a.unscaled()), Magnitude(b.unscaled()), &product)) {
    const DecimalError error = Give(product, sign < 0, a.scale + b.scale, result);
    if (error == DecimalError::kNone) return error;
  }
  return WideMultiply(a, b, arena, result);
}

DecimalError DivideDecimal(const Value& a, const Value& b, base::Arena& arena, Value* result) {
  if (IsSpecial(a, b)) return DivideSpecial(a, b, result);
  if (DecimalSign(b) == 0) return DecimalError::kDivisionByZero;
  const int scale = IsNarrow(a, b) ? QuotientScale(a, b) : kMaxDecimalScale + 1;
  if (scale <= kMaxDecimalScale) {
    const Quotient q =
        DivideShifted(Magnitude(a.unscaled()), Magnitude(b.unscaled()), scale + b.scale - a.scale);
    const UInt128 whole = q.whole + (q.round_up && !q.exact ? 1 : 0);
    const bool negative = DecimalSign(a) * DecimalSign(b) < 0;
    if (q.fits && Give(whole, negative, scale, result) == DecimalError::kNone) {
      return DecimalError::kNone;
    }
  }
  return WideDivide(a, b, arena, result);
}

DecimalError QuotientDecimal(const Value& a, const Value& b, base::Arena& arena, Value* result) {
  if (IsSpecial(a, b)) return DivideSpecial(a, b, result);
  if (DecimalSign(b) == 0) return DecimalError::kDivisionByZero;
  if (IsNarrow(a, b)) {
    const Quotient q =
        DivideShifted(Magnitude(a.unscaled()), Magnitude(b.unscaled()), int{b.scale} - a.scale);
    const bool negative = DecimalSign(a) * DecimalSign(b) < 0;
    if (q.fits && Give(q.whole, negative, 0, result) == DecimalError::kNone) {
      return DecimalError::kNone;
    }
  }
  return WideQuotient(a, b, arena, result);
}

DecimalError ModuloDecimal(const Value& a, const Value& b, base::Arena& arena, Value* result) {
  if (IsSpecial(a, b)) {
    if (IsNaN(a, b)) return Give(row::kNaN, result);
    if (!row::IsFinite(a)) {
      if (row::IsFinite(b) && DecimalSign(b) == 0) return DecimalError::kDivisionByZero;
      return Give(row::kNaN, result);
    }
    *result = a;
    return DecimalError::kNone;
  }
  if (DecimalSign(b) == 0) return DecimalError::kDivisionByZero;
  if (!IsNarrow(a, b)) return WideModulo(a, b, arena, result);
  const int scale = std::max(a.scale, b.scale);
  const Wide left = Widen(Magnitude(a.unscaled())) * WidePow10(scale - a.scale);
  const Wide right = Widen(Magnitude(b.unscaled())) * WidePow10(scale - b.scale);
  UInt128 rest = 0;
  if (!Narrow(left % right, &rest)) return WideModulo(a, b, arena, result);
  return Give(rest, DecimalSign(a) < 0, scale, result);
}

DecimalError RoundDecimal(const Value& value, int digits, Rounding rounding, base::Arena& arena,
                          Value* result) {
  if (!row::IsFinite(value)) {
    *result = value;
    return DecimalError::kNone;
  }
  if (value.special == row::kWide) return WideRound(value, digits, rounding, arena, result);
  const int scale = std::max(digits, 0);
  if (digits >= value.scale) {
    *result = value;
    if (scale <= kMaxDecimalScale && row::Rescale(result, scale)) return DecimalError::kNone;
    return WideRound(value, digits, rounding, arena, result);
  }
  const int drop = value.scale - digits;
  const UInt128 magnitude = Magnitude(value.unscaled());
  const bool negative = DecimalSign(value) < 0;
  UInt128 whole = 0;
  bool exact = magnitude == 0;
  bool half = false;
  if (drop <= row::kMaxDecimalDigits) {
    const UInt128 unit = Pow10(drop);
    whole = magnitude / unit;
    const UInt128 rest = magnitude % unit;
    exact = rest == 0;
    half = rest >= unit - rest;
  }
  const bool up = rounding == Rounding::kHalfAwayFromZero ? half && !exact
                  : rounding == Rounding::kDown           ? negative && !exact
                  : rounding == Rounding::kUp             ? !negative && !exact
                                                          : false;
  whole += up ? 1 : 0;
  if (digits < 0 && whole != 0) {
    if (row::DigitCount(whole) - digits > row::kMaxDecimalDigits) {
      return WideRound(value, digits, rounding, arena, result);
    }
    whole *= Pow10(-digits);
  }
  return Give(whole, negative, scale, result);
}

}  // namespace headrace::expr
