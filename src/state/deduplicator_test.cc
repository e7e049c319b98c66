#include <cstdlib>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "state/group_table.h"
#include "state/test_pages.h"
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

std::string Saved(const Deduplicator& seen) {
  std::string saved;
  seen.Save(saved);
  return saved;
}

// Three snapshots that are taken page by page while keys come and go hold the moments they began.
TEST(DeduplicatorTest, PagesKeepTheMomentWhileKeysComeAndGo) {
  constexpr int64_t kHorizon = 3000;
  Deduplicator seen(kHorizon, 0);
  std::mt19937_64 random(3);
  int64_t time = 0;
  const auto feed = [&](int64_t count) {
    for (const int64_t end = time + count; time < end; ++time) {
      const int64_t number = time - static_cast<int64_t>(random() % 900);
      seen.IsRepeat("transaction-number-" + std::to_string(number), time, time - 10);
    }
  };
  feed(20'000);
  StoredPages stored;
  for (bool whole : {true, false, false}) {
    stored.Begin(seen, whole);
    const std::string expected = Saved(seen);
    for (bool more = true; more;) {
      more = stored.Take(seen, 1);
      feed(whole ? 150 : 20);
    }
    Deduplicator loaded(kHorizon, 0);
    stored.LoadInto(loaded);
    EXPECT_EQ(Saved(loaded), expected);
    StoredPages again;
    again.Begin(loaded, true);
    again.TakeAll(loaded);
    EXPECT_EQ(again.pages().size(), stored.pages().size());
  }
  // What has not changed is not written again.
  stored.Begin(seen, false);
  stored.TakeAll(seen);
  feed(10);
  stored.Begin(seen, false);
  stored.TakeAll(seen);
  EXPECT_LT(stored.written(), 4U);
  EXPECT_GT(stored.pages().size(), 8U);
}

TEST(DeduplicatorTest, APageIsTheBytesOfItsDescription) {
  Deduplicator seen(100, 10);
  EXPECT_FALSE(seen.IsRepeat("a", 1000, 900));
  StoredPages stored;
  stored.Begin(seen, true);
  stored.TakeAll(seen);
  EXPECT_EQ(stored.pages().at(0), std::string("\x01\x00\x01\x61\xd0\x0f", 6));
}

TEST(DeduplicatorTest, DamagedPagesAreRefused) {
  Deduplicator seen(100, 10);
  for (const char* key : {"a", "a key that is longer than fifteen bytes", ""})
    EXPECT_FALSE(seen.IsRepeat(key, 1000, 900));
  StoredPages stored;
  stored.Begin(seen, true);
  stored.TakeAll(seen);
  ExpectDamagedPagesAreRefused(stored, [] { return std::make_unique<Deduplicator>(100, 10); });
}

}  // namespace
}  // namespace headrace::state
