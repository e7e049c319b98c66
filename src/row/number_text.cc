#include "row/number_text.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "row/decimal.h"
#include "row/text.h"

namespace headrace::row {
namespace {

bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool SameWord(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 32) != lower[i]) return false;
  }
  return true;
}

// 'NaN', 'inf', '-Infinity' and so on; finite when `text` is none of them.
DecimalSpecial SpecialWord(std::string_view text) {
  if (SameWord(text, "nan")) return kNaN;
  const bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) text.remove_prefix(1);
  if (!SameWord(text, "infinity") && !SameWord(text, "inf")) return kFinite;
  return negative ? kNegativeInfinity : kInfinity;
}

// `digits` is d.ddde[+-]xx as std::to_chars writes it.
void AppendShortest(std::string_view digits, int scientific_from, std::string& out) {
  const size_t e = digits.rfind('e');
  int exponent = 0;
  const char* from = digits.data() + e + 1;
  if (*from == '+') ++from;
  std::from_chars(from, digits.data() + digits.size(), exponent);
  std::string_view mantissa = digits.substr(0, e);
  if (mantissa[0] == '-') {
    out += '-';
    mantissa.remove_prefix(1);
  }
  if (exponent < -4 || exponent >= scientific_from) {
    out += mantissa;
    out += 'e';
    out += exponent < 0 ? '-' : '+';
    if (std::abs(exponent) < 10) out += '0';
    out += std::to_string(std::abs(exponent));
    return;
  }
  const std::string_view fraction = mantissa.size() > 2 ? mantissa.substr(2) : std::string_view();
  if (exponent < 0) {
    out += "0.";
    out.append(static_cast<size_t>(-exponent - 1), '0');
    out += mantissa[0];
    out += fraction;
    return;
  }
  const auto whole = static_cast<size_t>(exponent);
  out += mantissa[0];
  out += fraction.substr(0, std::min(whole, fraction.size()));
  if (fraction.size() < whole) out.append(whole - fraction.size(), '0');
  if (fraction.size() > whole) {
    out += '.';
    out += fraction.substr(whole);
  }
}

bool AppendSpecial(double number, std::string& out) {
  if (std::isnan(number)) return out += "NaN", true;
  if (std::isinf(number)) return out += number > 0 ? "Infinity" : "-Infinity", true;
  return false;
}

// The shortest digits, d.ddde[+-]xx. Digits exactly between two numbers read back by rounding to
// even only; PostgreSQL then writes one more, and so do we. That happens to whole numbers alone.
template <typename T>
std::string_view ShortestDigits(T number, char (&buffer)[40]) {
  char* end =
      std::to_chars(buffer, buffer + sizeof(buffer), number, std::chars_format::scientific).ptr;
  constexpr T kFirst = static_cast<T>(uint64_t{1} << std::numeric_limits<T>::digits);
  constexpr T kLast = static_cast<T>(1e37);
  const T magnitude = std::fabs(number);
  if (magnitude >= kFirst && magnitude < kLast) {
    const T next = std::nextafter(magnitude, std::numeric_limits<T>::infinity());
    const T before = std::nextafter(magnitude, T{0});
    Value digits;
    const size_t skip = number < 0 ? 1 : 0;
    const std::string_view text(buffer + skip, static_cast<size_t>(end - buffer) - skip);
    if (ParseDecimal(text, &digits)) {
      const auto twice = digits.unscaled() * 2;
      const auto exact = static_cast<Int128>(magnitude);
      const bool between = twice == exact + static_cast<Int128>(next) ||
                           twice == exact + static_cast<Int128>(before);
      if (between) {
        end = std::to_chars(buffer, buffer + sizeof(buffer), number, std::chars_format::scientific,
                            std::numeric_limits<T>::max_digits10 - 1)
                  .ptr;
      }
    }
  }
  return {buffer, static_cast<size_t>(end - buffer)};
}

Error OutOfRange(std::string_view text, Type type) {
  return Error(ErrorKind::kInvalidArgument, "HR2002",
               "\"" + std::string(text) + "\" is out of range for type " + PostgresName(type));
}

template <typename T>
std::errc ReadFloat(std::string_view text, double* number) {
  T value = 0;
  const size_t sign = text[0] == '-' ? 1 : 0;
  const bool hex = text.size() > sign + 2 && text[sign] == '0' && (text[sign + 1] | 32) == 'x';
  std::string bare;  // from_chars wants no 0x
  if (hex) {
    bare = std::string(text.substr(0, sign)) + std::string(text.substr(sign + 2));
    if (bare[sign] == '-') return std::errc::invalid_argument;
    text = bare;
  }
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value,
                                    hex ? std::chars_format::hex : std::chars_format::general);
  *number = static_cast<double>(value);
  if (read.ptr != text.data() + text.size()) return std::errc::invalid_argument;
  return read.ec;
}

}  // namespace

std::string_view TrimSpace(std::string_view text) {
  while (!text.empty() && IsSpace(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back()))
    text.remove_suffix(1);
  return text;
}

Error InvalidSyntax(std::string_view text, Type type) {
  return Error(
      ErrorKind::kInvalidArgument, "HR2001",
      "invalid input syntax for type " + PostgresName(type) + ": \"" + std::string(text) + "\"");
}

void AppendDouble(double number, std::string& out) {
  if (AppendSpecial(number, out)) return;
  char buffer[40];
  AppendShortest(ShortestDigits(number, buffer), 15, out);
}

void AppendReal(double number, std::string& out) {
  if (AppendSpecial(number, out)) return;
  char buffer[40];
  AppendShortest(ShortestDigits(static_cast<float>(number), buffer), 6, out);
}

Result<Value> ParseInteger(std::string_view text, Type type) {
  const std::string_view trimmed = TrimSpace(text);
  std::string_view digits = trimmed;
  if (!digits.empty() && digits[0] == '+') {
    digits.remove_prefix(1);
    if (digits.empty() || digits[0] == '-') return InvalidSyntax(text, type);
  }
  int64_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (read.ptr != digits.data() + digits.size() || read.ec == std::errc::invalid_argument) {
    return InvalidSyntax(text, type);
  }
  if (read.ec == std::errc::result_out_of_range || !FitsInteger(value, type)) {
    return Error(
        ErrorKind::kInvalidArgument, "HR2002",
        "value \"" + std::string(text) + "\" is out of range for type " + PostgresName(type));
  }
  return Value::Integer(value);
}

Result<Value> ParseDouble(std::string_view text, Type type) {
  std::string_view trimmed = TrimSpace(text);
  switch (SpecialWord(trimmed)) {
    case kNaN:
      return Value::Double(std::numeric_limits<double>::quiet_NaN());
    case kInfinity:
      return Value::Double(std::numeric_limits<double>::infinity());
    case kNegativeInfinity:
      return Value::Double(-std::numeric_limits<double>::infinity());
    case kFinite:
    case kWide:
      break;
  }
  if (!trimmed.empty() && trimmed[0] == '+') trimmed.remove_prefix(1);
  const size_t first = !trimmed.empty() && trimmed[0] == '-' ? 1 : 0;
  // Words were handled above; from_chars would take "nan(...)" too.
  if (trimmed.size() <= first || (trimmed[first] > '9' || trimmed[first] < '.')) {
    return InvalidSyntax(text, type);
  }
  double number = 0;
  const std::errc error =
      IsReal(type) ? ReadFloat<float>(trimmed, &number) : ReadFloat<double>(trimmed, &number);
  if (error == std::errc::invalid_argument) return InvalidSyntax(text, type);
  if (error == std::errc::result_out_of_range) return OutOfRange(text, type);
  return Value::Double(number);
}

Result<Value> ParseNumeric(std::string_view text, Type type) {
  const std::string_view trimmed = TrimSpace(text);
  Value value;
  if (const DecimalSpecial special = SpecialWord(trimmed); special != kFinite) {
    value = SpecialDecimal(special);
  } else if (!ParseDecimal(trimmed, &value)) {
    double number = 0;
    // A number all the same: then it has too many digits for us.
    if (!trimmed.empty() && (trimmed.back() == '.' || (trimmed.back() | 32) != 'e') &&
        ReadFloat<double>(trimmed[0] == '+' ? trimmed.substr(1) : trimmed, &number) !=
            std::errc::invalid_argument) {
      return Error(ErrorKind::kInvalidArgument, "HR2002", "value overflows numeric format")
          .WithHint("decimals have at most 38 digits");
    }
    return InvalidSyntax(text, type);
  }
  if (!FitDecimal(&value, type.precision, type.scale)) {
    return Error(ErrorKind::kInvalidArgument, "HR2003", "numeric field overflow");
  }
  return value;
}

}  // namespace headrace::row
