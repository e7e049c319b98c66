// Snapshots: a start from one gives what a start from the beginning gives, whatever happened to it.

#include <algorithm>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "engine/snapshot_store.h"
#include "engine/test_program.h"

namespace headrace::engine {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr const char* kSnapshots = "/data/snapshots";

constexpr const char* kScript =
    "CREATE STREAM s (id TEXT NOT NULL, k TEXT, q BIGINT, ts TIMESTAMPTZ NOT NULL, "
    "WATERMARK FOR ts AS ts - INTERVAL '2 seconds') PARTITION BY (k) "
    "DEDUPLICATE BY (id) WITHIN INTERVAL '1 hour' WITH (timestamp_unit = 'us');\n"
    "CREATE STREAM d AS SELECT id, k, ts, count(*) OVER w AS n, sum(q) OVER w AS total, "
    "max(q) OVER all_of AS top FROM s WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN "
    "INTERVAL '1 minute' PRECEDING AND CURRENT ROW), all_of AS (PARTITION BY k ORDER BY ts);\n"
    "CREATE STREAM e AS SELECT k, 10 / (n - 3) AS x FROM d;\n"
    "CREATE MATERIALIZED VIEW v AS SELECT window_start, k, count(*) AS n FROM "
    "TUMBLE(TABLE d, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start, k;";

// Event i, of one of 100 keys; every tenth comes twice.
std::string Event(int64_t i) {
  int64_t number = i % 10 == 9 ? i - 1 : i;
  return R"({"id":"i)" + std::to_string(number) + R"(","k":"key)" + std::to_string(i * 7 % 100) +
         R"(","q":)" + std::to_string(i % 13) +
         ",\"ts\":" + std::to_string(TestProgram::kNow - 3000 * kSecond + i * kSecond / 4) + "}";
}

std::vector<std::string> Events(int64_t from, int64_t to) {
  std::vector<std::string> events;
  for (int64_t i = from; i < to; ++i)
    events.push_back(Event(i));
  return events;
}

void Feed(TestProgram& program, int64_t from, int64_t to) {
  program.Feed("s", Events(from, to), [](size_t) { return 10; });
}

std::string Everything(const TestProgram& program) {
  std::string all;
  for (const char* stream : {"s", "d", "e", "v", "d.dead"})
    all += program.Rows(stream, true);
  return all;
}

std::string Undisturbed(int64_t events) {
  TestProgram program;
  program.Run(kScript);
  Feed(program, 0, events);
  return Everything(program);
}

TEST(SnapshotManifest, IsTheBytesOfItsDescription) {
  SnapshotManifest manifest;
  manifest.lsn = 42;
  manifest.head = "ab";
  manifest.pages[{0, 3}] = {40, 128, 5, 0x04030201};
  const std::string bytes = manifest.Encode();
  std::string hex;
  for (unsigned char c : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[c >> 4];
    hex += kDigits[c & 15];
  }
  EXPECT_EQ("48524e312a02616201000328800105010203044f017c25", hex);
  for (size_t cut = 0; cut < bytes.size(); ++cut)
    EXPECT_EQ("HR5402", SnapshotManifest::Decode(bytes.substr(0, cut)).error().code());
  EXPECT_EQ(bytes, SnapshotManifest::Decode(bytes)->Encode());
}

TEST(Snapshots, OneIsTakenToItsEndThoughNoEventComes) {
  TestProgram program;
  program.Run(kScript);
  std::vector<std::string> events;
  for (int64_t i = 0; i < 4000; ++i) {
    events.push_back(R"({"id":"i)" + std::to_string(i) + R"(","k":"key)" + std::to_string(i) +
                     R"(","q":1,"ts":)" + std::to_string(TestProgram::kNow - kSecond) + "}");
  }
  program.Feed("s", events, [](size_t) { return 256; });
  program.clock().Advance(11 * kSecond);
  size_t pieces = 0;
  while (program.engine().Pump())
    ++pieces;
  EXPECT_GT(pieces, 5U);
  while (SnapshotStore(program.disk(), "/data").List().empty())
    std::this_thread::yield();
}

TEST(Snapshots, ACleanEndLeavesNothingToReplay) {
  TestProgram program;
  program.Run(kScript);
  Feed(program, 0, 500);
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_EQ(0U, program.replayed());
  Feed(program, 500, 900);
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_EQ(0U, program.replayed());
  Feed(program, 900, 1000);
  EXPECT_EQ(Undisturbed(1000), Everything(program));
  EXPECT_EQ(0U, program.Differences());
}

// How far the thread that writes them had come is chance: now and then it is far enough.
TEST(Snapshots, ACrashIsFollowedFromTheLastOne) {
  TestProgram program(20);
  program.Run(kScript);
  size_t spared = 0;
  for (int64_t at = 0; at < 1000; at += 100) {
    Feed(program, at, at + 100);
    ASSERT_TRUE(program.Crash(static_cast<uint64_t>(at)).ok());
    EXPECT_EQ(std::string::npos, program.engine().recovery_note().find("snapshot"));
    spared += program.replayed() < static_cast<uint64_t>(at) ? 1 : 0;
  }
  EXPECT_GT(spared, 0U);
  EXPECT_EQ(Undisturbed(1000), Everything(program));
  EXPECT_EQ(0U, program.Differences());
}

// Which files there are depends on how fast they were written: each round damages its own.
TEST(Snapshots, ADamagedOneIsNotUsedAndSaysSo) {
  const std::string expected = Undisturbed(400);
  size_t told = 0;
  for (size_t round = 0; round < 40; ++round) {
    TestProgram program(10);
    program.Run(kScript);
    Feed(program, 0, 200);
    ASSERT_TRUE(program.Restart().ok());
    Feed(program, 200, 300);
    ASSERT_TRUE(program.Restart().ok());
    const std::vector<std::string> names = program.disk().List(kSnapshots).value();
    ASSERT_GE(names.size(), 4U);
    const std::string path = std::string(kSnapshots) + "/" + names[round % names.size()];
    const std::string bytes = os::ReadFile(program.disk(), path, 1 << 24).value();
    program.disk().FlipBits(path, bytes.size() * round / 40, 1);
    ASSERT_TRUE(program.Restart().ok());
    Feed(program, 300, 400);
    ASSERT_EQ(expected, Everything(program)) << path << " round " << round;
    told += program.engine().recovery_note().empty() ? 0 : 1;
  }
  EXPECT_GT(told, 5U);
}

TEST(Snapshots, TwoAreKeptAndTheirPagesAlone) {
  TestProgram program(10);
  program.Run(kScript);
  for (int64_t at = 0; at < 3000; at += 100) {
    Feed(program, at, at + 100);
    ASSERT_TRUE(program.Restart().ok());
  }
  SnapshotStore store(program.disk(), "/data");
  std::vector<uint64_t> snapshots = store.List();
  ASSERT_EQ(2U, snapshots.size());
  uint64_t live = 0;
  std::set<uint64_t> files;
  for (uint64_t lsn : snapshots) {
    SnapshotManifest manifest = store.Read(lsn).value();
    for (const auto& [id, page] : manifest.pages) {
      files.insert(page.file);
      live += lsn == snapshots[0] ? page.length : 0;
    }
  }
  uint64_t stored = 0;
  size_t page_files = 0;
  const std::vector<std::string> names = program.disk().List(kSnapshots).value();
  for (const std::string& name : names) {
    if (!name.ends_with(".pages")) continue;
    ++page_files;
    stored +=
        os::ReadFile(program.disk(), std::string(kSnapshots) + "/" + name, 1 << 24).value().size();
  }
  EXPECT_EQ(files.size(), page_files);
  EXPECT_LT(stored, 5 * live);
}

TEST(Snapshots, AStatementThatCameSinceIsComputedOverEverything) {
  TestProgram program(10);
  program.Run(kScript);
  Feed(program, 0, 300);
  ASSERT_TRUE(program.Restart().ok());
  program.Run(
      "CREATE STREAM c AS SELECT id, count(*) OVER (PARTITION BY k ORDER BY ts) AS n FROM s;");
  Feed(program, 300, 400);
  std::string rows = program.Rows("c", true);
  ASSERT_TRUE(program.Crash(3).ok());
  Feed(program, 400, 500);
  EXPECT_EQ(rows, program.Rows("c", true).substr(0, rows.size()));
  EXPECT_EQ(Undisturbed(500), Everything(program));
  EXPECT_EQ(0U, program.Differences());
}

// Takes events as from a file, until the disk fails.
Status Ingest(TestProgram& program, uint64_t from, uint64_t to) {
  for (uint64_t at = from; at < to; at += 10) {
    const auto first = static_cast<int64_t>(at);
    HR_TRY(program.FeedAsFrom("f", "s", Events(first, first + 10), at + 10));
  }
  return Ok();
}

// The power fails at any operation of the disk while events come and snapshots are written.
TEST(Snapshots, SurviveACrashAtAnyMoment) {
  const std::string expected = Undisturbed(200);
  size_t from_snapshots = 0;
  bool finished = false;
  for (uint64_t at = 1; !finished; at += 2) {
    TestProgram program(6);
    program.Run(kScript);
    program.files().CrashAtOperation(program.files().operations() + at);
    Status taken = Ingest(program, 0, 200);
    if (taken.ok()) taken = program.engine().Close();
    finished = taken.ok();
    ASSERT_TRUE(program.Crash(at).ok()) << at;
    const uint64_t goes_on = program.engine().PositionOf("s", "f").events;
    from_snapshots += program.replayed() < goes_on ? 1 : 0;
    ASSERT_TRUE(Ingest(program, goes_on, 200).ok()) << at;
    ASSERT_EQ(expected, Everything(program)) << at;
    ASSERT_EQ(0U, program.Differences()) << at;
  }
  EXPECT_GT(from_snapshots, 10U);
}

TEST(Snapshots, AFullOrFailingDiskGivesThemUpAndNothingElse) {
  const std::string expected = Undisturbed(400);
  for (ErrorKind kind : {ErrorKind::kNoSpace, ErrorKind::kIo}) {
    for (os::FaultPoint point :
         {os::FaultPoint::kOpen, os::FaultPoint::kWrite, os::FaultPoint::kSync}) {
      TestProgram program(6);
      program.Run(kScript);
      Feed(program, 0, 100);
      os::FaultyFileSystem::Fault fault;
      fault.point = point;
      fault.kind = kind;
      fault.repeat = 5;
      fault.path_part = kSnapshots;
      program.files().Add(fault);
      Feed(program, 100, 300);
      program.files().ClearFaults();
      Feed(program, 300, 400);
      ASSERT_TRUE(program.Restart().ok());
      EXPECT_EQ(0U, program.replayed());
      EXPECT_EQ(expected, Everything(program));
      EXPECT_EQ(0U, program.Differences());
    }
  }
}

}  // namespace
}  // namespace headrace::engine
