// A copy of a log holds what the log holds: beside a writer, after retention, over gaps, and
// whenever it is stopped.

#include "log/copy.h"

#include <thread>

#include <gtest/gtest.h>

#include "log/log_testing.h"
#include "log/manifest.h"
#include "log/salvage.h"
#include "log/segment.h"

namespace headrace::log {
namespace {

constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kStartMs = 1'800'000'000'000;  // where the clock of a Disk stands

// A log at a path of a disk in memory.
std::unique_ptr<Log> OpenAt(os::FileSystem& files, os::Clock& clock, base::MetricsRegistry& metrics,
                            const std::string& directory, bool beside_writer = false) {
  LogOptions options;
  options.journal_file_bytes = 1 << 20;
  options.read_only = beside_writer;
  options.beside_writer = beside_writer;
  for (int attempt = 0; attempt < 100; ++attempt) {
    Result<std::unique_ptr<Log>> opened = Log::Open(files, clock, metrics, directory, options);
    if (opened.ok()) return std::move(opened).value();
    EXPECT_TRUE(beside_writer) << opened.error().ToString();
  }
  return nullptr;
}

// Topics that are made between groups, controls in between.
void Append(Disk& disk, int first, int count) {
  for (int i = first; i < first + count; ++i) {
    ASSERT_EQ(1, AppendGroups(disk, i, 1, i % 5 == 0 ? 20'000 : 10));
    std::vector<Entry> control(1);
    control[0].kind = EntryKind::kControl;
    control[0].bytes = "control " + std::to_string(i);
    ASSERT_TRUE(disk.log->Append(control).ok());
    if (i % 4 != 0) continue;
    const std::string topic = "z" + std::to_string(100 - i);
    ASSERT_TRUE(disk.log->CreateTopic(topic, {.partitions = 1 + i % 3}).ok());
    if (i % 8 == 0) continue;  // a topic without events
    std::vector<Entry> group = {BatchOf({"in " + topic})};
    group[0].topic = topic;
    ASSERT_TRUE(disk.log->Append(group).ok());
  }
  ASSERT_TRUE(disk.log->WaitDurable(disk.log->last_lsn()).ok());
}

Result<CopyReport> Copy(os::FileSystem& files, os::Clock& clock, const Log& from,
                        const std::string& to) {
  HR_ASSIGN(auto copy, LogCopy::Open(files, clock, from, to));
  HR_ASSIGN(CopyReport report, copy->Append());
  HR_TRY(copy->DropOld());
  return report;
}

struct CopyTest : testing::Test {
  os::MemoryFileSystem memory;
  base::MetricsRegistry metrics;
  Disk disk{memory};

  std::string ContentsOf(os::FileSystem& files, const std::string& directory) {
    Result<VerifyReport> verified = Verify(files, directory);
    EXPECT_TRUE(verified.ok() && verified->findings.empty());
    auto copy = OpenAt(files, disk.clock, metrics, directory, true);
    return copy == nullptr ? "" : Contents(*copy);
  }
  std::string ContentsOf(const std::string& directory) { return ContentsOf(disk.files, directory); }
};

TEST_F(CopyTest, ACopyIsEqualAndIsCarriedOn) {
  ASSERT_TRUE(disk.Open().ok());
  Append(disk, 0, 30);
  Result<CopyReport> report = Copy(disk.files, disk.clock, *disk.log, "/copy");
  ASSERT_TRUE(report.ok()) << report.error().ToString();
  EXPECT_EQ(report->from_lsn, 0U);
  EXPECT_EQ(report->last_lsn, disk.log->last_lsn());
  EXPECT_EQ(ContentsOf("/copy"), Contents(*disk.log));
  EXPECT_EQ(OpenAt(disk.files, disk.clock, metrics, "/copy", true)->topics(), disk.log->topics());
  const Lsn before = disk.log->last_lsn();
  Append(disk, 30, 11);
  report = Copy(disk.files, disk.clock, *disk.log, "/copy");
  ASSERT_TRUE(report.ok()) << report.error().ToString();
  EXPECT_EQ(report->from_lsn, before);
  EXPECT_EQ(ContentsOf("/copy"), Contents(*disk.log));
  EXPECT_EQ(Copy(disk.files, disk.clock, *disk.log, "/copy")->entries, 0U) << "nothing is new";
}

TEST_F(CopyTest, ACopyIsALogThatGoesOnAndIsCopiedAgain) {
  ASSERT_TRUE(disk.Open().ok());
  Append(disk, 0, 9);
  ASSERT_TRUE(Copy(disk.files, disk.clock, *disk.log, "/copy").ok());
  ASSERT_TRUE(disk.log->Close().ok());
  disk.log = OpenAt(disk.files, disk.clock, metrics, "/copy");
  const Lsn before = disk.log->last_lsn();
  for (int life = 0; life < 4; ++life) {
    Append(disk, 10 + 10 * life, 3);
    ASSERT_TRUE(Copy(disk.files, disk.clock, *disk.log, "/again").ok());
    EXPECT_EQ(ContentsOf("/again"), Contents(*disk.log));
    // In the last life it has not moved anything out of its journal.
    if (life == 3) disk.files.CrashNow();
    disk.log.reset();
    if (life == 3) break;
    disk.log = OpenAt(disk.files, disk.clock, metrics, "/copy");
  }
  os::FaultyFileSystem after(memory);
  disk.log = OpenAt(after, disk.clock, metrics, "/copy");
  EXPECT_GT(disk.log->last_lsn(), before);
  EXPECT_EQ(ContentsOf(after, "/again"), Contents(*disk.log));
  // A copy that a program has worked on is carried on while it is a beginning.
  ASSERT_TRUE(Copy(after, disk.clock, *disk.log, "/again").ok());
  {
    auto worked = OpenAt(after, disk.clock, metrics, "/again");
    ASSERT_TRUE(worked->Close().ok());
  }
  ASSERT_TRUE(Copy(after, disk.clock, *disk.log, "/again").ok());
  EXPECT_EQ(ContentsOf(after, "/again"), Contents(*disk.log));
  disk.log.reset();  // before its files
}

TEST_F(CopyTest, ACopyOfAnotherLogIsRefused) {
  ASSERT_TRUE(disk.Open().ok());
  Append(disk, 0, 3);
  auto other = OpenAt(disk.files, disk.clock, metrics, "/other");
  ASSERT_TRUE(other->CreateTopic("t", {}).ok());
  std::vector<Entry> group = {BatchOf({"something else"})};
  ASSERT_TRUE(other->Append(group).ok());
  other.reset();
  const std::string before = ContentsOf("/other");
  Result<CopyReport> report = Copy(disk.files, disk.clock, *disk.log, "/other");
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code(), "HR5214");
  EXPECT_EQ(ContentsOf("/other"), before);
  // One that is longer is no beginning either.
  ASSERT_TRUE(Copy(disk.files, disk.clock, *disk.log, "/longer").ok());
  other = OpenAt(disk.files, disk.clock, metrics, "/other", true);
  EXPECT_EQ(Copy(disk.files, disk.clock, *other, "/longer").error().code(), "HR5214");
}

TEST_F(CopyTest, ASalvageOfACopyMissesNothing) {
  ASSERT_TRUE(disk.Open().ok());
  Append(disk, 0, 9);
  ASSERT_TRUE(Copy(disk.files, disk.clock, *disk.log, "/copy").ok());
  auto salvage = Salvage::Open(disk.files, "/copy").value();
  ASSERT_TRUE(salvage->WriteTopics("/rest").ok());
  ASSERT_TRUE(salvage->Finish(disk.clock, {}).ok());
  EXPECT_TRUE(salvage->report().complete());
  EXPECT_TRUE(salvage->report().damage.empty());
  EXPECT_EQ(ContentsOf("/rest"), Contents(*disk.log));
}

// At each operation of the disk: what the copy held, or what it was to hold.
TEST_F(CopyTest, ACrashLeavesTheCopyAsItWasOrWhole) {
  ASSERT_TRUE(disk.Open().ok());
  Append(disk, 0, 12);
  os::MemoryFileSystem first;
  {
    os::FaultyFileSystem none(first);
    ASSERT_TRUE(Copy(none, disk.clock, *disk.log, "/copy").ok());
  }
  const std::string earlier = Contents(*disk.log);
  Append(disk, 12, 5);
  const std::string whole = Contents(*disk.log);
  for (const bool fresh : {true, false}) {
    bool finished = false;
    for (uint64_t crash = 1; !finished; ++crash) {
      auto target = fresh ? std::make_unique<os::MemoryFileSystem>() : first.Clone();
      {
        os::FaultyFileSystem faulty(*target);
        faulty.CrashAtOperation(crash);
        finished = Copy(faulty, disk.clock, *disk.log, "/copy").ok();
      }
      target->Crash(crash);
      if (!fresh) {
        const std::string held = ContentsOf(*target, "/copy");
        ASSERT_TRUE(held == earlier || held == whole) << "crash " << crash;
      }
      Result<CopyReport> report = Copy(*target, disk.clock, *disk.log, "/copy");
      ASSERT_TRUE(report.ok()) << "crash " << crash << ": " << report.error().ToString();
      ASSERT_EQ(whole, ContentsOf(*target, "/copy")) << "crash " << crash;
    }
  }
}

TEST_F(CopyTest, AFullDiskIsToldAndTheCopyGoesOnWhenThereIsRoom) {
  ASSERT_TRUE(disk.Open().ok());
  Append(disk, 0, 12);
  os::MemoryFileSystem target;
  target.SetCapacity(1000);
  Result<CopyReport> report = Copy(target, disk.clock, *disk.log, "/copy");
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(ErrorKind::kNoSpace, report.error().kind());
  target.SetCapacity(UINT64_MAX);
  report = Copy(target, disk.clock, *disk.log, "/copy");
  ASSERT_TRUE(report.ok()) << report.error().ToString();
  EXPECT_EQ(Contents(*disk.log), ContentsOf(target, "/copy"));
}

TEST_F(CopyTest, WhatIsCopiedBesideAWriterIsABeginning) {
  ASSERT_TRUE(disk.Open().ok());
  Append(disk, 0, 1);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 1; i < 2000 && !stop; ++i)
      AppendGroups(disk, i, 1, 3000);
  });
  std::vector<std::string> moments;
  for (int i = 0; i < 10; ++i) {
    auto moment = OpenAt(memory, disk.clock, metrics, kDirectory, true);
    ASSERT_NE(moment, nullptr);
    // From a moment of it, and from the log itself.
    const Log& from = i % 2 == 0 ? *moment : *disk.log;
    Result<CopyReport> report = Copy(memory, disk.clock, from, "/copy");
    ASSERT_TRUE(report.ok()) << report.error().ToString();
    moments.push_back(ContentsOf(memory, "/copy"));
  }
  stop = true;
  writer.join();
  const std::string whole = Contents(*disk.log);
  for (const std::string& moment : moments)
    ASSERT_EQ(whole.substr(0, moment.size()), moment);
}

// A batch a day, each in a segment of its own, that are kept for three days.
void AppendDays(Disk& disk, int first, int last) {
  if (!disk.log->HasTopic("t")) {
    TopicConfig config{.retention_ms = 3 * kDayMs, .segment_bytes = 1};
    ASSERT_TRUE(disk.log->CreateTopic("t", config).ok());
  }
  for (int day = first; day < last; ++day) {
    disk.clock.Set((kStartMs + day * kDayMs) * 1000);
    std::vector<Entry> group = {
        BatchOf({"day " + std::to_string(day)}, 0, kStartMs + day * kDayMs)};
    ASSERT_TRUE(disk.log->Append(group).ok());
    ASSERT_TRUE(disk.log->WaitDurable(disk.log->last_lsn()).ok());
  }
  // Moves everything to segments.
  disk.log.reset();
  ASSERT_TRUE(disk.Open().ok());
  disk.log->SetRetentionFloor(UINT64_MAX);
  ASSERT_TRUE(disk.log->ApplyRetention().ok());
}

TEST_F(CopyTest, WhatRetentionRemovedIsRemovedFromTheCopyUnlessItLacksWhatFollows) {
  ASSERT_TRUE(disk.Open().ok());
  AppendDays(disk, 0, 3);
  ASSERT_TRUE(Copy(disk.files, disk.clock, *disk.log, "/early").ok());
  AppendDays(disk, 3, 5);
  ASSERT_EQ(1, disk.log->start_offset("t", 0));
  ASSERT_TRUE(Copy(disk.files, disk.clock, *disk.log, "/copy").ok());
  EXPECT_EQ(ContentsOf("/copy"), Contents(*disk.log));
  ASSERT_TRUE(Copy(disk.files, disk.clock, *disk.log, "/early").ok());
  EXPECT_EQ(ContentsOf("/early"), Contents(*disk.log));
  auto early = OpenAt(disk.files, disk.clock, metrics, "/early", true);
  EXPECT_EQ(1, early->start_offset("t", 0));
  early.reset();
  AppendDays(disk, 5, 9);
  ASSERT_EQ(5, disk.log->start_offset("t", 0));
  ASSERT_TRUE(Copy(disk.files, disk.clock, *disk.log, "/copy").ok()) << "it ends at 5";
  EXPECT_EQ(ContentsOf("/copy"), Contents(*disk.log));
  AppendDays(disk, 9, 20);
  const std::string before = ContentsOf("/copy");
  Result<CopyReport> late = Copy(disk.files, disk.clock, *disk.log, "/copy");
  ASSERT_FALSE(late.ok());
  EXPECT_EQ("HR5260", late.error().code());
  EXPECT_EQ(before, ContentsOf("/copy"));
}

TEST_F(CopyTest, GapsOfASalvagedLogAreCopied) {
  ASSERT_TRUE(disk.Open().ok());
  Append(disk, 0, 30);
  ASSERT_TRUE(disk.log->Close().ok());
  disk.log.reset();
  const std::string segment = SegmentPath(PartitionDirectory(kDirectory, "t", 0), 0);
  const uint64_t size = memory.Open(segment, {}).value()->Size().value();
  for (const uint64_t at : {uint64_t{21'000}, size - 10})
    memory.FlipBits(segment, at, 1);
  for (const std::string& path : memory.AllFiles()) {
    // Whole copies of what is damaged stand there.
    if (!path.starts_with("/data/journal/")) continue;
    ASSERT_TRUE(memory.Remove(path).ok());
  }
  auto salvage = Salvage::Open(memory, kDirectory).value();
  ASSERT_TRUE(salvage->WriteTopics("/rest").ok());
  ASSERT_TRUE(salvage->Finish(disk.clock, {"loss"}).ok());
  ASSERT_EQ(2U, salvage->report().offsets.size());
  disk.log = OpenAt(memory, disk.clock, metrics, "/rest");
  ASSERT_TRUE(Copy(memory, disk.clock, *disk.log, "/copy").ok());
  EXPECT_EQ(ContentsOf(memory, "/copy"), Contents(*disk.log));
  auto copy = OpenAt(memory, disk.clock, metrics, "/copy", true);
  EXPECT_EQ(disk.log->end_offset("t", 0), copy->end_offset("t", 0));
  copy.reset();
  Append(disk, 30, 7);
  ASSERT_TRUE(Copy(memory, disk.clock, *disk.log, "/copy").ok());
  EXPECT_EQ(ContentsOf(memory, "/copy"), Contents(*disk.log));
}

}  // namespace
}  // namespace headrace::log
