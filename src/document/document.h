#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "headrace/result.h"

namespace headrace::document {

struct Member;

// One value of a parsed JSON or UBJSON document: what both formats have in common, so that a model
// is extracted from either by the same code.
//
// An array of nothing but numbers (and booleans, read as 0 and 1) is kept as plain doubles; an
// empty array is such an array. Value type, unsynchronized. Nesting is bounded by kDepthMax, so its
// destructor may recurse.
class Value {
 public:
  using Numbers = std::vector<double>;
  using Array = std::vector<Value>;
  using Object = std::vector<Member>;

  Value() = default;
  template <typename T>
  Value(T held, size_t offset) : held_(std::move(held)), offset_(offset) {}

  // The held alternative, or nullptr.
  const bool* boolean() const { return std::get_if<bool>(&held_); }
  const double* number() const { return std::get_if<double>(&held_); }
  const std::string* text() const { return std::get_if<std::string>(&held_); }
  const Numbers* numbers() const { return std::get_if<Numbers>(&held_); }
  const Array* array() const { return std::get_if<Array>(&held_); }
  const Object* object() const { return std::get_if<Object>(&held_); }
  Numbers* numbers() { return std::get_if<Numbers>(&held_); }
  Array* array() { return std::get_if<Array>(&held_); }
  Object* object() { return std::get_if<Object>(&held_); }

  // The member of that name, or nullptr (also when this is no object).
  const Value* Find(std::string_view key) const;
  // Adds to an array, which turns from numbers to values when the first other thing arrives.
  void Append(Value value);

  size_t offset() const { return offset_; }  // byte in the document where the value starts

 private:
  std::variant<std::monostate, bool, double, std::string, Numbers, Array, Object> held_;
  size_t offset_ = 0;
};

struct Member {
  std::string key;
  Value value;
};

// The first key that occurs twice in an object, or nullptr.
const std::string* RepeatedKey(const Value::Object& object);

// Whether the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool IsUtf8(std::string_view bytes);

// What a document may hold; more is refused with HR3004. Real models stay far below: their trees
// nest seven deep and have some 20 arrays each.
inline constexpr int32_t kDepthMax = 64;
inline constexpr size_t kValuesMax = size_t{4} << 20;     // values that are not numbers in an array
inline constexpr size_t kNumbersMax = size_t{128} << 20;  // numbers in arrays

// How much of a document's allowance has been used. Confined to one parse.
class DocumentBudget {
 public:
  Status TakeValue(size_t offset) { return Take(&values_, 1, kValuesMax, offset); }
  Status TakeNumbers(size_t count, size_t offset) {
    return Take(&numbers_, count, kNumbersMax, offset);
  }

 private:
  static Status Take(size_t* used, size_t count, size_t max, size_t offset);

  size_t values_ = 0;
  size_t numbers_ = 0;
};

// HR3002 at `byte N`.
Error MalformedAt(size_t offset, std::string message);

}  // namespace headrace::document
