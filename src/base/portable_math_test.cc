#include "base/portable_math.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace headrace::base {
namespace {

TEST(PortableMath, ExpAndLogAreThoseOfTheLibraryToTwoUnits) {
  std::mt19937_64 draws(1);
  for (int i = 0; i < 200'000; ++i) {
    const double x = (static_cast<double>(draws() >> 11) * 0x1p-53 - 0.5) * (i % 2 == 0 ? 2 : 1390);
    const double want = std::exp(x);
    EXPECT_NEAR(want, Exp(x), 2 * std::ldexp(want, -52)) << x;
    const double log = std::log(want);
    EXPECT_NEAR(log, Log(want), 2 * std::ldexp(std::max(std::abs(log), 1e-3), -52)) << want;
  }
  EXPECT_EQ(1, Exp(0));
  EXPECT_EQ(0, Log(1));
  EXPECT_EQ(Exp(700), Exp(1e300));
  EXPECT_EQ(Exp(-700), Exp(-1e300));
  EXPECT_TRUE(std::isnan(Exp(std::nan(""))));
}

TEST(PortableMath, SigmoidStaysBetweenZeroAndOne) {
  EXPECT_EQ(0.5, Sigmoid(0));
  EXPECT_EQ(1, Sigmoid(1e9));
  EXPECT_GT(Sigmoid(-1e9), 0);
  EXPECT_LT(Sigmoid(-1e9), 1e-300);
}

TEST(PortableMath, ErfIsThatOfTheLibrary) {
  for (double x = -7; x < 7; x += 1.0 / 4096)
    EXPECT_NEAR(std::erf(x), Erf(x), 1e-15) << x;
  EXPECT_EQ(0, Erf(0));
  EXPECT_EQ(1, Erf(HUGE_VAL));
  EXPECT_EQ(-1, Erf(-HUGE_VAL));
  EXPECT_TRUE(std::isnan(Erf(std::nan(""))));
}

}  // namespace
}  // namespace headrace::base
