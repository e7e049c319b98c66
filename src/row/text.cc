#include "row/text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "row/array_text.h"
#include "row/datetime_text.h"
#include "row/decimal.h"
#include "row/interval.h"
#include "row/json_text.h"
#include "row/number_text.h"

namespace headrace::row {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

Result<Value> ParseBoolean(std::string_view text) {
  std::string word;
  for (char c : TrimSpace(text))
    word += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  struct Spelling {
    std::string_view word;
    size_t shortest;  // PostgreSQL takes unique prefixes
    bool value;
  };
  static constexpr Spelling kSpellings[] = {
      {"true", 1, true}, {"false", 1, false}, {"yes", 1, true}, {"no", 1, false},
      {"on", 2, true},   {"off", 2, false},   {"1", 1, true},   {"0", 1, false}};
  for (const Spelling& s : kSpellings) {
    if (word.size() >= s.shortest && s.word.substr(0, word.size()) == word) {
      return Value::Boolean(s.value);
    }
  }
  return InvalidSyntax(text, {TypeKind::kBoolean, 0, 0});
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 32);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// `\x6162`, or text with `\\` and `\ooo`.
Result<Value> ParseBytea(std::string_view text, base::Arena& arena) {
  std::string bytes;
  if (text.substr(0, 2) == "\\x") {
    int high = -1;
    for (char c : text.substr(2)) {
      if (high < 0 && (c == ' ' || c == '\n' || c == '\t')) continue;
      const int digit = HexValue(c);
      if (digit < 0) {
        return Error(ErrorKind::kInvalidArgument, "HR2001",
                     "invalid hexadecimal digit: \"" + std::string(1, c) + "\"");
      }
      if (high >= 0) bytes += static_cast<char>(high * 16 + digit);
      high = high < 0 ? digit : -1;
    }
    if (high >= 0) {
      return Error(ErrorKind::kInvalidArgument, "HR2001",
                   "invalid hexadecimal data: odd number of digits");
    }
    return Value::Text(arena.Copy(bytes));
  }
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '\\') {
      bytes += '\\';
      ++i;
    } else if (i + 3 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '3' &&
               (text[i + 2] & ~7) == '0' && (text[i + 3] & ~7) == '0') {
      bytes += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      return InvalidSyntax(text, {TypeKind::kBytea, 0, 0});
    }
  }
  return Value::Text(arena.Copy(bytes));
}

Result<Value> ParseArrayText(std::string_view text, Type type, base::Arena& arena) {
  HR_ASSIGN(ArrayElements elements, ParseArray(text));
  if (type.kind == TypeKind::kBigintArray) {
    const Type element_type = type == kSmallintArray  ? kSmallint
                              : type == kIntegerArray ? Type{TypeKind::kInteger, 0, 0}
                                                      : Type{TypeKind::kBigint, 0, 0};
    for (auto& element : elements) {
      if (!element) continue;
      HR_ASSIGN(const Value number, ParseInteger(*element, element_type));
      *element = std::to_string(number.integer);
    }
  }
  std::string canonical;
  AppendArray(elements, canonical);
  return Value::Text(arena.Copy(canonical));
}

Result<Value> OfMoment(Result<int64_t> moment) {
  if (!moment.ok()) return std::move(moment).error();
  return Value::Integer(moment.value());
}

void AppendInteger(int64_t value, std::string& out) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value);
  out.append(buffer, static_cast<size_t>(end.ptr - buffer));
}

void AppendBase64(std::string_view bytes, std::string& out) {
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t left = bytes.size() - i;
    const auto byte = [&](size_t k) {
      return k < left ? static_cast<uint32_t>(static_cast<unsigned char>(bytes[i + k])) : 0U;
    };
    const uint32_t bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    out += kBase64[bits >> 18];
    out += kBase64[bits >> 12 & 63];
    out += left > 1 ? kBase64[bits >> 6 & 63] : '=';
    out += left > 2 ? kBase64[bits & 63] : '=';
  }
}

void AppendJsonDouble(double number, Type type, std::string& out) {
  if (!std::isfinite(number)) {
    out += std::isnan(number) ? "\"NaN\"" : number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    return;
  }
  char buffer[40];
  const auto end = IsReal(type)
                       ? std::to_chars(buffer, buffer + sizeof(buffer), static_cast<float>(number))
                       : std::to_chars(buffer, buffer + sizeof(buffer), number);
  out.append(buffer, static_cast<size_t>(end.ptr - buffer));
}

int CompareDouble(double a, double b) {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a == b) return 0;
  return (std::isnan(a) ? 1 : 0) - (std::isnan(b) ? 1 : 0);
}

int CompareBytes(std::string_view a, std::string_view b) {
  const size_t shared = std::min(a.size(), b.size());
  const int order = shared == 0 ? 0 : std::memcmp(a.data(), b.data(), shared);
  if (order != 0) return order;
  return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

void AppendDecimalKey(Value value, std::string& out);

void AppendRaw(const void* bytes, size_t size, std::string& out) {
  out.append(static_cast<const char*>(bytes), size);
}

// The text without trailing zeros behind the point, which no narrow value's key begins like.
void AppendWideKey(const Value& value, std::string& out) {
  std::string text;
  AppendDecimal(value, text);
  if (value.span.days > 0) text.resize(text.find_last_not_of('0') + 1);
  Value narrow;
  if (text.back() == '.') text.pop_back();
  if (ParseDecimal(text, &narrow)) return AppendDecimalKey(narrow, out);
  const auto size = static_cast<uint32_t>(text.size());
  out += '\0';
  out += static_cast<char>(kWide);
  AppendRaw(&size, sizeof(size), out);
  out += text;
}

void AppendDecimalKey(Value value, std::string& out) {
  if (value.special == kWide) return AppendWideKey(value, out);
  TrimScale(&value);
  const Int128 unscaled = value.unscaled();
  const char tag[2] = {static_cast<char>(unscaled == 0 ? 0 : value.scale),
                       static_cast<char>(value.special)};
  AppendRaw(tag, sizeof(tag), out);
  AppendRaw(&unscaled, sizeof(unscaled), out);
}

std::string KindName(TypeKind kind, bool long_form) {
  switch (kind) {
    case TypeKind::kUnknown:
      return "unknown";
    case TypeKind::kBoolean:
      return "boolean";
    case TypeKind::kInteger:
      return "integer";
    case TypeKind::kBigint:
      return "bigint";
    case TypeKind::kDouble:
      return long_form ? "double precision" : "double";
    case TypeKind::kDecimal:
      return long_form ? "numeric" : "decimal";
    case TypeKind::kText:
      return "text";
    case TypeKind::kBytea:
      return "bytea";
    case TypeKind::kDate:
      return "date";
    case TypeKind::kTime:
      return "time";
    case TypeKind::kTimestamp:
      return "timestamp";
    case TypeKind::kTimestampTz:
      return long_form ? "timestamp with time zone" : "timestamptz";
    case TypeKind::kInterval:
      return "interval";
    case TypeKind::kJson:
      return "json";
    case TypeKind::kJsonb:
      return "jsonb";
    case TypeKind::kTextArray:
      return "text[]";
    case TypeKind::kBigintArray:
      return "bigint[]";
  }
  return "unknown";
}

std::string NameOf(Type type, bool long_form) {
  if (IsSmallint(type)) return "smallint";
  if (IsReal(type)) return "real";
  if (type == kSmallintArray) return "smallint[]";
  if (type == kIntegerArray) return "integer[]";
  std::string name = KindName(type.kind, long_form);
  if (!long_form && type.kind == TypeKind::kDecimal && type.precision > 0) {
    name += "(" + std::to_string(type.precision) + "," + std::to_string(type.scale) + ")";
  }
  return name;
}

}  // namespace

std::string ToString(Type type) {
  return NameOf(type, false);
}

std::string PostgresName(Type type) {
  return NameOf(type, true);
}

Result<Value> ParseText(std::string_view text, Type type, base::Arena& arena) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return ParseBoolean(text);
    case TypeKind::kInteger:
    case TypeKind::kBigint:
      return ParseInteger(text, type);
    case TypeKind::kDouble:
      return ParseDouble(text, type);
    case TypeKind::kDecimal:
      return ParseNumeric(text, type);
    case TypeKind::kUnknown:
    case TypeKind::kText:
      return Value::Text(text);
    case TypeKind::kBytea:
      return ParseBytea(text, arena);
    case TypeKind::kDate:
      return OfMoment(ParseDate(text));
    case TypeKind::kTime:
      return OfMoment(ParseTime(text));
    case TypeKind::kTimestamp:
      return OfMoment(ParseTimestamp(text));
    case TypeKind::kTimestampTz:
      return OfMoment(ParseTimestampTz(text));
    case TypeKind::kInterval: {
      HR_ASSIGN(const Interval interval, ParseInterval(text));
      return Value::Of(interval);
    }
    case TypeKind::kJson:
      HR_TRY(CheckJson(text));
      return Value::Text(text);
    case TypeKind::kJsonb: {
      std::string canonical;
      HR_TRY(AppendJsonb(text, canonical));
      return Value::Text(arena.Copy(canonical));
    }
    case TypeKind::kTextArray:
    case TypeKind::kBigintArray:
      return ParseArrayText(text, type, arena);
  }
  return InvalidSyntax(text, type);
}

void AppendText(const Value& value, Type type, std::string& out) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      out += value.boolean ? 't' : 'f';
      return;
    case TypeKind::kInteger:
    case TypeKind::kBigint:
      return AppendInteger(value.integer, out);
    case TypeKind::kDouble:
      return IsReal(type) ? AppendReal(value.number, out) : AppendDouble(value.number, out);
    case TypeKind::kDecimal:
      return AppendDecimal(value, out);
    case TypeKind::kBytea:
      out += "\\x";
      for (char c : value.text()) {
        out += kHex[static_cast<unsigned char>(c) >> 4];
        out += kHex[c & 15];
      }
      return;
    case TypeKind::kDate:
      return AppendDate(value.integer, out);
    case TypeKind::kTime:
      return AppendTime(value.integer, out);
    case TypeKind::kTimestamp:
      return AppendTimestamp(value.integer, out);
    case TypeKind::kTimestampTz:
      return AppendTimestampTz(value.integer, out);
    case TypeKind::kInterval:
      return AppendInterval(value.interval(), out);
    case TypeKind::kUnknown:
    case TypeKind::kText:
    case TypeKind::kJson:
    case TypeKind::kJsonb:
    case TypeKind::kTextArray:
    case TypeKind::kBigintArray:
      out += value.text();
      return;
  }
}

namespace {

// How many bytes at the start JSON takes as they are; at least all but the last seven of them.
size_t PlainBytes(std::string_view text) {
  constexpr uint64_t kEach = 0x0101010101010101U;
  constexpr uint64_t kHigh = kEach * 0x80;
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    const uint64_t quote = word ^ kEach * '"';
    const uint64_t backslash = word ^ kEach * '\\';
    const uint64_t special = ((quote - kEach) & ~quote) | ((backslash - kEach) & ~backslash) |
                             ((word - kEach * 0x20) & ~word);
    if ((special & kHigh) != 0) return at;
  }
  return at;
}

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  constexpr size_t kShort = 62;
  const char* const end = text.data() + text.size();
  const char* p = text.data() + PlainBytes(text);
  while (p != end && static_cast<unsigned char>(*p) >= 0x20 && *p != '"' && *p != '\\')
    ++p;
  if (p == end && text.size() <= kShort) {  // nearly always: in one piece
    char quoted[kShort + 2];
    quoted[0] = '"';
    std::memcpy(quoted + 1, text.data(), text.size());
    quoted[text.size() + 1] = '"';
    out.append(quoted, text.size() + 2);
    return;
  }
  out += '"';
  const char* run = text.data();
  for (; p != end; ++p) {
    const auto c = static_cast<unsigned char>(*p);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(run, static_cast<size_t>(p - run));
    run = p + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out.append(run, static_cast<size_t>(end - run));
  out += '"';
}

void AppendJson(const Value& value, Type type, std::string& out) {
  if (value.null) {
    out += "null";
    return;
  }
  switch (type.kind) {
    case TypeKind::kBoolean:
      out += value.boolean ? "true" : "false";
      return;
    case TypeKind::kInteger:
    case TypeKind::kBigint:
      return AppendInteger(value.integer, out);
    case TypeKind::kDouble:
      return AppendJsonDouble(value.number, type, out);
    case TypeKind::kDecimal:
      if (IsFinite(value)) return AppendDecimal(value, out);
      out += '"';
      AppendDecimal(value, out);
      out += '"';
      return;
    case TypeKind::kTimestampTz:
      out += '"';
      AppendRfc3339(value.integer, out);
      out += '"';
      return;
    case TypeKind::kTimestamp:
      out += '"';
      AppendTimestamp(value.integer, out, 'T');
      out += '"';
      return;
    case TypeKind::kBytea:
      out += '"';
      AppendBase64(value.text(), out);
      out += '"';
      return;
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kInterval:  // of digits, letters, blanks, signs: nothing to escape
      out += '"';
      AppendText(value, type, out);
      out += '"';
      return;
    case TypeKind::kJson:
    case TypeKind::kJsonb:
      out += value.text();
      return;
    case TypeKind::kUnknown:
    case TypeKind::kText:
    case TypeKind::kTextArray:
    case TypeKind::kBigintArray:
      return AppendJsonString(value.text(), out);
  }
}

int Compare(const Value& a, const Value& b, Type type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return (a.boolean ? 1 : 0) - (b.boolean ? 1 : 0);
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return a.integer < b.integer ? -1 : a.integer > b.integer ? 1 : 0;
    case TypeKind::kDouble:
      return CompareDouble(a.number, b.number);
    case TypeKind::kDecimal:
      return CompareDecimal(a, b);
    case TypeKind::kInterval: {
      const Int128 left = IntervalSpan(a.interval());
      const Int128 right = IntervalSpan(b.interval());
      return left < right ? -1 : left > right ? 1 : 0;
    }
    default:
      return CompareBytes(a.text(), b.text());
  }
}

void AppendKey(const Value& value, Type type, std::string& out) {
  out += value.null ? '\0' : '\1';
  if (value.null) return;
  switch (type.kind) {
    case TypeKind::kBoolean:
      out += value.boolean ? '\1' : '\0';
      return;
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return AppendRaw(&value.integer, sizeof(value.integer), out);
    case TypeKind::kDouble: {
      double number = value.number == 0 ? 0 : value.number;  // -0 equals 0
      if (std::isnan(number)) number = std::numeric_limits<double>::quiet_NaN();
      return AppendRaw(&number, sizeof(number), out);
    }
    case TypeKind::kDecimal:
      return AppendDecimalKey(value, out);
    case TypeKind::kInterval: {
      const Int128 span = IntervalSpan(value.interval());
      return AppendRaw(&span, sizeof(span), out);
    }
    default:
      AppendRaw(&value.length, sizeof(value.length), out);
      out += value.text();
  }
}

}  // namespace headrace::row
