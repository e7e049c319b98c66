#include "os/random.h"

#include <set>

#include <gtest/gtest.h>

#include "os/clock.h"

namespace headrace::os {
namespace {

TEST(RandomTest, TheSameSeedGivesTheSameBits) {
  SeededRandom a(7);
  SeededRandom b(7);
  SeededRandom c(8);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    uint64_t bits = a.Next();
    EXPECT_EQ(bits, b.Next());
    differs |= bits != c.Next();
  }
  EXPECT_TRUE(differs);
}

TEST(RandomTest, BelowReachesEveryValueAndNothingElse) {
  SeededRandom random(1);
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i)
    seen.insert(random.Below(10));
  EXPECT_EQ(seen.size(), 10U);
  EXPECT_EQ(*seen.rbegin(), 9U);
  EXPECT_EQ(random.Below(0), 0U);
}

TEST(RandomTest, TheSystemDoesNotRepeatItself) {
  SystemRandom random;
  std::set<uint64_t> seen;
  for (int i = 0; i < 100; ++i)
    seen.insert(random.Next());
  EXPECT_EQ(seen.size(), 100U);
}

TEST(ClockTest, ManualTimeMovesOnlyWhenTold) {
  ManualClock clock(5);
  EXPECT_EQ(clock.NowMicros(), 5);
  clock.Advance(10);
  EXPECT_EQ(clock.NowMicros(), 15);
  EXPECT_EQ(clock.MonotonicNanoseconds(), 15000);
}

TEST(ClockTest, SystemTimeIsMicrosecondsSince1970) {
  SystemClock clock;
  EXPECT_GT(clock.NowMicros(), int64_t{1'600'000'000} * 1'000'000);
  EXPECT_LT(clock.NowMicros(), int64_t{10'000'000'000} * 1'000'000);
  int64_t before = clock.MonotonicNanoseconds();
  EXPECT_LE(before, clock.MonotonicNanoseconds());
}

}  // namespace
}  // namespace headrace::os
