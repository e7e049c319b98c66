// Retention: events go, and what was computed from them stays right and can be computed again from
// the snapshot that stands for them.

#include <gtest/gtest.h>

#include "engine/salvage.h"
#include "engine/snapshot_store.h"
#include "engine/test_events.h"
#include "engine/test_program.h"

namespace headrace::engine {
namespace {

constexpr int64_t kSecond = 1'000'000;
// All but the last ten minutes may go, an eighth of that at a time.
constexpr const char* kScript =
    "CREATE STREAM s (id TEXT NOT NULL, k TEXT, q BIGINT, ts TIMESTAMPTZ NOT NULL, "
    "WATERMARK FOR ts AS ts - INTERVAL '2 seconds') PARTITION BY (k) "
    "DEDUPLICATE BY (id) WITHIN INTERVAL '1 hour' "
    "WITH (timestamp_unit = 'us', retention = '10 minutes');\n"
    "CREATE STREAM d AS SELECT id, k, ts, count(*) OVER w AS n, sum(q) OVER all_of AS total "
    "FROM s WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '5 minutes' PRECEDING "
    "AND CURRENT ROW), all_of AS (PARTITION BY k ORDER BY ts);\n"
    "CREATE STREAM e AS SELECT k, 10 / (n - 3) AS x FROM d;\n"
    "CREATE MATERIALIZED VIEW v AS SELECT window_start, k, count(*) AS n FROM "
    "TUMBLE(TABLE d, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start, k;";
constexpr const char* kLater =
    "CREATE STREAM c AS SELECT id, count(*) OVER (PARTITION BY k ORDER BY ts) AS n FROM s;";
constexpr int64_t kEvents = 2000;

void Feed(TestProgram& program, int64_t from, int64_t to) {
  for (int64_t at = from; at < to; at += 10) {
    program.clock().Set(TestProgram::kNow + at * kSecond);
    program.Feed("s", RepeatedEvents(at, at + 10));
  }
}

// With a restart now and then, so that all of it is moved to segments.
void FeedAndRestart(TestProgram& program, int64_t from, int64_t to) {
  for (int64_t at = from; at < to; at += 100) {
    Feed(program, at, at + 100);
    ASSERT_TRUE(program.Restart().ok());
  }
}

std::string Derived(const TestProgram& program) {
  std::string all;
  for (const char* stream : {"d", "e", "v", "d.dead"})
    all += program.Rows(stream, true);
  return all;
}

int64_t FirstEvent(TestProgram& program) {
  return program.engine().log().start_offset("s", 0);
}

std::string Undisturbed() {
  TestProgram program;
  program.Run(kScript);
  Feed(program, 0, kEvents);
  EXPECT_EQ(0, FirstEvent(program));
  return Derived(program);
}

TEST(RetainedEvents, GoWhenASnapshotStandsForThem) {
  TestProgram program(20);
  program.Run(kScript);
  FeedAndRestart(program, 0, kEvents);
  EXPECT_GT(FirstEvent(program), 0);
  EXPECT_GT(SnapshotStore(program.disk(), "/data").Beginning().value(), 0U);
  EXPECT_EQ(Undisturbed(), Derived(program));
  const VerifyResult verified = program.engine().Verify({}).value();
  EXPECT_EQ(0U, verified.differences);
  EXPECT_GT(verified.from_lsn, 1U);
  EXPECT_GT(verified.rows, 0U);
  EXPECT_LT(verified.events, static_cast<uint64_t>(kEvents - FirstEvent(program)));
}

TEST(RetainedEvents, ExplainWhatTheyCausedAndOthersSaySo) {
  TestProgram program(20);
  program.Run(kScript);
  FeedAndRestart(program, 0, kEvents);
  const int64_t last = program.engine().log().end_offset("d", 0) - 1;
  const std::string told = program.engine().Why("d:0:" + std::to_string(last)).value();
  EXPECT_NE(std::string::npos, told.find("\"recomputed\":true")) << told;
  Result<std::string> gone = program.engine().Why("d:0:5");
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ("HR4103", gone.error().code());
}

TEST(RetainedEvents, AreWhatALaterStatementIsComputedOver) {
  TestProgram program(20);
  program.Run(kScript);
  FeedAndRestart(program, 0, 1000);
  const int64_t begins = FirstEvent(program);
  ASSERT_GT(begins, 0);  // how much is gone depends on how fast snapshots were written
  program.Run(kLater);
  const std::string rows = program.Rows("c", true);
  EXPECT_NE(std::string::npos, rows.find(R"("n":1})"));
  ASSERT_TRUE(program.Crash(7).ok());
  EXPECT_EQ(rows, program.Rows("c", true));
  Feed(program, 1000, 1100);
  ASSERT_TRUE(program.Crash(8).ok());
  EXPECT_EQ(rows, program.Rows("c", true).substr(0, rows.size()));
  FeedAndRestart(program, 1100, kEvents);
  EXPECT_GT(FirstEvent(program), begins);
  EXPECT_EQ(rows, program.Rows("c", true).substr(0, rows.size()));
  EXPECT_EQ(Undisturbed(), Derived(program));
  EXPECT_EQ(0U, program.Differences());
}

TEST(RetainedEvents, TheSnapshotThatStandsForThemIsMissed) {
  TestProgram program(20);
  program.Run(kScript);
  FeedAndRestart(program, 0, kEvents);
  const std::string expected = Derived(program);
  const uint64_t beginning = SnapshotStore(program.disk(), "/data").Beginning().value();
  const std::string manifest = "/data/snapshots/" + std::to_string(beginning) + ".manifest";
  ASSERT_TRUE(program.disk().Remove(manifest).ok());
  // What is newer is enough to go on, not to compute the past again.
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_EQ("HR5408", program.engine().Verify({}).error().code());
  EXPECT_EQ(expected, Derived(program));
  const std::vector<std::string> names = program.disk().List("/data/snapshots").value();
  for (const std::string& name : names)
    ASSERT_TRUE(program.disk().Remove("/data/snapshots/" + name).ok());
  EXPECT_EQ("HR5408", program.Restart().error().code());
}

TEST(RetainedEvents, AreNotMissedByASalvage) {
  for (bool beginning_is_whole : {true, false}) {
    TestProgram program(20);
    program.Run(kScript);
    FeedAndRestart(program, 0, 1000);
    ASSERT_GT(FirstEvent(program), 0);
    const std::string expected = Derived(program);
    ASSERT_TRUE(program.Stop().ok());
    if (!beginning_is_whole) program.disk().FlipBits("/data/snapshots/beginning", 5, 1);
    Result<SalvageResult> made = Salvage(program.disk(), program.clock(), "/data", "/new");
    ASSERT_TRUE(made.ok()) << made.error().ToString();
    const SalvageResult& salvaged = *made;
    EXPECT_TRUE(salvaged.complete());
    EXPECT_EQ(beginning_is_whole ? 0U : 1U, salvaged.lost_from);
    ASSERT_TRUE(program.StartIn("/new").ok());
    EXPECT_EQ(expected, Derived(program));
    EXPECT_EQ(0U, program.Differences());
    Feed(program, 1000, 1010);
    EXPECT_EQ(0U, program.Differences());
    // Behind a loss a statement is not computed beside live traffic.
    bool deployed = false;
    program.engine().Deploy("CREATE STREAM later AS SELECT k, 3 / (n - 2) AS x FROM d;",
                            "later.sql", [&](const Status& done) { deployed = done.ok(); });
    ASSERT_TRUE(program.engine().FinishDeployments().ok());
    EXPECT_TRUE(deployed);
    const auto deployment = program.engine().deployment();
    const catalog::Revision& later = deployment->catalog.Find("later")->latest();
    EXPECT_EQ(!beginning_is_whole, later.joined_lsn == later.lsn);
    Feed(program, 1010, 1020);
    ASSERT_TRUE(program.Crash(1).ok());
    EXPECT_EQ(0U, program.Differences());
  }
}

// Nothing comes any more: a server retains by time on its own, down to the last event.
TEST(RetainedEvents, GoFromAnIdleProgram) {
  TestProgram program;
  program.Run(kScript);
  Feed(program, 0, 1000);
  const std::string expected = Derived(program);
  ASSERT_EQ(0, FirstEvent(program));
  auto idle = [&](int64_t seconds) {
    for (int64_t at = 0; at < seconds; at += 30) {
      program.clock().Advance(30 * kSecond);
      program.engine().Pump();
      program.engine().FinishSnapshots();
    }
  };
  idle(900);
  const int64_t end = program.engine().log().end_offset("s", 0);
  EXPECT_EQ(end, FirstEvent(program));
  EXPECT_GT(SnapshotStore(program.disk(), "/data").Beginning().value(), 0U);
  EXPECT_EQ(expected, Derived(program));
  EXPECT_EQ(0U, program.Differences());
  ASSERT_TRUE(program.Crash(3).ok());
  EXPECT_EQ(end, FirstEvent(program));
  EXPECT_EQ(expected, Derived(program));
  Feed(program, 1000, kEvents);
  EXPECT_EQ(Undisturbed(), Derived(program));
  EXPECT_EQ(0U, program.Differences());
  // While a statement is computed over the past, the beginning stays.
  program.clock().Advance(3600 * kSecond);
  bool deployed = false;
  program.engine().Deploy(kLater, "later.sql", [&](const Status& done) { deployed = done.ok(); });
  program.engine().Pump();
  EXPECT_EQ(end, FirstEvent(program));
  ASSERT_TRUE(program.engine().FinishDeployments().ok());
  program.engine().Complete();
  EXPECT_TRUE(deployed);
}

// Takes events as from a file, until the disk fails.
Status Ingest(TestProgram& program, uint64_t from, uint64_t to) {
  for (uint64_t at = from; at < to; at += 10) {
    const auto first = static_cast<int64_t>(at);
    program.clock().Set(TestProgram::kNow + first * kSecond);
    HR_TRY(program.FeedAsFrom("f", "s", RepeatedEvents(first, first + 10), at + 10));
  }
  return Ok();
}

// The power fails at any operation of the disk while snapshots are taken, events removed and a
// statement deployed.
TEST(RetainedEvents, GoAtAnyMomentOfACrash) {
  const std::string expected = Undisturbed();
  bool finished = false;
  size_t removed = 0;
  for (uint64_t at = 1; !finished; at += 11) {
    TestProgram program(6);
    program.Run(kScript);
    FeedAndRestart(program, 0, 800);
    program.files().CrashAtOperation(program.files().operations() + at);
    Status taken = Ingest(program, 800, 900);
    if (taken.ok()) taken = program.engine().Execute(kLater, "app.sql");
    if (taken.ok()) taken = Ingest(program, 900, 1000);
    if (taken.ok()) taken = program.engine().Close();
    finished = taken.ok();
    ASSERT_TRUE(program.Crash(at).ok()) << at;
    const uint64_t goes_on = program.engine().PositionOf("s", "f").events;
    ASSERT_TRUE(Ingest(program, goes_on == 0 ? 800 : goes_on, kEvents).ok()) << at;
    ASSERT_TRUE(program.engine().Execute(kLater, "app.sql").ok()) << at;
    ASSERT_TRUE(program.Restart().ok()) << at;
    ASSERT_EQ(expected, Derived(program)) << at;
    ASSERT_EQ(0U, program.Differences()) << at;
    removed += FirstEvent(program) > 0 ? 1 : 0;
  }
  EXPECT_GT(removed, 0U);
}

}  // namespace
}  // namespace headrace::engine
