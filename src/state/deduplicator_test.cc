#include <cstdlib>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "state/group_table.h"
#include "state/test_spill.h"

namespace headrace::state {
namespace {

TEST(DeduplicatorTest, TheFirstArrivalWinsWithinTheHorizonBothWays) {
  Deduplicator seen(100, 10);
  EXPECT_FALSE(seen.IsRepeat("a", 1000, INT64_MIN));
  EXPECT_TRUE(seen.IsRepeat("a", 1100, 990));
  EXPECT_TRUE(seen.IsRepeat("a", 1000, 1000));
  EXPECT_TRUE(seen.IsRepeat("a", 900, 900));
  EXPECT_FALSE(seen.IsRepeat("a", 1101, 1000));
  EXPECT_FALSE(seen.IsRepeat("b", 1101, 1000));
}

TEST(DeduplicatorTest, EqualsBruteForceAndStaysSmallAndSurvivesSaving) {
  constexpr int64_t kHorizon = 500;
  constexpr int64_t kLateness = 50;
  auto seen = std::make_unique<Deduplicator>(kHorizon, kLateness);
  std::multimap<std::string, int64_t> remembered;
  std::mt19937_64 random(9);
  int64_t newest = 0;
  size_t most = 0;
  for (int64_t i = 0; i < 60000; ++i) {
    int64_t time = i - static_cast<int64_t>(random() % 40);
    std::string key =
        "transaction-number-" + std::to_string(i / 3 - static_cast<int64_t>(random() % 300));
    bool repeat = false;
    auto [from, to] = remembered.equal_range(key);
    for (auto it = from; it != to; ++it)
      repeat = repeat || std::abs(it->second - time) <= kHorizon;
    if (!repeat) remembered.emplace(key, time);
    ASSERT_EQ(seen->IsRepeat(key, time, newest - 10), repeat) << i;
    newest = std::max(newest, time);
    most = std::max(most, seen->bytes());
    if (i % 20000 == 7) {
      std::string saved;
      seen->Save(saved);
      seen = std::make_unique<Deduplicator>(kHorizon, kLateness);
      ASSERT_TRUE(seen->Load(saved).ok());
      std::string again;
      seen->Save(again);
      EXPECT_EQ(again, saved);
    }
  }
  EXPECT_LT(most, size_t{400} << 10);
}

TEST(DeduplicatorTest, DamagedStateIsRefused) {
  Deduplicator seen(100, 10);
  EXPECT_FALSE(seen.IsRepeat("a", 1000, 900));
  std::string saved;
  seen.Save(saved);
  for (size_t at = 0; at < saved.size(); ++at) {
    std::string damaged = saved;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_FALSE(seen.Load(damaged).ok());
    EXPECT_FALSE(seen.Load(saved.substr(0, at)).ok());
  }
  EXPECT_FALSE(seen.IsRepeat("a", 1000, 900));
}

TEST(DeduplicatorTest, WhatIsPutOutToAFileDoesNotShow) {
  constexpr int64_t kHorizon = 200'000;
  auto spill = SpillOfNothing();
  auto spilled = std::make_unique<Deduplicator>(kHorizon, 0, spill.get());
  Deduplicator whole(kHorizon, 0);
  std::mt19937_64 random(5);
  std::vector<std::string> keys(100);
  size_t repeats = 0;
  for (int64_t i = 0; i < 300'000; i += 100) {
    for (std::string& key : keys)
      key = "transaction-number-" + std::to_string(i + static_cast<int64_t>(random() % 30'000));
    spilled->Expect(keys);
    for (const std::string& key : keys) {
      const bool repeat = whole.IsRepeat(key, i, i);
      ASSERT_EQ(spilled->IsRepeat(key, i, i), repeat);
      repeats += repeat;
    }
    if (i % 10'000 == 0) spill->KeepWithin();
  }
  EXPECT_GT(repeats, 10'000U);
  EXPECT_GT(spill->put_out(), spill->bytes());
  EXPECT_GT(spill->fetched(), 0U);
  std::string expected;
  std::string saved;
  whole.Save(expected);
  spilled->Save(saved);
  EXPECT_EQ(saved, expected);
  spilled.reset();
  EXPECT_EQ(spill->bytes(), 0U);
}

}  // namespace
}  // namespace headrace::state
