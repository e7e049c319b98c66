// Both searches must count like std::lower_bound, at, beside and between thresholds.
#include "forest/thresholds.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace headrace::forest {
namespace {

HR_AVX512 uint32_t Count512(const Thresholds& thresholds, double x) {
  return thresholds.CountBelow512(x);
}

void ExpectCount(const Thresholds& thresholds, const std::vector<double>& rising, double x) {
  const auto want = std::lower_bound(rising.begin(), rising.end(), x) - rising.begin();
  ASSERT_EQ(want, thresholds.CountBelow(x)) << x << " among " << rising.size();
  if (BestSimd() != Simd::kAvx512) return;
  ASSERT_EQ(want, Count512(thresholds, x)) << x << " among " << rising.size();
}

TEST(Thresholds, AreCountedAlikeByEverySearch) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  // Around every size at which a level gets another eight, or the search another level.
  for (const size_t size : {0,   1,   7,   8,   9,   63,  64,   65,   127,  128,   190,
                            191, 192, 193, 500, 511, 512, 1535, 1536, 4096, 60'000}) {
    std::vector<double> rising;
    for (size_t i = 0; i < size; ++i) {
      rising.push_back((static_cast<double>(i) - static_cast<double>(size) / 3) / 7);
    }
    const Thresholds thresholds(rising);
    for (const double x : {-kInfinity, -0.0, 0.0, 1e-40, 1e300, kInfinity}) {
      ExpectCount(thresholds, rising, x);
    }
    for (const double at : rising) {
      ExpectCount(thresholds, rising, at);
      ExpectCount(thresholds, rising, std::nextafter(at, kInfinity));
      ExpectCount(thresholds, rising, std::nextafter(at, -kInfinity));
    }
  }
}

TEST(Thresholds, MayBeInfinite) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<double> rising = {-kInfinity, 0, kInfinity};
  for (const double x : {-kInfinity, -1.0, 0.0, 1.0, kInfinity}) {
    ExpectCount(Thresholds(rising), rising, x);
  }
}

}  // namespace
}  // namespace headrace::forest
