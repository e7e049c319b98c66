#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace headrace::expr {

// Text is UTF-8. Malformed bytes count as one character each, so that nothing here fails.

// Bytes of the character that begins at `at`; at least 1, at most what is left.
inline size_t CharacterSize(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  const size_t left = text.size() - at;
  return lead < 0xC0 ? 1 : size < left ? size : left;
}

inline bool IsAscii(std::string_view text) {
  for (char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

// Number of characters.
inline size_t CountCharacters(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at < text.size(); at += CharacterSize(text, at))
    ++count;
  return count;
}

// Byte offset behind the first `count` characters, or the size.
inline size_t OffsetOf(std::string_view text, size_t count) {
  size_t at = 0;
  for (; count > 0 && at < text.size(); --count)
    at += CharacterSize(text, at);
  return at;
}

// The code point at `at`; malformed bytes give their value.
uint32_t CodePointAt(std::string_view text, size_t at);
void AppendCodePoint(uint32_t code, std::string& out);

// Simple case mappings of Unicode, independent of any locale.
uint32_t ToUpper(uint32_t code);
uint32_t ToLower(uint32_t code);
bool IsAlphanumeric(uint32_t code);

void AppendUpper(std::string_view text, std::string& out);
void AppendLower(std::string_view text, std::string& out);

}  // namespace headrace::expr
