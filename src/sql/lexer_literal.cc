#include <cstdint>
#include <utility>

#include "sql/lexer.h"

namespace headrace::sql {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The value of exactly `count` hexadecimal digits, or -1.
int64_t ReadHex(std::string_view text, size_t at, size_t count) {
  if (at + count > text.size()) return -1;
  int64_t value = 0;
  for (size_t i = at; i < at + count; ++i) {
    const int digit = HexDigit(text[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

bool IsHighSurrogate(int64_t code) {
  return code >= 0xD800 && code <= 0xDBFF;
}
bool IsLowSurrogate(int64_t code) {
  return code >= 0xDC00 && code <= 0xDFFF;
}

bool AppendCodePoint(int64_t code, std::string& out) {
  if (code <= 0 || code > 0x10FFFF || IsHighSurrogate(code) || IsLowSurrogate(code)) return false;
  const auto c = static_cast<uint32_t>(code);
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
  return true;
}

// Reads \uXXXX-like codes, joining a surrogate pair: `next` finds the code that follows.
struct CodeReader {
  int64_t high = 0;  // a high surrogate that waits for its partner

  bool Take(int64_t code, std::string& out) {
    if (high != 0) {
      if (!IsLowSurrogate(code)) return false;
      const int64_t whole = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00);
      high = 0;
      return AppendCodePoint(whole, out);
    }
    if (IsHighSurrogate(code)) {
      high = code;
      return true;
    }
    return AppendCodePoint(code, out);
  }
};

char SimpleEscape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

// \o, \oo, \ooo and \xh, \xhh at `at`, which is behind the backslash. Moves `at` behind it.
bool ReadByteEscape(std::string_view raw, size_t& at, std::string& out) {
  int value = 0;
  size_t digits = 0;
  if (raw[at] == 'x' && at + 1 < raw.size() && HexDigit(raw[at + 1]) >= 0) {
    ++at;
    for (; digits < 2 && at < raw.size() && HexDigit(raw[at]) >= 0; ++digits, ++at) {
      value = value * 16 + HexDigit(raw[at]);
    }
  } else {
    for (; digits < 3 && at < raw.size() && raw[at] >= '0' && raw[at] <= '7'; ++digits, ++at) {
      value = value * 8 + (raw[at] - '0');
    }
  }
  if (digits == 0) return false;
  out += static_cast<char>(value & 0xFF);
  return true;
}

bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

}  // namespace

// The first invalid sequence ends it: overlong forms, surrogates and values past U+10FFFF too.
bool IsUtf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || i + length > text.size()) return false;
    uint32_t code = lead & (0xFFu >> (length + 1));
    for (size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0) != 0x80) return false;
      code = (code << 6) | (next & 0x3Fu);
    }
    const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    if (overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    i += length;
  }
  return true;
}

// Leaves `raw` as written between the quotes, a doubled quote made one.
bool Lexer::ReadQuoted(char quote, bool backslash, std::string& raw) {
  const size_t open = position_++;
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (backslash && c == '\\' && position_ + 1 < text_.size()) {
      raw.append(text_, position_, 2);
      position_ += 2;
    } else if (c != quote) {
      raw += c;
      ++position_;
    } else if (At(position_ + 1) == quote) {
      // An escape keeps apart what a quote in E'' and a backslash are.
      raw.append(backslash ? "\\'" : std::string(1, quote));
      position_ += 2;
    } else {
      ++position_;
      return true;
    }
  }
  position_ = open + 1;
  Fail("HR1007", quote == '"' ? "the quoted name is not closed" : "the text is not closed",
       std::string("close it with ") + quote +
           "; a quote inside is written twice. The missing one may be earlier");
  position_ = text_.size();
  return false;
}

// 'a' <newline> 'b' is one literal: moves to the second quote when that is what follows.
bool Lexer::SkipToContinuation() {
  bool newline = false;
  size_t at = position_;
  while (IsSpace(At(at))) {
    newline = newline || At(at) == '\n';
    ++at;
  }
  if (!newline || At(at) != '\'') return false;
  position_ = at;
  return true;
}

void Lexer::ReadString(bool escapes) {
  std::string raw;
  do {
    if (!ReadQuoted('\'', escapes, raw)) return;
  } while (SkipToContinuation());
  if (!escapes) return AddString(std::move(raw));
  std::string decoded;
  if (!DecodeEscapes(raw, decoded)) {
    return Fail("HR1007", "an escape in the text is not valid",
                "E'' knows \\b \\f \\n \\r \\t, \\ooo, \\xhh, \\uXXXX and \\UXXXXXXXX; a backslash "
                "is written \\\\");
  }
  AddString(std::move(decoded));
}

bool Lexer::DecodeEscapes(std::string_view raw, std::string& out) {
  CodeReader codes;
  size_t i = 0;
  while (i < raw.size()) {
    const bool escape = raw[i] == '\\' && i + 1 < raw.size();
    const char kind = escape ? raw[i + 1] : '\0';
    if (kind == 'u' || kind == 'U') {
      const size_t digits = kind == 'u' ? 4 : 8;
      if (!codes.Take(ReadHex(raw, i + 2, digits), out)) return false;
      i += 2 + digits;
      continue;
    }
    if (codes.high != 0) return false;
    if (!escape) {
      out += raw[i++];
      continue;
    }
    ++i;
    if (!ReadByteEscape(raw, i, out)) out += SimpleEscape(raw[i++]);
  }
  return codes.high == 0;
}

void Lexer::ReadUnicode() {
  position_ += 2;
  const char quote = text_[position_];
  std::string raw;
  do {
    if (!ReadQuoted(quote, false, raw)) return;
  } while (quote == '\'' && SkipToContinuation());
  char escape = '\\';
  std::string decoded;
  if (!TakeUescape(escape) || !DecodeUnicode(raw, escape, decoded)) {
    return Fail("HR1007", "an escape in the U& literal is not valid",
                "write \\XXXX or \\+XXXXXX with hexadecimal digits; a backslash is written \\\\");
  }
  quote == '"' ? AddName(std::move(decoded)) : AddString(std::move(decoded));
}

bool Lexer::TakeUescape(char& escape) {
  constexpr std::string_view kWord = "uescape";
  size_t at = position_;
  while (IsSpace(At(at)))
    ++at;
  for (const char c : kWord) {
    if ((At(at++) | 0x20) != c) return true;
  }
  while (IsSpace(At(at)))
    ++at;
  escape = At(at + 1);
  const bool shaped = At(at) == '\'' && At(at + 2) == '\'';
  if (!shaped || HexDigit(escape) >= 0 || IsSpace(escape) || escape == '+' || escape == '\'' ||
      escape == '"') {
    return false;
  }
  position_ = at + 3;
  return true;
}

bool Lexer::DecodeUnicode(std::string_view raw, char escape, std::string& out) {
  CodeReader codes;
  size_t i = 0;
  while (i < raw.size()) {
    const bool doubled = raw[i] == escape && i + 1 < raw.size() && raw[i + 1] == escape;
    if (raw[i] != escape || doubled) {
      if (codes.high != 0) return false;
      out += raw[i];
      i += doubled ? 2 : 1;
      continue;
    }
    const bool wide = i + 1 < raw.size() && raw[i + 1] == '+';
    const size_t digits = wide ? 6 : 4;
    const size_t begin = i + (wide ? 2 : 1);
    if (!codes.Take(ReadHex(raw, begin, digits), out)) return false;
    i = begin + digits;
  }
  return codes.high == 0;
}

void Lexer::ReadBits(char base) {
  std::string raw;
  do {
    if (!ReadQuoted('\'', false, raw)) return;
  } while (SkipToContinuation());
  for (char& c : raw) {
    const bool valid = base == 'b' ? c == '0' || c == '1' : HexDigit(c) >= 0;
    if (!valid) {
      return Fail("HR1007", "the bit string holds something that is not a digit of its base",
                  base == 'b' ? "B'' takes 0 and 1" : "X'' takes hexadecimal digits");
    }
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c | 0x20);
  }
  Add(TokenKind::kBitString, base + raw);
}

void Lexer::ReadQuotedName() {
  std::string raw;
  if (ReadQuoted('"', false, raw)) AddName(std::move(raw));
}

void Lexer::AddString(std::string text) {
  if (text.find('\0') != std::string::npos || !IsUtf8(text)) {
    return Fail("HR1009", "the text is not valid UTF-8",
                "save the script as UTF-8; bytes are written as '\\x...'::bytea");
  }
  Add(TokenKind::kString, std::move(text));
}

void Lexer::AddName(std::string text) {
  if (text.empty())
    return Fail("HR1007", "the quoted name is empty", "put a name between the quotes");
  if (text.size() > kMaxNameBytes) {
    return Fail("HR1007", "the name is longer than " + std::to_string(kMaxNameBytes) + " bytes",
                "shorten it");
  }
  if (text.find('\0') != std::string::npos || !IsUtf8(text)) {
    return Fail("HR1009", "the name is not valid UTF-8", "save the script as UTF-8");
  }
  Add(TokenKind::kQuotedName, std::move(text));
}

}  // namespace headrace::sql
