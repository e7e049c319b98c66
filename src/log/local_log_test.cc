// The log as a whole: what is acknowledged is there, whatever breaks; what is damaged is found.

#include <algorithm>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "log/log_testing.h"

namespace headrace::log {
namespace {

std::string FirstValue(const Entry& entry) {
  Result<RecordReader> reader = RecordReader::Open(entry.bytes);
  Record record;
  return reader.ok() && reader->Next(&record).ok() ? std::string(record.value) : "";
}

TEST(LocalLog, GivesBackWhatItTookInMemoryFromTheJournalAndFromSegments) {
  std::vector<std::string> expected = Undisturbed(20);
  os::MemoryFileSystem memory;
  {
    Disk disk(memory);
    ASSERT_TRUE(disk.Open().ok());
    ASSERT_EQ(10, AppendGroups(disk, 0, 10));
    EXPECT_EQ(expected[10], Contents(*disk.log));
    disk.files.CrashNow();  // nothing is moved: the journal has it all
  }
  memory.Crash(1);
  {
    Disk disk(memory);
    ASSERT_TRUE(disk.Open().ok());
    EXPECT_EQ(expected[10], Contents(*disk.log));
    ASSERT_EQ(10, AppendGroups(disk, 10, 10));
    ASSERT_TRUE(disk.log->Close().ok());  // moves everything to segments
  }
  Disk disk(memory);
  ASSERT_TRUE(disk.Open().ok());
  EXPECT_EQ(expected[20], Contents(*disk.log));
  EXPECT_EQ(40, disk.log->end_offset("t", 0));
  Result<std::vector<Entry>> read = disk.log->Read("t", 0, 7, 1);
  ASSERT_TRUE(read.ok());
  ASSERT_FALSE(read->empty());
  EXPECT_LE(read->front().base_offset, 7);
  EXPECT_TRUE(disk.log->Read("t", 0, 40, 1)->empty());
}

TEST(LocalLog, ALargeBatchIsPackedOnItsWayAndReadTheSameInMemoryFromTheJournalAndFromItsSegment) {
  constexpr size_t kValue = 100'000;
  auto packed_in = [](const Log& log) {
    Result<std::vector<Entry>> read = log.Read("t", 0, 0, 1);
    EXPECT_TRUE(read.ok() && read->size() == 1);
    EXPECT_EQ(std::string(kValue, 'x'), FirstValue(read->front()));
    EXPECT_EQ(1, read->front().record_count);
    EXPECT_EQ(77, read->front().max_timestamp_ms);
    EXPECT_EQ("the note", read->front().note);
    return read->front().bytes.size() < kValue / 10;
  };
  os::MemoryFileSystem memory;
  {
    Disk disk(memory);
    ASSERT_TRUE(disk.Open().ok());
    ASSERT_TRUE(disk.log->CreateTopic("t", {}).ok());
    std::vector<Entry> group = {BatchOf({std::string(kValue, 'x')}, 0, 77)};
    group[0].note = "the note";
    ASSERT_TRUE(disk.log->Append(group).ok());
    ASSERT_TRUE(disk.log->WaitDurable(disk.log->last_lsn()).ok());
    EXPECT_TRUE(packed_in(*disk.log));
    disk.files.CrashNow();
  }
  memory.Crash(1);
  {
    Disk disk(memory);
    ASSERT_TRUE(disk.Open().ok());
    EXPECT_TRUE(packed_in(*disk.log)) << "from the journal";
    ASSERT_TRUE(disk.log->Close().ok());
  }
  Disk disk(memory);
  ASSERT_TRUE(disk.Open().ok());
  EXPECT_TRUE(packed_in(*disk.log)) << "from its segment";
}

TEST(LocalLog, ACrashAtAnyOperationKeepsWhatWasAcknowledgedAndInventsNothing) {
  constexpr int kGroups = 6;
  constexpr size_t kPadding = 1500;  // a group lies across sectors and pages
  std::vector<std::string> expected = Undisturbed(kGroups + 1, kPadding);
  uint64_t operations = 0;
  {
    os::MemoryFileSystem memory;
    Disk disk(memory);
    ASSERT_TRUE(disk.Open().ok());
    ASSERT_EQ(kGroups, AppendGroups(disk, 0, kGroups, kPadding));
    ASSERT_TRUE(disk.log->Close().ok());
    operations = disk.files.operations();
  }
  ASSERT_GT(operations, 20U);
  for (uint64_t at = 1; at <= operations; ++at) {
    for (uint64_t seed = 1; seed <= 4; ++seed) {
      os::MemoryFileSystem memory;
      int acknowledged = 0;
      {
        Disk disk(memory);
        disk.files.CrashAtOperation(at);
        if (disk.Open().ok()) {
          acknowledged = AppendGroups(disk, 0, kGroups, kPadding);
          static_cast<void>(disk.log->Close().ok());
        }
      }
      memory.Crash(seed);
      Disk disk(memory);
      Status opened = disk.Open();
      ASSERT_TRUE(opened.ok()) << "operation " << at << ", seed " << seed << ": "
                               << opened.error().ToString();
      std::string contents = Contents(*disk.log);
      auto found = std::find(expected.begin(), expected.end(), contents);
      ASSERT_NE(expected.end(), found) << "operation " << at << ", seed " << seed;
      int groups = static_cast<int>(found - expected.begin());
      EXPECT_GE(groups, acknowledged) << "operation " << at << ", seed " << seed;
      // And it goes on from there.
      ASSERT_EQ(1, AppendGroups(disk, groups, 1, kPadding));
      EXPECT_EQ(expected[static_cast<size_t>(groups) + 1], Contents(*disk.log));
      EXPECT_TRUE(disk.log->Close().ok());
      EXPECT_TRUE(Verify(memory, kDirectory)->findings.empty());
    }
  }
}

// Every how many bytes one is flipped: a sanitizer makes each opening ten times slower. A prime, so
// that every field of the formats is met.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kFlipStep = 31;
#else
constexpr uint64_t kFlipStep = 1;
#endif

// Flips each byte of each file; a file of the journal as far as it is used.
void FlipEveryByte(os::MemoryFileSystem& memory, const std::vector<std::string>& expected,
                   uint64_t used) {
  int refused = 0;
  for (const std::string& path : memory.AllFiles()) {
    uint64_t size = memory.Open(path, {}).value()->Size().value();
    for (uint64_t at = 0; at < std::min(size, used); at += kFlipStep) {
      std::unique_ptr<os::MemoryFileSystem> copy = memory.Clone();
      copy->FlipBits(path, at, 0x10);
      Disk disk(*copy);
      Status opened = disk.Open(true);
      std::string contents = opened.ok() ? Contents(*disk.log) : "error " + opened.error().code();
      if (contents.starts_with("error")) {
        ++refused;
        continue;
      }
      // The last group may look torn: then it is cut off, and nothing else is.
      EXPECT_TRUE(contents == expected.back() || contents == expected[expected.size() - 2])
          << path << " at " << at << ":\n"
          << contents;
    }
  }
  EXPECT_GT(refused, 100 / static_cast<int>(kFlipStep));
}

TEST(LocalLog, NoByteOfTheJournalCanBeFlippedUnnoticed) {
  std::vector<std::string> expected = Undisturbed(3);
  os::MemoryFileSystem memory;
  {
    Disk disk(memory);
    ASSERT_TRUE(disk.Open().ok());
    ASSERT_EQ(3, AppendGroups(disk, 0, 3));
    disk.files.CrashNow();
  }
  memory.Crash(1);
  FlipEveryByte(memory, expected, 6000);
}

TEST(LocalLog, NoByteOfASegmentCanBeFlippedUnnoticed) {
  std::vector<std::string> expected = Undisturbed(3);
  os::MemoryFileSystem memory;
  {
    Disk disk(memory);
    ASSERT_TRUE(disk.Open().ok());
    ASSERT_EQ(3, AppendGroups(disk, 0, 3));
    ASSERT_TRUE(disk.log->Close().ok());
  }
  FlipEveryByte(memory, expected, 2000);
}

TEST(LocalLog, VerifyFindsADamagedHeaderOfAJournalFile) {
  os::MemoryFileSystem memory;
  {
    Disk disk(memory);
    ASSERT_TRUE(disk.Open().ok());
    ASSERT_EQ(3, AppendGroups(disk, 0, 3));
    disk.files.CrashNow();
  }
  memory.Crash(1);
  Result<VerifyReport> whole = Verify(memory, kDirectory);
  EXPECT_TRUE(whole->findings.empty());
  EXPECT_EQ(6U, whole->batches);
  EXPECT_EQ(9U, whole->records);
  memory.FlipBits("/data/journal/000000000001.journal", 9, 1);
  EXPECT_FALSE(Verify(memory, kDirectory)->findings.empty());
}

TEST(LocalLog, VerifyReadsTheRecordsOfTheJournal) {
  os::MemoryFileSystem memory;
  Disk disk(memory);
  ASSERT_TRUE(disk.Open().ok());
  ASSERT_EQ(1, AppendGroups(disk, 0, 1));
  Entry broken = BatchOf({"x"});
  broken.bytes.replace(21, 2, std::string("\0\1", 2));  // gzip, which it is not
  uint32_t crc = __builtin_bswap32(base::Crc32c(std::string_view(broken.bytes).substr(21)));
  broken.bytes.replace(17, 4, reinterpret_cast<const char*>(&crc), 4);
  std::vector<Entry> group = {broken};
  ASSERT_TRUE(disk.log->Append(group).ok());
  ASSERT_TRUE(disk.log->WaitDurable(disk.log->last_lsn()).ok());
  Result<VerifyReport> report = Verify(memory, kDirectory);
  ASSERT_EQ(1U, report->findings.size());
  EXPECT_EQ("HR5201", report->findings[0].code());
  EXPECT_EQ("/data/journal, LSN 4", report->findings[0].place());
}

TEST(LocalLog, AFailedFlushIsFinalAndReadsGoOn) {
  std::vector<std::string> expected = Undisturbed(3);
  os::MemoryFileSystem memory;
  Disk disk(memory);
  ASSERT_TRUE(disk.Open().ok());
  ASSERT_EQ(3, AppendGroups(disk, 0, 3));
  disk.files.Add({.point = os::FaultPoint::kSync, .path_part = "journal/"});
  EXPECT_EQ(0, AppendGroups(disk, 3, 1));
  EXPECT_EQ(0, AppendGroups(disk, 3, 1));  // the disk works again; nobody knows what it has
  ASSERT_NE(nullptr, disk.log->failure());
  EXPECT_EQ(expected[3], Contents(*disk.log));
}

TEST(LocalLog, WhatCannotBeReadIsNotInTheWayOfWriting) {
  std::vector<std::string> expected = Undisturbed(2);
  os::MemoryFileSystem memory;
  Disk disk(memory);
  ASSERT_TRUE(disk.Open().ok());
  ASSERT_EQ(1, AppendGroups(disk, 0, 1));
  disk.files.Add({.point = os::FaultPoint::kRead, .path_part = "topics/"});
  ASSERT_EQ(1, AppendGroups(disk, 1, 1));
  EXPECT_EQ(expected[2], Contents(*disk.log));
}

TEST(LocalLog, FindsAnOffsetByTimeInMemoryAndInSegmentsFromWhatTheBatchesSay) {
  os::MemoryFileSystem memory;
  for (bool moved : {false, true}) {
    Disk disk(memory);
    ASSERT_TRUE(disk.Open().ok());
    if (!moved) {
      ASSERT_TRUE(disk.log->CreateTopic("t", {.partitions = 2}).ok());
      std::vector<Entry> group;
      group.push_back(BatchOf({"a", "b"}, 0, 1000));
      group.push_back(BatchOf({"c"}, 0, 2000));
      group.push_back(BatchOf({"late"}, 0, 1500));
      ASSERT_TRUE(disk.log->Append(group).ok());
      ASSERT_TRUE(disk.log->WaitDurable(disk.log->last_lsn()).ok());
    }
    EXPECT_EQ(0, disk.log->OffsetAt("t", 0, 1000).value()) << moved;
    EXPECT_EQ(2, disk.log->OffsetAt("t", 0, 1001).value()) << moved;
    EXPECT_EQ(2, disk.log->OffsetAt("t", 0, 2000).value()) << moved;
    EXPECT_EQ(-1, disk.log->OffsetAt("t", 0, 2001).value()) << moved;
    EXPECT_EQ(2000, disk.log->Read("t", 0, 2, 1)->front().max_timestamp_ms);
    ASSERT_TRUE(disk.log->Close().ok());
  }
}

TEST(LocalLog, ADirectoryHasOneUser) {
  os::MemoryFileSystem memory;
  Disk first(memory);
  Disk second(memory);
  ASSERT_TRUE(first.Open().ok());
  Status opened = second.Open();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(ErrorKind::kConflict, opened.error().kind());
}

TEST(LocalLog, VerifyNamesTheFileOfADamagedByte) {
  os::MemoryFileSystem memory;
  {
    Disk disk(memory);
    ASSERT_TRUE(disk.Open().ok());
    ASSERT_EQ(3, AppendGroups(disk, 0, 3));
    ASSERT_TRUE(disk.log->Close().ok());
  }
  Result<VerifyReport> whole = Verify(memory, kDirectory);
  ASSERT_TRUE(whole.ok());
  EXPECT_TRUE(whole->findings.empty());
  EXPECT_EQ(9U, whole->records);
  for (const std::string& path : memory.AllFiles()) {
    if (!path.ends_with(".segment") || path.find("topics") == std::string::npos) continue;
    std::unique_ptr<os::MemoryFileSystem> copy = memory.Clone();
    copy->FlipBits(path, 70, 1);
    Result<VerifyReport> report = Verify(*copy, kDirectory);
    ASSERT_TRUE(report.ok());
    ASSERT_FALSE(report->findings.empty()) << path;
    EXPECT_NE(report->findings[0].ToString().find(path.substr(path.find("topics"))),
              std::string::npos);
  }
}

}  // namespace
}  // namespace headrace::log
