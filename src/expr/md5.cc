#include "expr/md5.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace headrace::expr {
namespace {

constexpr int kShifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

// floor(2^32 * |sin(i + 1)|)
uint32_t Constant(int i) {
  return static_cast<uint32_t>(std::floor(std::fabs(std::sin(i + 1.0)) * 4294967296.0));
}

void Round(const char* block, uint32_t (&state)[4]) {
  uint32_t words[16];
  std::memcpy(words, block, sizeof(words));
  uint32_t a = state[0];
  uint32_t b = state[1];
  uint32_t c = state[2];
  uint32_t d = state[3];
  for (int i = 0; i < 64; ++i) {
    uint32_t f = 0;
    int word = 0;
    switch (i / 16) {
      case 0:
        f = (b & c) | (~b & d);
        word = i;
        break;
      case 1:
        f = (d & b) | (~d & c);
        word = (5 * i + 1) % 16;
        break;
      case 2:
        f = b ^ c ^ d;
        word = (3 * i + 5) % 16;
        break;
      default:
        f = c ^ (b | ~d);
        word = (7 * i) % 16;
    }
    const uint32_t rotated = std::rotl(a + f + Constant(i) + words[word], kShifts[i / 16][i % 4]);
    a = d;
    d = c;
    c = b;
    b += rotated;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

}  // namespace

std::string Md5Hex(std::string_view bytes) {
  uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  std::string padded(bytes);
  padded += '\x80';
  padded.append((120 - padded.size() % 64) % 64, '\0');
  const uint64_t bits = uint64_t{bytes.size()} * 8;
  padded.append(reinterpret_cast<const char*>(&bits), sizeof(bits));
  for (size_t at = 0; at < padded.size(); at += 64)
    Round(padded.data() + at, state);
  std::string hex;
  for (uint32_t word : state) {
    for (int i = 0; i < 4; ++i, word >>= 8) {
      hex += "0123456789abcdef"[word >> 4 & 15];
      hex += "0123456789abcdef"[word & 15];
    }
  }
  return hex;
}

}  // namespace headrace::expr
