// Functions that look into text: positions, parts, code points, quoting.
#include <algorithm>
#include <string>

#include "expr/function.h"
#include "expr/quote.h"
#include "expr/utf8.h"

namespace headrace::expr {
namespace {

Value FindIn(std::string_view text, std::string_view needle) {
  const size_t at = text.find(needle);
  if (at == std::string_view::npos) return Value::Integer(0);
  return Value::Integer(static_cast<int64_t>(CountCharacters(text.substr(0, at))) + 1);
}

Value StrPos(const Value* a, CallFrame&) {
  return FindIn(a[0].text(), a[1].text());
}
Value Position(const Value* a, CallFrame&) {
  return FindIn(a[1].text(), a[0].text());
}
Value StartsWith(const Value* a, CallFrame&) {
  return Value::Boolean(a[0].text().substr(0, a[1].length) == a[1].text());
}

size_t CountParts(std::string_view text, std::string_view delimiter) {
  size_t parts = 1;
  for (size_t at = text.find(delimiter); at != std::string_view::npos;
       at = text.find(delimiter, at + delimiter.size())) {
    ++parts;
  }
  return parts;
}

Value SplitPart(const Value* a, CallFrame& frame) {
  std::string_view text = a[0].text();
  const std::string_view delimiter = a[1].text();
  int64_t n = a[2].integer;
  if (n == 0) return Fail(frame.context, "HR2103", "field position must not be zero");
  if (text.empty()) return Value::Text({});
  if (delimiter.empty()) return n == 1 || n == -1 ? a[0] : Value::Text({});
  if (n < 0) {
    n += static_cast<int64_t>(CountParts(text, delimiter)) + 1;
    if (n <= 0) return Value::Text({});
  }
  for (; n > 1; --n) {
    const size_t at = text.find(delimiter);
    if (at == std::string_view::npos) return Value::Text({});
    text.remove_prefix(at + delimiter.size());
  }
  return Value::Text(text.substr(0, text.find(delimiter)));
}

Value Ascii(const Value* a, CallFrame&) {
  return Value::Integer(a[0].length == 0 ? 0 : CodePointAt(a[0].text(), 0));
}

Value Chr(const Value* a, CallFrame& frame) {
  const int64_t code = a[0].integer;
  if (code == 0) return Fail(frame.context, "HR2102", "null character not permitted");
  if (code < 0) return Fail(frame.context, "HR2102", "character number must be positive");
  if (code > 0x10FFFF) {
    return Fail(frame.context, "HR2102",
                "requested character too large for encoding: " + std::to_string(code));
  }
  if (code >= 0xD800 && code <= 0xDFFF) {
    return Fail(frame.context, "HR2102",
                "requested character not valid for encoding: " + std::to_string(code));
  }
  std::string out;
  AppendCodePoint(static_cast<uint32_t>(code), out);
  return MakeText(frame.context, out);
}

template <typename Unsigned>
Value ToHex(const Value* a, CallFrame& frame) {
  auto bits = static_cast<Unsigned>(a[0].integer);
  char digits[16];
  char* begin = digits + sizeof(digits);
  do {
    *--begin = "0123456789abcdef"[bits & 15];
    bits = static_cast<Unsigned>(bits >> 4);
  } while (bits != 0);
  return MakeText(frame.context, {begin, static_cast<size_t>(digits + sizeof(digits) - begin)});
}

Value QuoteIdent(const Value* a, CallFrame& frame) {
  std::string out;
  AppendQuotedIdentifier(a[0].text(), out);
  return MakeText(frame.context, out);
}

Value QuoteLiteral(const Value* a, CallFrame& frame) {
  std::string out;
  AppendQuotedLiteral(a[0].text(), out);
  return MakeText(frame.context, out);
}

Value QuoteNullable(const Value* a, CallFrame& frame) {
  return a[0].null ? Value::Text("NULL") : QuoteLiteral(a, frame);
}

constexpr FunctionEntry kFunctions[] = {
    Define("strpos", {kText, kText}, kInteger, &StrPos),
    Define("position", {kText, kText}, kInteger, &Position),
    Define("starts_with", {kText, kText}, kBoolean, &StartsWith),
    Define("^@", {kText, kText}, kBoolean, &StartsWith),
    Define("split_part", {kText, kText, kInteger}, kText, &SplitPart),
    Define("ascii", {kText}, kInteger, &Ascii),
    Define("chr", {kInteger}, kText, &Chr),
    Define("to_hex", {kInteger}, kText, &ToHex<uint32_t>),
    Define("to_hex", {kBigint}, kText, &ToHex<uint64_t>),
    Define("quote_ident", {kText}, kText, &QuoteIdent),
    Define("quote_literal", {kText}, kText, &QuoteLiteral),
    Define("quote_nullable", {kText}, kText, &QuoteNullable, kTakesNull),
};

}  // namespace

std::span<const FunctionEntry> TextSearchFunctions() {
  return kFunctions;
}

}  // namespace headrace::expr
