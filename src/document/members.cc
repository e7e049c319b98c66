#include "document/members.h"

#include <charconv>
#include <cmath>
#include <string>

namespace headrace::document {

bool IsWhole(double x, double least, double end) {
  return x >= least && x < end && x == std::floor(x);
}

Result<const Value*> MemberOf(const Value& object, std::string_view key) {
  const Value* member = object.Find(key);
  if (member == nullptr) {
    return MalformedAt(object.offset(), "the key \"" + std::string(key) + "\" is missing");
  }
  return member;
}

Result<const Value::Numbers*> NumbersOf(const Value& object, std::string_view key) {
  HR_ASSIGN(const Value* member, MemberOf(object, key));
  if (member->numbers() == nullptr) {
    return MalformedAt(member->offset(), "\"" + std::string(key) + "\" must be numbers");
  }
  return member->numbers();
}

Result<std::string_view> TextOf(const Value& object, std::string_view key) {
  HR_ASSIGN(const Value* member, MemberOf(object, key));
  if (member->text() == nullptr) {
    return MalformedAt(member->offset(), "\"" + std::string(key) + "\" must be text");
  }
  return std::string_view(*member->text());
}

Result<double> NumberOf(const Value& object, std::string_view key) {
  HR_ASSIGN(const Value* member, MemberOf(object, key));
  if (member->number() == nullptr) {
    return MalformedAt(member->offset(), "\"" + std::string(key) + "\" must be a number");
  }
  return *member->number();
}

Result<int64_t> IntegerOf(const Value& object, std::string_view key) {
  HR_ASSIGN(const Value* member, MemberOf(object, key));
  constexpr double kExact = 1LL << 53;
  if (member->number() != nullptr && IsWhole(*member->number(), -kExact, kExact)) {
    return static_cast<int64_t>(*member->number());
  }
  int64_t value = 0;
  if (const std::string* text = member->text()) {
    const char* end = text->data() + text->size();
    const auto parsed = std::from_chars(text->data(), end, value);
    if (parsed.ec == std::errc() && parsed.ptr == end) return value;
  }
  return MalformedAt(member->offset(), "\"" + std::string(key) + "\" must be a whole number");
}

}  // namespace headrace::document
