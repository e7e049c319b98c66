#include "row/wide_decimal.h"

#include <charconv>
#include <cstring>

#include "row/decimal.h"

namespace headrace::row {
namespace {

constexpr double kDigitsPerBit = 0.30102999566398120;
constexpr size_t kMaxText = 16 << 10;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool WithinLimits(const WideDecimal& wide) {
  return wide.scale <= kMaxWideScale && DigitCount(wide.unscaled) <= kMaxWideDigits;
}

// Reads digits into `digits`; false when there are too many.
bool TakeDigits(std::string_view text, size_t* at, std::string* digits) {
  for (; *at < text.size() && IsDigit(text[*at]); ++*at) {
    if (!digits->empty() || text[*at] != '0') *digits += text[*at];
  }
  return digits->size() <= kMaxWideDigits;
}

// "[eE][+-]digits" from `at` to the end; values beyond any use are clamped.
bool TakeExponent(std::string_view text, size_t at, int* exponent) {
  if (at == text.size()) return true;
  if ((text[at] | 32) != 'e') return false;
  ++at;
  const bool negative = at < text.size() && text[at] == '-';
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  if (at == text.size()) return false;
  for (; at < text.size(); ++at) {
    if (!IsDigit(text[at])) return false;
    if (*exponent < 100'000) *exponent = *exponent * 10 + (text[at] - '0');
  }
  if (negative) *exponent = -*exponent;
  return true;
}

}  // namespace

BigInteger BigPow10(int exponent) {
  return boost::multiprecision::pow(BigInteger(10), static_cast<unsigned>(exponent));
}

int DigitCount(const BigInteger& magnitude) {
  if (magnitude == 0) return 0;
  const BigInteger positive = boost::multiprecision::abs(magnitude);
  // The number of bits gives the digits up to one.
  const auto bits = static_cast<double>(boost::multiprecision::msb(positive));
  const int digits = static_cast<int>(bits * kDigitsPerBit);
  return positive >= BigPow10(digits + 1) ? digits + 2
         : positive >= BigPow10(digits)   ? digits + 1
                                          : digits;
}

WideDecimal Widen(const Value& value) {
  WideDecimal wide;
  if (value.special == kWide) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(value.data);
    boost::multiprecision::import_bits(wide.unscaled, bytes, bytes + value.length, 8, false);
    if (value.span.months < 0) wide.unscaled = -wide.unscaled;
    wide.scale = value.span.days;
    return wide;
  }
  const Int128 unscaled = value.unscaled();
  const UInt128 magnitude = Magnitude(unscaled);
  wide.unscaled = static_cast<uint64_t>(magnitude >> 64);
  wide.unscaled <<= 64;
  wide.unscaled |= static_cast<uint64_t>(magnitude);
  if (unscaled < 0) wide.unscaled = -wide.unscaled;
  wide.scale = value.scale;
  return wide;
}

bool StoreDecimal(const WideDecimal& wide, base::Arena& arena, Value* value) {
  const bool negative = wide.unscaled < 0;
  const BigInteger magnitude = boost::multiprecision::abs(wide.unscaled);
  const bool narrow = magnitude == 0 || boost::multiprecision::msb(magnitude) < 127;
  if (narrow && wide.scale <= kMaxDecimalScale) {
    const BigInteger low = magnitude & BigInteger(0xFFFF'FFFF'FFFF'FFFFU);
    const BigInteger high = magnitude >> 64;
    const auto whole =
        static_cast<UInt128>(static_cast<uint64_t>(high)) << 64 | static_cast<uint64_t>(low);
    if (FitsDecimal(whole)) {
      const auto unscaled = static_cast<Int128>(whole);
      *value = Value::Decimal(negative ? -unscaled : unscaled, static_cast<uint8_t>(wide.scale));
      return true;
    }
  }
  if (!WithinLimits(wide)) return false;
  std::string bytes;
  boost::multiprecision::export_bits(magnitude, std::back_inserter(bytes), 8, false);
  *value = Value::Text(arena.Copy(bytes));
  value->span.days = wide.scale;
  value->span.months = negative ? -1 : 1;
  value->special = kWide;
  return true;
}

bool ParseWideDecimal(std::string_view text, WideDecimal* wide) {
  if (text.size() > kMaxText) return false;
  size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const size_t begin = at;
  std::string digits;
  if (!TakeDigits(text, &at, &digits)) return false;
  size_t seen = at - begin;
  size_t fraction = 0;
  if (at < text.size() && text[at] == '.') {
    const size_t point = ++at;
    if (!TakeDigits(text, &at, &digits)) return false;
    fraction = at - point;
    seen += fraction;
  }
  int exponent = 0;
  if (seen == 0 || !TakeExponent(text, at, &exponent)) return false;
  const int scale = static_cast<int>(fraction) - exponent;
  wide->unscaled = digits.empty() ? BigInteger(0) : BigInteger(digits);
  if (scale < 0 && wide->unscaled != 0) {
    if (static_cast<int>(digits.size()) - scale > kMaxWideDigits) return false;
    wide->unscaled *= BigPow10(-scale);
  }
  wide->scale = std::max(scale, 0);
  if (text[0] == '-') wide->unscaled = -wide->unscaled;
  return WithinLimits(*wide);
}

bool WideFromDouble(double number, int significant, WideDecimal* wide) {
  char buffer[64];
  const auto written = std::to_chars(buffer, buffer + sizeof(buffer), number,
                                     std::chars_format::general, significant);
  return ParseWideDecimal({buffer, static_cast<size_t>(written.ptr - buffer)}, wide);
}

void AppendDecimal(const WideDecimal& wide, std::string& out) {
  if (wide.unscaled < 0) out += '-';
  std::string digits = BigInteger(boost::multiprecision::abs(wide.unscaled)).str();
  const auto scale = static_cast<size_t>(wide.scale);
  if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
  if (scale > 0) digits.insert(digits.size() - scale, 1, '.');
  out += digits;
}

void Rescale(WideDecimal* wide, int scale) {
  const int by = scale - wide->scale;
  wide->scale = scale;
  if (by >= 0) {
    wide->unscaled *= BigPow10(by);
    return;
  }
  const BigInteger unit = BigPow10(-by);
  const BigInteger rest = boost::multiprecision::abs(BigInteger(wide->unscaled % unit));
  const bool negative = wide->unscaled < 0;
  wide->unscaled /= unit;
  if (rest * 2 >= unit) wide->unscaled += negative ? -1 : 1;
}

int CompareDecimal(const WideDecimal& a, const WideDecimal& b) {
  if (a.scale == b.scale) return a.unscaled.compare(b.unscaled);
  if (a.scale < b.scale) {
    return BigInteger(a.unscaled * BigPow10(b.scale - a.scale)).compare(b.unscaled);
  }
  return a.unscaled.compare(BigInteger(b.unscaled * BigPow10(a.scale - b.scale)));
}

}  // namespace headrace::row
