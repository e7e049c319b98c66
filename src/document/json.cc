#include "document/json.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace headrace::document {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// A character that can only be inside a number or a bare word.
bool IsWordCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
         c == '-' || c == '.';
}

void AppendUtf8(uint32_t code, std::string* out) {
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
    return;
  }
  if (code < 0x800) {
    out->push_back(static_cast<char>(0xC0 | (code >> 6)));
  } else {
    if (code < 0x10000) {
      out->push_back(static_cast<char>(0xE0 | (code >> 12)));
    } else {
      out->push_back(static_cast<char>(0xF0 | (code >> 18)));
      out->push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3F)));
    }
    out->push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
  }
  out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
}

// Whether the text is -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)?, and if so, whether it is
// whole.
struct NumberShape {
  bool valid = false;
  bool whole = true;
};

size_t SkipDigits(std::string_view text, size_t i) {
  while (i < text.size() && text[i] >= '0' && text[i] <= '9') {
    ++i;
  }
  return i;
}

NumberShape ShapeOf(std::string_view text) {
  NumberShape shape;
  size_t i = !text.empty() && text[0] == '-' ? 1 : 0;
  const size_t first = i;
  i = SkipDigits(text, i);
  if (i == first || (text[first] == '0' && i > first + 1)) return shape;
  if (i < text.size() && text[i] == '.') {
    const size_t fraction = i + 1;
    i = SkipDigits(text, fraction);
    if (i == fraction) return shape;
    shape.whole = false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    const size_t exponent = i;
    i = SkipDigits(text, exponent);
    if (i == exponent) return shape;
    shape.whole = false;
  }
  shape.valid = i == text.size();
  return shape;
}

class JsonParser {
 public:
  JsonParser(std::string_view bytes, NumberWidth width) : bytes_(bytes), width_(width) {}

  Result<Value> Parse() {
    HR_ASSIGN(Value root, ParseValue(0));
    SkipSpace();
    if (at_ != bytes_.size()) return MalformedAt(at_, "more text behind the end of the document");
    return root;
  }

 private:
  void SkipSpace() {
    while (at_ < bytes_.size() && IsSpace(bytes_[at_])) {
      ++at_;
    }
  }

  // The next character that is not space, consumed; '\0' at the end.
  char Next() {
    SkipSpace();
    return at_ < bytes_.size() ? bytes_[at_++] : '\0';
  }

  char Peek() {
    SkipSpace();
    return at_ < bytes_.size() ? bytes_[at_] : '\0';
  }

  Result<Value> ParseValue(int32_t depth) {
    const char c = Peek();
    const size_t start = at_;
    if (depth > kDepthMax) {
      return Error(ErrorKind::kLimitExceeded, "HR3004", "the document nests too deeply")
          .AtPlace("byte " + std::to_string(start));
    }
    if (c == '{') return ParseObject(depth);
    if (c == '[') return ParseArray(depth);
    if (c == '"') {
      HR_ASSIGN(std::string text, ParseString());
      return Value(std::move(text), start);
    }
    if (start == bytes_.size()) return MalformedAt(start, "the document ends too early");
    return ParseWord();
  }

  Result<Value> ParseObject(int32_t depth) {
    const size_t start = at_++;
    Value::Object members;
    if (Peek() == '}') {
      ++at_;
      return Value(std::move(members), start);
    }
    for (;;) {
      if (Peek() != '"') return MalformedAt(at_, "expected a key in quotes");
      HR_ASSIGN(std::string key, ParseString());
      if (Next() != ':') return MalformedAt(at_, "expected ':' behind the key \"" + key + "\"");
      HR_ASSIGN(Value value, ParseValue(depth + 1));
      HR_TRY(budget_.TakeValue(at_));
      members.push_back({std::move(key), std::move(value)});
      const char c = Next();
      if (c == '}') break;
      if (c != ',') return MalformedAt(at_, "expected ',' or '}' in an object");
    }
    if (const std::string* key = RepeatedKey(members)) {
      return MalformedAt(start, "the key \"" + *key + "\" occurs twice in one object");
    }
    return Value(std::move(members), start);
  }

  Result<Value> ParseArray(int32_t depth) {
    const size_t start = at_++;
    Value array(Value::Numbers{}, start);
    if (Peek() == ']') {
      ++at_;
      return array;
    }
    for (;;) {
      HR_ASSIGN(Value value, ParseValue(depth + 1));
      if (value.number() != nullptr && array.numbers() != nullptr) {
        HR_TRY(budget_.TakeNumbers(1, at_));
      } else {
        // Turning plain numbers into values costs one value for each of them.
        const size_t turned = array.numbers() != nullptr ? array.numbers()->size() : 0;
        for (size_t i = 0; i <= turned; ++i) {
          HR_TRY(budget_.TakeValue(at_));
        }
      }
      array.Append(std::move(value));
      const char c = Next();
      if (c == ']') return array;
      if (c != ',') return MalformedAt(at_, "expected ',' or ']' in an array");
    }
  }

  Result<std::string> ParseString() {
    const size_t start = at_++;
    std::string text;
    for (;;) {
      const size_t run = at_;
      while (at_ < bytes_.size() && bytes_[at_] != '"' && bytes_[at_] != '\\' &&
             static_cast<unsigned char>(bytes_[at_]) >= 0x20) {
        ++at_;
      }
      text.append(bytes_.substr(run, at_ - run));
      if (at_ == bytes_.size()) return MalformedAt(start, "a string without an end");
      const char c = bytes_[at_++];
      if (c == '"') break;
      if (c != '\\') return MalformedAt(at_ - 1, "a control character in a string");
      HR_TRY(ParseEscape(&text));
    }
    if (!IsUtf8(text)) return MalformedAt(start, "a string that is not UTF-8");
    return text;
  }

  Status ParseEscape(std::string* text) {
    const char c = at_ < bytes_.size() ? bytes_[at_++] : '\0';
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (const size_t which = kEscapes.find(c); which != std::string_view::npos) {
      text->push_back(kMeanings[which]);
      return Ok();
    }
    if (c != 'u') return MalformedAt(at_, "an unknown escape in a string");
    HR_ASSIGN(uint32_t code, ParseHex());
    if (code >= 0xD800 && code < 0xDC00) {
      if (bytes_.substr(at_, 2) != "\\u") return MalformedAt(at_, "half a surrogate pair");
      at_ += 2;
      HR_ASSIGN(const uint32_t low, ParseHex());
      if (low < 0xDC00 || low > 0xDFFF) return MalformedAt(at_, "half a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    AppendUtf8(code, text);
    return Ok();
  }

  Result<uint32_t> ParseHex() {
    const std::string_view digits = bytes_.substr(at_, 4);
    uint32_t code = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.size() != 4 || error != std::errc() || end != digits.data() + 4) {
      return MalformedAt(at_, "expected four hexadecimal digits");
    }
    at_ += 4;
    return code;
  }

  Result<Value> ParseWord() {
    const size_t start = at_;
    while (at_ < bytes_.size() && IsWordCharacter(bytes_[at_])) {
      ++at_;
    }
    const std::string_view word = bytes_.substr(start, at_ - start);
    if (word == "true") return Value(true, start);
    if (word == "false") return Value(false, start);
    if (word == "null") return Value(std::monostate(), start);
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (word == "NaN") return Value(std::numeric_limits<double>::quiet_NaN(), start);
    if (word == "Infinity") return Value(kInfinity, start);
    if (word == "-Infinity") return Value(-kInfinity, start);
    const NumberShape shape = ShapeOf(word);
    if (!shape.valid) return MalformedAt(start, "expected a value");
    const std::optional<double> number = ToNumber(word, shape.whole);
    if (!number) return MalformedAt(start, "a number that is too large");
    return Value(*number, start);
  }

  std::optional<double> ToNumber(std::string_view word, bool whole) const {
    double number = 0;
    const auto wide = std::from_chars(word.data(), word.data() + word.size(), number);
    if (wide.ec != std::errc()) return std::nullopt;
    if (whole || width_ == NumberWidth::kFloat64) return number;
    float narrow = 0;
    if (std::from_chars(word.data(), word.data() + word.size(), narrow).ec == std::errc()) {
      return narrow;
    }
    // Too small for a float is zero; too large is an error.
    if (std::abs(number) < 1) return std::copysign(0.0, number);
    return std::nullopt;
  }

  std::string_view bytes_;
  NumberWidth width_;
  size_t at_ = 0;
  DocumentBudget budget_;
};

}  // namespace

Result<Value> ParseJson(std::string_view bytes, NumberWidth width) {
  return JsonParser(bytes, width).Parse();
}

}  // namespace headrace::document
