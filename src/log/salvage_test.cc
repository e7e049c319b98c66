// Damage of every kind, and what is taken out of it.

#include "log/salvage.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include <gtest/gtest.h>

#include "log/frame.h"
#include "log/log_testing.h"
#include "log/segment.h"

namespace headrace::log {
namespace {

constexpr int kGroups = 8;
constexpr const char* kNew = "/new";
constexpr const char* kJournalFile = "/data/journal/000000000001.journal";

// With HEADRACE_SEEDS above 20 (make soak) each byte.
uint64_t Step() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 61;
#else
  const char* seeds = std::getenv("HEADRACE_SEEDS");
  return seeds != nullptr && std::strtoull(seeds, nullptr, 10) > 20 ? 1 : 7;
#endif
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

void Control(Disk& disk, const std::string& bytes) {
  std::vector<Entry> group(1);
  group[0].kind = EntryKind::kControl;
  group[0].note = "";
  group[0].bytes = bytes;
  ASSERT_TRUE(disk.log->Append(group).ok());
}

// Groups and controls, in segments of a few batches when they are moved.
void Fill(Disk& disk) {
  ASSERT_TRUE(disk.Open().ok());
  ASSERT_TRUE(disk.log->CreateTopic("t", {.partitions = 2, .segment_bytes = 400}).ok());
  for (int i = 0; i < kGroups; ++i) {
    if (i % 3 == 0) Control(disk, "control " + std::to_string(i));
    ASSERT_EQ(1, AppendGroups(disk, i, 1));
  }
  ASSERT_TRUE(disk.log->CreateTopic("u/v", {.partitions = 1}).ok());
  std::vector<Entry> group = {BatchOf({"only one"})};
  group[0].topic = "u/v";
  ASSERT_TRUE(disk.log->Append(group).ok());
  ASSERT_TRUE(disk.log->WaitDurable(disk.log->last_lsn()).ok());
}

// Groups of one large batch each, of letters.
void FillWide(Disk& disk, int groups, size_t padding) {
  ASSERT_TRUE(disk.Open().ok());
  ASSERT_TRUE(disk.log->CreateTopic("t", {.partitions = 2}).ok());
  for (int i = 0; i < groups; ++i) {
    std::string value = Noise(static_cast<uint64_t>(i), padding);
    for (char& c : value)
      c = static_cast<char>('a' + static_cast<unsigned char>(c) % 26);
    std::vector<Entry> group = {BatchOf({std::to_string(i) + value}, i % 2)};
    ASSERT_TRUE(disk.log->Append(group).ok());
    ASSERT_TRUE(disk.log->WaitDurable(disk.log->last_lsn()).ok());
  }
}

// The journal without the zeros that it was made with.
void Trim(os::MemoryFileSystem& memory) {
  const std::string bytes = os::ReadFile(memory, kJournalFile, 1 << 24).value();
  auto file = memory.Open(kJournalFile, {.writable = true}).value();
  file->Truncate(((bytes.find_last_not_of('\0') + 8) & ~size_t{7}) + 128).value();
  file->Sync().value();
}

struct Salvaged {
  SalvageReport report;
  std::string contents;
  std::string problem;  // of the new directory
};

// Salvages into kNew, opens what came of it, writes behind it.
Salvaged Rescue(os::MemoryFileSystem& memory, const std::vector<std::string>& more = {}) {
  os::ManualClock clock{1'800'000'000'000'000};
  Salvaged salvaged;
  auto fail = [&](const Error& error) {
    salvaged.problem = error.ToString();
    return salvaged;
  };
  Result<std::unique_ptr<Salvage>> salvage = Salvage::Open(memory, kDirectory);
  if (!salvage.ok()) return fail(salvage.error());
  if (Status written = (*salvage)->WriteTopics(kNew); !written.ok()) return fail(written.error());
  Status finished = (*salvage)->Finish(clock, more);
  if (!finished.ok()) return fail(finished.error());
  salvaged.report = (*salvage)->report();
  Result<VerifyReport> verified = Verify(memory, kNew);
  if (!verified.ok()) return fail(verified.error());
  if (!verified->findings.empty()) return fail(verified->findings.front());
  base::MetricsRegistry metrics;
  Result<std::unique_ptr<Log>> log =
      Log::Open(memory, clock, metrics, kNew, {.journal_file_bytes = 1 << 20});
  if (!log.ok()) return fail(log.error());
  salvaged.contents = Contents(**log);
  std::vector<Entry> group(1);
  group[0].kind = EntryKind::kControl;
  group[0].bytes = "behind";
  if (Status taken = (*log)->Append(group); !taken.ok()) return fail(taken.error());
  if (Status closed = (*log)->Close(); !closed.ok()) return fail(closed.error());
  verified = Verify(memory, kNew);
  if (!verified->findings.empty()) return fail(verified->findings.front());
  return salvaged;
}

// The losses as lines of Contents begin: "lsn topic:partition:offset".
bool IsReported(const std::string& line, const SalvageReport& report) {
  std::istringstream in(line);
  Lsn lsn = 0;
  std::string place;
  in >> lsn >> place;
  for (const SalvageReport::Lsns& range : report.lsns) {
    if (lsn >= range.first && lsn <= range.last) return true;
  }
  for (const SalvageReport::Offsets& lost : report.offsets) {
    const std::string lane = lost.topic + ":" + std::to_string(lost.partition) + ":";
    if (!place.starts_with(lane)) continue;
    const int64_t offset = std::stoll(place.substr(lane.size()));
    if (offset >= lost.from && offset < lost.to) return true;
  }
  return std::any_of(report.controls.begin(), report.controls.end(), [&](const auto& lost) {
    return place.starts_with(":") && lsn > lost.after_lsn &&
           (lost.before_lsn == 0 || lsn < lost.before_lsn);
  });
}

// Controls are numbered anew; nothing names them by their offset.
std::string Plain(std::string line) {
  const size_t place = line.find(" :0:");
  if (place != std::string::npos) line.erase(place + 4, line.find(' ', place + 4) - place - 4);
  return line;
}

// What came out is what was there, but for what is reported; how much is missing.
size_t ExpectHonest(const std::string& whole, const Salvaged& salvaged) {
  EXPECT_EQ("", salvaged.problem);
  const std::vector<std::string> expected = Lines(whole);
  const std::vector<std::string> got = Lines(salvaged.contents);
  size_t at = 0;
  size_t missing = 0;
  for (const std::string& line : expected) {
    if (at < got.size() && Plain(got[at]) == Plain(line)) {
      ++at;
      continue;
    }
    ++missing;
    EXPECT_TRUE(IsReported(line, salvaged.report)) << "lost and not told: " << line;
  }
  EXPECT_EQ(got.size(), at) << "not what was logged:\n" << salvaged.contents;
  return missing;
}

// What a program that opens the directory as it is sees: all, an error, or, told, a beginning.
bool IsNoticedOrHarmless(os::MemoryFileSystem& memory, const std::string& whole) {
  Disk disk(memory);
  if (!disk.Open(true).ok()) return true;
  const std::string contents = Contents(*disk.log);
  if (contents == whole || contents.starts_with("error ")) return true;
  return whole.starts_with(contents) && disk.log->recovery().torn_bytes_cut > 0;
}

// Flips each byte of each file; returns how many flips cost something.
int FlipEverything(const os::MemoryFileSystem& memory, const std::string& whole, size_t lost_max) {
  int losses = 0;
  for (const std::string& path : memory.AllFiles()) {
    if (path.ends_with("lock")) continue;
    const uint64_t size = memory.Clone()->Open(path, {}).value()->Size().value();
    for (uint64_t at = 0; at < size; at += Step()) {
      SCOPED_TRACE(path + "@" + std::to_string(at));
      std::unique_ptr<os::MemoryFileSystem> damaged = memory.Clone();
      damaged->FlipBits(path, at, static_cast<uint8_t>(1U << (at % 8)));
      EXPECT_TRUE(IsNoticedOrHarmless(*damaged, whole));
      Salvaged salvaged = Rescue(*damaged);
      const bool told = !salvaged.report.complete() || salvaged.report.torn_bytes > 0;
      // The last flush of the journal cannot be told from a write that was cut off.
      if (salvaged.report.torn_bytes > 0 && whole.starts_with(salvaged.contents)) continue;
      const size_t missing = ExpectHonest(whole, salvaged);
      EXPECT_LE(missing, lost_max);
      EXPECT_TRUE(missing == 0 || told);
      EXPECT_TRUE(missing > 0 || salvaged.report.offsets.empty()) << "told, but not lost";
      losses += missing > 0 ? 1 : 0;
      if (testing::Test::HasFailure()) return losses;
    }
  }
  return losses;
}

struct SalvageTest : testing::Test {
  os::MemoryFileSystem memory;
  std::string whole;

  // Everything is in the journal alone.
  void Journalled() {
    {
      Disk disk(memory);
      Fill(disk);
      whole = Contents(*disk.log);
      disk.files.CrashNow();
    }
    memory.Crash(1);
    Trim(memory);
  }
  // Everything is in segments; the journal has it still.
  void Moved() {
    Disk disk(memory);
    Fill(disk);
    whole = Contents(*disk.log);
    ASSERT_TRUE(disk.log->Close().ok());
    disk.log.reset();
    Trim(memory);
  }
  // Everything is in segments alone: what a salvage makes of a sound directory.
  void InSegments() {
    os::MemoryFileSystem before;
    Disk disk(before);
    Fill(disk);
    ASSERT_TRUE(disk.log->Close().ok());
    disk.log.reset();
    auto salvage = Salvage::Open(before, kDirectory).value();
    salvage->WriteTopics(kNew).value();
    ASSERT_TRUE(salvage->report().complete());
    salvage->Finish(disk.clock, {}).value();
    memory.CreateDirectories("/data/journal").value();
    for (const std::string& path : before.AllFiles()) {
      if (!path.starts_with(kNew)) continue;
      const std::string target = kDirectory + path.substr(4);
      memory.CreateDirectories(target.substr(0, target.rfind('/'))).value();
      os::ReplaceFile(memory, target, os::ReadFile(before, path, 1 << 24).value()).value();
    }
    Disk reader(memory);
    ASSERT_TRUE(reader.Open(true).ok());
    whole = Contents(*reader.log);
  }
  void Write(const std::string& path, uint64_t at, const std::string& bytes) {
    memory.Open(path, {.writable = true}).value()->WriteAt(at, bytes).value();
  }
  std::vector<std::string> Segments(const std::string& of) const {
    std::vector<std::string> paths;
    for (const std::string& path : memory.AllFiles()) {
      if (path.starts_with("/data/" + of + "/") && path.ends_with(".segment")) {
        paths.push_back(path);
      }
    }
    return paths;
  }
};

TEST_F(SalvageTest, ASoundDirectoryIsSalvagedAsItIs) {
  Moved();
  const std::vector<std::string> before = memory.AllFiles();
  Salvaged salvaged = Rescue(memory);
  EXPECT_EQ("", salvaged.problem);
  EXPECT_EQ(whole, salvaged.contents);
  EXPECT_TRUE(salvaged.report.complete());
  EXPECT_TRUE(salvaged.report.damage.empty());
  EXPECT_EQ(2U * kGroups + 1, salvaged.report.batches);
  for (const std::string& path : before)
    EXPECT_TRUE(memory.Exists(path)) << path;
}

TEST_F(SalvageTest, EachByteOfAJournalCostsAtMostTwoEntries) {
  Journalled();
  EXPECT_GT(FlipEverything(memory, whole, 2), 0);
}

TEST_F(SalvageTest, AByteOfWhatIsInJournalAndSegmentsCostsNothing) {
  Moved();
  EXPECT_EQ(0, FlipEverything(memory, whole, 0));
}

TEST_F(SalvageTest, EachByteOfASegmentCostsOneBatch) {
  InSegments();
  EXPECT_GT(FlipEverything(memory, whole, 1), 0);
}

TEST_F(SalvageTest, AMissingSegmentIsAGapThatReadersPassOver) {
  InSegments();
  const std::vector<std::string> segments = Segments("topics/t/0");
  ASSERT_GE(segments.size(), 3U);
  memory.Remove(segments[1]).value();
  const int64_t from = std::stoll(segments[1].substr(segments[1].rfind('/') + 1));
  const int64_t to = std::stoll(segments[2].substr(segments[2].rfind('/') + 1));
  Salvaged salvaged = Rescue(memory);
  EXPECT_GT(ExpectHonest(whole, salvaged), 0U);
  ASSERT_EQ(1U, salvaged.report.offsets.size());
  EXPECT_EQ(from, salvaged.report.offsets[0].from);
  EXPECT_EQ(to, salvaged.report.offsets[0].to);
  ASSERT_EQ(1U, salvaged.report.damage.size());
  EXPECT_EQ("the file is missing", salvaged.report.damage[0].what);

  base::MetricsRegistry metrics;
  os::ManualClock clock;
  auto log = Log::Open(memory, clock, metrics, kNew, {.read_only = true}).value();
  EXPECT_EQ(0, log->start_offset("t", 0));
  EXPECT_EQ(2 * kGroups, log->end_offset("t", 0));
  EXPECT_EQ(to, log->Read("t", 0, from, 1)->front().base_offset);
  EXPECT_EQ(to, log->Read("t", 0, to - 1, 1)->front().base_offset);
  EXPECT_EQ(0, *log->OffsetAt("t", 0, 0));
  const Lsn behind = salvaged.report.offsets[0].before_lsn;
  Entry entry;
  auto cursor = log->Scan(behind - 1).value();
  while (*cursor->Next(&entry) && (entry.topic != "t" || entry.partition != 0)) {
  }
  EXPECT_EQ(behind, entry.lsn);
}

TEST_F(SalvageTest, OffsetsOfALostEndAreNotGivenAgain) {
  InSegments();
  memory.Remove(Segments("topics/t/1").back()).value();
  Salvaged salvaged = Rescue(memory);
  EXPECT_GT(ExpectHonest(whole, salvaged), 0U);
  Disk disk(memory);
  auto log = Log::Open(memory, disk.clock, disk.metrics, kNew, {}).value();
  EXPECT_EQ(kGroups, log->next_offset("t", 1));
  EXPECT_TRUE(log->Read("t", 1, kGroups - 1, 1)->empty());
  std::vector<Entry> group = {BatchOf({"new"}, 1)};
  ASSERT_TRUE(log->Append(group).ok());
  ASSERT_TRUE(log->WaitDurable(log->last_lsn()).ok());
  EXPECT_EQ(kGroups, log->Read("t", 1, kGroups - 1, 1)->front().base_offset);
  EXPECT_NE(std::string::npos, Contents(*log).find("t:1:" + std::to_string(kGroups)));
  ASSERT_TRUE(log->Close().ok());
  EXPECT_TRUE(Verify(memory, kNew)->findings.empty());
}

TEST_F(SalvageTest, WithoutAManifestTheLsnsTellThatNothingIsMissing) {
  Moved();
  for (bool damaged : {false, true}) {
    std::unique_ptr<os::MemoryFileSystem> copy = memory.Clone();
    if (damaged) {
      copy->FlipBits("/data/manifest", 9, 1);
    } else {
      copy->Remove("/data/manifest").value();
    }
    Salvaged salvaged = Rescue(*copy);
    EXPECT_EQ("", salvaged.problem);
    EXPECT_EQ(whole, salvaged.contents);
    EXPECT_TRUE(salvaged.report.complete());
    EXPECT_TRUE(salvaged.report.guessed.empty()) << "the journal has their frames";
  }
}

TEST_F(SalvageTest, WithoutAManifestTopicsAreCountedOrSuggested) {
  InSegments();
  memory.Remove("/data/manifest").value();
  auto salvage = Salvage::Open(memory, kDirectory).value();
  salvage->Suggest("u/v", {.partitions = 3, .retention_ms = 7});
  salvage->WriteTopics(kNew).value();
  EXPECT_EQ(std::vector<std::string>{"t"}, salvage->report().guessed);
  EXPECT_EQ(2, salvage->topics().at("t").partitions);
  EXPECT_EQ(3, salvage->topics().at("u/v").partitions);
  EXPECT_EQ(7, salvage->topics().at("u/v").retention_ms);
  EXPECT_TRUE(salvage->report().complete());
}

TEST_F(SalvageTest, ALossThatOnlyLsnsTellIsTold) {
  InSegments();
  memory.Remove("/data/manifest").value();
  memory.Remove(Segments("topics/t/0").back()).value();
  Salvaged salvaged = Rescue(memory);
  EXPECT_EQ("", salvaged.problem);
  EXPECT_GT(salvaged.report.unaccounted, 0U);
  EXPECT_FALSE(salvaged.report.complete());
}

TEST_F(SalvageTest, ATornTailIsCutOffAsAStartDoes) {
  Journalled();
  const uint64_t size = memory.Open(kJournalFile, {}).value()->Size().value();
  for (uint64_t cut = kFileHeaderSize; cut < size; cut += 5 * Step()) {
    SCOPED_TRACE(cut);
    std::unique_ptr<os::MemoryFileSystem> torn = memory.Clone();
    torn->Open(kJournalFile, {.writable = true}).value()->Truncate(cut).value();
    Disk disk(*torn);
    ASSERT_TRUE(disk.Open(true).ok());
    const std::string expected = Contents(*disk.log);
    const uint64_t bytes = disk.log->recovery().torn_bytes_cut;
    disk.log.reset();
    Salvaged salvaged = Rescue(*torn);
    EXPECT_EQ("", salvaged.problem);
    EXPECT_EQ(expected, salvaged.contents);
    EXPECT_EQ(bytes, salvaged.report.torn_bytes);
    EXPECT_TRUE(salvaged.report.complete());
  }
}

// A disk loses blocks, not bits.
TEST_F(SalvageTest, BlocksOfZerosCostWhatStoodThere) {
  {
    Disk disk(memory);
    FillWide(disk, 70, 3000);
    whole = Contents(*disk.log);
    disk.files.CrashNow();
  }
  memory.Crash(1);
  const uint64_t size = memory.Open(kJournalFile, {}).value()->Size().value();
  for (uint64_t block = 4096; block < 200'000; block += 4096 * 3) {
    SCOPED_TRACE(block);
    std::unique_ptr<os::MemoryFileSystem> damaged = memory.Clone();
    ASSERT_LT(block, size);
    auto file = damaged->Open(kJournalFile, {.writable = true}).value();
    file->WriteAt(block, std::string(4096, '\0')).value();
    Salvaged salvaged = Rescue(*damaged);
    const size_t missing = ExpectHonest(whole, salvaged);
    EXPECT_GE(missing, 1U);
    EXPECT_LE(missing, 3U);
    ASSERT_FALSE(salvaged.report.damage.empty());
    EXPECT_LE(salvaged.report.damage[0].from, block);
    EXPECT_GE(salvaged.report.damage[0].to, block + 4096);
  }
}

TEST_F(SalvageTest, EachFileOfAJournalMayBeDamagedAtItsHeaderOrGone) {
  {
    Disk disk(memory);
    FillWide(disk, 9, 100'000);
    whole = Contents(*disk.log);
    disk.files.CrashNow();
  }
  memory.Crash(1);
  int files = 0;
  for (const std::string& path : memory.AllFiles()) {
    if (!path.ends_with(".journal") || path.ends_with("spare.journal")) continue;
    ++files;
    for (uint64_t at = 0; at < 32; at += 3) {
      SCOPED_TRACE(path + "@" + std::to_string(at));
      std::unique_ptr<os::MemoryFileSystem> damaged = memory.Clone();
      damaged->FlipBits(path, at, 4);
      Salvaged salvaged = Rescue(*damaged);
      EXPECT_EQ(0U, ExpectHonest(whole, salvaged)) << "the frames prove themselves";
      EXPECT_TRUE(salvaged.report.complete());
      EXPECT_FALSE(salvaged.report.damage.empty());
    }
    if (path.ends_with("0001.journal")) {
      std::unique_ptr<os::MemoryFileSystem> gone = memory.Clone();
      gone->Remove(path).value();
      Salvaged salvaged = Rescue(*gone);
      EXPECT_GT(ExpectHonest(whole, salvaged), 0U);
      EXPECT_FALSE(salvaged.report.complete());
    }
  }
  EXPECT_GE(files, 2);
}

// Whoever sends events can put whole stored batches into them.
TEST_F(SalvageTest, BatchesInAnEventsValueAreNotTakenForLostOnes) {
  Entry forged = BatchOf({"forged"});
  forged.lsn = 4;
  forged.base_offset = 1;
  std::string value = "x";
  for (int i = 0; i < 3; ++i) {
    AppendStored(forged, forged.bytes, value);
    ++forged.lsn;
    ++forged.base_offset;
  }
  {
    Disk disk(memory);
    ASSERT_TRUE(disk.Open().ok());
    ASSERT_TRUE(disk.log->CreateTopic("t", {.partitions = 2}).ok());
    for (const std::string& one : {std::string("first"), value, std::string("last")}) {
      std::vector<Entry> group = {BatchOf({one})};
      ASSERT_TRUE(disk.log->Append(group).ok());
    }
    ASSERT_TRUE(disk.log->WaitDurable(disk.log->last_lsn()).ok());
    whole = Contents(*disk.log);
    ASSERT_TRUE(disk.log->Close().ok());
  }
  memory.Remove(kJournalFile).value();
  const std::string path = Segments("topics/t/0").front();
  const std::string bytes = os::ReadFile(memory, path, 1 << 20).value();
  const size_t begin = bytes.find("HRS1", 1);
  ASSERT_NE(std::string::npos, begin);
  for (size_t at = begin; at < begin + kStoredHeaderSize + 61 + 20; ++at) {
    SCOPED_TRACE(at);
    std::unique_ptr<os::MemoryFileSystem> damaged = memory.Clone();
    damaged->FlipBits(path, at, 0x40);
    Salvaged salvaged = Rescue(*damaged);
    EXPECT_EQ("", salvaged.problem);
    ASSERT_EQ(std::string::npos, salvaged.contents.find(" forged\n"));
    EXPECT_NE(std::string::npos, salvaged.contents.find("first"));
    EXPECT_NE(std::string::npos, salvaged.contents.find("last"));
  }
}

TEST_F(SalvageTest, ATargetThatIsNotEmptyOrWithinTheSourceIsRefused) {
  Moved();
  memory.CreateDirectories("/full").value();
  os::ReplaceFile(memory, "/full/something", "x").value();
  for (const char* target : {"/full", "/data", "/data/new"}) {
    auto salvage = Salvage::Open(memory, kDirectory).value();
    Status written = salvage->WriteTopics(target);
    ASSERT_FALSE(written.ok()) << target;
    EXPECT_EQ("HR5216", written.error().code());
  }
  EXPECT_EQ("HR5209", Salvage::Open(memory, "/full").error().code());
}

TEST_F(SalvageTest, ADirectoryThatAProgramHasIsNotRead) {
  Disk disk(memory);
  ASSERT_TRUE(disk.Open().ok());
  Result<std::unique_ptr<Salvage>> salvage = Salvage::Open(memory, kDirectory);
  ASSERT_FALSE(salvage.ok());
  EXPECT_EQ(ErrorKind::kConflict, salvage.error().kind());
}

TEST_F(SalvageTest, AfterACrashTheNewDirectoryIsWholeOrRefused) {
  Moved();
  bool finished = false;
  for (uint64_t crash = 1; !finished; ++crash) {
    SCOPED_TRACE(crash);
    std::unique_ptr<os::MemoryFileSystem> disk = memory.Clone();
    os::ManualClock clock;
    {
      os::FaultyFileSystem files(*disk);
      files.CrashAtOperation(crash);
      auto salvage = Salvage::Open(files, kDirectory);
      finished =
          salvage.ok() && (*salvage)->WriteTopics(kNew).ok() && (*salvage)->Finish(clock, {}).ok();
    }
    disk->Crash(crash);
    base::MetricsRegistry metrics;
    Result<std::unique_ptr<Log>> log = Log::Open(*disk, clock, metrics, kNew, {.read_only = true});
    EXPECT_TRUE(!finished || log.ok());
    if (log.ok()) {
      EXPECT_EQ(whole, Contents(**log));
    }
    Disk source(*disk);
    ASSERT_TRUE(source.Open(true).ok());
    EXPECT_EQ(whole, Contents(*source.log));
  }
}

}  // namespace
}  // namespace headrace::log
