#include "base/portable_math.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
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

// 1/23, 1/21, ... 1/3
constexpr auto kInverseOddPowers = [] {
  std::array<double, 11> inverse{};
  for (size_t i = 0; i < inverse.size(); ++i)
    inverse[i] = 1.0 / static_cast<double>(23 - 2 * i);
  return inverse;
}();

double PowerOfTwo(int64_t exponent) {
  return std::bit_cast<double>((exponent + kExponentBias) << kMantissaBits);
}

// The three ranges of erf in Cody's paper: erf(x) / x from x * x, and erfc(x) e^(x * x).
double NearErf(double square) {
  constexpr std::array<double, 3> kA{3.16112374387056560e00, 1.13864154151050156e02,
                                     3.77485237685302021e02};
  constexpr std::array<double, 3> kB{2.36012909523441209e01, 2.44024637934444173e02,
                                     1.28261652607737228e03};
  double above = 1.85777706184603153e-1 * square;
  double below = square;
  for (size_t i = 0; i < kA.size(); ++i) {
    above = (above + kA[i]) * square;
    below = (below + kB[i]) * square;
  }
  return (above + 3.20937758913846947e03) / (below + 2.84423683343917062e03);
}

double MiddleErfc(double x) {
  constexpr std::array<double, 7> kC{5.64188496988670089e-1, 8.88314979438837594e00,
                                     6.61191906371416295e01, 2.98635138197400131e02,
                                     8.81952221241769090e02, 1.71204761263407058e03,
                                     2.05107837782607147e03};
  constexpr std::array<double, 7> kD{1.57449261107098347e01, 1.17693950891312499e02,
                                     5.37181101862009858e02, 1.62138957456669019e03,
                                     3.29079923573345963e03, 4.36261909014324716e03,
                                     3.43936767414372164e03};
  double above = 2.15311535474403846e-8 * x;
  double below = x;
  for (size_t i = 0; i < kC.size(); ++i) {
    above = (above + kC[i]) * x;
    below = (below + kD[i]) * x;
  }
  return (above + 1.23033935479799725e03) / (below + 1.23033935480374942e03);
}

double FarErfc(double x) {
  constexpr double kInverseRootPi = 5.6418958354775628695e-1;
  constexpr std::array<double, 4> kP{3.05326634961232344e-1, 3.60344899949804439e-1,
                                     1.25781726111229246e-1, 1.60837851487422766e-2};
  constexpr std::array<double, 4> kQ{2.56852019228982242e00, 1.87295284992346725e00,
                                     5.27905102951428412e-1, 6.05183413124413191e-2};
  const double square = 1 / (x * x);
  double above = 1.63153871373020978e-2 * square;
  double below = square;
  for (size_t i = 0; i < kP.size(); ++i) {
    above = (above + kP[i]) * square;
    below = (below + kQ[i]) * square;
  }
  const double rest = square * (above + 6.58749161529837803e-4) / (below + 2.33520497626869185e-3);
  return (kInverseRootPi - rest) / x;
}

}  // namespace

// x = k ln 2 + r with |r| <= ln 2 / 2, then the series of e^r up to r^13.
double Exp(double x) {
  if (std::isnan(x)) return x;
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
  for (double inverse : kInverseOddPowers)
    sum = (sum + inverse) * square;
  const auto exponent = static_cast<double>(k);
  return exponent * kLn2High + (exponent * kLn2Low + 2 * s * sum + 2 * s);
}

double Sigmoid(double x) {
  return 1 / (1 + Exp(-x));
}

double Erf(double x) {
  const double size = std::abs(x);
  if (size <= 0.46875) return x * NearErf(x * x);
  if (!(size < 6)) return x > 0 ? 1 : (x < 0 ? -1 : x);
  const double rest = (size <= 4 ? MiddleErfc(size) : FarErfc(size)) * Exp(-size * size);
  return x > 0 ? 1 - rest : rest - 1;
}

}  // namespace headrace::base
