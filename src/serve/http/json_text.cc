#include "serve/http/json_text.h"

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <utility>

#include "serve/http/problem.h"

namespace headrace::serve {
namespace {

constexpr size_t kMembersMax = 1024;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The four digits at `at` of text that the scanner has checked.
uint32_t Hex4(std::string_view text, size_t at) {
  uint32_t unit = 0;
  for (size_t i = 0; i < 4; ++i) {
    unit = unit << 4 | static_cast<uint32_t>(HexDigit(text[at + i]));
  }
  return unit;
}

void AppendUtf8(uint32_t c, std::string& out) {
  auto byte = [&out](uint32_t b) { out.push_back(static_cast<char>(b)); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | c >> 6);
    byte(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    byte(0xE0 | c >> 12);
    byte(0x80 | (c >> 6 & 0x3F));
    byte(0x80 | (c & 0x3F));
  } else {
    byte(0xF0 | c >> 18);
    byte(0x80 | (c >> 12 & 0x3F));
    byte(0x80 | (c >> 6 & 0x3F));
    byte(0x80 | (c & 0x3F));
  }
}

// Decodes the \u escape whose `u` is at `at`, with its second half when it is a pair. Moves `at` to
// the last digit read.
bool DecodeUnicodeEscape(std::string_view text, size_t* at, std::string& out) {
  uint32_t unit = Hex4(text, *at + 1);
  *at += 4;
  if (unit >= 0xDC00 && unit <= 0xDFFF) return false;
  if (unit >= 0xD800 && unit <= 0xDBFF) {
    if (text.substr(*at + 1, 2) != "\\u") return false;
    uint32_t low = Hex4(text, *at + 3);
    if (low < 0xDC00 || low > 0xDFFF) return false;
    unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    *at += 6;
  }
  AppendUtf8(unit, out);
  return true;
}

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
      return c;  // " \ /
  }
}

}  // namespace

bool JsonScanner::Fail(const char* problem) {
  problem_ = problem;
  return false;
}

void JsonScanner::SkipSpace() {
  while (at_ < text_.size() &&
         (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
    ++at_;
  }
}

bool JsonScanner::at_end() {
  SkipSpace();
  return at_ == text_.size();
}

char JsonScanner::Peek() {
  SkipSpace();
  return at_ < text_.size() ? text_[at_] : '\0';
}

bool JsonScanner::Take(char expected) {
  SkipSpace();
  if (at_ == text_.size() || text_[at_] != expected) return false;
  ++at_;
  return true;
}

bool JsonScanner::Digits() {
  size_t start = at_;
  while (at_ < text_.size() && IsDigit(text_[at_]))
    ++at_;
  return at_ > start || Fail("a digit is missing");
}

bool JsonScanner::Number() {
  if (text_[at_] == '-') ++at_;
  if (at_ < text_.size() && text_[at_] == '0') {
    ++at_;
    if (at_ < text_.size() && IsDigit(text_[at_])) return Fail("a number has a leading zero");
  } else if (!Digits()) {
    return false;
  }
  if (at_ < text_.size() && text_[at_] == '.') {
    ++at_;
    if (!Digits()) return false;
  }
  if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    ++at_;
    if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    return Digits();
  }
  return true;
}

// Behind the backslash.
bool JsonScanner::Escape() {
  if (at_ == text_.size()) return Fail("the text ends inside a string");
  char c = text_[at_++];
  if (c != 'u') {
    return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos ||
           Fail("unknown escape in a string");
  }
  for (int i = 0; i < 4; ++i, ++at_) {
    if (at_ == text_.size() || HexDigit(text_[at_]) < 0) return Fail("\\u wants four hex digits");
  }
  return true;
}

// Behind the opening quote.
bool JsonScanner::String() {
  while (at_ < text_.size()) {
    char c = text_[at_++];
    if (c == '"') return true;
    if (static_cast<unsigned char>(c) < 0x20) return Fail("control character in a string");
    if (c == '\\' && !Escape()) return false;
  }
  return Fail("the text ends inside a string");
}

bool JsonScanner::Word(std::string_view word) {
  if (text_.substr(at_, word.size()) != word) return Fail("a value is expected");
  at_ += word.size();
  return true;
}

bool JsonScanner::Scalar(char first) {
  switch (first) {
    case '"':
      ++at_;
      return String();
    case 't':
      return Word("true");
    case 'f':
      return Word("false");
    case 'n':
      return Word("null");
    default:
      if (first == '-' || IsDigit(first)) return Number();
      return Fail(at_ == text_.size() ? "the text ends too early" : "a value is expected");
  }
}

// In front of a value inside a container: for an object, reads the key.
bool JsonScanner::BeforeValue(size_t depth, bool* is_object) {
  if (depth == 0 || !*is_object) return true;
  if (!Take('"')) {
    return Fail(at_ == text_.size() ? "the text ends too early" : "a key is expected");
  }
  if (!String()) return false;
  return Take(':') || Fail("a colon is expected");
}

std::string_view JsonScanner::Value() {
  SkipSpace();
  const size_t start = at_;
  std::bitset<kJsonDepthMax> objects;  // the kind of each open container
  size_t depth = 0;
  bool in_object = false;
  for (;;) {
    if (!BeforeValue(depth, &in_object)) return {};
    char first = Peek();
    if (first == '{' || first == '[') {
      if (depth == kJsonDepthMax) return Fail("nested too deeply"), std::string_view{};
      ++at_;
      in_object = first == '{';
      objects[depth++] = in_object;
      if (Peek() != (in_object ? '}' : ']')) continue;
    } else if (!Scalar(first)) {
      return {};
    }
    // Behind a value: close what closes here, then a comma leads to the next value.
    while (depth > 0 && Take(in_object ? '}' : ']')) {
      --depth;
      in_object = depth > 0 && objects[depth - 1];
    }
    if (depth == 0) return text_.substr(start, at_ - start);
    if (!Take(',')) {
      Fail(at_ == text_.size() ? "the text ends too early" : "a comma or a closing is expected");
      return {};
    }
  }
}

Error JsonScanner::ToError() const {
  return Error(ErrorKind::kInvalidArgument, kBadJson,
               "not JSON: " + std::string(problem_) + " at byte " + std::to_string(at_));
}

Status CheckJson(std::string_view text) {
  JsonScanner scanner(text);
  if (scanner.Value().empty()) return scanner.ToError();
  if (scanner.at_end()) return Ok();
  return Error(ErrorKind::kInvalidArgument, kBadJson,
               "not JSON: more text behind the value at byte " + std::to_string(scanner.position()))
      .WithHint(
          "send several events as an array, or as lines with Content-Type "
          "application/x-ndjson");
}

Result<std::vector<std::string_view>> SplitJsonArray(std::string_view text, size_t elements_max) {
  HR_TRY(CheckJson(text));
  JsonScanner scanner(text);
  std::vector<std::string_view> elements;
  if (!scanner.Take('[')) {
    return Error(ErrorKind::kInvalidArgument, kBadJson, "a JSON array is expected");
  }
  if (scanner.Take(']')) return elements;
  do {
    if (elements.size() == elements_max) {
      return Error(ErrorKind::kInvalidArgument, kTooManyEvents,
                   "more than " + std::to_string(elements_max) + " events in one request")
          .WithHint("send them in several requests");
    }
    elements.push_back(scanner.Value());
  } while (scanner.Take(','));
  return elements;
}

Result<std::vector<JsonMember>> SplitJsonObject(std::string_view text) {
  HR_TRY(CheckJson(text));
  JsonScanner scanner(text);
  std::vector<JsonMember> members;
  if (!scanner.Take('{')) {
    return Error(ErrorKind::kInvalidArgument, kNotAnObject, "a JSON object is expected");
  }
  if (scanner.Take('}')) return members;
  do {
    auto key = DecodeJsonString(scanner.Value());
    if (!key) return Error(ErrorKind::kInvalidArgument, kBadJson, "not JSON: a key is no text");
    if (members.size() == kMembersMax) {
      return Error(ErrorKind::kInvalidArgument, kBadJson, "too many members in one object");
    }
    scanner.Take(':');
    members.push_back({std::move(*key), scanner.Value()});
  } while (scanner.Take(','));
  std::vector<std::string_view> keys;
  for (const JsonMember& member : members)
    keys.push_back(member.key);
  std::sort(keys.begin(), keys.end());
  if (auto twice = std::adjacent_find(keys.begin(), keys.end()); twice != keys.end()) {
    return Error(ErrorKind::kInvalidArgument, kBadJson,
                 "the member `" + std::string(*twice) + "` stands twice");
  }
  return members;
}

std::optional<std::string> DecodeJsonString(std::string_view raw) {
  if (raw.size() < 2 || raw.front() != '"' || JsonScanner(raw).Value().size() != raw.size()) {
    return std::nullopt;
  }
  std::string_view text = raw.substr(1, raw.size() - 2);
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out.push_back(text[i]);
    } else if (text[++i] != 'u') {
      out.push_back(SimpleEscape(text[i]));
    } else if (!DecodeUnicodeEscape(text, &i, out)) {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace headrace::serve
