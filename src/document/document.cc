#include "document/document.h"

#include <algorithm>

namespace headrace::document {

const Value* Value::Find(std::string_view key) const {
  if (object() == nullptr) return nullptr;
  for (const Member& member : *object()) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

void Value::Append(Value value) {
  const double* number = value.number();
  if (Numbers* plain = numbers()) {
    if (number != nullptr) return plain->push_back(*number);
    if (const bool* flag = value.boolean()) return plain->push_back(*flag ? 1 : 0);
    Array general;
    general.reserve(plain->size() + 1);
    for (double x : *plain) {
      general.emplace_back(x, offset_);
    }
    held_ = std::move(general);
  }
  array()->push_back(std::move(value));
}

const std::string* RepeatedKey(const Value::Object& object) {
  std::vector<const std::string*> keys;
  keys.reserve(object.size());
  for (const Member& member : object) {
    keys.push_back(&member.key);
  }
  std::sort(keys.begin(), keys.end(), [](auto* a, auto* b) { return *a < *b; });
  auto same =
      std::adjacent_find(keys.begin(), keys.end(), [](auto* a, auto* b) { return *a == *b; });
  return same == keys.end() ? nullptr : *same;
}

bool IsUtf8(std::string_view bytes) {
  size_t i = 0;
  while (i < bytes.size()) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || bytes.size() - i <= more) return false;
    uint32_t code = lead & (0x3Fu >> more);
    for (size_t k = 1; k <= more; ++k) {
      const auto next = static_cast<unsigned char>(bytes[i + k]);
      if ((next & 0xC0) != 0x80) return false;
      code = (code << 6) | (next & 0x3Fu);
    }
    constexpr uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
    if (code < kLeast[more] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    i += more + 1;
  }
  return true;
}

Status DocumentBudget::Take(size_t* used, size_t count, size_t max, size_t offset) {
  if (count > max - *used) {
    return Error(ErrorKind::kLimitExceeded, "HR3004", "the model has too many values")
        .AtPlace("byte " + std::to_string(offset));
  }
  *used += count;
  return Ok();
}

Error MalformedAt(size_t offset, std::string message) {
  return Error(ErrorKind::kCorruption, "HR3002", std::move(message))
      .AtPlace("byte " + std::to_string(offset))
      .WithHint("save the model again with the library that trained it");
}

}  // namespace headrace::document
