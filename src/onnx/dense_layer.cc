#include "onnx/dense_layer.h"

#include <algorithm>
#include <cmath>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace headrace::onnx {
namespace {

// The sums of one lane; `weights` has `width` for each input.
using LaneFunction = void (*)(const double* x, size_t inputs, const float* weights, size_t width,
                              float* sums);

void SumLanePlainly(const double* x, size_t inputs, const float* weights, size_t width,
                    float* sums) {
  std::fill_n(sums, width, 0.0F);
  for (size_t i = 0; i < inputs; ++i, weights += width) {
    const auto value = static_cast<float>(x[i]);
    for (size_t o = 0; o < width; ++o) {
      sums[o] = std::fma(value, weights[o], sums[o]);
    }
  }
}

#if defined(__x86_64__)
#define HR_FUSED __attribute__((target("avx2,fma")))

HR_FUSED void SumWide(const double* x, size_t inputs, const float* weights, float* sums) {
  static_assert(DenseLayer::kWide == 32);
  __m256 a = _mm256_setzero_ps();
  __m256 b = a;
  __m256 c = a;
  __m256 d = a;
  for (size_t i = 0; i < inputs; ++i, weights += DenseLayer::kWide) {
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

HR_FUSED void SumNarrow(const double* x, size_t inputs, const float* weights, float* sums) {
  static_assert(DenseLayer::kNarrow == 8);
  __m256 a = _mm256_setzero_ps();
  for (size_t i = 0; i < inputs; ++i, weights += DenseLayer::kNarrow) {
    const __m256 value = _mm256_set1_ps(static_cast<float>(x[i]));
    a = _mm256_fmadd_ps(value, _mm256_loadu_ps(weights), a);
  }
  _mm256_storeu_ps(sums, a);
}

HR_FUSED void SumFew(const double* x, size_t inputs, const float* weights, size_t width,
                     float* sums) {
  __m128 lane[DenseLayer::kNarrow];
  std::fill_n(lane, DenseLayer::kNarrow, _mm_setzero_ps());
  for (size_t i = 0; i < inputs; ++i, weights += width) {
    const __m128 value = _mm_set_ss(static_cast<float>(x[i]));
    for (size_t o = 0; o < width; ++o) {
      lane[o] = _mm_fmadd_ss(value, _mm_load_ss(weights + o), lane[o]);
    }
  }
  for (size_t o = 0; o < width; ++o) {
    _mm_store_ss(sums + o, lane[o]);
  }
}
#undef HR_FUSED

void SumLane(const double* x, size_t inputs, const float* weights, size_t width, float* sums) {
  if (width == DenseLayer::kWide) return SumWide(x, inputs, weights, sums);
  if (width == DenseLayer::kNarrow) return SumNarrow(x, inputs, weights, sums);
  SumFew(x, inputs, weights, width, sums);
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
  for (size_t begin = 0; begin < layer.outputs();) {
    const size_t width = layer.LaneAt(begin);
    sum_lane(x, layer.inputs(), weights + begin * layer.inputs(), width, sums + begin);
    begin += width;
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

}  // namespace headrace::onnx
