#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/hash.h"

namespace headrace::state {

// Bytes that end with the CRC-32C (u32, little-endian) of what stands before it: `body` becomes
// that. Otherwise what is wrong with them; null: nothing.
inline const char* TakeBody(std::string_view bytes, std::string_view* body) {
  if (bytes.size() < sizeof(uint32_t)) return "shorter than its checksum";
  *body = bytes.substr(0, bytes.size() - sizeof(uint32_t));
  base::ByteReader tail(bytes.substr(body->size()));
  return tail.U32Le() == base::Crc32c(*body) ? nullptr : "the checksum does not match";
}

}  // namespace headrace::state
