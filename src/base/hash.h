#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace headrace::base {

// 64-bit hash of bytes (XXH3). The same on every machine; part of the on-disk formats.
uint64_t Hash64(std::string_view bytes, uint64_t seed = 0);

// Mixes an integer over all 64 bits (splitmix64 finalizer).
inline uint64_t MixHash(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// CRC-32C (Castagnoli), as in Kafka's RecordBatch and our journal. `crc` chains calls.
uint32_t Crc32c(std::string_view bytes, uint32_t crc = 0);

// SHA-256 as 64 lower-case hex digits (FIPS 180-4). Names model versions.
std::string Sha256Hex(std::string_view bytes);

}  // namespace headrace::base
