#include "log/copy.h"

#include <thread>

#include <gtest/gtest.h>

#include "log/log_testing.h"

namespace headrace::log {
namespace {

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

struct CopyTest : testing::Test {
  os::MemoryFileSystem memory;
  Disk disk{memory};
  base::MetricsRegistry metrics;
};

TEST_F(CopyTest, ACopyIsEqualAndIsCarriedOn) {
  ASSERT_TRUE(disk.Open().ok());
  Append(disk, 0, 30);
  {
    auto copy = OpenAt(disk.files, disk.clock, metrics, "/copy");
    Result<CopyReport> report = CopyLog(*disk.log, *copy);
    ASSERT_TRUE(report.ok()) << report.error().ToString();
    EXPECT_EQ(report->from_lsn, 0U);
    EXPECT_EQ(report->last_lsn, disk.log->last_lsn());
    EXPECT_EQ(Contents(*copy), Contents(*disk.log));
    EXPECT_EQ(copy->topics(), disk.log->topics());
    ASSERT_TRUE(copy->Close().ok());
  }
  Append(disk, 30, 11);
  auto copy = OpenAt(disk.files, disk.clock, metrics, "/copy");
  const Lsn before = copy->last_lsn();
  Result<CopyReport> report = CopyLog(*disk.log, *copy);
  ASSERT_TRUE(report.ok()) << report.error().ToString();
  EXPECT_EQ(report->from_lsn, before);
  EXPECT_EQ(Contents(*copy), Contents(*disk.log));
  EXPECT_EQ(CopyLog(*disk.log, *copy)->bytes, 0U) << "nothing is new";
  ASSERT_TRUE(copy->Close().ok());
  EXPECT_TRUE(Verify(disk.files, "/copy")->findings.empty());
}

TEST_F(CopyTest, ACopyOfAnotherLogIsRefused) {
  ASSERT_TRUE(disk.Open().ok());
  Append(disk, 0, 3);
  auto other = OpenAt(disk.files, disk.clock, metrics, "/other");
  ASSERT_TRUE(other->CreateTopic("t", {}).ok());
  std::vector<Entry> group = {BatchOf({"something else"})};
  ASSERT_TRUE(other->Append(group).ok());
  ASSERT_TRUE(other->WaitDurable(other->last_lsn()).ok());
  const std::string before = Contents(*other);
  Result<CopyReport> report = CopyLog(*disk.log, *other);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code(), "HR5214");
  EXPECT_EQ(Contents(*other), before);
  // One that is longer is no beginning either.
  EXPECT_EQ(CopyLog(*other, *disk.log).error().code(), "HR5214");
}

TEST_F(CopyTest, AfterACrashTheCopyHoldsABeginningAndGoesOn) {
  ASSERT_TRUE(disk.Open().ok());
  Append(disk, 0, 12);
  const std::string whole = Contents(*disk.log);
  for (uint64_t crash = 1;; ++crash) {
    os::MemoryFileSystem target;
    bool finished = false;
    {
      os::FaultyFileSystem faulty(target);
      faulty.CrashAtOperation(crash);
      base::MetricsRegistry own;
      LogOptions options;
      options.journal_file_bytes = 1 << 20;
      Result<std::unique_ptr<Log>> copy = Log::Open(faulty, disk.clock, own, "/copy", options);
      finished = copy.ok() && CopyLog(*disk.log, **copy).ok() && (*copy)->Close().ok();
    }
    target.Crash(crash);
    if (finished) break;
    auto copy = OpenAt(target, disk.clock, metrics, "/copy");
    ASSERT_EQ(whole.substr(0, Contents(*copy).size()), Contents(*copy)) << "crash " << crash;
    Result<CopyReport> report = CopyLog(*disk.log, *copy);
    ASSERT_TRUE(report.ok()) << "crash " << crash << ": " << report.error().ToString();
    ASSERT_EQ(whole, Contents(*copy)) << "crash " << crash;
  }
}

TEST_F(CopyTest, AFullDiskIsToldAndTheCopyGoesOnWhenThereIsRoom) {
  ASSERT_TRUE(disk.Open().ok());
  Append(disk, 0, 12);
  os::MemoryFileSystem target;
  target.SetCapacity(400'000);  // less than a file of the journal
  auto copy = OpenAt(target, disk.clock, metrics, "/copy");
  Result<CopyReport> report = CopyLog(*disk.log, *copy);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(ErrorKind::kNoSpace, report.error().kind());
  EXPECT_FALSE(copy->Close().ok());
  target.SetCapacity(UINT64_MAX);
  copy = nullptr;
  copy = OpenAt(target, disk.clock, metrics, "/copy");
  report = CopyLog(*disk.log, *copy);
  ASSERT_TRUE(report.ok()) << report.error().ToString();
  EXPECT_EQ(Contents(*disk.log), Contents(*copy));
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
  auto copy = OpenAt(memory, disk.clock, metrics, "/copy");
  for (int i = 0; i < 10; ++i) {
    auto moment = OpenAt(memory, disk.clock, metrics, kDirectory, true);
    ASSERT_NE(moment, nullptr);
    Result<CopyReport> report = CopyLog(*moment, *copy);
    ASSERT_TRUE(report.ok()) << report.error().ToString();
    moments.push_back(Contents(*copy));
  }
  stop = true;
  writer.join();
  const std::string whole = Contents(*disk.log);
  for (const std::string& moment : moments)
    ASSERT_EQ(whole.substr(0, moment.size()), moment);
}

}  // namespace
}  // namespace headrace::log
