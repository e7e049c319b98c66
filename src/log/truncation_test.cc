// Files cut at every length: the journal's last file ends with whole groups, whatever is missing;
// durable bytes that a segment lacks are told, never passed over.

#include <algorithm>

#include <gtest/gtest.h>

#include "log/frame.h"
#include "log/log_testing.h"

namespace headrace::log {
namespace {

constexpr int kGroups = 5;
constexpr const char* kJournalFile = "/data/journal/000000000001.journal";

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kStep = 13;
#else
constexpr uint64_t kStep = 1;
#endif

// Where the last byte that is not zero stands, rounded up to the end of its frame.
uint64_t UsedBytes(os::MemoryFileSystem& memory, const std::string& path) {
  std::string bytes = os::ReadFile(memory, path, 1 << 24).value();
  size_t last = bytes.find_last_not_of('\0');
  return last == std::string::npos ? 0 : (last + 8) & ~uint64_t{7};
}

std::unique_ptr<os::MemoryFileSystem> Cut(const os::MemoryFileSystem& memory,
                                          const std::string& path, uint64_t size) {
  std::unique_ptr<os::MemoryFileSystem> copy = memory.Clone();
  auto file = copy->Open(path, {.writable = true}).value();
  file->Truncate(size).value();
  file->Sync().value();
  return copy;
}

// A journal of some groups, nothing moved; `used[i]` bytes of it were durable when group i was
// acknowledged.
void WriteJournal(os::MemoryFileSystem& memory, std::vector<uint64_t>* used) {
  Disk disk(memory);
  ASSERT_TRUE(disk.Open().ok());
  ASSERT_EQ(0, AppendGroups(disk, 0, 0));  // makes the topic
  ASSERT_TRUE(disk.log->WaitDurable(disk.log->last_lsn()).ok());
  used->push_back(UsedBytes(memory, kJournalFile));
  for (int i = 0; i < kGroups; ++i) {
    ASSERT_EQ(1, AppendGroups(disk, i, 1));
    used->push_back(UsedBytes(memory, kJournalFile));
  }
  disk.files.CrashNow();
}

// What stays of the cut journal is a prefix that has all that was durable before the cut. Returns
// its groups, the topic's not counted; -1 when it is not so.
int KeptGroups(os::MemoryFileSystem& cut, const std::vector<std::string>& expected,
               int durable_before) {
  Disk disk(cut);
  Status opened = disk.Open(true);
  EXPECT_TRUE(opened.ok()) << opened.error().ToString();
  if (!opened.ok()) return -1;
  EXPECT_EQ(disk.log->recovery().text.empty(), disk.log->recovery().torn_bytes_cut == 0);
  std::string contents = Contents(*disk.log);
  auto found = std::find(expected.begin(), expected.end(), contents);
  EXPECT_NE(expected.end(), found) << contents;
  if (found == expected.end()) return -1;
  int groups = static_cast<int>(found - expected.begin());
  EXPECT_GE(groups + 1, durable_before);
  EXPECT_LE(groups, durable_before);  // the cut one may be whole but for its flush's end
  return groups;
}

TEST(Truncation, AJournalCutAtAnyLengthKeepsEveryGroupThatWasDurableBeforeTheCut) {
  constexpr uint64_t kWriteStep = 7 * kStep;  // writing behind it takes longer
  std::vector<std::string> expected = Undisturbed(kGroups + 2);
  os::MemoryFileSystem memory;
  std::vector<uint64_t> used;
  WriteJournal(memory, &used);
  memory.Crash(1);
  for (uint64_t size = kFileHeaderSize; size <= used.back() + 64; size += kStep) {
    SCOPED_TRACE("cut at " + std::to_string(size));
    std::unique_ptr<os::MemoryFileSystem> cut = Cut(memory, kJournalFile, size);
    Result<VerifyReport> report = Verify(*cut, kDirectory);
    ASSERT_TRUE(report.ok());
    EXPECT_TRUE(report->findings.empty()) << report->findings[0].ToString();
    int durable = static_cast<int>(
        std::count_if(used.begin(), used.end(), [&](uint64_t end) { return end <= size; }));
    int groups = KeptGroups(*cut, expected, durable);
    ASSERT_GE(groups, 0);
    if ((size - kFileHeaderSize) % kWriteStep != 0) continue;
    {
      Disk disk(*cut);
      ASSERT_TRUE(disk.Open().ok());
      ASSERT_EQ(1, AppendGroups(disk, groups, 1));
      disk.files.CrashNow();
    }
    cut->Crash(size);
    Disk disk(*cut);
    ASSERT_TRUE(disk.Open().ok());
    EXPECT_EQ(expected[static_cast<size_t>(groups) + 1], Contents(*disk.log));
    EXPECT_EQ(0U, disk.log->recovery().torn_bytes_cut);  // told once
    EXPECT_EQ("", disk.log->recovery().text);
  }
}

// Whoever sends events knows the format. Two frames that vouch for each other, at every alignment,
// must not make a torn tail look like damage.
TEST(Truncation, FramesInAnEventsValueAreNoProofOfALaterFlush) {
  std::string forged;
  for (int i = 0; i < 8; ++i) {
    for (uint32_t epoch : {1U, 2U}) {
      FrameHeader header{0, FrameKind::kControl, epoch, 0, 100, uint64_t{1} << 40};
      uint32_t crc = AppendFrame(header, "x", 0, forged);
      AppendFrame(header, "y", crc, forged);
    }
    forged += '.';
  }
  std::vector<std::string> expected = Undisturbed(1);
  os::MemoryFileSystem memory;
  {
    Disk disk(memory);
    ASSERT_TRUE(disk.Open().ok());
    ASSERT_EQ(1, AppendGroups(disk, 0, 1));
    std::vector<Entry> group = {BatchOf({forged})};
    ASSERT_TRUE(disk.log->Append(group).ok());
    ASSERT_TRUE(disk.log->WaitDurable(disk.log->last_lsn()).ok());
    disk.files.CrashNow();
  }
  memory.Crash(1);
  uint64_t used = UsedBytes(memory, kJournalFile);
  std::unique_ptr<os::MemoryFileSystem> cut =
      Cut(memory, kJournalFile, used - 2 * kFrameHeaderSize);
  Disk disk(*cut);
  Status opened = disk.Open();
  ASSERT_TRUE(opened.ok()) << opened.error().ToString();
  EXPECT_EQ(expected.back(), Contents(*disk.log));
  EXPECT_GT(disk.log->recovery().torn_bytes_cut, forged.size());
}

TEST(Truncation, OnlyTheLastFileOfTheJournalMayEndEarly) {
  constexpr size_t kPadding = 100'000;
  os::MemoryFileSystem memory;
  {
    Disk disk(memory);
    ASSERT_TRUE(disk.Open().ok());
    ASSERT_EQ(kGroups, AppendGroups(disk, 0, kGroups, kPadding));
    disk.files.CrashNow();
  }
  memory.Crash(1);
  ASSERT_TRUE(memory.Exists("/data/journal/000000000002.journal"));
  uint64_t used = UsedBytes(memory, kJournalFile);
  for (uint64_t size = kFileHeaderSize; size < used - kFrameHeaderSize; size += 10'007) {
    std::unique_ptr<os::MemoryFileSystem> cut = Cut(memory, kJournalFile, size);
    Disk disk(*cut);
    Status opened = disk.Open();
    ASSERT_FALSE(opened.ok()) << size;
    EXPECT_EQ("HR5204", opened.error().code());
    EXPECT_FALSE(Verify(*cut, kDirectory)->findings.empty());
  }
}

TEST(Truncation, AJournalFileWithoutItsWholeHeaderIsRefused) {
  os::MemoryFileSystem memory;
  std::vector<uint64_t> used;
  WriteJournal(memory, &used);
  memory.Crash(1);
  for (uint64_t size = 1; size < kFileHeaderSize; ++size) {
    std::unique_ptr<os::MemoryFileSystem> cut = Cut(memory, kJournalFile, size);
    Disk disk(*cut);
    Status opened = disk.Open();
    ASSERT_FALSE(opened.ok()) << size;
    EXPECT_EQ("HR5204", opened.error().code());
    EXPECT_FALSE(Verify(*cut, kDirectory)->findings.empty());
  }
}

// Everything in segments, several of them in a partition.
void WriteSegments(os::MemoryFileSystem& memory) {
  Disk disk(memory);
  ASSERT_TRUE(disk.Open().ok());
  ASSERT_TRUE(disk.log->CreateTopic("t", {.partitions = 2, .segment_bytes = 400}).ok());
  ASSERT_EQ(kGroups, AppendGroups(disk, 0, kGroups));
  ASSERT_TRUE(disk.log->Close().ok());
}

TEST(Truncation, ASegmentCutAtAnyLengthIsNamedAndRefused) {
  os::MemoryFileSystem memory;
  WriteSegments(memory);
  int segments = 0;
  for (const std::string& path : memory.AllFiles()) {
    if (!path.ends_with(".segment")) continue;
    ++segments;
    uint64_t whole = memory.Open(path, {}).value()->Size().value();
    for (uint64_t size = 0; size < whole; size += kStep) {
      std::unique_ptr<os::MemoryFileSystem> cut = Cut(memory, path, size);
      Disk disk(*cut);
      Status opened = disk.Open();
      ASSERT_FALSE(opened.ok()) << path << " at " << size;
      EXPECT_EQ(ErrorKind::kCorruption, opened.error().kind());
      EXPECT_EQ(path + "@" + std::to_string(size), opened.error().place());
      EXPECT_EQ(size, cut->Open(path, {}).value()->Size().value());  // left as it was
      Result<VerifyReport> report = Verify(*cut, kDirectory);
      ASSERT_TRUE(report.ok() && !report->findings.empty());
      EXPECT_EQ(opened.error().ToString(), report->findings[0].ToString());
    }
  }
  EXPECT_GE(segments, 4);
}

TEST(Truncation, AJournalThatIsEmptyOrGoneWhileSegmentsSpeakOfOneIsRefused) {
  os::MemoryFileSystem memory;
  WriteSegments(memory);
  std::unique_ptr<os::MemoryFileSystem> cut = Cut(memory, kJournalFile, 0);
  ASSERT_TRUE(memory.Remove(kJournalFile).ok());
  for (os::MemoryFileSystem* damaged : {cut.get(), &memory}) {
    Disk disk(*damaged);
    Status opened = disk.Open();
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ("HR5204", opened.error().code());
    EXPECT_FALSE(Verify(*damaged, kDirectory)->findings.empty());
  }
}

TEST(Truncation, BytesBehindTheDurableEndOfASegmentAreCutOff) {
  std::vector<std::string> expected = Undisturbed(kGroups + 1);
  os::MemoryFileSystem memory;
  WriteSegments(memory);
  for (const std::string& path : memory.AllFiles()) {
    if (!path.ends_with(".segment")) continue;
    uint64_t whole = memory.Open(path, {}).value()->Size().value();
    std::unique_ptr<os::MemoryFileSystem> copy = memory.Clone();
    copy->Open(path, {.writable = true}).value()->WriteAt(whole, std::string(100, 'x')).value();
    Disk disk(*copy);
    ASSERT_TRUE(disk.Open().ok());
    EXPECT_EQ(whole, copy->Open(path, {}).value()->Size().value());
    ASSERT_EQ(1, AppendGroups(disk, kGroups, 1));
    EXPECT_EQ(expected.back(), Contents(*disk.log));
    ASSERT_TRUE(disk.log->Close().ok());
    EXPECT_TRUE(Verify(*copy, kDirectory)->findings.empty());
  }
}

TEST(Truncation, AnIndexCutAtAnyLengthIsBuiltAgain) {
  std::vector<std::string> expected = Undisturbed(kGroups);
  os::MemoryFileSystem memory;
  WriteSegments(memory);
  int indexes = 0;
  for (const std::string& path : memory.AllFiles()) {
    if (!path.ends_with(".index")) continue;
    ++indexes;
    uint64_t whole = memory.Open(path, {}).value()->Size().value();
    for (uint64_t size = 0; size < whole; size += kStep) {
      std::unique_ptr<os::MemoryFileSystem> cut = Cut(memory, path, size);
      EXPECT_EQ("HR5213", Verify(*cut, kDirectory)->findings.at(0).code());
      Disk disk(*cut);
      ASSERT_TRUE(disk.Open().ok()) << path << " at " << size;
      EXPECT_EQ(expected.back(), Contents(*disk.log));
      EXPECT_EQ(4, disk.log->Read("t", 1, 4, 1)->front().base_offset);
    }
  }
  EXPECT_GE(indexes, 2);
}

TEST(Truncation, AManifestCutAtAnyLengthIsRefused) {
  os::MemoryFileSystem memory;
  WriteSegments(memory);
  uint64_t whole = memory.Open("/data/manifest", {}).value()->Size().value();
  for (uint64_t size = 0; size < whole; ++size) {
    std::unique_ptr<os::MemoryFileSystem> cut = Cut(memory, "/data/manifest", size);
    Disk disk(*cut);
    Status opened = disk.Open();
    ASSERT_FALSE(opened.ok()) << size;
    EXPECT_EQ("HR5208", opened.error().code());
    EXPECT_FALSE(Verify(*cut, kDirectory)->findings.empty());
  }
}

}  // namespace
}  // namespace headrace::log
