#include "base/portable_math.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace headrace::base {
namespace {

constexpr double kLog2E = 1.4426950408889634074;
// ln 2 in two parts; the first has 33 bits, so that its product with an exponent is exact.
constexpr double kLn2High = 6.93147180369123816490e-01;
constexpr double kLn2Low = 1.90821492927058770002e-10;
// Adding and taking away 1.5 * 2^52 rounds to a whole number.
constexpr double kRounder = 6755399441055744.0;
constexpr int64_t kExponentBias = 1023;
constexpr int kMantissaBits = 52;

constexpr size_t kExpTerms = 13;
constexpr auto kInverseFactorials = [] {
  std::array<double, kExpTerms + 1> inverse{};
  double factorial = 1;
  for (size_t i = 0; i <= kExpTerms; ++i) {
    factorial *= i == 0 ? 1 : static_cast<double>(i);
    inverse[i] = 1 / factorial;
  }
  return inverse;
}();

double PowerOfTwo(int64_t exponent) {
  return std::bit_cast<double>((exponent + kExponentBias) << kMantissaBits);
}

}  // namespace

// x = k ln 2 + r with |r| <= ln 2 / 2, then the series of e^r up to r^13.
double Exp(double x) {
  x = std::clamp(x, -700.0, 700.0);
  const double k = (x * kLog2E + kRounder) - kRounder;
  const double r = (x - k * kLn2High) - k * kLn2Low;
  double sum = kInverseFactorials[kExpTerms];
  for (size_t i = kExpTerms; i-- > 0;)
    sum = sum * r + kInverseFactorials[i];
  return sum * PowerOfTwo(static_cast<int64_t>(k));
}

// x = 2^k m with m in [1/sqrt 2, sqrt 2), then log m = 2 atanh((m - 1) / (m + 1)).
double Log(double x) {
  const auto bits = std::bit_cast<int64_t>(x);
  int64_t k = (bits >> kMantissaBits) - kExponentBias;
  double m = std::bit_cast<double>((bits & ((int64_t{1} << kMantissaBits) - 1)) |
                                   (kExponentBias << kMantissaBits));
  if (m > 1.4142135623730951) {
    m /= 2;
    ++k;
  }
  const double s = (m - 1) / (m + 1);
  const double square = s * s;
  double sum = 0;
  for (int power = 23; power >= 3; power -= 2) {
    sum = (sum + 1.0 / power) * square;
  }
  const auto exponent = static_cast<double>(k);
  return exponent * kLn2High + (exponent * kLn2Low + 2 * s * sum + 2 * s);
}

double Sigmoid(double x) {
  return 1 / (1 + Exp(-x));
}

}  // namespace headrace::base
