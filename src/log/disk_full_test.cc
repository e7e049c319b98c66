// A full disk: what was taken is kept and written when there is space, nothing that was
// acknowledged is lost, and what is not taken is refused.

#include <algorithm>
#include <thread>

#include <gtest/gtest.h>

#include "log/log_testing.h"
#include "os/random.h"

namespace headrace::log {
namespace {

uint64_t UsedBytes(os::MemoryFileSystem& memory) {
  uint64_t used = 0;
  for (const std::string& path : memory.AllFiles())
    used += memory.Open(path, {}).value()->Size().value();
  return used;
}

// Appends groups until one is refused; how many were taken.
int AppendUntilRefused(Disk& disk, int first, size_t padding) {
  for (int taken = 0;; ++taken) {
    std::vector<Entry> group = GroupOf(first + taken, padding);
    Status appended = disk.log->Append(group);
    if (appended.ok()) continue;
    EXPECT_EQ(ErrorKind::kNoSpace, appended.error().kind()) << appended.error().ToString();
    EXPECT_EQ("HR5103", appended.error().code());
    EXPECT_FALSE(appended.error().hint().empty());
    return taken;
  }
}

constexpr size_t kPadding = 100'000;  // three groups fill a file of the journal

TEST(DiskFull, WhatWasTakenIsWrittenWhenThereIsSpaceAgainWithoutARestart) {
  os::MemoryFileSystem memory;
  Disk disk(memory);
  ASSERT_TRUE(disk.Open().ok());
  ASSERT_EQ(2, AppendGroups(disk, 0, 2, kPadding));
  memory.SetCapacity(UsedBytes(memory) + 1000);
  int taken = 2 + AppendUntilRefused(disk, 2, kPadding);
  Lsn written = disk.log->durable_lsn();
  EXPECT_LT(written, disk.log->last_lsn());
  EXPECT_EQ(nullptr, disk.log->failure());
  Status topic = disk.log->CreateTopic("another", {});
  ASSERT_FALSE(topic.ok());
  EXPECT_EQ(ErrorKind::kNoSpace, topic.error().kind());
  EXPECT_TRUE(disk.log->Read("t", 0, 0, 1).ok());  // reads go on
  memory.SetCapacity(UINT64_MAX);
  ASSERT_TRUE(disk.log->WaitDurable(disk.log->last_lsn()).ok());
  std::vector<std::string> expected = Undisturbed(taken + 1, kPadding);
  EXPECT_EQ(expected[static_cast<size_t>(taken)], Contents(*disk.log));
  while (AppendGroups(disk, taken, 1, kPadding) == 0)  // it may still be told that it is full
    std::this_thread::yield();
  EXPECT_EQ(expected.back(), Contents(*disk.log));
  disk.files.CrashNow();
  memory.Crash(3);
  Disk again(memory);
  ASSERT_TRUE(again.Open().ok());
  EXPECT_EQ(expected.back(), Contents(*again.log));
}

// The journal has room while nothing can be moved: nobody waits for that for good.
TEST(DiskFull, WhoeverAppendsIsToldWhenNothingCanBeMoved) {
  os::MemoryFileSystem memory;
  Disk disk(memory);
  ASSERT_TRUE(disk.Open().ok());
  ASSERT_EQ(2, AppendGroups(disk, 0, 2, kPadding));
  os::FaultyFileSystem::Fault fault;
  fault.point = os::FaultPoint::kWrite;
  fault.kind = ErrorKind::kNoSpace;
  fault.repeat = 1 << 30;
  fault.path_part = ".segment";
  disk.files.Add(fault);
  const int taken = 2 + AppendUntilRefused(disk, 2, kPadding);
  EXPECT_GT(taken, 10);
  EXPECT_TRUE(disk.log->has_room());  // Append says so at once
  disk.files.ClearFaults();
  while (AppendGroups(disk, taken, 1, kPadding) == 0)  // until it is tried again
    std::this_thread::yield();
  ASSERT_TRUE(disk.log->Close().ok());
  EXPECT_EQ(Undisturbed(taken + 1, kPadding).back(), Contents(*disk.log));
}

TEST(DiskFull, ACrashOrAStopWhileItIsFullKeepsWhatWasDurable) {
  std::vector<std::string> expected = Undisturbed(40, kPadding);
  for (bool crash : {false, true}) {
    os::MemoryFileSystem memory;
    Lsn durable = 0;
    int taken = 2;
    {
      Disk disk(memory);
      ASSERT_TRUE(disk.Open().ok());
      ASSERT_EQ(2, AppendGroups(disk, 0, 2, kPadding));
      memory.SetCapacity(UsedBytes(memory) + 1000);
      taken += AppendUntilRefused(disk, 2, kPadding);
      durable = disk.log->durable_lsn();
      if (crash) disk.files.CrashNow();
      EXPECT_FALSE(disk.log->Close().ok());  // groups that were taken are not written
    }
    if (crash) memory.Crash(5);
    memory.SetCapacity(UINT64_MAX);
    Disk disk(memory);
    Status opened = disk.Open();
    ASSERT_TRUE(opened.ok()) << opened.error().ToString();
    EXPECT_GE(disk.log->durable_lsn(), durable);
    size_t groups = (disk.log->durable_lsn() - 1) / 2;  // the topic has the first LSN
    ASSERT_LE(groups, static_cast<size_t>(taken));
    EXPECT_EQ(expected[groups], Contents(*disk.log));
    ASSERT_EQ(1, AppendGroups(disk, static_cast<int>(groups), 1, kPadding));
    EXPECT_EQ(expected[groups + 1], Contents(*disk.log));
    EXPECT_TRUE(disk.log->Close().ok());
    EXPECT_TRUE(Verify(memory, kDirectory)->findings.empty());
  }
}

TEST(DiskFull, WhereverTheSpaceEndsWhatWasDurableIsThereAndWritingGoesOn) {
  constexpr int kMost = 12;
  std::vector<std::string> expected = Undisturbed(kMost + 1, kPadding);
  for (uint64_t capacity = 900'000; capacity < 9'000'000; capacity += 517'123) {
    SCOPED_TRACE("capacity " + std::to_string(capacity));
    os::MemoryFileSystem memory;
    memory.SetCapacity(capacity);
    Lsn durable = 0;
    {
      Disk disk(memory);
      ASSERT_TRUE(disk.Open().ok());
      Status made = disk.log->CreateTopic("t", {.partitions = 2});
      for (int i = 0; made.ok() && i < kMost; ++i) {
        std::vector<Entry> group = GroupOf(i, kPadding);
        if (!disk.log->Append(group).ok()) break;
      }
      static_cast<void>(disk.log->Close().ok());  // moves what it can
      durable = disk.log->durable_lsn();
    }
    memory.Crash(capacity);
    memory.SetCapacity(UINT64_MAX);
    EXPECT_TRUE(Verify(memory, kDirectory)->findings.empty());
    Disk disk(memory);
    Status opened = disk.Open();
    ASSERT_TRUE(opened.ok()) << opened.error().ToString();
    EXPECT_GE(disk.log->durable_lsn(), durable);
    size_t groups = (std::max<Lsn>(1, disk.log->durable_lsn()) - 1) / 2;
    EXPECT_TRUE(expected[groups] == Contents(*disk.log)) << groups << " groups";
    ASSERT_EQ(1, AppendGroups(disk, static_cast<int>(groups), 1, kPadding));
    EXPECT_TRUE(expected[groups + 1] == Contents(*disk.log)) << groups << " groups";
    ASSERT_TRUE(disk.log->Close().ok());
    EXPECT_TRUE(Verify(memory, kDirectory)->findings.empty());
  }
}

// Values that do not compress, so that segments are written in several pieces.
std::vector<Entry> LargeGroup(os::SeededRandom& random, int i) {
  std::vector<Entry> group;
  for (int32_t partition : {0, 1}) {
    std::string value = std::to_string(i) + ":" + Noise(random.Next(), 700'000);
    group.push_back(BatchOf({value}, partition));
    group.back().note = "short";
  }
  return group;
}

// Just more than is moved at once, so that the log moves it by itself, and nothing comes behind.
// Returns when moving has begun.
void AppendUntilMoved(Disk& disk, os::MemoryFileSystem& memory) {
  os::SeededRandom random(7);
  ASSERT_TRUE(disk.log->CreateTopic("t", {.partitions = 2}).ok());
  for (int i = 0; i < 2; ++i) {
    std::vector<Entry> group = LargeGroup(random, i);
    ASSERT_TRUE(disk.log->Append(group).ok());
    ASSERT_TRUE(disk.log->WaitDurable(disk.log->last_lsn()).ok());
  }
  auto begun = [&] {
    for (const std::string& path : memory.AllFiles()) {
      if (path.find("/topics/t/1/") != std::string::npos) return true;
    }
    return false;
  };
  while (!begun())
    std::this_thread::yield();
}

class SegmentFault : public testing::TestWithParam<os::FaultyFileSystem::Fault> {};

TEST_P(SegmentFault, WhatCouldNotBeMovedIsMovedOnceAndWholeTheNextTime) {
  std::string expected;
  os::MemoryFileSystem memory;
  {
    Disk disk(memory);
    ASSERT_TRUE(disk.Open().ok());
    disk.files.Add(GetParam());
    AppendUntilMoved(disk, memory);
    expected = Contents(*disk.log);
    ASSERT_EQ(2, disk.log->end_offset("t", 0));
    EXPECT_TRUE(disk.log->Close().ok());  // tries again
    EXPECT_EQ(expected, Contents(*disk.log));
    disk.files.CrashNow();
  }
  memory.Crash(3);  // of what is not flushed, nothing stays
  Result<VerifyReport> report = Verify(memory, kDirectory);
  ASSERT_TRUE(report.ok());
  for (const Error& finding : report->findings)
    ADD_FAILURE() << finding.ToString();
  Disk disk(memory);
  Status opened = disk.Open();
  ASSERT_TRUE(opened.ok()) << opened.error().ToString();
  EXPECT_TRUE(expected == Contents(*disk.log));
}

INSTANTIATE_TEST_SUITE_P(
    Everywhere, SegmentFault,
    testing::Values(
        os::FaultyFileSystem::Fault{.point = os::FaultPoint::kWrite,
                                    .kind = ErrorKind::kNoSpace,
                                    .path_part = "topics/t/0"},
        os::FaultyFileSystem::Fault{.point = os::FaultPoint::kWrite,
                                    .nth = 2,
                                    .kind = ErrorKind::kNoSpace,
                                    .short_bytes = 5000,
                                    .path_part = "topics/t/1"},
        os::FaultyFileSystem::Fault{.point = os::FaultPoint::kOpen, .path_part = "topics/t/1"},
        os::FaultyFileSystem::Fault{.point = os::FaultPoint::kSync, .path_part = "topics/t/1/"},
        os::FaultyFileSystem::Fault{
            .point = os::FaultPoint::kSync, .nth = 2, .path_part = "topics/t/0"},
        os::FaultyFileSystem::Fault{
            .point = os::FaultPoint::kSync, .nth = 2, .path_part = "topics/t/1"},
        os::FaultyFileSystem::Fault{
            .point = os::FaultPoint::kWrite, .kind = ErrorKind::kNoSpace, .path_part = "manifest"},
        os::FaultyFileSystem::Fault{.point = os::FaultPoint::kSync, .path_part = "manifest"}),
    [](const auto& fault) { return "Fault" + std::to_string(fault.index); });

}  // namespace
}  // namespace headrace::log
