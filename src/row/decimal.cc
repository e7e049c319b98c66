#include "row/decimal.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "row/text.h"
#include "row/wide_decimal.h"

namespace headrace::row {
namespace {

constexpr std::array<UInt128, kMaxDecimalDigits + 1> MakePowers() {
  std::array<UInt128, kMaxDecimalDigits + 1> powers{};
  UInt128 power = 1;
  for (UInt128& p : powers) {
    p = power;
    power *= 10;
  }
  return powers;
}
constexpr std::array<UInt128, kMaxDecimalDigits + 1> kPowers = MakePowers();

constexpr std::array<double, 23> kExactDoublePowers = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

constexpr uint64_t kMax64 = std::numeric_limits<uint64_t>::max();

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Collects digits of a number: first in 64 bits, because nearly all numbers fit there.
struct DigitSink {
  uint64_t low = 0;
  UInt128 wide = 0;
  int digits = 0;  // without leading zeros

  bool Add(char c) {
    const auto digit = static_cast<uint64_t>(c - '0');
    if (digits < 19) {
      low = low * 10 + digit;
    } else {
      if (digits == kMaxDecimalDigits) return false;
      if (digits == 19) wide = low;
      wide = wide * 10 + digit;
    }
    if (digits > 0 || digit > 0) ++digits;
    return true;
  }
  UInt128 magnitude() const { return digits <= 19 ? UInt128{low} : wide; }
};

// Digits of `magnitude` right-aligned before `end`; returns where they begin.
char* WriteDigits(UInt128 magnitude, char* end) {
  constexpr uint64_t kChunk = 10'000'000'000'000'000'000U;
  while (magnitude > kMax64) {
    auto part = static_cast<uint64_t>(magnitude % kChunk);
    magnitude /= kChunk;
    for (int i = 0; i < 19; ++i, part /= 10)
      *--end = static_cast<char>('0' + part % 10);
  }
  auto rest = static_cast<uint64_t>(magnitude);
  do {
    *--end = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  return end;
}

Value Signed(UInt128 magnitude, bool negative, int scale) {
  const auto unscaled = static_cast<Int128>(magnitude);
  return Value::Decimal(negative ? -unscaled : unscaled, static_cast<uint8_t>(scale));
}

// Reads "[eE][+-]digits" at p. False when malformed; values beyond any use are clamped.
bool ReadExponent(const char* p, const char* end, int* exponent) {
  ++p;
  const bool negative = p != end && *p == '-';
  if (p != end && (*p == '-' || *p == '+')) ++p;
  if (p == end) return false;
  int value = 0;
  for (; p != end; ++p) {
    if (!IsDigit(*p)) return false;
    if (value < 100'000) value = value * 10 + (*p - '0');
  }
  *exponent = negative ? -value : value;
  return true;
}

// The result fits 38 digits, or it is refused: no memory is needed.
bool RescaleWide(Value* value, int scale) {
  WideDecimal wide = Widen(*value);
  Rescale(&wide, scale);
  base::Arena arena;
  return StoreDecimal(wide, arena, value) && value->special == kFinite;
}

// Infinite, or 0, where double precision ends.
double WideToDouble(const Value& value) {
  const WideDecimal wide = Widen(value);
  std::string text = wide.unscaled.str() + "e" + std::to_string(-wide.scale);
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc()) return number;
  const bool large = DigitCount(wide.unscaled) > wide.scale;
  const double limit = large ? std::numeric_limits<double>::infinity() : 0;
  return wide.unscaled < 0 ? -limit : limit;
}

}  // namespace

UInt128 Pow10(int exponent) {
  return kPowers[static_cast<size_t>(exponent)];
}

int DigitCount(UInt128 magnitude) {
  int digits = 0;
  if (magnitude >= kPowers[19]) digits = 19;
  while (digits <= kMaxDecimalDigits && magnitude >= kPowers[static_cast<size_t>(digits)]) {
    ++digits;
  }
  return digits;
}

Value SpecialDecimal(DecimalSpecial special) {
  Value value = Value::Decimal(0, 0);
  value.special = special;
  return value;
}

bool ParseDecimal(std::string_view text, Value* value) {
  const char* p = text.data();
  const char* const end = p + text.size();
  bool negative = false;
  if (p != end && (*p == '-' || *p == '+')) negative = *p++ == '-';
  DigitSink sink;
  const char* const whole = p;
  for (; p != end && IsDigit(*p); ++p) {
    if (!sink.Add(*p)) return false;
  }
  auto seen = p - whole;
  int64_t scale = 0;
  if (p != end && *p == '.') {
    const char* const fraction = ++p;
    for (; p != end && IsDigit(*p); ++p) {
      if (!sink.Add(*p)) return false;
    }
    scale = p - fraction;
    seen += scale;
  }
  if (seen == 0) return false;
  if (p != end) {
    int exponent = 0;
    if ((*p != 'e' && *p != 'E') || !ReadExponent(p, end, &exponent)) return false;
    scale -= exponent;
  }
  UInt128 magnitude = sink.magnitude();
  if (scale < 0) {
    if (magnitude != 0) {
      if (sink.digits - scale > kMaxDecimalDigits) return false;
      magnitude *= Pow10(static_cast<int>(-scale));
    }
    scale = 0;
  }
  if (scale > kMaxDecimalScale) return false;
  *value = Signed(magnitude, negative, static_cast<int>(scale));
  return true;
}

void AppendDecimal(const Value& value, std::string& out) {
  switch (value.special) {
    case kNaN:
      out += "NaN";
      return;
    case kInfinity:
      out += "Infinity";
      return;
    case kNegativeInfinity:
      out += "-Infinity";
      return;
    case kWide:
      return AppendDecimal(Widen(value), out);
    default:
      break;
  }
  // Sign, 39 digits or the scale plus a leading zero (a scale byte is at most 255), the point.
  char buffer[300];
  char* const end = buffer + sizeof(buffer);
  const Int128 unscaled = value.unscaled();
  char* begin = WriteDigits(Magnitude(unscaled), end);
  const int scale = value.scale;
  if (scale > 0) {
    while (end - begin <= scale)
      *--begin = '0';
    --begin;
    const auto whole = static_cast<size_t>(end - begin - 1 - scale);
    std::memmove(begin, begin + 1, whole);
    begin[whole] = '.';
  }
  if (unscaled < 0) *--begin = '-';
  out.append(begin, static_cast<size_t>(end - begin));
}

bool Rescale(Value* value, int scale) {
  if (value->special == kWide) return RescaleWide(value, scale);
  const int by = scale - value->scale;
  if (by == 0) return true;
  const Int128 unscaled = value->unscaled();
  const UInt128 magnitude = Magnitude(unscaled);
  if (by > 0) {
    if (magnitude == 0) {
      *value = Value::Decimal(0, static_cast<uint8_t>(scale));
      return true;
    }
    if (by >= kMaxDecimalDigits || magnitude >= Pow10(kMaxDecimalDigits - by)) return false;
    *value = Signed(magnitude * Pow10(by), unscaled < 0, scale);
    return true;
  }
  if (-by > kMaxDecimalDigits) {
    *value = Value::Decimal(0, static_cast<uint8_t>(scale));
    return true;
  }
  const UInt128 divisor = Pow10(-by);
  UInt128 quotient;
  if (magnitude <= kMax64 && divisor <= kMax64 / 2) {
    const auto m = static_cast<uint64_t>(magnitude);
    const auto d = static_cast<uint64_t>(divisor);
    quotient = m / d + (m % d >= d / 2 ? 1 : 0);
  } else {
    quotient = magnitude / divisor;
    if (magnitude % divisor >= divisor / 2) ++quotient;
  }
  *value = Signed(quotient, unscaled < 0, scale);
  return true;
}

bool FitDecimal(Value* value, uint8_t precision, uint8_t scale) {
  if (precision == 0) return true;
  if (!IsFinite(*value)) return value->special == kNaN;
  if (!Rescale(value, scale)) return false;
  return precision >= kMaxDecimalDigits ? FitsDecimal(Magnitude(value->unscaled()))
                                        : Magnitude(value->unscaled()) < Pow10(precision);
}

double DecimalToDouble(const Value& value) {
  switch (value.special) {
    case kNaN:
      return std::numeric_limits<double>::quiet_NaN();
    case kInfinity:
      return std::numeric_limits<double>::infinity();
    case kNegativeInfinity:
      return -std::numeric_limits<double>::infinity();
    case kWide:
      return WideToDouble(value);
    default:
      break;
  }
  const Int128 unscaled = value.unscaled();
  const UInt128 magnitude = Magnitude(unscaled);
  // Both operands are exact, so the one division rounds correctly.
  if (magnitude <= (uint64_t{1} << 53) && value.scale < kExactDoublePowers.size()) {
    const double quotient =
        static_cast<double>(static_cast<uint64_t>(magnitude)) / kExactDoublePowers[value.scale];
    return unscaled < 0 ? -quotient : quotient;
  }
  char buffer[64];
  char* const digits_end = buffer + 48;
  char* const begin = WriteDigits(magnitude, digits_end);
  *digits_end = 'e';
  const auto tail = std::to_chars(digits_end + 1, buffer + sizeof(buffer), -int{value.scale});
  double number = 0;
  std::from_chars(begin, tail.ptr, number);
  return unscaled < 0 ? -number : number;
}

int CompareDecimal(const Value& a, const Value& b) {
  if ((a.special | b.special) != 0) {
    const auto rank = [](const Value& v) {
      return v.special == kNaN ? 2 : v.special == kInfinity ? 1 : IsFinite(v) ? 0 : -1;
    };
    if (rank(a) != 0 || rank(b) != 0) return rank(a) - rank(b);
    return CompareDecimal(Widen(a), Widen(b));
  }
  Int128 left = a.unscaled();
  Int128 right = b.unscaled();
  if (a.scale != b.scale && left != 0 && right != 0) {
    if ((left < 0) != (right < 0)) return left < 0 ? -1 : 1;
    Int128& coarse = a.scale < b.scale ? left : right;
    const int by = a.scale < b.scale ? b.scale - a.scale : a.scale - b.scale;
    // Whatever passes 38 digits when scaled is larger than any value of the finer side.
    if (by >= kMaxDecimalDigits || Magnitude(coarse) >= Pow10(kMaxDecimalDigits - by)) {
      const bool left_larger = (&coarse == &left) == (coarse > 0);
      return left_larger ? 1 : -1;
    }
    coarse *= static_cast<Int128>(Pow10(by));
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

void TrimScale(Value* value) {
  if (value->special != kFinite || value->scale == 0) return;
  Int128 unscaled = value->unscaled();
  int scale = value->scale;
  while (scale > 0 && unscaled % 10 == 0) {
    unscaled /= 10;
    --scale;
  }
  *value = Value::Decimal(unscaled, static_cast<uint8_t>(scale));
}

bool DecimalFromDouble(double number, int significant, Value* value) {
  if (std::isnan(number)) return *value = SpecialDecimal(kNaN), true;
  if (std::isinf(number)) {
    return *value = SpecialDecimal(number > 0 ? kInfinity : kNegativeInfinity), true;
  }
  char buffer[64];
  const auto written = std::to_chars(buffer, buffer + sizeof(buffer), number,
                                     std::chars_format::general, significant);
  return ParseDecimal({buffer, static_cast<size_t>(written.ptr - buffer)}, value);
}

}  // namespace headrace::row
