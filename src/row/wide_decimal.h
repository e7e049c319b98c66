#pragma once

#include <string>
#include <string_view>

#include <boost/multiprecision/cpp_int.hpp>

#include "base/arena.h"
#include "row/value.h"

namespace headrace::row {

// Beyond these a decimal is an error, so that no expression takes unbounded memory or time.
inline constexpr int kMaxWideDigits = 4000;
inline constexpr int kMaxWideScale = 2000;

using BigInteger = boost::multiprecision::cpp_int;

// A finite decimal of any size: what expressions compute with where 38 digits are not enough. A row
// never holds one. Value type.
struct WideDecimal {
  BigInteger unscaled;
  int scale = 0;
};

BigInteger BigPow10(int exponent);
int DigitCount(const BigInteger& magnitude);

// Of a finite value, narrow or wide.
WideDecimal Widen(const Value& value);
// As a plain value when it fits, otherwise kWide with its bytes in `arena`. False beyond the
// limits.
bool StoreDecimal(const WideDecimal& wide, base::Arena& arena, Value* value);

// Exact, as ParseDecimal; false when malformed or beyond the limits.
bool ParseWideDecimal(std::string_view text, WideDecimal* wide);
// A finite double with so many significant digits.
bool WideFromDouble(double number, int significant, WideDecimal* wide);
void AppendDecimal(const WideDecimal& wide, std::string& out);
// To `scale` digits, half away from zero.
void Rescale(WideDecimal* wide, int scale);
int CompareDecimal(const WideDecimal& a, const WideDecimal& b);

}  // namespace headrace::row
