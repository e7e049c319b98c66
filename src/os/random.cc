#include "os/random.h"

#include <sys/random.h>

#include "base/hash.h"
#include "headrace/check.h"

namespace headrace::os {

uint64_t Random::Below(uint64_t bound) {
  if (bound == 0) return 0;
  // The high half of the product is uniform up to 2^-64 * bound, far below what a test can see.
  return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * bound) >> 64);
}

uint64_t SystemRandom::Next() {
  uint64_t bits = 0;
  // Up to 256 bytes are never short once the pool is seeded, and it only blocks before that.
  ssize_t got = getrandom(&bits, sizeof bits, 0);
  while (got < 0)
    got = getrandom(&bits, sizeof bits, 0);
  HR_CHECK(got == static_cast<ssize_t>(sizeof bits));
  return bits;
}

uint64_t SeededRandom::Next() {
  std::lock_guard lock(mutex_);
  uint64_t bits = base::MixHash(state_);
  state_ += 0x9e3779b97f4a7c15ULL;
  return bits;
}

}  // namespace headrace::os
