// DROP: what is dropped is gone for good, what is left goes on as if it had been alone, and the
// name begins anew.

#include <gtest/gtest.h>

#include "engine/backup.h"
#include "engine/salvage.h"
#include "engine/test_events.h"
#include "engine/test_program.h"

namespace headrace::engine {
namespace {

constexpr int64_t kSecond = 1'000'000;

constexpr const char* kSource =
    "CREATE STREAM s (k TEXT NOT NULL, q BIGINT, ts TIMESTAMPTZ NOT NULL, "
    "WATERMARK FOR ts AS ts - INTERVAL '5 seconds') PARTITION BY (k) "
    "WITH (timestamp_unit = 'us', partitions = 2);\n";
// Refuses rows, as `d` does: whose letters they are only both can tell.
constexpr const char* kKept =
    "CREATE STREAM e AS SELECT k, ts, 100 / (q - 3) AS share, sum(q) OVER w AS total FROM s "
    "WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT "
    "ROW);\n";
constexpr const char* kDropped =
    "CREATE STREAM d AS SELECT k, q, ts, 100 / q AS share, count(*) OVER w AS n FROM s WINDOW w AS "
    "(PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW);\n";
constexpr const char* kReaders =
    "CREATE STREAM r AS SELECT k, 12 / (n - 3) AS x FROM d;\n"
    "CREATE MATERIALIZED VIEW v AS SELECT window_start, count(*) AS n FROM "
    "TUMBLE(TABLE d, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start;\n";

std::string Script() {
  return std::string(kSource) + kKept + kDropped + kReaders;
}

void Feed(TestProgram& program, int64_t from, int64_t to) {
  program.Feed("s", KeyedEvents(from, to), [](size_t) { return 7; });
}

std::string Refusal(TestProgram& program, const std::string& script) {
  Status done = program.engine().Execute(script, "app.sql");
  return done.ok() ? "" : done.error().code() + " " + done.error().message();
}

// Of `e` and its window alone.
std::string Alone(int64_t events) {
  TestProgram program;
  program.Run(std::string(kSource) + kKept);
  Feed(program, 0, events);
  return program.Rows("e", true);
}

bool Has(const TestProgram& program, const std::string& stream) {
  return const_cast<TestProgram&>(program).engine().deployment()->Find(stream) != nullptr;
}

TEST(Drop, IsRefusedWhileSomethingReadsItAndCascadeTakesThatWithIt) {
  TestProgram program;
  program.Run(Script());
  const std::string refused = Refusal(program, "DROP STREAM d;");
  EXPECT_NE(std::string::npos, refused.find("HR1208")) << refused;
  EXPECT_NE(std::string::npos, refused.find("`r`, `v` read `d`")) << refused;
  EXPECT_NE(std::string::npos, refused.find("CASCADE drops `r`, `v` with it")) << refused;
  EXPECT_NE(std::string::npos, Refusal(program, "DROP STREAM v;").find("HR1200"));
  EXPECT_NE(std::string::npos, Refusal(program, "DROP STREAM nothing;").find("HR1202"));
  EXPECT_EQ("", Refusal(program, "DROP STREAM IF EXISTS nothing;"));
  EXPECT_EQ("", Refusal(program, "DROP STREAM d CASCADE;"));
  for (const char* gone : {"d", "r", "v", "d.dead", "r.dead"})
    EXPECT_FALSE(Has(program, gone)) << gone;
  EXPECT_TRUE(Has(program, "e"));
  EXPECT_TRUE(Has(program, "s.dead"));
}

TEST(Drop, WhatIsLeftGoesOnAndTheNameBeginsAnew) {
  TestProgram program(20);
  program.Run(Script());
  Feed(program, 0, 100);
  const int64_t rows = program.engine().log().end_offset("d", 0);
  ASSERT_GT(rows, 0);
  program.Run("DROP STREAM d CASCADE;");
  EXPECT_FALSE(program.engine().ReadRows("d", {}).ok());
  EXPECT_FALSE(program.engine().Query("SELECT * FROM v").ok());
  Feed(program, 100, 200);
  EXPECT_EQ(Alone(200), program.Rows("e", true));
  EXPECT_EQ(0U, program.Differences());
  program.Run(kDropped);
  Feed(program, 200, 300);
  TestProgram anew;
  anew.Run(std::string(kSource) + kKept);
  Feed(anew, 0, 200);
  anew.Run(kDropped);
  Feed(anew, 200, 300);
  EXPECT_EQ(anew.Rows("d"), program.Rows("d"));
  EXPECT_EQ(anew.Rows("e", true), program.Rows("e", true));
  // An ID that was given once is never another row's.
  EXPECT_EQ(rows, program.engine().log().start_offset("d", 0));
  EXPECT_EQ(0U, program.Differences());
  const std::string all = program.Rows("d", true) + program.Rows("s.dead", true);
  ASSERT_TRUE(program.Restart().ok());
  ASSERT_TRUE(program.Crash(5).ok());
  EXPECT_EQ(all, program.Rows("d", true) + program.Rows("s.dead", true));
  EXPECT_EQ(0U, program.Differences());
}

TEST(Drop, AStartUsesASnapshotOfBefore) {
  TestProgram program;
  program.Run(Script());
  Feed(program, 0, 390);
  ASSERT_TRUE(program.Restart().ok());
  Feed(program, 390, 400);
  program.Run("DROP STREAM d CASCADE;");
  ASSERT_TRUE(program.Crash(3).ok());
  EXPECT_LE(program.replayed(), 10U);
  Feed(program, 400, 500);
  EXPECT_EQ(Alone(500), program.Rows("e", true));
  EXPECT_EQ(0U, program.Differences());
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_EQ(0U, program.replayed());
  EXPECT_EQ(Alone(500), program.Rows("e", true));
}

TEST(Drop, WhySaysThatTheRowIsGone) {
  TestProgram program;
  program.Run(Script());
  Feed(program, 0, 100);
  EXPECT_TRUE(program.engine().Why("d:0:3").ok());
  const std::string before = program.engine().Why("e:0:3").value();
  program.Run("DROP STREAM d CASCADE;");
  const auto code = [&](const char* id) { return program.engine().Why(id).error().code(); };
  EXPECT_EQ("HR4104", code("d:0:3"));
  EXPECT_EQ("HR4101", code("nothing:0:3"));
  EXPECT_EQ(before, program.engine().Why("e:0:3").value());
  program.Run(kDropped);
  EXPECT_EQ("HR4104", code("d:0:3"));
  const std::string id = "d:0:" + std::to_string(program.engine().log().start_offset("d", 0));
  EXPECT_NE(std::string::npos, program.engine().Why(id).value().find("\"recomputed\":true"));
}

TEST(Drop, ADeclaredStreamLeavesItsEvents) {
  TestProgram program;
  program.Run(Script());
  Feed(program, 0, 100);
  program.Run("DROP STREAM s CASCADE;");
  EXPECT_TRUE(program.engine().deployment()->items.empty());
  EXPECT_NE(std::string::npos,
            Refusal(program, "CREATE STREAM s (k TEXT) WITH (partitions = 1);").find("HR1100"));
  const std::string repeats =
      Refusal(program,
              "CREATE STREAM s (k TEXT NOT NULL, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) "
              "PARTITION BY (k) DEDUPLICATE BY (k) WITHIN INTERVAL '1 day' "
              "WITH (partitions = 2, timestamp_unit = 'us');");
  EXPECT_NE(std::string::npos, repeats.find("HR1100")) << repeats;
  // Others columns, other checks: events that do not fit are dead letters.
  program.Run(
      "CREATE STREAM s (k TEXT NOT NULL, q BIGINT CHECK (q < 12), ts TIMESTAMPTZ NOT NULL, "
      "WATERMARK FOR ts AS ts) PARTITION BY (k) WITH (timestamp_unit = 'us', partitions = 3);\n"
      "CREATE STREAM c AS SELECT count(*) OVER (ORDER BY ts) AS n FROM s;");
  const std::string rows = program.Rows("c", true) + program.Rows("s.dead", true);
  EXPECT_NE(std::string::npos, program.Rows("c").find("{\"n\":93}"));
  EXPECT_EQ(0U, program.Differences());
  ASSERT_TRUE(program.Crash(2).ok());
  EXPECT_EQ(rows, program.Rows("c", true) + program.Rows("s.dead", true));
  Feed(program, 100, 150);
  EXPECT_EQ(0U, program.Differences());
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_NE(std::string::npos, Refusal(program, "DROP TOPIC s;").find("HR1208"));
  EXPECT_NE(std::string::npos, Refusal(program, "DROP TOPIC c;").find("HR1208"));
  program.Run("DROP TOPIC s CASCADE;");
  EXPECT_NE(std::string::npos, Refusal(program, "DROP TOPIC s;").find("HR1202"));
  program.Run(std::string(kSource) + kKept);
  EXPECT_EQ("", program.Rows("e"));
  Feed(program, 0, 50);
  TestProgram alone;
  alone.Run(std::string(kSource) + kKept);
  Feed(alone, 0, 50);
  EXPECT_EQ(alone.Rows("e"), program.Rows("e"));
  EXPECT_EQ(0U, program.Differences());
  ASSERT_TRUE(program.Crash(2).ok());
  EXPECT_EQ(alone.Rows("e"), program.Rows("e"));
}

TEST(Drop, AndCreateInOneScriptIsOneStep) {
  TestProgram program(20);
  program.Run(Script());
  Feed(program, 0, 100);
  program.Run(
      "DROP STREAM d CASCADE;\n"
      "CREATE MATERIALIZED VIEW d AS SELECT window_start, count(*) AS n FROM TUMBLE(TABLE s, "
      "DESCRIPTOR(ts), INTERVAL '3 seconds') GROUP BY window_start;");
  EXPECT_TRUE(Has(program, "d"));
  Feed(program, 100, 200);
  TestProgram other;
  other.Run(std::string(kSource) + kKept);
  Feed(other, 0, 100);
  other.Run(
      "CREATE MATERIALIZED VIEW d AS SELECT window_start, count(*) AS n FROM TUMBLE(TABLE s, "
      "DESCRIPTOR(ts), INTERVAL '3 seconds') GROUP BY window_start;");
  Feed(other, 100, 200);
  EXPECT_EQ(other.Rows("d"), program.Rows("d"));
  EXPECT_EQ(0U, program.Differences());
  ASSERT_TRUE(program.Crash(1).ok());
  EXPECT_EQ(other.Rows("d"), program.Rows("d"));
  EXPECT_EQ(0U, program.Differences());
  EXPECT_NE(std::string::npos,
            Refusal(program, "CREATE STREAM f AS SELECT k FROM s; DROP STREAM f;").find("HR1200"));
}

TEST(Drop, WaitsForADeploymentThatIsUnderWay) {
  TestProgram program;
  program.Run(std::string(kSource) + kKept);
  Feed(program, 0, 2000);
  size_t told = 0;
  program.engine().Deploy(std::string(kDropped) + kReaders, "app.sql",
                          [&](const Status& done) { told += done.ok() ? 1 : 0; });
  program.engine().Deploy("DROP STREAM d CASCADE;", "app.sql",
                          [&](const Status& done) { told += done.ok() ? 1 : 0; });
  Feed(program, 2000, 2100);
  ASSERT_TRUE(program.engine().FinishDeployments().ok());
  EXPECT_EQ(2U, told);
  EXPECT_FALSE(Has(program, "d"));
  EXPECT_EQ(Alone(2100), program.Rows("e", true));
  EXPECT_EQ(0U, program.Differences());
  ASSERT_TRUE(program.Crash(4).ok());
  EXPECT_EQ(Alone(2100), program.Rows("e", true));
}

TEST(Drop, OfWhatAFormerRevisionReadsIsRefused) {
  TestProgram program;
  program.Run(std::string(kSource) + kDropped + "CREATE STREAM x AS SELECT k FROM d;");
  Feed(program, 0, 50);
  program.Run("CREATE OR REPLACE STREAM x AS SELECT k FROM s;");
  const std::string refused = Refusal(program, "DROP STREAM d;");
  EXPECT_NE(std::string::npos, refused.find("`x` did before it was replaced")) << refused;
  program.Run("DROP STREAM x; DROP STREAM d;");
  EXPECT_EQ(0U, program.Differences());
  ASSERT_TRUE(program.Crash(4).ok());
}

TEST(Drop, GoesIntoABackupThatHadTheRows) {
  TestProgram program;
  program.Run(Script());
  Feed(program, 0, 40);
  ASSERT_TRUE(Backup(program.disk(), program.clock(), "/data", "/copy").ok());
  Feed(program, 40, 100);
  program.Run("DROP STREAM d CASCADE;");
  ASSERT_TRUE(Backup(program.disk(), program.clock(), "/data", "/copy").ok());
  program.Run(kDropped);
  Feed(program, 100, 150);
  Result<log::CopyReport> copied = Backup(program.disk(), program.clock(), "/data", "/copy");
  ASSERT_TRUE(copied.ok()) << copied.error().ToString();
  const std::string rows = program.Rows("d", true) + program.Rows("e", true);
  ASSERT_TRUE(program.Stop().ok());
  EXPECT_TRUE(log::Verify(program.disk(), "/data").value().findings.empty());
  EXPECT_TRUE(log::Verify(program.disk(), "/copy").value().findings.empty());
  ASSERT_TRUE(Restore(program.disk(), program.clock(), "/copy", "/restored").ok());
  Result<SalvageResult> salvaged = Salvage(program.disk(), program.clock(), "/data", "/salvaged");
  ASSERT_TRUE(salvaged.ok()) << salvaged.error().ToString();
  EXPECT_TRUE(salvaged->log.offsets.empty());
  for (const char* directory : {"/restored", "/salvaged", "/data"}) {
    ASSERT_TRUE(program.StartIn(directory).ok()) << directory;
    EXPECT_EQ(rows, program.Rows("d", true) + program.Rows("e", true)) << directory;
    EXPECT_EQ(0U, program.Differences()) << directory;
    ASSERT_TRUE(program.Stop().ok());
  }
  ASSERT_TRUE(program.StartIn("/data").ok());
}

TEST(Drop, ItsSegmentsGoWithTheNextRetention) {
  TestProgram program;
  program.Run(Script());
  Feed(program, 0, 100);
  const auto files = [&] {
    size_t count = 0;
    for (const std::string& path : program.disk().AllFiles())
      count += path.find("/topics/d/") != std::string::npos ? 1 : 0;
    return count;
  };
  ASSERT_TRUE(program.engine().log().MoveDurable().ok());
  ASSERT_GT(files(), 0U);
  program.Run("DROP STREAM d CASCADE;");
  ASSERT_TRUE(program.engine().log().ApplyRetention().ok());
  EXPECT_EQ(0U, files());
  ASSERT_TRUE(program.Restart().ok());
  program.Run(kDropped);
  EXPECT_NE("", program.Rows("d"));
  EXPECT_EQ(0U, program.Differences());
  EXPECT_TRUE(log::Verify(program.disk(), "/data").value().findings.empty());
}

TEST(Drop, OfAModelThatIsAskedIsRefused) {
  TestProgram program(9);
  const std::string model = "CREATE MODEL m LEARNER hoeffding_tree (q BIGINT) LABEL (k TEXT);\n";
  const std::string asks = "CREATE STREAM guesses AS SELECT LEARN(m, q, k) AS guess FROM s;";
  program.Run(kSource + model + asks);
  Feed(program, 0, 100);
  EXPECT_NE(std::string::npos, Refusal(program, "DROP MODEL m;").find("`guesses` reads `m`"));
  EXPECT_NE(std::string::npos, Refusal(program, "DROP STREAM m;").find("HR1200"));
  const std::string first = program.Rows("guesses");
  program.Run("DROP MODEL m CASCADE;");
  EXPECT_TRUE(program.engine().models().empty());
  EXPECT_FALSE(Has(program, "guesses"));
  ASSERT_TRUE(program.Crash(2).ok());
  program.Run(model + asks);
  EXPECT_EQ(first, program.Rows("guesses"));
  EXPECT_EQ(0U, program.Differences());
}

// The power fails at every operation of the disk around a drop and a new beginning.
TEST(Drop, IsDoneOrNotAtAnyMomentOfACrash) {
  const std::string again = std::string(kSource) + kKept + kDropped;
  TestProgram still;
  still.Run(Script());
  Feed(still, 0, 60);
  still.Run("DROP STREAM d CASCADE;");
  Feed(still, 60, 80);
  still.Run(again);
  Feed(still, 80, 100);
  const std::string expected = still.Rows("e", true) + still.Rows("d", true);
  size_t before = 0;
  size_t after = 0;
  bool finished = false;
  for (uint64_t at = 1; !finished; ++at) {
    TestProgram program(9);
    program.Run(Script());
    Feed(program, 0, 60);
    program.engine().FinishSnapshots();
    program.files().CrashAtOperation(program.files().operations() + at);
    Status done = program.engine().Execute("DROP STREAM d CASCADE;", "app.sql");
    const bool dropped = done.ok();
    if (done.ok()) done = program.engine().log().ApplyRetention();
    if (done.ok()) done = program.FeedAsFrom("f", "s", KeyedEvents(60, 80), 1);
    if (done.ok()) done = program.engine().Execute(again, "app.sql");
    finished = done.ok() && !program.files().crashed();
    ASSERT_TRUE(program.Crash(at).ok()) << at;
    const bool there = program.engine().deployment()->catalog.DropOf("d") == nullptr;
    EXPECT_FALSE(dropped && there) << "lost at " << at;
    (there ? before : after) += 1;
    EXPECT_EQ(there, Has(program, "v")) << at;
    EXPECT_EQ(0U, program.Differences()) << at;
    if (there) program.Run("DROP STREAM d CASCADE;");
    if (program.engine().PositionOf("s", "f").events == 0) {
      ASSERT_TRUE(program.FeedAsFrom("f", "s", KeyedEvents(60, 80), 1).ok());
    }
    program.Run(again);
    Feed(program, 80, 100);
    ASSERT_EQ(expected, program.Rows("e", true) + program.Rows("d", true)) << at;
    ASSERT_TRUE(program.Restart().ok()) << at;
    ASSERT_EQ(0U, program.Differences()) << at;
    ASSERT_EQ(expected, program.Rows("e", true) + program.Rows("d", true)) << at;
  }
  EXPECT_GT(before, 0U);
  EXPECT_GT(after, 0U);
}

}  // namespace
}  // namespace headrace::engine
