#pragma once

#include <cstdint>
#include <string>

#include "row/value.h"

namespace headrace::row {

using UInt128 = unsigned __int128;

// Digits of an unscaled value, and digits behind the point: beyond either, a result is an error
// rather than something rounded in silence.
inline constexpr int kMaxDecimalDigits = 38;
inline constexpr int kMaxDecimalScale = 100;

// kWide: finite, of more digits than a row holds; only within an expression and in the answer of a
// query. The value is then bytes (see wide_decimal.h): `data` and `length` the magnitude, lowest
// byte first, span.days the scale, span.months the sign.
enum DecimalSpecial : uint8_t {
  kFinite = 0,
  kNaN = 1,
  kInfinity = 2,
  kNegativeInfinity = 3,
  kWide = 4,
};
inline bool IsFinite(const Value& decimal) {
  return decimal.special == kFinite || decimal.special == kWide;
}

// Digits behind the point of a finite value.
inline int ScaleOf(const Value& decimal) {
  return decimal.special == kWide ? decimal.span.days : decimal.scale;
}

// 10^exponent for 0 <= exponent <= 38.
UInt128 Pow10(int exponent);

inline UInt128 Magnitude(Int128 value) {
  return value < 0 ? UInt128{0} - static_cast<UInt128>(value) : static_cast<UInt128>(value);
}

// Number of decimal digits; 0 has none.
int DigitCount(UInt128 magnitude);

// Whether a magnitude has at most 38 digits.
inline bool FitsDecimal(UInt128 magnitude) {
  return magnitude < Pow10(kMaxDecimalDigits);
}

Value SpecialDecimal(DecimalSpecial special);

// Gives a finite decimal the scale, rounding half away from zero. False when that has more than 38
// digits.
bool Rescale(Value* value, int scale);

// <0, 0, >0; NaN is largest and equals itself.
int CompareDecimal(const Value& a, const Value& b);

// Drops trailing zeros behind the point. A wide one stays as it is.
void TrimScale(Value* value);

// The exact digits of a finite double's shortest text, cut to `significant` digits (PostgreSQL
// converts double precision with 15, real with 6). False when it has more than 38 digits.
bool DecimalFromDouble(double number, int significant, Value* value);

}  // namespace headrace::row
