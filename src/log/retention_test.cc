// Retention: whole segments go, the newest stays, and what is left has the offsets it had.

#include <map>
#include <numeric>
#include <thread>

#include <gtest/gtest.h>

#include "log/log_testing.h"
#include "log/partition.h"

namespace headrace::log {
namespace {

constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kStartMs = 1'800'000'000'000;  // where the clock of a Disk stands
constexpr int kBatches = 10;
constexpr Lsn kAll = UINT64_MAX;  // a floor that spares nothing

// One batch of two records a day, each in a segment of its own.
void Fill(os::MemoryFileSystem& memory, TopicConfig config) {
  config.segment_bytes = 1;
  Disk disk(memory);
  ASSERT_TRUE(disk.Open().ok());
  ASSERT_TRUE(disk.log->CreateTopic("t", config).ok());
  for (int i = 0; i < kBatches; ++i) {
    std::string value = std::to_string(i);
    std::vector<Entry> group;
    group.push_back(BatchOf({value + "a", value + "b"}, 0, kStartMs + i * kDayMs));
    ASSERT_TRUE(disk.log->Append(group).ok());
  }
  ASSERT_TRUE(disk.log->Close().ok());
}

// Base offset and size of every segment of the topic that is on the disk.
std::map<int64_t, uint64_t> Segments(os::MemoryFileSystem& memory) {
  std::map<int64_t, uint64_t> segments;
  for (const std::string& path : memory.AllFiles()) {
    if (!path.starts_with("/data/topics/t/0/") || !path.ends_with(".segment")) continue;
    int64_t base = std::stoll(path.substr(path.rfind('/') + 1));
    segments[base] = memory.Open(path, {}).value()->Size().value();
  }
  return segments;
}

uint64_t Total(const std::map<int64_t, uint64_t>& segments) {
  return std::accumulate(segments.begin(), segments.end(), uint64_t{0},
                         [](uint64_t sum, const auto& segment) { return sum + segment.second; });
}

// The log begins at `start`, says so to whoever asks for less, and has all behind it.
void ExpectFrom(const Log& log, int64_t start) {
  EXPECT_EQ(start, log.start_offset("t", 0));
  EXPECT_EQ(2 * kBatches, log.end_offset("t", 0));
  EXPECT_EQ(2 * kBatches, log.next_offset("t", 0));
  for (int64_t below = 0; below < start; ++below) {
    Result<std::vector<Entry>> read = log.Read("t", 0, below, 1);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(ErrorKind::kNotFound, read.error().kind());
    EXPECT_EQ("HR5207", read.error().code());
    EXPECT_EQ(
        "offset " + std::to_string(below) + " is below the start offset " + std::to_string(start),
        read.error().message());
  }
  std::string expected;
  for (int64_t offset = start; offset < 2 * kBatches; offset += 2) {
    std::string value = std::to_string(offset / 2);
    expected += std::to_string(offset / 2 + 2) + " t:0:" + std::to_string(offset) + " note of " +
                value + "a " + value + "a " + value + "b\n";
    Result<std::vector<Entry>> read = log.Read("t", 0, offset + 1, 1);
    ASSERT_TRUE(read.ok()) << read.error().ToString();
    EXPECT_EQ(offset, read->front().base_offset);
  }
  EXPECT_EQ(expected, Contents(log));
}

TEST(Retention, TheOldestSegmentsGoUntilTheRestIsWithinTheSize) {
  os::MemoryFileSystem sizes;
  Fill(sizes, {});
  std::map<int64_t, uint64_t> before = Segments(sizes);
  ASSERT_EQ(static_cast<size_t>(kBatches), before.size());
  uint64_t one = Total(before) / kBatches;
  for (uint64_t limit : {uint64_t{0}, one / 2, one * 3, one * 3 + 1, Total(before) - 1}) {
    os::MemoryFileSystem memory;
    Fill(memory, {.retention_bytes = static_cast<int64_t>(limit)});
    std::map<int64_t, uint64_t> expected = before;
    while (expected.size() > 1 && Total(expected) > limit)
      expected.erase(expected.begin());
    {
      Disk disk(memory);
      ASSERT_TRUE(disk.Open().ok());
      ExpectFrom(*disk.log, 0);
      disk.log->SetRetentionFloor(kAll);
      ASSERT_TRUE(disk.log->ApplyRetention().ok());
      EXPECT_EQ(expected, Segments(memory)) << "limit " << limit;
      ExpectFrom(*disk.log, expected.begin()->first);
      disk.log->SetRetentionFloor(kAll);
      ASSERT_TRUE(disk.log->ApplyRetention().ok());  // what is within the limit stays
      EXPECT_EQ(expected, Segments(memory));
      ASSERT_TRUE(disk.log->Close().ok());
    }
    memory.Crash(limit);
    Disk disk(memory);
    ASSERT_TRUE(disk.Open().ok());
    ExpectFrom(*disk.log, expected.begin()->first);
    EXPECT_TRUE(Verify(memory, kDirectory)->findings.empty());
  }
}

TEST(Retention, SegmentsWhoseNewestRecordIsTooOldGo) {
  os::MemoryFileSystem memory;
  Fill(memory, {.retention_ms = 3 * kDayMs});
  Disk disk(memory);
  disk.clock.Set((kStartMs + (kBatches - 1) * kDayMs) * 1000);
  ASSERT_TRUE(disk.Open().ok());
  disk.log->SetRetentionFloor(kAll);
  ASSERT_TRUE(disk.log->ApplyRetention().ok());
  ExpectFrom(*disk.log, 12);  // days 6 to 9: exactly three days old is not older
  disk.clock.Advance(365 * kDayMs * 1000);
  disk.log->SetRetentionFloor(kAll);
  // The newest stays while something waits behind it to be moved to a segment.
  std::vector<Entry> group = {BatchOf({"new"}, 0, kStartMs)};
  ASSERT_TRUE(disk.log->Append(group).ok());
  ASSERT_TRUE(disk.log->WaitDurable(disk.log->last_lsn()).ok());
  ASSERT_TRUE(disk.log->ApplyRetention().ok());
  EXPECT_EQ(18, disk.log->start_offset("t", 0));
  EXPECT_EQ(0U, disk.log->Expired().idle_through);
  EXPECT_EQ(disk.log->last_lsn() - 1, disk.log->Expired().stays_from);
  ASSERT_TRUE(disk.log->MoveDurable().ok());
  EXPECT_EQ(disk.log->last_lsn(), disk.log->Expired().idle_through);
  EXPECT_EQ(UINT64_MAX, disk.log->Expired().stays_from);
  ASSERT_TRUE(disk.log->ApplyRetention().ok());
  for (int life = 0; life < 3; ++life) {
    EXPECT_EQ(2 * kBatches + 1 + life, disk.log->start_offset("t", 0));
    EXPECT_EQ(2 * kBatches + 1 + life, disk.log->end_offset("t", 0));
    EXPECT_EQ(0U, Segments(memory).size());
    EXPECT_TRUE(disk.log->Read("t", 0, disk.log->start_offset("t", 0), 1)->empty());
    EXPECT_EQ("", Contents(*disk.log));
    ASSERT_TRUE(disk.log->Close().ok());
    disk.log.reset();
    EXPECT_TRUE(Verify(memory, kDirectory)->findings.empty());
    ASSERT_TRUE(disk.Open().ok());
    // Offsets and LSNs go on behind what is gone.
    const Lsn before = disk.log->last_lsn();
    group = {BatchOf({"later"}, 0, kStartMs)};
    ASSERT_TRUE(disk.log->Append(group).ok());
    EXPECT_EQ(before + 1, group.front().lsn);
    ASSERT_TRUE(disk.log->WaitDurable(disk.log->last_lsn()).ok());
    EXPECT_EQ(2 * kBatches + 1 + life,
              disk.log->Read("t", 0, 2 * kBatches + 1 + life, 1)->front().base_offset);
    ASSERT_TRUE(disk.log->MoveDurable().ok());
    disk.log->SetRetentionFloor(kAll);
    ASSERT_TRUE(disk.log->ApplyRetention().ok());
  }
}

TEST(Retention, WithoutLimitsNothingGoes) {
  os::MemoryFileSystem memory;
  Fill(memory, {});
  Disk disk(memory);
  disk.clock.Advance(3650 * kDayMs * 1000);
  ASSERT_TRUE(disk.Open().ok());
  disk.log->SetRetentionFloor(kAll);
  ASSERT_TRUE(disk.log->ApplyRetention().ok());
  ExpectFrom(*disk.log, 0);
}

TEST(Retention, NothingGoesAtOrAboveTheFloorAndItNeverMovesBack) {
  os::MemoryFileSystem memory;
  Fill(memory, {.retention_ms = 0, .retention_bytes = 0});
  Disk disk(memory);
  disk.clock.Advance(3650 * kDayMs * 1000);
  ASSERT_TRUE(disk.Open().ok());
  ASSERT_TRUE(disk.log->ApplyRetention().ok());
  ExpectFrom(*disk.log, 0);  // whoever needs events has not said that it can do without them
  int64_t expected = 0;
  for (Lsn floor : {Lsn{2}, Lsn{3}, Lsn{7}, Lsn{5}}) {  // the topic is LSN 1, batch i is LSN i + 2
    disk.log->SetRetentionFloor(floor);
    ASSERT_TRUE(disk.log->ApplyRetention().ok());
    expected = std::max<int64_t>(expected, 2 * (static_cast<int64_t>(floor) - 2));
    ExpectFrom(*disk.log, expected);
  }
}

TEST(Retention, SegmentsAreSmallEnoughForTheLimits) {
  EXPECT_EQ(64 << 20, Partition::SegmentLimitsOf({}).bytes);
  EXPECT_EQ(-1, Partition::SegmentLimitsOf({}).span_ms);
  EXPECT_EQ(10 << 20, Partition::SegmentLimitsOf({.retention_bytes = 80 << 20}).bytes);
  EXPECT_EQ(1 << 20, Partition::SegmentLimitsOf({.retention_bytes = 0}).bytes);
  EXPECT_EQ(kDayMs, Partition::SegmentLimitsOf({.retention_ms = 8 * kDayMs}).span_ms);

  // A day of ten in a segment: retention of eight days does not wait for 64 MiB.
  os::MemoryFileSystem memory;
  {
    Disk disk(memory);
    ASSERT_TRUE(disk.Open().ok());
    ASSERT_TRUE(disk.log->CreateTopic("t", {.retention_ms = 8 * kDayMs}).ok());
    for (int i = 0; i < 40; ++i) {
      std::vector<Entry> group = {BatchOf({"x"}, 0, kStartMs + i * kDayMs / 4)};
      ASSERT_TRUE(disk.log->Append(group).ok());
    }
    ASSERT_TRUE(disk.log->Close().ok());
  }
  EXPECT_EQ(10U, Segments(memory).size());
  Disk disk(memory);
  disk.clock.Set((kStartMs + 10 * kDayMs) * 1000);
  ASSERT_TRUE(disk.Open().ok());
  disk.log->SetRetentionFloor(kAll);
  ASSERT_TRUE(disk.log->ApplyRetention().ok());
  EXPECT_EQ(8, disk.log->start_offset("t", 0));  // of the first two days nothing is young enough
}

TEST(Retention, RunsByItselfBehindWhatIsMoved) {
  os::MemoryFileSystem memory;
  Fill(memory, {.retention_bytes = 0});
  Disk disk(memory);
  ASSERT_TRUE(disk.Open().ok());
  disk.log->SetRetentionFloor(kAll);
  for (int i = 0; i < 8; ++i) {  // more than waits to be moved
    std::vector<Entry> group = {BatchOf({Noise(static_cast<uint64_t>(i), 1 << 20)})};
    ASSERT_TRUE(disk.log->Append(group).ok());
  }
  while (disk.log->start_offset("t", 0) == 0)
    std::this_thread::yield();
  EXPECT_GE(disk.log->start_offset("t", 0), 18);
  ASSERT_TRUE(disk.log->Close().ok());
}

TEST(Retention, OffsetsGoOnWhereTheyWere) {
  os::MemoryFileSystem memory;
  Fill(memory, {.retention_bytes = 0});
  {
    Disk disk(memory);
    ASSERT_TRUE(disk.Open().ok());
    disk.log->SetRetentionFloor(kAll);
    ASSERT_TRUE(disk.log->ApplyRetention().ok());
    ASSERT_TRUE(disk.log->Close().ok());
  }
  Disk disk(memory);
  ASSERT_TRUE(disk.Open().ok());
  std::vector<Entry> group = {BatchOf({"new"})};
  ASSERT_TRUE(disk.log->Append(group).ok());
  ASSERT_TRUE(disk.log->WaitDurable(disk.log->last_lsn()).ok());
  EXPECT_EQ(18, disk.log->start_offset("t", 0));
  EXPECT_EQ(21, disk.log->end_offset("t", 0));
  EXPECT_EQ(20, disk.log->Read("t", 0, 20, 1)->front().base_offset);
  EXPECT_EQ(-1, disk.log->OffsetAt("t", 0, INT64_MAX).value());
  EXPECT_EQ(18, disk.log->OffsetAt("t", 0, 0).value());
}

TEST(Retention, ACrashAnywhereInItLeavesALogThatIsWholeFromItsStartOn) {
  os::MemoryFileSystem filled;
  Fill(filled, {.retention_bytes = 0});
  for (uint64_t at = 1; at <= 40; ++at) {
    std::unique_ptr<os::MemoryFileSystem> memory = filled.Clone();
    {
      Disk disk(*memory);
      ASSERT_TRUE(disk.Open().ok());
      disk.log->SetRetentionFloor(kAll);
      disk.files.CrashAtOperation(disk.files.operations() + at);
      static_cast<void>(disk.log->ApplyRetention().ok());
    }
    memory->Crash(at);
    Disk disk(*memory);
    Status opened = disk.Open();
    ASSERT_TRUE(opened.ok()) << "operation " << at << ": " << opened.error().ToString();
    int64_t start = disk.log->start_offset("t", 0);
    EXPECT_TRUE(start == 0 || start == 18) << start;
    ExpectFrom(*disk.log, start);
    EXPECT_TRUE(Verify(*memory, kDirectory)->findings.empty());
    disk.log->SetRetentionFloor(kAll);
    ASSERT_TRUE(disk.log->ApplyRetention().ok());
    ExpectFrom(*disk.log, 18);
  }
}

}  // namespace
}  // namespace headrace::log
