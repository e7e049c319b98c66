#pragma once

#include <cstdint>

namespace headrace::forest {

// Instructions beyond those that the whole program is compiled for. They change how long a score
// takes, never its bits: a function that uses them is compiled for them by its attribute, and
// called only where the processor has them.
// Each includes those before it.
enum class Simd : uint8_t { kBase, kAvx2, kAvx512 };

// The most that this processor and its operating system offer.
Simd BestSimd();

#define HR_AVX2 __attribute__((target("avx2,bmi,popcnt")))
#define HR_AVX512 \
  __attribute__((target("avx2,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,bmi,popcnt")))
// Called by functions with HR_AVX512 only, and always a part of them.
#define HR_AVX512_INLINE HR_AVX512 __attribute__((always_inline)) inline

}  // namespace headrace::forest
