#include "schema/json_shape.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "row/text.h"

namespace headrace::schema {
namespace {

constexpr size_t kMembersMax = 256;
constexpr int kDigitsMax = 18;  // what an int64 holds, whatever the digits
constexpr int64_t kPowers[] = {1,
                               10,
                               100,
                               1'000,
                               10'000,
                               100'000,
                               1'000'000,
                               10'000'000,
                               100'000'000,
                               1'000'000'000,
                               10'000'000'000,
                               100'000'000'000,
                               1'000'000'000'000,
                               10'000'000'000'000,
                               100'000'000'000'000,
                               1'000'000'000'000'000,
                               10'000'000'000'000'000,
                               100'000'000'000'000'000,
                               1'000'000'000'000'000'000};
// Whole numbers below 2^53 are doubles, so the quotient of two of them is rounded once.
constexpr int kExactDigits = 15;

int64_t MicrosPerUnit(TimestampUnit unit) {
  switch (unit) {
    case TimestampUnit::kSeconds:
      return 1'000'000;
    case TimestampUnit::kMilliseconds:
      return 1'000;
    case TimestampUnit::kMicroseconds:
      return 1;
    case TimestampUnit::kRfc3339:
      break;
  }
  return 0;
}

constexpr uint64_t Repeat(unsigned char byte) {
  return 0x0101010101010101U * byte;
}

// The high bit of each byte that ends a plain string: a quote, a backslash, a control character,
// a byte beyond ASCII. Bits above the lowest one may be wrong.
uint64_t EndsOf(uint64_t word) {
  auto zero = [](uint64_t w) { return (w - Repeat(1)) & ~w; };
  uint64_t control = (word - Repeat(0x20)) & ~word;
  return (zero(word ^ Repeat('"')) | zero(word ^ Repeat('\\')) | control | word) & Repeat(0x80);
}

// From behind the opening quote to the closing one; null when the string is not plain.
const char* FindQuote(const char* at, const char* end) {
  if constexpr (std::endian::native == std::endian::little) {
    for (; end - at >= 8; at += 8) {
      uint64_t word = 0;
      std::memcpy(&word, at, 8);
      if (uint64_t ends = EndsOf(word)) {
        at += std::countr_zero(ends) / 8;
        return *at == '"' ? at : nullptr;
      }
    }
  }
  for (; at < end; ++at) {
    auto c = static_cast<unsigned char>(*at);
    if (c == '"') return at;
    if (c < 0x20 || c >= 0x80 || c == '\\') return nullptr;
  }
  return nullptr;
}

bool TakeWord(std::string_view word, const char*& at, const char* end) {
  if (static_cast<size_t>(end - at) < word.size()) return false;
  if (std::memcmp(at, word.data(), word.size()) != 0) return false;
  at += word.size();
  return true;
}

// A number without exponent: sign, digits, how many of them stand behind the point.
struct Number {
  int64_t digits = 0;  // without the sign
  int fraction = 0;
  bool negative = false;

  int64_t value() const { return negative ? -digits : digits; }
};

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

const char* TakeDigits(const char* at, const char* end, int most, int64_t* digits) {
  if (end - at > most) end = at + most;
  for (; at < end && IsDigit(*at); ++at)
    *digits = *digits * 10 + (*at - '0');
  return at;
}

// More digits than an int64 holds are left where they are.
bool TakeNumber(const char*& at, const char* end, Number* number) {
  if (at < end && *at == '-') {
    number->negative = true;
    ++at;
  }
  const char* begin = at;
  at = TakeDigits(at, end, kDigitsMax, &number->digits);
  const auto whole = static_cast<int>(at - begin);
  if (whole == 0 || (*begin == '0' && whole > 1)) return false;
  if (at == end || *at != '.') return true;
  begin = ++at;
  at = TakeDigits(at, end, kDigitsMax - whole, &number->digits);
  number->fraction = static_cast<int>(at - begin);
  return number->fraction > 0;
}

bool SetDecimal(const Number& number, row::Type type, row::Value* slot) {
  if (type.precision == 0) {
    *slot = row::Value::Decimal(number.value(), static_cast<uint8_t>(number.fraction));
    return true;
  }
  const int more = type.scale - number.fraction;
  if (more < 0 || more > kDigitsMax) return false;
  const row::Int128 units = row::Int128{number.digits} * kPowers[more];
  if (units >= kPowers[std::min<int>(type.precision, kDigitsMax)]) return false;
  *slot = row::Value::Decimal(number.negative ? -units : units, type.scale);
  return true;
}

bool SetDouble(const Number& number, row::Type type, row::Value* slot) {
  const bool exact = number.digits < kPowers[kExactDigits] && number.fraction <= kDigitsMax;
  if (!exact || row::IsReal(type) || number.digits == 0) return false;
  const double quotient =
      static_cast<double>(number.digits) / static_cast<double>(kPowers[number.fraction]);
  *slot = row::Value::Double(number.negative ? -quotient : quotient);
  return true;
}

}  // namespace

JsonShape::JsonShape(const row::Schema& schema, JsonOptions options)
    : schema_(schema), micros_per_unit_(MicrosPerUnit(options.timestamp_unit)) {}

void JsonShape::Expect(size_t position, std::string_view name, int column) {
  if (position >= kMembersMax) return;
  if (members_.size() <= position) members_.resize(position + 1);
  Member& member = members_[position];
  member.column = column;
  if (member.name.size() == name.size() + 3 && member.name.compare(1, name.size(), name) == 0) {
    return;
  }
  member.name = "\"" + std::string(name) + "\":";
}

void JsonShape::Finish(size_t members) {
  if (members < members_.size()) members_.resize(members);
}

bool JsonShape::Decode(std::string_view payload, row::Value* slots) const {
  const char* at = payload.data();
  const char* const end = at + payload.size();
  if (at == end || *at != '{') return false;
  ++at;
  for (const Member& member : members_) {
    if (!TakeWord(member.name, at, end)) return false;
    if (at < end && *at == ' ') ++at;
    if (!DecodeValue(member.column, at, end, slots) || at == end) return false;
    if (*at == '}') return at + 1 == end;
    if (*at != ',') return false;
    ++at;
    if (at < end && *at == ' ') ++at;
  }
  return false;
}

bool JsonShape::DecodeValue(int column, const char*& at, const char* end, row::Value* slots) const {
  if (at == end) return false;
  const row::Column* read = column < 0 ? nullptr : &schema_.columns[static_cast<size_t>(column)];
  switch (*at) {
    case '"': {
      const char* begin = at + 1;
      const char* quote = FindQuote(begin, end);
      if (quote == nullptr) return false;
      at = quote + 1;
      if (read == nullptr) return true;
      return DecodeText(*read, {begin, static_cast<size_t>(quote - begin)}, &slots[column]);
    }
    case 'n':
      if (!TakeWord("null", at, end)) return false;
      if (read != nullptr) slots[column] = row::Value::Null();
      return true;
    case 't':
    case 'f': {
      const bool value = *at == 't';
      if (!TakeWord(value ? "true" : "false", at, end)) return false;
      if (read == nullptr) return true;
      slots[column] = row::Value::Boolean(value);
      return read->type.kind == row::TypeKind::kBoolean;
    }
    default:
      if (read != nullptr) return DecodeNumber(*read, at, end, &slots[column]);
      Number ignored;
      return TakeNumber(at, end, &ignored);
  }
}

bool JsonShape::DecodeText(const row::Column& column, std::string_view text,
                           row::Value* slot) const {
  if (column.type.kind == row::TypeKind::kText) {
    *slot = row::Value::Text(text);
    return true;
  }
  int64_t micros = 0;
  if (column.type.kind != row::TypeKind::kTimestampTz || !row::ParseRfc3339(text, &micros)) {
    return false;
  }
  *slot = row::Value::Integer(micros);
  return true;
}

bool JsonShape::DecodeNumber(const row::Column& column, const char*& at, const char* end,
                             row::Value* slot) const {
  Number number;
  if (!TakeNumber(at, end, &number)) return false;
  switch (column.type.kind) {
    case row::TypeKind::kDecimal:
      return SetDecimal(number, column.type, slot);
    case row::TypeKind::kDouble:
      return SetDouble(number, column.type, slot);
    case row::TypeKind::kInteger:
    case row::TypeKind::kBigint:
      *slot = row::Value::Integer(number.value());
      return number.fraction == 0 && row::FitsInteger(number.value(), column.type);
    case row::TypeKind::kTimestampTz:
      if (micros_per_unit_ == 0 || number.fraction != 0) return false;
      if (number.digits > INT64_MAX / micros_per_unit_) return false;
      *slot = row::Value::Integer(number.value() * micros_per_unit_);
      return true;
    default:
      return false;
  }
}

}  // namespace headrace::schema
