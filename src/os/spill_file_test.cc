#include "os/spill_file.h"

#include <algorithm>
#include <cstring>
#include <thread>

#include <gtest/gtest.h>

namespace headrace::os {
namespace {

constexpr size_t kRegion = SpillFile::kRegionBytes;

std::unique_ptr<SpillFile> Open(uint64_t limit, SpillFile::Measure measure = ResidentBytes) {
  return SpillFile::Create("/tmp", limit, std::move(measure)).value();
}

TEST(SpillFile, KeepsWhatWasWrittenWhileMostOfItIsPutOut) {
  constexpr size_t kRegions = 128;
  const uint64_t program = ResidentBytes();
  const uint64_t limit = program + 32 * kRegion;
  auto spill = Open(limit);
  std::vector<char*> regions;
  for (size_t i = 0; i < kRegions; ++i) {
    char* region = spill->Take();
    ASSERT_NE(region, nullptr);
    std::memset(region, static_cast<int>(i + 1), kRegion);
    regions.push_back(region);
    spill->KeepWithin();
    EXPECT_LE(spill->resident(), limit);
  }
  EXPECT_FALSE(spill->full());
  EXPECT_EQ(spill->bytes(), kRegions * kRegion);
  EXPECT_GT(spill->put_out(), kRegions * kRegion / 2);
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < kRegions; ++i) {
      for (size_t at = 0; at < kRegion; at += 4093)
        ASSERT_EQ(regions[i][at], static_cast<char>(i + 1));
      spill->KeepWithin();
    }
  }
}

TEST(SpillFile, PutsOutFirstWhatWasNotUsed) {
  const uint64_t program = ResidentBytes();
  auto spill = Open(program + 24 * kRegion);
  char* used = spill->Take(8 * kRegion);
  char* unused = spill->Take(32 * kRegion);
  for (size_t at = 0; at < 8 * kRegion; at += SpillFile::kPageBytes) {
    used[at] = 1;
    EXPECT_FALSE(spill->Use(used + at));
    EXPECT_FALSE(spill->Use(used + at));
  }
  for (size_t at = 0; at < 32 * kRegion; at += SpillFile::kPageBytes)
    unused[at] = 2;
  spill->KeepWithin();
  size_t out_of_used = 0;
  std::vector<const char*> wanted;
  for (size_t at = 0; at < 8 * kRegion; at += SpillFile::kPageBytes)
    out_of_used += spill->Use(used + at);
  for (size_t at = 0; at < 32 * kRegion; at += SpillFile::kPageBytes) {
    if (spill->Use(unused + at)) wanted.push_back(unused + at);
  }
  EXPECT_EQ(out_of_used, 0U);
  EXPECT_GT(wanted.size(), 16 * kRegion / SpillFile::kPageBytes);
  spill->Fetch(wanted);
  EXPECT_EQ(spill->fetched(), wanted.size());
  for (const char* at : wanted) {
    EXPECT_EQ(*at, 2);
    EXPECT_FALSE(spill->Use(at)) << "it was told once";
  }
}

TEST(SpillFile, SaysNothingOfOtherMemory) {
  auto spill = Open(1 << 20);
  int elsewhere = 0;
  EXPECT_FALSE(spill->Use(&elsewhere));
  EXPECT_FALSE(spill->Use(nullptr));
}

TEST(SpillFile, GivesRunsOutAgainAndTheyAreZero) {
  auto spill = Open(64 << 20);
  char* run = spill->Take(3 * kRegion - 5);
  std::memset(run, 7, 3 * kRegion);
  char* region = spill->Take();
  EXPECT_EQ(spill->bytes(), 4 * kRegion);
  spill->Give(run, 3 * kRegion - 5);
  EXPECT_EQ(spill->bytes(), kRegion);
  char* first = spill->Take();
  char* rest = spill->Take(2 * kRegion);
  EXPECT_EQ(first, run);
  EXPECT_EQ(rest, run + kRegion);
  EXPECT_TRUE(std::all_of(run, run + 3 * kRegion, [](char c) { return c == 0; }));
  EXPECT_NE(spill->Take(), region);
}

// What others take leaves less for pages, and at last nothing may come.
TEST(SpillFile, IsFullWhenTheRestOfTheProcessTakesItAll) {
  constexpr uint64_t kLimit = 64 << 20;
  uint64_t others = 0;
  auto spill = Open(kLimit, [&others] { return others; });
  char* run = spill->Take();
  run[0] = 3;
  spill->KeepWithin();
  EXPECT_FALSE(spill->full());
  EXPECT_EQ(spill->put_out(), 0U);
  others = kLimit + 1;
  spill->KeepWithin();
  EXPECT_TRUE(spill->full());
  EXPECT_EQ(spill->resident(), kLimit + 1);
  EXPECT_EQ(spill->put_out(), SpillFile::kPageBytes) << "the page that was touched";
  EXPECT_EQ(run[0], 3);
  others = kLimit;
  spill->KeepWithin();
  EXPECT_TRUE(spill->full()) << "at the limit it is not well yet";
  others = kLimit / 2;
  spill->KeepWithin();
  EXPECT_FALSE(spill->full());
}

// A thread that works with its memory, while another puts all of it out.
TEST(SpillFile, PutsNothingOutThatIsHeld) {
  uint64_t looks = 0;
  auto spill = Open(1, [&looks]() -> uint64_t { return ++looks % 2 == 0 ? 0 : 2; });
  char* run = spill->Take(4 * kRegion);
  constexpr size_t kCounters = 4 * kRegion / SpillFile::kPageBytes;
  std::atomic<bool> done{false};
  std::atomic<bool> put{false};
  unsigned rounds = 0;
  std::thread counter([&] {
    for (; rounds < 50 || !put; ++rounds) {
      const auto hold = spill->Hold();
      for (size_t i = 0; i < kCounters; ++i)
        ++run[i * SpillFile::kPageBytes];
    }
    done = true;
  });
  while (!done) {
    spill->KeepWithin();
    if (spill->put_out() > 0) put = true;
  }
  counter.join();
  for (size_t i = 0; i < kCounters; ++i)
    ASSERT_EQ(run[i * SpillFile::kPageBytes], static_cast<char>(rounds));
}

TEST(SpillFile, SaysWhenThereIsNoPlaceForIt) {
  auto spill = SpillFile::Create("/no/such/directory", 1 << 20);
  ASSERT_FALSE(spill.ok());
  EXPECT_EQ(spill.error().code(), "HR7020");
}

TEST(ResidentBytes, AreThoseOfTheProcess) {
  const uint64_t before = ResidentBytes();
  std::vector<char> more(64 << 20, 1);
  EXPECT_GT(before, 0U);
  EXPECT_GE(ResidentBytes() + (8 << 20), before + more.size());
}

}  // namespace
}  // namespace headrace::os
