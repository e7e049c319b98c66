#include "row/json_text.h"

#include <algorithm>
#include <cstdint>

#include "row/text.h"
#include "row/value.h"
#include "row/wide_decimal.h"

namespace headrace::row {
namespace {

constexpr char kHex[] = "0123456789abcdef";

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsBlank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

Error Malformed() {
  return Error(ErrorKind::kInvalidArgument, "HR2001", "invalid input syntax for type json");
}

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Four hex digits at `p`, or -1.
int HexFour(const char* p) {
  int code = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = HexValue(p[i]);
    if (digit < 0) return -1;
    code = code * 16 + digit;
  }
  return code;
}

void AppendUtf8(uint32_t code, std::string& out) {
  const auto put = [&out](uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

// Recursive descent over one document. Confined to one call.
class Checker {
 public:
  explicit Checker(std::string_view text) : p_(text.data()), end_(p_ + text.size()) {}

  bool Document() {
    if (!Value(0)) return false;
    Blank();
    return p_ == end_;
  }
  bool OnlyNumber() { return p_ != end_ && Number() && p_ == end_; }

 private:
  void Blank() {
    while (p_ != end_ && IsBlank(*p_))
      ++p_;
  }
  bool Take(char c) {
    Blank();
    if (p_ == end_ || *p_ != c) return false;
    ++p_;
    return true;
  }

  bool Value(int depth) {
    Blank();
    if (p_ == end_ || depth > kMaxJsonDepth) return false;
    switch (*p_) {
      case '{':
        return Object(depth);
      case '[':
        return Array(depth);
      case '"':
        return String();
      case 't':
        return Word("true");
      case 'f':
        return Word("false");
      case 'n':
        return Word("null");
      default:
        return Number();
    }
  }

  bool Object(int depth) {
    ++p_;
    if (Take('}')) return true;
    do {
      Blank();
      if (p_ == end_ || *p_ != '"' || !String() || !Take(':') || !Value(depth + 1)) return false;
    } while (Take(','));
    return Take('}');
  }

  bool Array(int depth) {
    ++p_;
    if (Take(']')) return true;
    do {
      if (!Value(depth + 1)) return false;
    } while (Take(','));
    return Take(']');
  }

  bool String() {
    for (++p_; p_ != end_; ++p_) {
      if (*p_ == '"') return ++p_, true;
      if (static_cast<unsigned char>(*p_) < 0x20) return false;
      if (*p_ != '\\') continue;
      if (++p_ == end_) return false;
      if (*p_ == 'u') {
        if (end_ - p_ < 5 || HexFour(p_ + 1) < 0) return false;
        p_ += 4;
      } else if (std::string_view("\"\\/bfnrt").find(*p_) == std::string_view::npos) {
        return false;
      }
    }
    return false;
  }

  bool Word(std::string_view word) {
    if (static_cast<size_t>(end_ - p_) < word.size() || std::string_view(p_, word.size()) != word) {
      return false;
    }
    p_ += word.size();
    return true;
  }

  bool Digits() {
    const char* const begin = p_;
    while (p_ != end_ && IsDigit(*p_))
      ++p_;
    return p_ != begin;
  }

  bool Number() {
    if (*p_ == '-') ++p_;
    if (p_ != end_ && *p_ == '0') {
      ++p_;
    } else if (!Digits()) {
      return false;
    }
    if (p_ != end_ && *p_ == '.') {
      ++p_;
      if (!Digits()) return false;
    }
    if (p_ != end_ && (*p_ == 'e' || *p_ == 'E')) {
      ++p_;
      if (p_ != end_ && (*p_ == '+' || *p_ == '-')) ++p_;
      if (!Digits()) return false;
    }
    return p_ == end_ || IsBlank(*p_) || *p_ == ',' || *p_ == ']' || *p_ == '}';
  }

  const char* p_;
  const char* end_;
};

// Where the value at `at` of a valid document ends.
size_t ValueEnd(std::string_view text, size_t at) {
  int depth = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at)
        at += text[at] == '\\' ? 1 : 0;
      if (depth == 0) return at + 1;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      if (--depth == 0) return at + 1;
    } else if (depth == 0 && (c == ',' || IsBlank(c))) {
      return at;
    }
  }
  return at;
}

size_t SkipBlank(std::string_view text, size_t at) {
  while (at < text.size() && IsBlank(text[at]))
    ++at;
  return at;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back()))
    text.remove_suffix(1);
  return text;
}

// One \u escape (and its second half) at `i`, which points behind the `u`. False for a half
// surrogate or the zero byte, which text cannot hold.
bool AppendUnicodeEscape(std::string_view literal, size_t* i, std::string& out) {
  auto code = static_cast<uint32_t>(HexFour(literal.data() + *i));
  *i += 4;
  if (code == 0) return false;
  if (code >= 0xD800 && code < 0xDC00) {
    if (*i + 6 > literal.size() || literal[*i] != '\\' || literal[*i + 1] != 'u') return false;
    const auto low = static_cast<uint32_t>(HexFour(literal.data() + *i + 2));
    if (low < 0xDC00 || low > 0xDFFF) return false;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    *i += 6;
  } else if (code >= 0xDC00 && code <= 0xDFFF) {
    return false;
  }
  AppendUtf8(code, out);
  return true;
}

bool Unescape(std::string_view literal, std::string& out) {
  for (size_t i = 1; i + 1 < literal.size();) {
    if (literal[i] != '\\') {
      out += literal[i++];
      continue;
    }
    const char c = literal[i + 1];
    i += 2;
    if (c == 'u') {
      if (!AppendUnicodeEscape(literal, &i, out)) return false;
      continue;
    }
    constexpr std::string_view kFrom = "bfnrt";
    constexpr std::string_view kTo = "\b\f\n\r\t";
    const size_t known = kFrom.find(c);
    out += known == std::string_view::npos ? c : kTo[known];
  }
  return true;
}

struct CanonicalMember {
  std::string key;
  std::string value;
};

Status Canonical(std::string_view text, std::string& out);

Status CanonicalString(std::string_view text, std::string& out) {
  std::string plain;
  if (!Unescape(text, plain)) {
    return Error(ErrorKind::kInvalidArgument, "HR2001", "unsupported Unicode escape sequence");
  }
  AppendJsonbString(plain, out);
  return Ok();
}

Status CanonicalObject(std::string_view text, std::string& out) {
  std::vector<CanonicalMember> members;
  for (const JsonMember& member : JsonMembers(text)) {
    CanonicalMember& added = members.emplace_back();
    if (!Unescape(member.key, added.key)) {
      return Error(ErrorKind::kInvalidArgument, "HR2001", "unsupported Unicode escape sequence");
    }
    HR_TRY(Canonical(member.value, added.value));
  }
  std::stable_sort(members.begin(), members.end(),
                   [](const auto& a, const auto& b) { return JsonbKeyLess(a.key, b.key); });
  out += '{';
  bool first = true;
  for (size_t i = 0; i < members.size(); ++i) {
    if (i + 1 < members.size() && members[i].key == members[i + 1].key) continue;
    if (!first) out += ", ";
    first = false;
    AppendJsonbString(members[i].key, out);
    out += ": ";
    out += members[i].value;
  }
  out += '}';
  return Ok();
}

// `text` is a value of a checked document.
Status Canonical(std::string_view text, std::string& out) {
  switch (text.front()) {
    case '{':
      return CanonicalObject(text, out);
    case '[': {
      out += '[';
      const size_t begin = out.size();
      for (std::string_view element : JsonElements(text)) {
        if (out.size() > begin) out += ", ";
        HR_TRY(Canonical(element, out));
      }
      out += ']';
      return Ok();
    }
    case '"':
      return CanonicalString(text, out);
    case 't':
    case 'f':
    case 'n':
      out += text;
      return Ok();
    default: {
      row::Value number;
      if (ParseDecimal(text, &number)) {
        AppendDecimal(number, out);
      } else if (WideDecimal wide; ParseWideDecimal(text, &wide)) {
        AppendDecimal(wide, out);
      } else {
        out += text;
      }
      return Ok();
    }
  }
}

}  // namespace

Status CheckJson(std::string_view text) {
  if (!Checker(text).Document()) return Malformed();
  return Ok();
}

bool IsJsonNumber(std::string_view text) {
  return Checker(text).OnlyNumber();
}

Status AppendJsonb(std::string_view text, std::string& out) {
  HR_TRY(CheckJson(text));
  return Canonical(Trim(text), out);
}

void AppendUnescaped(std::string_view literal, std::string& out) {
  const size_t before = out.size();
  if (!Unescape(literal, out)) {
    out.resize(before);
    out += literal.substr(1, literal.size() - 2);
  }
}

void AppendJsonbString(std::string_view text, std::string& out) {
  out += '"';
  for (char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
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
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += kHex[c >> 4 & 15];
          out += kHex[c & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

bool JsonbKeyLess(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

std::vector<JsonMember> JsonMembers(std::string_view object) {
  std::vector<JsonMember> members;
  size_t at = SkipBlank(object, SkipBlank(object, 0) + 1);
  while (at < object.size() && object[at] == '"') {
    const size_t key_end = ValueEnd(object, at);
    const size_t value = SkipBlank(object, SkipBlank(object, key_end) + 1);
    const size_t value_end = ValueEnd(object, value);
    members.push_back({object.substr(at, key_end - at), object.substr(value, value_end - value)});
    at = SkipBlank(object, value_end);
    if (at >= object.size() || object[at] != ',') break;
    at = SkipBlank(object, at + 1);
  }
  return members;
}

std::vector<std::string_view> JsonElements(std::string_view array) {
  std::vector<std::string_view> elements;
  size_t at = SkipBlank(array, SkipBlank(array, 0) + 1);
  while (at < array.size() && array[at] != ']') {
    const size_t end = ValueEnd(array, at);
    elements.push_back(array.substr(at, end - at));
    at = SkipBlank(array, end);
    if (at >= array.size() || array[at] != ',') break;
    at = SkipBlank(array, at + 1);
  }
  return elements;
}

}  // namespace headrace::row
