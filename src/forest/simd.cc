#include "forest/simd.h"

namespace headrace::forest {

Simd BestSimd() {
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("popcnt");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  if (!avx2) return Simd::kBase;
  return avx512 ? Simd::kAvx512 : Simd::kAvx2;
}

}  // namespace headrace::forest
