#include "model/dense_layer.h"

#include <algorithm>
#include <array>
#include <cmath>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace headrace::model {
namespace {

using Sums = std::array<float, DenseLayer::kLane>;

// The sums of one lane; `weights` has a lane for each input.
using LaneFunction = void (*)(const double* x, size_t inputs, const float* weights, float* sums);

void SumLanePlainly(const double* x, size_t inputs, const float* weights, float* sums) {
  std::fill_n(sums, DenseLayer::kLane, 0.0F);
  for (size_t i = 0; i < inputs; ++i, weights += DenseLayer::kLane) {
    const auto value = static_cast<float>(x[i]);
    for (size_t o = 0; o < DenseLayer::kLane; ++o) {
      sums[o] = std::fma(value, weights[o], sums[o]);
    }
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) void SumLane(const double* x, size_t inputs,
                                                 const float* weights, float* sums) {
  static_assert(DenseLayer::kLane == 32);
  __m256 a = _mm256_setzero_ps();
  __m256 b = a;
  __m256 c = a;
  __m256 d = a;
  for (size_t i = 0; i < inputs; ++i, weights += DenseLayer::kLane) {
    const __m256 value = _mm256_set1_ps(static_cast<float>(x[i]));
    a = _mm256_fmadd_ps(value, _mm256_loadu_ps(weights), a);
    b = _mm256_fmadd_ps(value, _mm256_loadu_ps(weights + 8), b);
    c = _mm256_fmadd_ps(value, _mm256_loadu_ps(weights + 16), c);
    d = _mm256_fmadd_ps(value, _mm256_loadu_ps(weights + 24), d);
  }
  _mm256_storeu_ps(sums, a);
  _mm256_storeu_ps(sums + 8, b);
  _mm256_storeu_ps(sums + 16, c);
  _mm256_storeu_ps(sums + 24, d);
}

LaneFunction FastestLane() {
  const bool fused = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  return fused ? SumLane : SumLanePlainly;
}
#else
LaneFunction FastestLane() {
  return SumLanePlainly;
}
#endif

void MultiplyBy(LaneFunction sum_lane, const DenseLayer& layer, const float* weights,
                const double* x, float* sums) {
  Sums lane;
  for (size_t begin = 0; begin < layer.outputs(); begin += DenseLayer::kLane) {
    sum_lane(x, layer.inputs(), weights, lane.data());
    weights += layer.inputs() * DenseLayer::kLane;
    std::copy_n(lane.data(), std::min(DenseLayer::kLane, layer.outputs() - begin), sums + begin);
  }
}

}  // namespace

void DenseLayer::Multiply(const double* x, float* sums) const {
  static const LaneFunction kSumLane = FastestLane();
  MultiplyBy(kSumLane, *this, weights_.data(), x, sums);
}

void DenseLayer::MultiplyPlainly(const double* x, float* sums) const {
  MultiplyBy(SumLanePlainly, *this, weights_.data(), x, sums);
}

}  // namespace headrace::model
