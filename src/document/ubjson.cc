#include "document/ubjson.h"

#include <bit>
#include <cstdint>
#include <optional>

namespace headrace::document {
namespace {

// Bytes of a number of that type, 0 when the letter is not a number's.
size_t WidthOf(char type) {
  switch (type) {
    case 'i':
    case 'U':
      return 1;
    case 'I':
      return 2;
    case 'l':
    case 'd':
      return 4;
    case 'L':
    case 'D':
      return 8;
    default:
      return 0;
  }
}

uint64_t LoadBigEndian(const char* from, size_t width) {
  uint64_t value = 0;
  for (size_t i = 0; i < width; ++i) {
    value = (value << 8) | static_cast<unsigned char>(from[i]);
  }
  return value;
}

int64_t ToInteger(uint64_t bits, char type) {
  switch (type) {
    case 'i':
      return static_cast<int8_t>(bits);
    case 'U':
      return static_cast<int64_t>(bits & 0xFF);
    case 'I':
      return static_cast<int16_t>(bits);
    case 'l':
      return static_cast<int32_t>(bits);
    default:
      return std::bit_cast<int64_t>(bits);
  }
}

double ToDouble(uint64_t bits, char type) {
  if (type == 'd') return std::bit_cast<float>(static_cast<uint32_t>(bits));
  if (type == 'D') return std::bit_cast<double>(bits);
  return static_cast<double>(ToInteger(bits, type));
}

// Type and count in front of an optimized container; either may be absent.
struct ContainerHead {
  char type = '\0';
  std::optional<size_t> count;
};

class UbjsonParser {
 public:
  explicit UbjsonParser(std::string_view bytes) : bytes_(bytes) {}

  Result<Value> Parse() {
    HR_ASSIGN(const char type, TakeType());
    HR_ASSIGN(Value root, ParseValue(type, 0));
    if (at_ != bytes_.size()) return MalformedAt(at_, "more bytes behind the end of the document");
    return root;
  }

 private:
  size_t left() const { return bytes_.size() - at_; }

  Error Ended() const { return MalformedAt(at_, "the document ends too early"); }

  // The next type letter; 'N' is padding.
  Result<char> TakeType() {
    while (at_ < bytes_.size() && bytes_[at_] == 'N') {
      ++at_;
    }
    if (left() == 0) return Ended();
    return bytes_[at_++];
  }

  bool TakeIf(char c) {
    if (left() == 0 || bytes_[at_] != c) return false;
    ++at_;
    return true;
  }

  // A length: an integer that no container in these bytes can exceed.
  Result<size_t> TakeLength() {
    const size_t start = at_;
    HR_ASSIGN(const char type, TakeType());
    const size_t width = WidthOf(type);
    if (width == 0 || type == 'd' || type == 'D') {
      return MalformedAt(start, "expected a whole number as length");
    }
    if (left() < width) return Ended();
    const int64_t length = ToInteger(LoadBigEndian(bytes_.data() + at_, width), type);
    at_ += width;
    if (length < 0) return MalformedAt(start, "a negative length");
    if (static_cast<uint64_t>(length) > left()) {
      return MalformedAt(start, "a length of " + std::to_string(length) + " with " +
                                    std::to_string(left()) + " bytes left");
    }
    return static_cast<size_t>(length);
  }

  Result<std::string> TakeText() {
    const size_t start = at_;
    HR_ASSIGN(const size_t length, TakeLength());
    std::string text(bytes_.substr(at_, length));
    at_ += length;
    if (!IsUtf8(text)) return MalformedAt(start, "a string that is not UTF-8");
    return text;
  }

  Result<Value> ParseValue(char type, int32_t depth) {
    const size_t start = at_ - 1;
    if (depth > kDepthMax) {
      return Error(ErrorKind::kLimitExceeded, "HR3004", "the document nests too deeply")
          .AtPlace("byte " + std::to_string(start));
    }
    if (const size_t width = WidthOf(type); width != 0) {
      if (left() < width) return Ended();
      const double number = ToDouble(LoadBigEndian(bytes_.data() + at_, width), type);
      at_ += width;
      return Value(number, start);
    }
    switch (type) {
      case '{':
        return ParseObject(depth);
      case '[':
        return ParseArray(depth);
      case 'T':
      case 'F':
        return Value(type == 'T', start);
      case 'Z':
        return Value(std::monostate(), start);
      case 'S': {
        HR_ASSIGN(std::string text, TakeText());
        return Value(std::move(text), start);
      }
      case 'C':
        if (left() == 0) return Ended();
        return Value(std::string(1, bytes_[at_++]), start);
      default:
        return MalformedAt(start,
                           "unknown type byte " + std::to_string(static_cast<unsigned char>(type)));
    }
  }

  Result<ContainerHead> TakeHead() {
    ContainerHead head;
    if (TakeIf('$')) {
      HR_ASSIGN(head.type, TakeType());
      if (left() == 0 || bytes_[at_] != '#') return MalformedAt(at_, "a type without a count");
    }
    if (TakeIf('#')) {
      HR_ASSIGN(head.count, TakeLength());
    }
    return head;
  }

  Result<Value> ParseArray(int32_t depth) {
    const size_t start = at_ - 1;
    HR_ASSIGN(const ContainerHead head, TakeHead());
    if (head.type != '\0') return ParseTypedArray(head, start);
    Value array(Value::Numbers{}, start);
    for (size_t i = 0; !head.count || i < *head.count; ++i) {
      HR_ASSIGN(const char type, TakeType());
      if (!head.count && type == ']') break;
      HR_ASSIGN(Value value, ParseValue(type, depth + 1));
      HR_TRY(budget_.TakeValue(at_));
      array.Append(std::move(value));
    }
    return array;
  }

  Result<Value> ParseTypedArray(const ContainerHead& head, size_t start) {
    const size_t width = WidthOf(head.type);
    if (width == 0) {
      return MalformedAt(start, "a typed array of type byte " +
                                    std::to_string(static_cast<unsigned char>(head.type)) +
                                    ", which is not a number's");
    }
    if (*head.count > left() / width) return Ended();
    HR_TRY(budget_.TakeNumbers(*head.count, start));
    Value::Numbers numbers(*head.count);
    for (double& number : numbers) {
      number = ToDouble(LoadBigEndian(bytes_.data() + at_, width), head.type);
      at_ += width;
    }
    return Value(std::move(numbers), start);
  }

  Result<Value> ParseObject(int32_t depth) {
    const size_t start = at_ - 1;
    HR_ASSIGN(const ContainerHead head, TakeHead());
    if (head.type != '\0') return MalformedAt(start, "an object with typed members");
    Value::Object members;
    for (size_t i = 0; !head.count || i < *head.count; ++i) {
      if (!head.count && TakeIf('}')) break;
      HR_ASSIGN(std::string key, TakeText());
      HR_ASSIGN(const char type, TakeType());
      HR_ASSIGN(Value value, ParseValue(type, depth + 1));
      HR_TRY(budget_.TakeValue(at_));
      members.push_back({std::move(key), std::move(value)});
    }
    if (const std::string* key = RepeatedKey(members)) {
      return MalformedAt(start, "the key \"" + *key + "\" occurs twice in one object");
    }
    return Value(std::move(members), start);
  }

  std::string_view bytes_;
  size_t at_ = 0;
  DocumentBudget budget_;
};

}  // namespace

Result<Value> ParseUbjson(std::string_view bytes) {
  return UbjsonParser(bytes).Parse();
}

}  // namespace headrace::document
