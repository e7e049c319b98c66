#include "state/quotient.h"

#include <algorithm>
#include <cmath>

#include "row/decimal.h"

namespace headrace::state {
namespace {

using Wide = unsigned __int128;

constexpr int kSignificantDigits = 16;  // of a numeric quotient, as in PostgreSQL
constexpr int kBaseDigits = 4;          // PostgreSQL computes in base 10^4
constexpr int kSafeDigits = 38;         // any number of so many digits fits 128 bits

// Where a number stands in base 10^4: the place of its first digit, and that digit.
struct Leading {
  int weight = 0;
  Wide digit = 0;
};

Leading LeadingOf(Wide magnitude, int scale) {
  if (magnitude == 0) return {};
  int exponent = row::DigitCount(magnitude) - 1 - scale;
  int weight = exponent >= 0 ? exponent / kBaseDigits : -((-exponent + 3) / kBaseDigits);
  int shift = scale + kBaseDigits * weight;
  if (shift >= 0 && magnitude >> 64 == 0) {
    return {weight, static_cast<uint64_t>(magnitude) / static_cast<uint64_t>(row::Pow10(shift))};
  }
  Wide digit = shift >= 0 ? magnitude / row::Pow10(shift) : magnitude * row::Pow10(-shift);
  return {weight, digit};
}

int QuotientScale(Wide numerator, int scale, uint64_t divisor) {
  Leading a = LeadingOf(numerator, scale);
  Leading b = LeadingOf(divisor, 0);
  int weight = a.weight - b.weight;
  if (a.digit <= b.digit) --weight;
  return std::max({kSignificantDigits - weight * kBaseDigits, scale, 0});
}

// numerator * 10^places / divisor, half away from zero. False when it does not fit.
bool DivideRounded(Wide numerator, int places, uint64_t divisor, Wide* result) {
  if (places > 0) {
    if (row::DigitCount(numerator) + places > kSafeDigits) return false;
    numerator *= row::Pow10(places);
  }
  *result = numerator / divisor;
  auto rest = static_cast<uint64_t>(numerator - *result * divisor);
  if (rest >= divisor - rest) ++*result;
  return true;
}

// n * sum of squares - square of the sum, when it fits.
bool SpreadNumerator(const SpreadTotals& totals, Wide* numerator) {
  Wide sum = row::Magnitude(totals.sum);
  if (sum >> 63 != 0 || totals.squares[2] != 0 || totals.count >> 31 != 0) return false;
  Wide squares = (Wide{totals.squares[1]} << 64) | totals.squares[0];
  if (squares >> 96 != 0) return false;
  *numerator = squares * totals.count - sum * sum;
  return true;
}

// floor(sqrt(n)) of 128 bits, exactly.
uint64_t Root128(Wide n) {
  if (n == 0) return 0;
  long double guess = std::sqrt(static_cast<long double>(n));
  uint64_t root = guess >= 18446744073709551615.0L ? UINT64_MAX : static_cast<uint64_t>(guess);
  while (Wide{root} * root > n)
    --root;
  while (root != UINT64_MAX && Wide{root + 1} * (root + 1) <= n)
    ++root;
  return root;
}

struct Double256 {
  Wide high;
  Wide low;
};

Double256 Multiply(Wide a, Wide b) {
  auto a0 = static_cast<uint64_t>(a), a1 = static_cast<uint64_t>(a >> 64);
  auto b0 = static_cast<uint64_t>(b), b1 = static_cast<uint64_t>(b >> 64);
  Wide low = Wide{a0} * b0;
  Wide middle = Wide{a0} * b1 + (low >> 64);
  Wide other = Wide{a1} * b0 + static_cast<uint64_t>(middle);
  return {Wide{a1} * b1 + (middle >> 64) + (other >> 64),
          (other << 64) | static_cast<uint64_t>(low)};
}

}  // namespace

// One step of Karatsuba's square root (Zimmermann, 1999) from 64 to 128 bits of root.
unsigned __int128 RoundedRoot(unsigned __int128 high, unsigned __int128 low) {
  if (high == 0) {
    uint64_t root = Root128(low);
    return low - Wide{root} * root > root ? Wide{root} + 1 : root;
  }
  int zeros = (high >> 64) != 0 ? __builtin_clzll(static_cast<uint64_t>(high >> 64))
                                : 64 + __builtin_clzll(static_cast<uint64_t>(high));
  int shift = zeros & ~1;
  Wide top = shift == 0 ? high : (high << shift) | (low >> (128 - shift));
  Wide bottom = low << shift;
  uint64_t upper = Root128(top);  // its highest bit is set
  Wide rest = top - Wide{upper} * upper;
  // rest * 2^64 + upper half of bottom, divided by 2 * upper, without the 129th bit.
  auto next = static_cast<uint64_t>(bottom >> 64);
  Wide dividend = (rest << 63) | (next >> 1);
  Wide quotient = dividend / upper;
  Wide remainder = ((dividend % upper) << 1) | (next & 1);
  Wide root = (Wide{upper} << 64) + quotient;
  // The remainder, which may be negative by one root.
  Wide tail = (remainder << 64) | static_cast<uint64_t>(bottom);
  bool too_large = quotient >> 64 != 0 || ((remainder >> 64) == 0 && tail < quotient * quotient);
  if (too_large) --root;
  root >>= shift / 2;
  // Round by the exact remainder of the number as it was.
  Double256 square = Multiply(root, root);
  Wide left = low - square.low;
  bool borrow = low < square.low;
  bool more = high - square.high - (borrow ? 1 : 0) != 0 || left > root;
  return more ? root + 1 : root;
}

bool FastAverage(row::Int128 sum, uint64_t count, int scale, row::Value* value) {
  Wide magnitude = row::Magnitude(sum);
  int result_scale = std::max(QuotientScale(magnitude, scale, count), kAverageDecimals);
  Wide quotient = 0;
  if (!DivideRounded(magnitude, result_scale - scale, count, &quotient)) return false;
  if (!row::FitsDecimal(quotient)) return false;
  auto result = static_cast<row::Int128>(quotient);
  *value = row::Value::Decimal(sum < 0 ? -result : result, static_cast<uint8_t>(result_scale));
  return true;
}

bool FastSpread(const SpreadTotals& totals, row::Value* value) {
  Wide numerator = 0;
  if (!SpreadNumerator(totals, &numerator)) return false;
  if (numerator == 0) {
    *value = row::Value::Decimal(0, 0);
    return true;
  }
  uint64_t divisor = totals.count * (totals.sample ? totals.count - 1 : totals.count);
  int scale = QuotientScale(numerator, 2 * totals.scale, divisor);
  Wide result = 0;
  if (!DivideRounded(numerator, scale - 2 * totals.scale, divisor, &result)) return false;
  if (totals.deviation) {
    if (scale > kSafeDigits) return false;
    Double256 square = Multiply(result, row::Pow10(scale));
    result = RoundedRoot(square.high, square.low);
  }
  if (!row::FitsDecimal(result)) return false;
  *value = row::Value::Decimal(static_cast<row::Int128>(result), static_cast<uint8_t>(scale));
  return true;
}

}  // namespace headrace::state
