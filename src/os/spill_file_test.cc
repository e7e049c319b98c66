#include "os/spill_file.h"

#include <cstring>

#include <gtest/gtest.h>

namespace headrace::os {
namespace {

TEST(SpillFile, KeepsWhatWasWrittenWhileMostOfItIsPutOut) {
  constexpr size_t kRegions = 64;
  auto spill = SpillFile::Create("/tmp", 4 * SpillFile::kRegionBytes).value();
  std::vector<char*> regions;
  for (size_t i = 0; i < kRegions; ++i) {
    char* region = spill->Take();
    ASSERT_NE(region, nullptr);
    std::memset(region, static_cast<int>(i + 1), SpillFile::kRegionBytes);
    regions.push_back(region);
    spill->KeepWithin();
  }
  EXPECT_EQ(spill->bytes(), kRegions * SpillFile::kRegionBytes);
  EXPECT_GT(spill->put_out(), kRegions / 2);
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < kRegions; ++i) {
      for (size_t at = 0; at < SpillFile::kRegionBytes; at += 4093)
        ASSERT_EQ(regions[i][at], static_cast<char>(i + 1));
      spill->KeepWithin();
    }
  }
}

TEST(SpillFile, GivesARegionOutAgain) {
  auto spill = SpillFile::Create("/tmp", 1 << 20).value();
  char* region = spill->Take();
  spill->Give(region);
  EXPECT_EQ(spill->Take(), region);
  EXPECT_EQ(spill->bytes(), SpillFile::kRegionBytes);
}

TEST(SpillFile, SaysWhenThereIsNoPlaceForIt) {
  auto spill = SpillFile::Create("/no/such/directory", 1 << 20);
  ASSERT_FALSE(spill.ok());
  EXPECT_EQ(spill.error().code(), "HR7020");
}

}  // namespace
}  // namespace headrace::os
