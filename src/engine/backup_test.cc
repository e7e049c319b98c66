// A backup is the directory at one LSN: after retention, after a salvage, carried on, stopped at
// any operation of the disk, and beside a program that goes on. What is restored from it goes on as
// the original would have.

#include "engine/backup.h"

#include <atomic>
#include <set>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "engine/salvage.h"
#include "engine/snapshot_store.h"
#include "engine/test_program.h"

namespace headrace::engine {
namespace {

constexpr int64_t kSecond = 1'000'000;
// All but the last ten minutes may go, an eighth of that at a time.
constexpr const char* kScript =
    "CREATE STREAM s (k TEXT, q BIGINT, ts TIMESTAMPTZ NOT NULL, "
    "WATERMARK FOR ts AS ts - INTERVAL '2 seconds') PARTITION BY (k) "
    "WITH (timestamp_unit = 'us', partitions = 2, retention = '10 minutes');\n"
    "CREATE STREAM d AS SELECT k, ts, count(*) OVER w AS n, sum(q) OVER all_of AS total "
    "FROM s WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '5 minutes' PRECEDING "
    "AND CURRENT ROW), all_of AS (PARTITION BY k ORDER BY ts);\n"
    "CREATE MATERIALIZED VIEW v AS SELECT window_start, k, count(*) AS n FROM "
    "TUMBLE(TABLE d, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start, k;";

std::vector<std::string> Events(int64_t from, int64_t to) {
  std::vector<std::string> events;
  for (int64_t i = from; i < to; i += 5) {
    events.push_back(R"({"k":"key)" + std::to_string(i % 7) + R"(","q":)" + std::to_string(i % 13) +
                     ",\"ts\":" + std::to_string(TestProgram::kNow + i * kSecond) + "}");
  }
  return events;
}

// An event each five seconds, as it comes; with a restart now and then, so that all of it is moved
// to segments and retention finds what it may remove.
void Feed(TestProgram& program, int64_t from, int64_t to) {
  for (int64_t at = from; at < to; at += 10) {
    program.clock().Set(TestProgram::kNow + at * kSecond);
    program.Feed("s", Events(at, at + 10));
    if (at % 100 != 90) continue;
    ASSERT_TRUE(program.Restart().ok());
  }
}

uint64_t Beginning(os::FileSystem& files, const std::string& directory) {
  return SnapshotStore(files, directory).Beginning().value();
}

// All that can be asked of a directory.
std::string Told(const LocalEngine& engine) {
  std::string all;
  for (const char* stream : {"s", "d", "v"}) {
    RowRange range;
    range.limit = SIZE_MAX;
    range.with_ids = true;
    all += engine.ReadRows(stream, range).value();
  }
  const VerifyResult verified = engine.Verify({}).value();
  all += std::to_string(verified.from_lsn) + " " + std::to_string(verified.events) + " " +
         std::to_string(verified.rows) + " " + std::to_string(verified.differences) + " " +
         std::to_string(verified.behind_loss) + " " + std::to_string(verified.behind_loss_differ);
  for (int64_t offset = 0; offset < engine.log().end_offset("d", 0); offset += 29) {
    Result<std::string> why = engine.Why("d:0:" + std::to_string(offset));
    all += "\n" + (why.ok() ? *why : why.error().ToString());
  }
  return all;
}

void ExpectSound(os::FileSystem& files, const std::string& directory) {
  const log::VerifyReport report = log::Verify(files, directory).value();
  for (const Error& finding : report.findings) {
    if (finding.code() == "HR5213") continue;  // an index is built again
    ADD_FAILURE() << finding.ToString();
  }
}

std::string ToldBy(os::FileSystem& files, os::Clock& clock, const std::string& directory) {
  ExpectSound(files, directory);
  base::MetricsRegistry metrics;
  EngineOptions options;
  options.directory = directory;
  options.read_only = true;
  options.log.read_only = true;
  auto engine = LocalEngine::Open(files, clock, metrics, options, nullptr);
  return engine.ok() ? Told(**engine) : engine.error().ToString();
}

TEST(Backup, HoldsTheBeginningThatRetentionMovedAndIsCarriedOn) {
  TestProgram program(20);
  program.Run(kScript);
  uint64_t beginning = 0;
  uint64_t moved = 0;
  for (int64_t at = 0; at < 3000; at += 500) {
    Feed(program, at, at + 500);
    const std::string told = Told(program.engine());
    auto made = Backup(program.disk(), program.clock(), "/data", "/backup");
    ASSERT_TRUE(made.ok()) << made.error().ToString();
    EXPECT_EQ(told, ToldBy(program.disk(), program.clock(), "/backup"));
    EXPECT_LT(made->entries, 700U) << "only what is new";
    const uint64_t held = Beginning(program.disk(), "/backup");
    EXPECT_EQ(Beginning(program.disk(), "/data"), held);
    moved += held > beginning ? 1 : 0;
    beginning = held;
    const std::string again = "/again" + std::to_string(at);
    ASSERT_TRUE(Restore(program.disk(), program.clock(), "/backup", again).ok());
    EXPECT_EQ(told, ToldBy(program.disk(), program.clock(), again));
  }
  EXPECT_GE(moved, 3U);
  // The first backup of a log without its first events.
  ASSERT_TRUE(Backup(program.disk(), program.clock(), "/data", "/first").ok());
  EXPECT_EQ(Told(program.engine()), ToldBy(program.disk(), program.clock(), "/first"));
  // What is restored goes on as the original would have.
  Feed(program, 3000, 3100);
  const std::string expected = Told(program.engine());
  TestProgram other(20);
  other.Run(kScript);
  for (int64_t at = 0; at < 3000; at += 500)
    Feed(other, at, at + 500);
  ASSERT_TRUE(Backup(other.disk(), other.clock(), "/data", "/backup").ok());
  ASSERT_TRUE(Restore(other.disk(), other.clock(), "/backup", "/restored").ok());
  ASSERT_TRUE(other.Stop().ok());
  ASSERT_TRUE(other.StartIn("/restored").ok());
  Feed(other, 3000, 3100);
  for (const char* stream : {"d", "v"})
    EXPECT_EQ(program.Rows(stream, true), other.Rows(stream, true));
  EXPECT_EQ(0U, other.Differences());
}

TEST(Backup, TooOldForWhatTheLogHoldsIsRefused) {
  TestProgram program(20);
  program.Run(kScript);
  Feed(program, 0, 300);
  ASSERT_TRUE(Backup(program.disk(), program.clock(), "/data", "/backup").ok());
  const std::string before = ToldBy(program.disk(), program.clock(), "/backup");
  Feed(program, 300, 3000);
  Result<log::CopyReport> late = Backup(program.disk(), program.clock(), "/data", "/backup");
  ASSERT_FALSE(late.ok());
  EXPECT_EQ("HR5260", late.error().code());
  EXPECT_EQ(before, ToldBy(program.disk(), program.clock(), "/backup"));
}

TEST(Backup, OfASalvagedDirectoryHasItsGaps) {
  TestProgram program(20);
  program.Run(kScript);
  Feed(program, 0, 1500);
  ASSERT_TRUE(program.Stop().ok());
  size_t flipped = 0;
  for (const std::string& path : program.disk().AllFiles()) {
    if (!path.starts_with("/data/topics/s/") || !path.ends_with(".segment")) continue;
    program.disk().FlipBits(path, 60, 4);
    ++flipped;
  }
  ASSERT_GT(flipped, 2U);
  for (const std::string& path : program.disk().AllFiles()) {
    if (!path.starts_with("/data/journal/")) continue;
    ASSERT_TRUE(program.disk().Remove(path).ok());
  }
  Result<SalvageResult> salvaged = Salvage(program.disk(), program.clock(), "/data", "/rest");
  ASSERT_TRUE(salvaged.ok()) << salvaged.error().ToString();
  ASSERT_FALSE(salvaged->complete());
  Status started = program.StartIn("/rest");
  ASSERT_TRUE(started.ok()) << started.error().ToString();
  for (int64_t at = 1500; at < 2500; at += 500) {
    const std::string told = Told(program.engine());
    auto made = Backup(program.disk(), program.clock(), "/rest", "/backup");
    ASSERT_TRUE(made.ok()) << made.error().ToString();
    EXPECT_EQ(told, ToldBy(program.disk(), program.clock(), "/backup"));
    Feed(program, at, at + 500);
  }
}

std::string Derived(os::FileSystem& files, os::Clock& clock, const std::string& directory) {
  ExpectSound(files, directory);
  base::MetricsRegistry metrics;
  EngineOptions options;
  options.directory = directory;
  options.read_only = true;
  options.log.read_only = true;
  auto engine = LocalEngine::Open(files, clock, metrics, options, nullptr);
  if (!engine.ok()) return engine.error().ToString();
  RowRange range;
  range.limit = SIZE_MAX;
  const VerifyResult verified = (*engine)->Verify({}).value();
  return (*engine)->ReadRows("d", range).value() + std::to_string(verified.differences);
}

// The power fails at each operation of the disk while a backup is made, and while one is carried on
// over a beginning that has moved.
TEST(Backup, StoppedAtAnyOperationHoldsAnEarlierMoment) {
  TestProgram program(20);
  program.Run(kScript);
  Feed(program, 0, 1200);
  ASSERT_TRUE(Backup(program.disk(), program.clock(), "/data", "/backup").ok());
  const std::string earlier = Derived(program.disk(), program.clock(), "/backup");
  Feed(program, 1200, 1600);
  ASSERT_TRUE(program.Stop().ok());
  const uint64_t beginning = Beginning(program.disk(), "/data");
  ASSERT_GT(beginning, Beginning(program.disk(), "/backup"));
  const std::string whole = Derived(program.disk(), program.clock(), "/data");
  ASSERT_NE(earlier, whole);
  std::set<std::pair<bool, bool>> moments;  // has the rest, has the new beginning
  for (const char* to : {"/backup", "/new"}) {
    bool finished = false;
    // A first one is nothing until its last operation.
    const uint64_t step = std::string_view(to) == "/new" ? 5 : 1;
    for (uint64_t at = 1; !finished; at += step) {
      auto disk = program.disk().Clone();
      {
        os::FaultyFileSystem files(*disk);
        files.CrashAtOperation(at);
        finished = Backup(files, program.clock(), "/data", to).ok();
      }
      disk->Crash(at);
      if (std::string_view(to) == "/backup") {
        const std::string held = Derived(*disk, program.clock(), to);
        ASSERT_TRUE(held == earlier || held == whole) << at << "\n" << held;
        moments.emplace(held == whole, Beginning(*disk, to) == beginning);
      }
      auto again = Backup(*disk, program.clock(), "/data", to);
      ASSERT_TRUE(again.ok()) << at << ": " << again.error().ToString();
      ASSERT_EQ(whole, Derived(*disk, program.clock(), to)) << at;
    }
  }
  EXPECT_EQ(3U, moments.size()) << "never the new beginning without the rest";
}

TEST(Backup, IsMadeBesideAProgramWhoseBeginningMoves) {
  TestProgram program(20);
  program.Run(kScript);
  Feed(program, 0, 800);
  std::atomic<bool> stop{false};
  std::vector<std::string> moments;
  std::thread reader([&] {
    for (int i = 0; !stop || i < 3; ++i) {
      Result<log::CopyReport> made = Backup(program.disk(), program.clock(), "/data", "/backup");
      ASSERT_TRUE(made.ok()) << made.error().ToString();
      const std::string to = "/moment" + std::to_string(i);
      ASSERT_TRUE(Restore(program.disk(), program.clock(), "/backup", to).ok());
      moments.push_back(to);
    }
  });
  Feed(program, 800, 2000);
  stop = true;
  reader.join();
  ASSERT_GT(Beginning(program.disk(), "/data"), 0U);
  const std::string whole = program.Rows("d", true);
  ASSERT_TRUE(program.Stop().ok());
  for (const std::string& moment : moments) {
    ASSERT_TRUE(program.StartIn(moment).ok());
    const std::string rows = program.Rows("d", true);
    ASSERT_EQ(whole.substr(0, rows.size()), rows);
    EXPECT_EQ(0U, program.Differences());
    ASSERT_TRUE(program.Stop().ok());
  }
  ASSERT_TRUE(program.StartIn("/data").ok());
}

constexpr const char* kModel = "/in/m.txt";
constexpr const char* kModelText =
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\n"
    "objective=regression\nfeature_names=q\nfeature_infos=[0:20]\n\nTree=0\nnum_leaves=2\n"
    "num_cat=0\nsplit_feature=0\nthreshold=5\ndecision_type=10\nleft_child=-1\nright_child=-2\n"
    "leaf_value=1 2\nleaf_count=5 5\ninternal_count=10\nis_linear=0\nshrinkage=1\n\n\n"
    "end of trees\n";

TEST(Backup, StoppedAtAnyOperationAreCarriedOnByTheNext) {
  TestProgram program;
  program.disk().CreateDirectories("/in").value();
  os::ReplaceFile(program.disk(), kModel, kModelText).value();
  program.Run(
      "CREATE STREAM s (q BIGINT); CREATE MODEL m WITH (path = '/in/m.txt');"
      "CREATE STREAM o AS SELECT PREDICT(m, q) AS p FROM s;");
  program.Feed("s", {R"({"q":1})", R"({"q":9})"});
  const std::string rows = program.Rows("o");
  ASSERT_TRUE(program.Stop().ok());
  bool stopped = true;
  for (uint64_t at = 1; stopped; ++at) {
    std::unique_ptr<os::MemoryFileSystem> disk = program.disk().Clone();
    {
      os::FaultyFileSystem files(*disk);
      files.CrashAtOperation(at);
      stopped = !Backup(files, program.clock(), "/data", "/backup").ok();
    }
    disk->Crash(at);
    ASSERT_TRUE(Backup(*disk, program.clock(), "/data", "/backup").ok()) << at;
    ASSERT_TRUE(Restore(*disk, program.clock(), "/backup", "/again").ok()) << at;
    base::MetricsRegistry metrics;
    EngineOptions options;
    options.directory = "/again";
    auto engine = LocalEngine::Open(*disk, program.clock(), metrics, options, nullptr);
    ASSERT_TRUE(engine.ok()) << at << engine.error().ToString();
    EXPECT_EQ(rows, (*engine)->ReadRows("o", {}).value()) << at;
  }
}

TEST(Backup, AreNotMadeInADirectoryOfSomethingElse) {
  TestProgram program;
  program.disk().CreateDirectories("/mine").value();
  os::ReplaceFile(program.disk(), "/mine/x", "y").value();
  EXPECT_EQ("HR5406", Backup(program.disk(), program.clock(), "/data", "/mine").error().code());
}

}  // namespace
}  // namespace headrace::engine
