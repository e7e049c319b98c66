#include "os/spill_file.h"

#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>

namespace headrace::os {
namespace {

constexpr size_t kRegion = SpillFile::kRegionBytes;

// The process as if nothing but its mapped files took memory.
ResidentMemory FilesAlone() {
  const uint64_t files = ResidentMemory::OfProcess().of_files;
  return {files, files};
}

std::unique_ptr<SpillFile> Open(uint64_t limit, SpillFile::Measure measure = FilesAlone) {
  return SpillFile::Create("/tmp", limit, std::move(measure)).value();
}

TEST(SpillFile, KeepsWhatWasWrittenWhileMostOfItIsPutOut) {
  constexpr size_t kRegions = 128;
  const uint64_t program = ResidentMemory::OfProcess().of_files;
  const uint64_t limit = program + 8 * kRegion;
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
  const uint64_t program = ResidentMemory::OfProcess().of_files;
  auto spill = Open(program + 16 * kRegion);
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
  auto spill = Open(kLimit, [&others]() -> ResidentMemory {
    const uint64_t files = ResidentMemory::OfProcess().of_files;
    return {others + files, files};
  });
  spill->KeepWithin();
  EXPECT_FALSE(spill->full());
  others = kLimit - kLimit / 16;
  spill->KeepWithin();
  EXPECT_TRUE(spill->full());
  EXPECT_GT(spill->resident(), kLimit - kLimit / 16);
  others = kLimit / 2;
  spill->KeepWithin();
  EXPECT_FALSE(spill->full());
}

TEST(SpillFile, SaysWhenThereIsNoPlaceForIt) {
  auto spill = SpillFile::Create("/no/such/directory", 1 << 20);
  ASSERT_FALSE(spill.ok());
  EXPECT_EQ(spill.error().code(), "HR7020");
}

TEST(ResidentMemory, IsThatOfTheProcess) {
  const ResidentMemory before = ResidentMemory::OfProcess();
  std::vector<char> more(64 << 20, 1);
  const ResidentMemory after = ResidentMemory::OfProcess();
  EXPECT_GT(before.all, before.of_files);
  EXPECT_GT(before.of_files, 0U);
  EXPECT_GE(after.all + (8 << 20), before.all + more.size());
}

}  // namespace
}  // namespace headrace::os
