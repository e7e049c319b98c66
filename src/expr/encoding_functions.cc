// encode(), decode() and digests.
#include <string>

#include "base/hash.h"
#include "expr/function.h"
#include "expr/md5.h"
#include "row/text.h"

namespace headrace::expr {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr size_t kBase64Line = 76;  // PostgreSQL breaks lines there

std::string Lowered(std::string_view word) {
  std::string out(word);
  for (char& c : out)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

unsigned Byte(char c) {
  return static_cast<unsigned char>(c);
}

std::string EncodeHex(std::string_view bytes) {
  std::string out;
  for (char c : bytes) {
    out += kHex[Byte(c) >> 4];
    out += kHex[Byte(c) & 15];
  }
  return out;
}

std::string EncodeBase64(std::string_view bytes) {
  std::string out;
  size_t line = 0;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t left = bytes.size() - i;
    const unsigned bits = Byte(bytes[i]) << 16 | (left > 1 ? Byte(bytes[i + 1]) << 8 : 0) |
                          (left > 2 ? Byte(bytes[i + 2]) : 0);
    out += kBase64[bits >> 18];
    out += kBase64[bits >> 12 & 63];
    out += left > 1 ? kBase64[bits >> 6 & 63] : '=';
    out += left > 2 ? kBase64[bits & 63] : '=';
    line += 4;
    if (line >= kBase64Line && left > 3) {
      out += '\n';
      line = 0;
    }
  }
  return out;
}

std::string EncodeEscape(std::string_view bytes) {
  std::string out;
  for (char c : bytes) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == 0 || Byte(c) >= 0x80) {
      out += '\\';
      for (int shift : {6, 3, 0})
        out += static_cast<char>('0' + (Byte(c) >> shift & 7));
    } else {
      out += c;
    }
  }
  return out;
}

Value UnknownEncoding(EvalContext& context, std::string_view name) {
  return Fail(context, "HR2103", "unrecognized encoding: \"" + std::string(name) + "\"");
}

Value Encode(const Value* a, CallFrame& frame) {
  const std::string format = Lowered(a[1].text());
  if (format == "hex") return MakeText(frame.context, EncodeHex(a[0].text()));
  if (format == "base64") return MakeText(frame.context, EncodeBase64(a[0].text()));
  if (format == "escape") return MakeText(frame.context, EncodeEscape(a[0].text()));
  return UnknownEncoding(frame.context, a[1].text());
}

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

Value DecodeHex(std::string_view text, EvalContext& context) {
  std::string bytes;
  size_t high = std::string_view::npos;
  for (char c : text) {
    if (IsSpace(c)) continue;
    const size_t digit = kHex.find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
    if (digit == std::string_view::npos) {
      return Fail(context, "HR2103", "invalid hexadecimal digit: \"" + std::string(1, c) + "\"");
    }
    if (high != std::string_view::npos) bytes += static_cast<char>(high << 4 | digit);
    high = high == std::string_view::npos ? digit : std::string_view::npos;
  }
  if (high != std::string_view::npos) {
    return Fail(context, "HR2103", "invalid hexadecimal data: odd number of digits");
  }
  return MakeText(context, bytes);
}

Value DecodeBase64(std::string_view text, EvalContext& context) {
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  int padding = 0;
  for (char c : text) {
    if (IsSpace(c)) continue;
    if (c == '=') {
      if (++padding > 2 || count < 2) {
        return Fail(context, "HR2103", "unexpected \"=\" while decoding base64 sequence");
      }
      bits <<= 6;
    } else {
      const size_t digit = kBase64.find(c);
      if (digit == std::string_view::npos || padding > 0) {
        return Fail(
            context, "HR2103",
            "invalid symbol \"" + std::string(1, c) + "\" found while decoding base64 sequence");
      }
      bits = bits << 6 | static_cast<unsigned>(digit);
    }
    if (++count < 4) continue;
    bytes += static_cast<char>(bits >> 16);
    if (padding < 2) bytes += static_cast<char>(bits >> 8);
    if (padding < 1) bytes += static_cast<char>(bits);
    bits = 0;
    count = 0;
  }
  if (count != 0) return Fail(context, "HR2103", "invalid base64 end sequence");
  return MakeText(context, bytes);
}

Value DecodeEscape(std::string_view text, EvalContext& context) {
  Result<Value> bytes = row::ParseText(text, kBytea, context.arena);
  if (bytes.ok()) return *bytes;
  return Fail(context, "HR2103", bytes.error().message());
}

Value Decode(const Value* a, CallFrame& frame) {
  const std::string format = Lowered(a[1].text());
  if (format == "hex") return DecodeHex(a[0].text(), frame.context);
  if (format == "base64") return DecodeBase64(a[0].text(), frame.context);
  if (format == "escape") return DecodeEscape(a[0].text(), frame.context);
  return UnknownEncoding(frame.context, a[1].text());
}

Value Md5(const Value* a, CallFrame& frame) {
  return MakeText(frame.context, Md5Hex(a[0].text()));
}

Value Sha256(const Value* a, CallFrame& frame) {
  return DecodeHex(base::Sha256Hex(a[0].text()), frame.context);
}

constexpr FunctionEntry kFunctions[] = {
    Define("encode", {kBytea, kText}, kText, &Encode),
    Define("decode", {kText, kText}, kBytea, &Decode),
    Define("md5", {kText}, kText, &Md5),
    Define("md5", {kBytea}, kText, &Md5),
    Define("sha256", {kBytea}, kBytea, &Sha256),
};

}  // namespace

std::span<const FunctionEntry> EncodingFunctions() {
  return kFunctions;
}

}  // namespace headrace::expr
