#include "state/finish.h"

#include <algorithm>
#include <cmath>

#include <boost/multiprecision/cpp_int.hpp>

#include "row/decimal.h"
#include "state/quotient.h"

namespace headrace::state {
namespace {

namespace mp = boost::multiprecision;
// Room for n * sum of squares - square of the sum of any doubles (2 * 2200 bits) and of any
// decimals (38 digits at 100 digits behind the point, squared). On the stack; unused limbs cost
// nothing.
using Big = mp::number<mp::cpp_int_backend<4608, 4608, mp::signed_magnitude, mp::unchecked, void>,
                       mp::et_off>;
using Wide = unsigned __int128;

constexpr int kSignificantDigits = 16;  // of a numeric quotient, as in PostgreSQL
constexpr int kBaseDigits = 4;          // PostgreSQL computes in base 10^4
constexpr int kMaxScale = 100;
constexpr int kMaxDigits = 38;

bool IsSample(AggregateKind kind) {
  return kind == AggregateKind::kStddevSamp || kind == AggregateKind::kVarSamp;
}
bool IsDeviation(AggregateKind kind) {
  return kind == AggregateKind::kStddevSamp || kind == AggregateKind::kStddevPop;
}
bool IsSpread(AggregateKind kind) {
  return kind != AggregateKind::kSum && kind != AggregateKind::kAvg;
}

Big Pow10(int exponent) {
  return mp::pow(Big(10), static_cast<unsigned>(exponent));
}

// Little-endian two's complement limbs.
Big FromLimbs(const uint64_t* limbs, int n) {
  if (n == 0) return 0;
  bool negative = (limbs[n - 1] >> 63) != 0;
  Big result = 0;
  for (int i = n - 1; i >= 0; --i) {
    result <<= 64;
    result |= negative ? ~limbs[i] : limbs[i];
  }
  if (negative) result = -(result + 1);
  return result;
}

int Digits(Big magnitude) {
  if (magnitude == 0) return 0;
  // 1233 / 4096 is just below log10(2).
  int digits = static_cast<int>((mp::msb(magnitude) + 1) * 1233 / 4096);
  return magnitude >= Pow10(digits) ? digits + 1 : digits;
}

// Where a number stands in base 10^4: the place of its first digit, and that digit.
struct Leading {
  int weight = 0;
  uint32_t digit = 0;
};

Leading LeadingOf(const Big& magnitude, int scale) {
  if (magnitude == 0) return {};
  int exponent = Digits(magnitude) - 1 - scale;
  int weight = exponent >= 0 ? exponent / kBaseDigits : -((-exponent + 3) / kBaseDigits);
  int shift = scale + kBaseDigits * weight;
  Big digit = shift >= 0 ? Big(magnitude / Pow10(shift)) : Big(magnitude * Pow10(-shift));
  return {weight, static_cast<uint32_t>(digit)};
}

// The display scale PostgreSQL gives a numeric quotient.
int QuotientScale(const Big& numerator, int scale, const Big& divisor) {
  Leading a = LeadingOf(numerator, scale);
  Leading b = LeadingOf(divisor, 0);
  int weight = a.weight - b.weight;
  if (a.digit <= b.digit) --weight;
  int result = std::max({kSignificantDigits - weight * kBaseDigits, scale, 0});
  return std::min(result, kMaxScale);
}

// numerator / divisor at 10^-places behind the numerator's own scale, half away from zero.
Big DivideRounded(const Big& numerator, int places, const Big& divisor) {
  Big scaled = numerator * Pow10(places);
  Big quotient = (mp::abs(scaled) * 2 + divisor) / (divisor * 2);
  return scaled < 0 ? Big(-quotient) : quotient;
}

FinishError ToDecimal(const Big& unscaled, int scale, row::Value* value) {
  Big magnitude = mp::abs(unscaled);
  if (magnitude >= Pow10(kMaxDigits)) return FinishError::kDecimalRange;
  auto wide = static_cast<Wide>(magnitude);
  auto signed_value = static_cast<row::Int128>(wide);
  *value =
      row::Value::Decimal(unscaled < 0 ? -signed_value : signed_value, static_cast<uint8_t>(scale));
  return FinishError::kNone;
}

row::Value Special(uint8_t special) {
  row::Value value = row::Value::Decimal(0, 0);
  value.special = special;
  return value;
}

// Totals at one scale, whatever they were kept in.
struct Totals {
  uint64_t count = 0;
  int scale = 0;
  Big sum = 0;
  Big squares = 0;  // at twice the scale
};

FinishError FinishSpread(AggregateKind kind, const Totals& totals, row::Value* value) {
  Big count = totals.count;
  Big numerator = count * totals.squares - totals.sum * totals.sum;
  if (numerator <= 0) {
    *value = row::Value::Decimal(0, 0);
    return FinishError::kNone;
  }
  Big divisor = IsSample(kind) ? Big(count * (count - 1)) : Big(count * count);
  int scale = 2 * totals.scale;
  int result_scale = QuotientScale(numerator, scale, divisor);
  // Squares of long fractions: their scale alone may pass the limit.
  Big result = result_scale >= scale
                   ? DivideRounded(numerator, result_scale - scale, divisor)
                   : DivideRounded(numerator, 0, divisor * Pow10(scale - result_scale));
  if (IsDeviation(kind)) {
    Big square = result * Pow10(result_scale);
    result = mp::sqrt(square);
    if (square - result * result > result) result += 1;
  }
  int excess = std::min(Digits(result) - kMaxDigits, result_scale);
  if (excess > 0) {
    result = DivideRounded(result, 0, Pow10(excess));
    result_scale -= excess;
  }
  return ToDecimal(result, result_scale, value);
}

FinishError FinishTotals(AggregateKind kind, const Totals& totals, row::Value* value) {
  if (kind == AggregateKind::kSum) return ToDecimal(totals.sum, totals.scale, value);
  if (IsSpread(kind)) return FinishSpread(kind, totals, value);
  Big count = totals.count;
  int least = QuotientScale(mp::abs(totals.sum), totals.scale, count);
  int whole = Digits(Big(mp::abs(totals.sum) / count / Pow10(totals.scale)));
  int scale = std::max(least, std::min(kAverageDecimals, kMaxDigits - 1 - whole));
  return ToDecimal(DivideRounded(totals.sum, scale - totals.scale, count), scale, value);
}

// What needs no arithmetic: too few values, or special ones. True when `value` is set.
bool FinishWithout(AggregateKind kind, uint64_t count, uint64_t specials, row::Value* value) {
  if (count == 0 || (IsSample(kind) && count == 1)) {
    *value = row::Value::Null();
    return true;
  }
  if (specials == 0) return false;
  *value = Special(1);
  return true;
}

// A finite positive Big as mantissa * 2^exponent with the mantissa in [2^63, 2^64), odd when
// anything was cut off.
double Mantissa(const Big& magnitude, int* exponent) {
  int top = static_cast<int>(mp::msb(magnitude));
  *exponent = std::max(top - 63, 0);
  Big high = magnitude >> static_cast<unsigned>(*exponent);
  auto bits = static_cast<uint64_t>(high);
  if ((high << static_cast<unsigned>(*exponent)) != magnitude) bits |= 1;
  return static_cast<double>(bits);
}

double DoubleSpread(AggregateKind kind, const DoubleSums& totals) {
  Big count = totals.count;
  Big sum = FromLimbs(totals.sum.limbs, totals.sum.count);
  Big squares = FromLimbs(totals.squares.limbs, totals.squares.count);
  // Both in units of the lower of the two lowest limbs.
  int sum_low = totals.sum.count > 0 ? 2 * totals.sum.low : totals.squares.low;
  int squares_low = totals.squares.count > 0 ? totals.squares.low : sum_low;
  int low = std::min(sum_low, squares_low);
  Big numerator = ((count * squares) << static_cast<unsigned>(64 * (squares_low - low))) -
                  ((sum * sum) << static_cast<unsigned>(64 * (sum_low - low)));
  if (numerator <= 0) return 0;
  int exponent = 0;
  double n = static_cast<double>(totals.count);
  double divisor = n * (IsSample(kind) ? n - 1 : n);
  double variance = Mantissa(numerator, &exponent) / divisor;
  exponent += 64 * low - 2148;
  if (!IsDeviation(kind)) return std::ldexp(variance, exponent);
  if (exponent % 2 != 0) {
    variance *= 2;
    --exponent;
  }
  return std::ldexp(std::sqrt(variance), exponent / 2);
}

}  // namespace

std::string_view Message(FinishError error) {
  switch (error) {
    case FinishError::kNone:
      return "";
    case FinishError::kBigintRange:
      return "bigint out of range";
    case FinishError::kDecimalRange:
      return "value overflows numeric format";
    case FinishError::kDoubleRange:
      return "value out of range: overflow";
  }
  return "";
}

FinishError FinishNarrow(AggregateKind kind, const NarrowSum& totals, int scale, row::Type result,
                         row::Value* value) {
  if (FinishWithout(kind, totals.count, totals.nans, value)) return FinishError::kNone;
  row::Int128 sum = totals.sum();
  if (result.kind == row::TypeKind::kBigint) {
    if (sum < INT64_MIN || sum > INT64_MAX) return FinishError::kBigintRange;
    *value = row::Value::Integer(static_cast<int64_t>(sum));
    return FinishError::kNone;
  }
  if (kind == AggregateKind::kSum) {
    if (!row::FitsDecimal(row::Magnitude(sum))) return FinishError::kDecimalRange;
    *value = row::Value::Decimal(sum, static_cast<uint8_t>(scale));
    return FinishError::kNone;
  }
  if (FastAverage(sum, totals.count, scale, value)) return FinishError::kNone;
  Totals exact;
  exact.count = totals.count;
  exact.scale = scale;
  exact.sum = sum;
  return FinishTotals(kind, exact, value);
}

FinishError FinishNarrowSquares(AggregateKind kind, const NarrowSquares& totals, int scale,
                                row::Value* value) {
  if (FinishWithout(kind, totals.count, totals.nans, value)) return FinishError::kNone;
  SpreadTotals fast{totals.sum(), totals.squares, totals.count,
                    scale,        IsSample(kind), IsDeviation(kind)};
  if (FastSpread(fast, value)) return FinishError::kNone;
  Totals exact;
  exact.count = totals.count;
  exact.scale = scale;
  exact.sum = totals.sum();
  exact.squares = FromLimbs(totals.squares, 3);
  return FinishTotals(kind, exact, value);
}

FinishError FinishWide(AggregateKind kind, const WideSums& totals, row::Value* value) {
  uint64_t specials = totals.nans + totals.infinities + totals.negative_infinities;
  if (FinishWithout(kind, totals.count, specials, value)) {
    bool one_sided =
        totals.nans == 0 && (totals.infinities == 0) != (totals.negative_infinities == 0);
    if (!value->null && one_sided && !IsSpread(kind)) {
      *value = Special(totals.infinities > 0 ? 2 : 3);
    }
    return FinishError::kNone;
  }
  Totals exact;
  exact.count = totals.count;
  exact.scale = static_cast<int>(totals.parts[totals.size - 1].scale);
  for (uint32_t i = 0; i < totals.size; ++i) {
    const WideSums::Part& part = totals.parts[i];
    int missing = exact.scale - static_cast<int>(part.scale);
    exact.sum += FromLimbs(part.sum, 4) * Pow10(missing);
    if (IsSpread(kind)) exact.squares += FromLimbs(part.squares, 5) * Pow10(2 * missing);
  }
  return FinishTotals(kind, exact, value);
}

FinishError FinishDouble(AggregateKind kind, const DoubleSums& totals, row::Value* value) {
  if (totals.count == 0 || (IsSample(kind) && totals.count == 1)) {
    *value = row::Value::Null();
    return FinishError::kNone;
  }
  uint64_t infinite = totals.infinities + totals.negative_infinities;
  bool opposed = totals.infinities > 0 && totals.negative_infinities > 0;
  if (totals.nans > 0 || opposed || (infinite > 0 && IsSpread(kind))) {
    *value = row::Value::Double(std::nan(""));
    return FinishError::kNone;
  }
  if (infinite > 0) {
    *value = row::Value::Double(totals.infinities > 0 ? INFINITY : -INFINITY);
    return FinishError::kNone;
  }
  double result = 0;
  if (IsSpread(kind)) {
    result = DoubleSpread(kind, totals);
  } else {
    result = totals.sum.ToDouble();
    if (kind == AggregateKind::kAvg) result /= static_cast<double>(totals.count);
  }
  if (std::isinf(result)) return FinishError::kDoubleRange;
  *value = row::Value::Double(result);
  return FinishError::kNone;
}

}  // namespace headrace::state
