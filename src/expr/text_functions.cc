// Functions that take text apart or put it together.
#include <algorithm>
#include <string>

#include "expr/function.h"
#include "expr/utf8.h"
#include "row/text.h"

namespace headrace::expr {
namespace {

Value Length(const Value* a, CallFrame&) {
  return Value::Integer(static_cast<int64_t>(CountCharacters(a[0].text())));
}
Value OctetLength(const Value* a, CallFrame&) {
  return Value::Integer(a[0].length);
}
Value BitLength(const Value* a, CallFrame&) {
  return Value::Integer(int64_t{a[0].length} * 8);
}

template <char (*kAscii)(char), void (*kFull)(std::string_view, std::string&)>
Value MapCase(const Value* a, CallFrame& frame) {
  const std::string_view text = a[0].text();
  if (!IsAscii(text)) {
    std::string mapped;
    kFull(text, mapped);
    return MakeText(frame.context, mapped);
  }
  char* out = frame.context.arena.Allocate(text.size());
  std::transform(text.begin(), text.end(), out, kAscii);
  return Value::Text({out, text.size()});
}

char LowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
char UpperAscii(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

Value InitCap(const Value* a, CallFrame& frame) {
  const std::string_view text = a[0].text();
  std::string out;
  bool inside = false;
  for (size_t at = 0; at < text.size(); at += CharacterSize(text, at)) {
    const uint32_t code = CodePointAt(text, at);
    AppendCodePoint(inside ? ToLower(code) : ToUpper(code), out);
    inside = IsAlphanumeric(code);
  }
  return MakeText(frame.context, out);
}

// Characters [from, from + count), counted from 1; the part outside the text is empty.
Value Slice(const Value& text, int64_t from, int64_t count) {
  const std::string_view whole = text.text();
  const int64_t end = __builtin_add_overflow(from, count, &count) ? INT64_MAX : count;
  const int64_t begin = std::max<int64_t>(from, 1);
  if (end <= begin) return Value::Text({});
  const size_t first = OffsetOf(whole, static_cast<size_t>(begin - 1));
  const std::string_view rest = whole.substr(first);
  return Value::Text(rest.substr(0, OffsetOf(rest, static_cast<size_t>(end - begin))));
}

Value Substring(const Value* a, CallFrame&) {
  return Slice(a[0], a[1].integer, INT64_MAX);
}

Value SubstringFor(const Value* a, CallFrame& frame) {
  if (a[2].integer < 0) {
    return Fail(frame.context, "HR2103", "negative substring length not allowed");
  }
  return Slice(a[0], a[1].integer, a[2].integer);
}

Value Left(const Value* a, CallFrame&) {
  const int64_t n = a[1].integer;
  if (n >= 0) return Slice(a[0], 1, n);
  const auto size = static_cast<int64_t>(CountCharacters(a[0].text()));
  return Slice(a[0], 1, std::max<int64_t>(size + n, 0));
}

Value Right(const Value* a, CallFrame&) {
  const int64_t n = a[1].integer;
  const auto size = static_cast<int64_t>(CountCharacters(a[0].text()));
  const int64_t skip = n >= 0 ? std::max<int64_t>(size - n, 0) : -n;
  return Slice(a[0], skip + 1, INT64_MAX);
}

// The fill, repeated to `count` characters.
void AppendFill(std::string_view fill, size_t count, std::string& out) {
  const size_t per_round = CountCharacters(fill);
  for (; count >= per_round; count -= per_round)
    out += fill;
  out += fill.substr(0, OffsetOf(fill, count));
}

Value Pad(const Value* a, std::string_view fill, bool left, EvalContext& context) {
  const int64_t wanted = std::max<int64_t>(a[1].integer, 0);
  const auto size = static_cast<int64_t>(CountCharacters(a[0].text()));
  if (size >= wanted || fill.empty()) return Slice(a[0], 1, wanted);
  if (static_cast<size_t>(wanted) > kMaxTextResult / 4) return FailTooLong(context);
  std::string out;
  if (!left) out += a[0].text();
  AppendFill(fill, static_cast<size_t>(wanted - size), out);
  if (left) out += a[0].text();
  return MakeText(context, out);
}

template <bool kLeft>
Value PadBlank(const Value* a, CallFrame& frame) {
  return Pad(a, " ", kLeft, frame.context);
}
template <bool kLeft>
Value PadFill(const Value* a, CallFrame& frame) {
  return Pad(a, a[2].text(), kLeft, frame.context);
}

bool HasCharacter(std::string_view set, std::string_view character) {
  for (size_t at = 0; at < set.size(); at += CharacterSize(set, at)) {
    if (set.substr(at, CharacterSize(set, at)) == character) return true;
  }
  return false;
}

std::string_view TrimSet(std::string_view text, std::string_view set, bool left, bool right) {
  while (left && !text.empty()) {
    const size_t size = CharacterSize(text, 0);
    if (!HasCharacter(set, text.substr(0, size))) break;
    text.remove_prefix(size);
  }
  while (right && !text.empty()) {
    size_t last = text.size() - 1;
    while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xC0) == 0x80)
      --last;
    if (!HasCharacter(set, text.substr(last))) break;
    text.remove_suffix(text.size() - last);
  }
  return text;
}

template <bool kLeft, bool kRight>
Value TrimBlank(const Value* a, CallFrame&) {
  return Value::Text(TrimSet(a[0].text(), " ", kLeft, kRight));
}
template <bool kLeft, bool kRight>
Value Trim(const Value* a, CallFrame&) {
  return Value::Text(TrimSet(a[0].text(), a[1].text(), kLeft, kRight));
}

Value Replace(const Value* a, CallFrame& frame) {
  const std::string_view text = a[0].text();
  const std::string_view from = a[1].text();
  size_t found = from.empty() ? std::string_view::npos : text.find(from);
  if (found == std::string_view::npos) return a[0];
  std::string out;
  size_t at = 0;
  for (; found != std::string_view::npos; found = text.find(from, at)) {
    out += text.substr(at, found - at);
    out += a[2].text();
    at = found + from.size();
    if (out.size() > kMaxTextResult) return FailTooLong(frame.context);
  }
  out += text.substr(at);
  return MakeText(frame.context, out);
}

// The nth character of `set`, or nothing.
std::string_view CharacterAt(std::string_view set, size_t n) {
  const size_t at = OffsetOf(set, n);
  return at < set.size() ? set.substr(at, CharacterSize(set, at)) : std::string_view();
}

Value Translate(const Value* a, CallFrame& frame) {
  const std::string_view text = a[0].text();
  const std::string_view from = a[1].text();
  std::string out;
  for (size_t at = 0; at < text.size(); at += CharacterSize(text, at)) {
    const std::string_view character = text.substr(at, CharacterSize(text, at));
    size_t index = 0;
    size_t in_set = 0;
    while (in_set < from.size() && from.substr(in_set, CharacterSize(from, in_set)) != character) {
      in_set += CharacterSize(from, in_set);
      ++index;
    }
    out += in_set < from.size() ? CharacterAt(a[2].text(), index) : character;
  }
  return MakeText(frame.context, out);
}

Value Repeat(const Value* a, CallFrame& frame) {
  const std::string_view text = a[0].text();
  const int64_t count = std::max<int64_t>(a[1].integer, 0);
  if (text.empty() || count == 0) return Value::Text({});
  if (static_cast<uint64_t>(count) > kMaxTextResult / text.size())
    return FailTooLong(frame.context);
  std::string out;
  out.reserve(text.size() * static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i)
    out += text;
  return MakeText(frame.context, out);
}

Value Reverse(const Value* a, CallFrame& frame) {
  const std::string_view text = a[0].text();
  char* const out = frame.context.arena.Allocate(text.size());
  char* to = out + text.size();
  for (size_t at = 0; at < text.size();) {
    const size_t size = CharacterSize(text, at);
    to -= size;
    std::copy_n(text.data() + at, size, to);
    at += size;
  }
  return Value::Text({out, text.size()});
}

Value Overlay(const Value& text, const Value& with, int64_t from, int64_t count,
              EvalContext& context) {
  if (from <= 0) return Fail(context, "HR2103", "negative substring length not allowed");
  std::string out(Slice(text, 1, from - 1).text());
  out += with.text();
  int64_t behind = 0;
  if (__builtin_add_overflow(from, count, &behind)) behind = INT64_MAX;
  out += Slice(text, behind, INT64_MAX).text();
  return MakeText(context, out);
}

Value OverlayFrom(const Value* a, CallFrame& frame) {
  const auto size = static_cast<int64_t>(CountCharacters(a[1].text()));
  return Overlay(a[0], a[1], a[2].integer, size, frame.context);
}
Value OverlayFor(const Value* a, CallFrame& frame) {
  return Overlay(a[0], a[1], a[2].integer, a[3].integer, frame.context);
}

Value Join(const Value* a, CallFrame& frame) {
  const size_t size = a[0].length + size_t{a[1].length};
  if (size > kMaxTextResult) return FailTooLong(frame.context);
  char* const out = frame.context.arena.Allocate(size);
  std::copy_n(a[0].data, a[0].length, out);
  std::copy_n(a[1].data, a[1].length, out + a[0].length);
  return Value::Text({out, size});
}

// As a cast to text does, which spells booleans out.
void AppendCast(const Value& value, Type type, std::string& out) {
  if (type.kind == TypeKind::kBoolean) {
    out += value.boolean ? "true" : "false";
  } else {
    row::AppendText(value, type, out);
  }
}

Value JoinAny(const Value* a, CallFrame& frame) {
  std::string out;
  AppendCast(a[0], frame.types[0], out);
  AppendCast(a[1], frame.types[1], out);
  return MakeText(frame.context, out);
}

Value Concat(const Value* a, CallFrame& frame) {
  std::string out;
  for (size_t i = 0; i < frame.types.size(); ++i) {
    if (!a[i].null) row::AppendText(a[i], frame.types[i], out);
    if (out.size() > kMaxTextResult) break;
  }
  return MakeText(frame.context, out);
}

Value ConcatWs(const Value* a, CallFrame& frame) {
  if (a[0].null) return Value::Null();
  std::string out;
  bool first = true;
  for (size_t i = 1; i < frame.types.size(); ++i) {
    if (a[i].null) continue;
    if (!first) out += a[0].text();
    first = false;
    row::AppendText(a[i], frame.types[i], out);
    if (out.size() > kMaxTextResult) break;
  }
  return MakeText(frame.context, out);
}

constexpr FunctionEntry kFunctions[] = {
    Define("length", {kText}, kInteger, &Length),
    Define("length", {kBytea}, kInteger, &OctetLength),
    Define("char_length", {kText}, kInteger, &Length),
    Define("character_length", {kText}, kInteger, &Length),
    Define("octet_length", {kText}, kInteger, &OctetLength),
    Define("octet_length", {kBytea}, kInteger, &OctetLength),
    Define("bit_length", {kText}, kInteger, &BitLength),
    Define("bit_length", {kBytea}, kInteger, &BitLength),
    Define("lower", {kText}, kText, &MapCase<&LowerAscii, &AppendLower>),
    Define("upper", {kText}, kText, &MapCase<&UpperAscii, &AppendUpper>),
    Define("initcap", {kText}, kText, &InitCap),
    Define("substr", {kText, kInteger}, kText, &Substring),
    Define("substr", {kText, kInteger, kInteger}, kText, &SubstringFor),
    Define("substring", {kText, kInteger}, kText, &Substring),
    Define("substring", {kText, kInteger, kInteger}, kText, &SubstringFor),
    Define("left", {kText, kInteger}, kText, &Left),
    Define("right", {kText, kInteger}, kText, &Right),
    Define("lpad", {kText, kInteger}, kText, &PadBlank<true>),
    Define("lpad", {kText, kInteger, kText}, kText, &PadFill<true>),
    Define("rpad", {kText, kInteger}, kText, &PadBlank<false>),
    Define("rpad", {kText, kInteger, kText}, kText, &PadFill<false>),
    Define("btrim", {kText}, kText, &TrimBlank<true, true>),
    Define("btrim", {kText, kText}, kText, &Trim<true, true>),
    Define("trim", {kText}, kText, &TrimBlank<true, true>),
    Define("trim", {kText, kText}, kText, &Trim<true, true>),
    Define("ltrim", {kText}, kText, &TrimBlank<true, false>),
    Define("ltrim", {kText, kText}, kText, &Trim<true, false>),
    Define("rtrim", {kText}, kText, &TrimBlank<false, true>),
    Define("rtrim", {kText, kText}, kText, &Trim<false, true>),
    Define("replace", {kText, kText, kText}, kText, &Replace),
    Define("translate", {kText, kText, kText}, kText, &Translate),
    Define("repeat", {kText, kInteger}, kText, &Repeat),
    Define("reverse", {kText}, kText, &Reverse),
    Define("overlay", {kText, kText, kInteger}, kText, &OverlayFrom),
    Define("overlay", {kText, kText, kInteger, kInteger}, kText, &OverlayFor),
    Define("||", {kText, kText}, kText, &Join),
    Define("||", {kBytea, kBytea}, kBytea, &Join),
    Define("||", {kText, kUnknown}, kText, &JoinAny),
    Define("||", {kUnknown, kText}, kText, &JoinAny),
    Define("concat", {kUnknown}, kText, &Concat, kTakesNull | kVariadic),
    Define("concat_ws", {kText, kUnknown}, kText, &ConcatWs, kTakesNull | kVariadic),
};

}  // namespace

std::span<const FunctionEntry> TextFunctions() {
  return kFunctions;
}

}  // namespace headrace::expr
