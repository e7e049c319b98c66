#include "expr/utf8.h"

#include "expr/unicode_case.h"

namespace headrace::expr {

uint32_t CodePointAt(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const size_t size = CharacterSize(text, at);
  const uint32_t lead = byte(0);
  if (lead < 0xC0) return lead;
  switch (size) {
    case 2:
      return (lead & 0x1F) << 6 | (byte(1) & 0x3F);
    case 3:
      return (lead & 0x0F) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3F);
    case 4:
      return (lead & 0x07) << 18 | (byte(1) & 0x3FU) << 12 | (byte(2) & 0x3FU) << 6 |
             (byte(3) & 0x3F);
    default:
      return lead;
  }
}

void AppendCodePoint(uint32_t code, std::string& out) {
  const auto put = [&out](uint32_t b) { out += static_cast<char>(b); };
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

uint32_t ToUpper(uint32_t code) {
  if (code < 0x80) return code >= 'a' && code <= 'z' ? code - 32 : code;
  return MapToUpper(code);
}

uint32_t ToLower(uint32_t code) {
  if (code < 0x80) return code >= 'A' && code <= 'Z' ? code + 32 : code;
  return MapToLower(code);
}

bool IsAlphanumeric(uint32_t code) {
  if (code < 0x80) {
    return (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') ||
           (code >= 'a' && code <= 'z');
  }
  // Letters without case (CJK and so on) start at U+0370 in blocks of letters; below that, the
  // signs of Latin-1 are the exceptions.
  if (code < 0x100)
    return code >= 0xC0 ? code != 0xD7 && code != 0xF7
                        : code == 0xAA || code == 0xB5 || code == 0xBA;
  return code < 0x2000 || (code >= 0x2C00 && code < 0x3000) || code >= 0x3040;
}

namespace {

template <typename Map>
void AppendMapped(std::string_view text, Map map, std::string& out) {
  out.reserve(out.size() + text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t size = CharacterSize(text, at);
    const uint32_t code = CodePointAt(text, at);
    const uint32_t mapped = map(code);
    if (mapped == code) {
      out.append(text, at, size);
    } else {
      AppendCodePoint(mapped, out);
    }
    at += size;
  }
}

}  // namespace

void AppendUpper(std::string_view text, std::string& out) {
  AppendMapped(text, &ToUpper, out);
}

void AppendLower(std::string_view text, std::string& out) {
  AppendMapped(text, &ToLower, out);
}

}  // namespace headrace::expr
