#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <immintrin.h>

#include "forest/simd.h"

namespace headrace::forest {

// Rising numbers, and how many of them are below a value. Two searches with the same answer, each
// over a layout of its own, neither with a branch that depends on the value. Immutable,
// thread-safe.
class Thresholds {
 public:
  Thresholds() = default;
  // `rising`: without repeats and NaN.
  explicit Thresholds(const std::vector<double>& rising);

  // Not for NaN (any answer).
  uint32_t CountBelow(double x) const {
    // As integers, because a compare and a conditional move take a third of the time of their
    // floating-point counterparts.
    const int64_t key = KeyOf(x);
    const int64_t* below = keys_.data();
    for (uint32_t half = half_; half != 0; half /= 2) {
      const int64_t* above = below + half;
      below = above[-1] < key ? above : below;
    }
    return static_cast<uint32_t>(below - keys_.data());
  }

  // Compares with eight at a time: two or three dependent steps instead of seven to twelve.
  HR_AVX512_INLINE uint32_t CountBelow512(double x) const {
    const __m512d value = _mm512_set1_pd(x);
    const Eight* level = eights_.data();
    uint32_t at = 0;
    for (uint32_t i = 0; i < top_; ++i) {
      at += CountIn(level[i], value);
    }
    level += top_;
    if (middle_ != 0) {
      at = 8 * at + CountIn(level[at], value);
      level += middle_;
    }
    return 8 * at + CountIn(level[at], value);
  }

 private:
  // One line of a cache.
  struct alignas(64) Eight {
    std::array<double, 8> numbers;
  };

  HR_AVX512_INLINE static uint32_t CountIn(const Eight& eight, __m512d value) {
    const __m512d numbers = _mm512_load_pd(eight.numbers.data());
    return static_cast<uint32_t>(
        __builtin_popcount(_mm512_cmp_pd_mask(numbers, value, _CMP_LT_OQ)));
  }

  // An integer that orders like the double; both zeros have the same.
  static int64_t KeyOf(double x) {
    const auto bits = std::bit_cast<int64_t>(x + 0.0);
    return bits ^ ((bits >> 63) & INT64_MAX);
  }

  // Appends `numbers` in eights, filled up with infinity; there is always one that is not full.
  uint32_t AppendLevel(const std::vector<double>& numbers);

  std::vector<int64_t> keys_;  // KeyOf, padded with the largest to 2 half_ - 1
  uint32_t half_ = 0;          // a power of two, or 0 without thresholds
  // The levels of a tree that says which eight to look at next: the last of every full eight of the
  // level below is a number of the level above. The topmost is looked through from end to end.
  std::vector<Eight> eights_;
  uint32_t top_ = 0;     // eights of the topmost level
  uint32_t middle_ = 0;  // and of one between it and the thresholds, or 0
};

}  // namespace headrace::forest
