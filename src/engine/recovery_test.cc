// What a program finds again when it is started: statements, state, rows, and what it does about
// statements that are newer than events.

#include <thread>

#include <gtest/gtest.h>

#include "engine/recovery_estimate.h"
#include "engine/snapshot_store.h"
#include "engine/test_program.h"

namespace headrace::engine {
namespace {

using Lines = std::vector<std::string>;

constexpr int64_t kBase = TestProgram::kNow - 3'600'000'000;
constexpr const char* kStream =
    "CREATE STREAM s (k TEXT, q BIGINT, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) "
    "WITH (timestamp_unit = 'us');\n";
constexpr const char* kCounted =
    "CREATE STREAM o AS SELECT k, q, 12 / q AS d, count(*) OVER (PARTITION BY k ORDER BY ts "
    "RANGE BETWEEN INTERVAL '10 seconds' PRECEDING AND CURRENT ROW) AS n, ts FROM s;\n";

std::string Event(int64_t second, int64_t q, const std::string& k = "a") {
  return "{\"k\":\"" + k + "\",\"q\":" + std::to_string(q) +
         ",\"ts\":" + std::to_string(kBase + second * 1'000'000) + "}";
}

// One tree: x <= 10 ? `low` : -2.
std::string ModelText(const std::string& low) {
  return "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
         "max_feature_idx=0\nobjective=regression\nfeature_names=x\nfeature_infos=[0:20]\n\n"
         "Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=10\ndecision_type=2\n"
         "left_child=-1\nright_child=-2\nleaf_value=" +
         low +
         " -2\nleaf_count=5 5\ninternal_count=10\nis_linear=0\nshrinkage=1\n\n\n"
         "end of trees\n";
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

TEST(Recovery, FindsStatementsStateAndRowsAgain) {
  TestProgram program;
  program.Run(std::string(kStream) + kCounted);
  program.Feed("s", {Event(1, 1), Event(2, 2), Event(3, 0)});
  std::string rows = program.Rows("o", true) + program.Rows("s.dead", true);
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_EQ(rows, program.Rows("o", true) + program.Rows("s.dead", true));
  EXPECT_EQ(4U, program.engine().streams().size());
  program.Feed("s", {Event(4, 4)});
  EXPECT_EQ(1U, Count(program.Rows("o"), "\"q\":4,\"d\":3,\"n\":3"));
  EXPECT_EQ(0U, program.Differences());
}

TEST(Recovery, SaysHowManyEventsAreRunAgainAndHowMany) {
  for (const bool snapshots : {false, true}) {
    TestProgram program(snapshots ? 20 : UINT64_MAX);
    program.Run(std::string(kStream) + kCounted);
    std::vector<std::string> lines;
    for (int i = 0; i < 1000; ++i)
      lines.push_back(Event(i, 1));
    program.Feed("s", lines, [](size_t) { return 10; });
    while (program.engine().Pump()) {
    }
    while (snapshots && SnapshotStore(program.disk(), "/data").List().empty())
      std::this_thread::yield();
    // Not the one that is taken at a clean end.
    ASSERT_TRUE(program.Crash(1).ok());
    const StartupProgress startup = program.engine().startup();
    EXPECT_EQ(StartupProgress::Phase::kReady, startup.phase);
    EXPECT_EQ(startup.events_total, startup.events);
    EXPECT_EQ(program.replayed(), startup.events);
    EXPECT_EQ(!snapshots, startup.events == 1000U);
    EXPECT_TRUE(program.engine().ready());
  }
}

TEST(Recovery, GivesUpWhenItIsStoppedAndIsAsItWasThen) {
  TestProgram program;
  program.Run(std::string(kStream) + kCounted);
  program.Feed("s", {Event(1, 1), Event(2, 2), Event(3, 0)}, [](size_t) { return 1; });
  const std::string rows = program.Rows("o", true);
  ASSERT_TRUE(program.Stop().ok());
  for (uint64_t lsn : SnapshotStore(program.disk(), "/data").List()) {
    const std::string path = "/data/snapshots/" + std::to_string(lsn);
    ASSERT_TRUE(program.disk().Remove(path + ".manifest").ok());
  }
  EngineOptions options;
  options.directory = "/data";
  base::MetricsRegistry metrics;
  auto engine = Engine::OpenLog(program.disk(), program.clock(), metrics, options).value();
  EXPECT_FALSE(engine->ready());
  std::vector<uint64_t> seen;
  Status recovered = engine->Recover([&](const StartupProgress& progress) {
    seen.push_back(progress.events);
    EXPECT_EQ(3U, progress.events_total);
    if (progress.events == 2) engine->StopRecovery();
  });
  EXPECT_EQ("HR5001", recovered.error().code());
  EXPECT_EQ((std::vector<uint64_t>{1, 2}), seen);
  EXPECT_FALSE(engine->ready());
  ASSERT_TRUE(engine->Close().ok());
  engine.reset();
  ASSERT_TRUE(program.Start().ok());
  EXPECT_EQ(rows, program.Rows("o", true));
}

TEST(RecoveryEstimate, IsLoadingTheSnapshotAndRunningWhatIsBehindIt) {
  base::MetricsRegistry metrics;
  RecoveryEstimate estimate(metrics);
  EXPECT_EQ(0, estimate.seconds());
  estimate.Loaded(50'000'000, 500'000'000);       // 100 MB/s
  estimate.Replayed(10'000, 40'000, 20'000'000);  // 2 us each
  EXPECT_NEAR(0.5 + 0.02, estimate.seconds(), 1e-9);
  estimate.Ran(5'000, 50'000'000);  // what live events take says less than a replay
  EXPECT_NEAR(0.5 + 0.03, estimate.seconds(), 1e-9);
  estimate.SnapshotBegun();
  estimate.Ran(1'000, 10'000'000);
  EXPECT_NEAR(0.5 + 0.032, estimate.seconds(), 1e-9);  // not written yet
  estimate.SnapshotWritten(20'000'000);
  EXPECT_NEAR(0.2 + 0.002, estimate.seconds(), 1e-9);
  estimate.SnapshotsForgotten();
  EXPECT_NEAR(46'000 * 2e-6, estimate.seconds(), 1e-9);
  EXPECT_NE(std::string::npos, metrics.Text().find("headrace_recovery_estimated_seconds 0.092"));
}

TEST(RecoveryEstimate, WithoutAReplayGoesByTheEventsThatCame) {
  base::MetricsRegistry metrics;
  RecoveryEstimate estimate(metrics);
  estimate.Replayed(10, 10, 5'000'000'000);  // so few say nothing
  estimate.Ran(990, 990'000);
  EXPECT_NEAR(1000 * 1e-6, estimate.seconds(), 1e-9);
}

TEST(Recovery, StatementsThatStandAlreadyAreLeftAsTheyAre) {
  TestProgram program;
  program.Run(std::string(kStream) + kCounted);
  uint64_t lsn = program.engine().log().last_lsn();
  program.Run(std::string(kStream) + kCounted);
  ASSERT_TRUE(program.Restart().ok());
  program.Run(kStream);
  EXPECT_EQ(lsn, program.engine().log().last_lsn());
  Status other = program.engine().Execute("CREATE STREAM o AS SELECT k FROM s;", "b.sql");
  EXPECT_EQ("HR1201", other.error().code());
}

TEST(Recovery, ANewStatementIsComputedOverThePastOnce) {
  TestProgram program;
  program.Run(kStream);
  program.Feed("s", {Event(1, 1), Event(2, 2)});
  program.Run(kCounted);
  program.Feed("s", {Event(3, 3)});
  std::string rows = program.Rows("o", true);
  EXPECT_EQ(3U, Count(rows, "\n"));
  EXPECT_EQ(1U, Count(rows, "\"n\":3"));
  ASSERT_TRUE(program.Crash(5).ok());
  EXPECT_EQ(rows, program.Rows("o", true));
}

// Its dead letters of the past cannot stand between those that were there.
TEST(Recovery, WhatANewStatementRefusesOfThePastStandsBehindOlderDeadLetters) {
  TestProgram program;
  program.Run(std::string(kStream) + kCounted);
  program.Feed("s", {Event(1, 7), Event(2, 0), Event(3, 7), Event(4, 0), Event(5, 1)});
  program.Run("CREATE STREAM p AS SELECT 1 / (q - 7) AS d FROM s;");
  program.Run("CREATE STREAM r AS SELECT 1 / (q - 1) AS d FROM s;");
  program.Feed("s", {Event(6, 7), Event(7, 0)});
  std::string letters = program.Rows("s.dead");
  Lines offsets;
  for (size_t at = letters.find("\"offset\":"); at != std::string::npos;
       at = letters.find("\"offset\":", at + 1)) {
    offsets.push_back(letters.substr(at + 9, 1));
  }
  EXPECT_EQ((Lines{"1", "3", "0", "2", "4", "5", "6"}), offsets);
  for (uint64_t seed = 1; seed < 4; ++seed) {
    Status started = seed == 1 ? program.Restart() : program.Crash(seed);
    ASSERT_TRUE(started.ok()) << started.error().ToString();
    EXPECT_EQ(letters, program.Rows("s.dead"));
    EXPECT_EQ(0U, program.Differences());
  }
}

TEST(Recovery, DeadLettersOfTheRowsOfAStatementNameItsOwnOffsets) {
  TestProgram program;
  program.Run(std::string(kStream) +
              "CREATE STREAM f AS SELECT q, ts FROM s WHERE q <> 5;\n"
              "CREATE STREAM g AS SELECT 1 / q AS d FROM f;");
  program.Feed("s", {Event(1, 5), Event(2, 1), Event(3, 0)});
  EXPECT_EQ(1U, Count(program.Rows("f.dead"), "\"topic\":\"f\",\"partition\":0,\"offset\":1"));
  ASSERT_TRUE(program.Restart().ok());
  program.Feed("s", {Event(4, 0)});
  EXPECT_EQ(1U, Count(program.Rows("f.dead"), "\"offset\":2"));
}

TEST(Recovery, AStatementFromNowOnTakesOnlyWhatComes) {
  TestProgram program;
  program.Run(kStream);
  program.Feed("s", {Event(1, 1)});
  program.Run("CREATE STREAM n AS SELECT q FROM s START FROM NOW;");
  program.Feed("s", {Event(2, 2)});
  ASSERT_TRUE(program.Restart().ok());
  program.Feed("s", {Event(3, 3)});
  EXPECT_EQ("{\"q\":2}\n{\"q\":3}\n", program.Rows("n"));
}

TEST(Recovery, TheVersionThatDecidedStaysTheOneThatDecided) {
  TestProgram program;
  ASSERT_TRUE(os::ReplaceFile(program.disk(), "/one.txt", ModelText("0.625")).ok());
  ASSERT_TRUE(os::ReplaceFile(program.disk(), "/two.txt", ModelText("4.625")).ok());
  program.Run(
      "CREATE STREAM s (x DOUBLE PRECISION, ts TIMESTAMPTZ, WATERMARK FOR ts AS ts) "
      "WITH (timestamp_unit = 'us');\nCREATE MODEL m WITH (path = '/one.txt');\n"
      "CREATE STREAM o AS SELECT PREDICT(m, x) AS p FROM s;");
  auto at = [](int64_t second_number) {
    return "{\"x\":1,\"ts\":" + std::to_string(kBase + second_number) + "}";
  };
  program.Feed("s", {at(1)});
  program.Run("ALTER MODEL m ADD VERSION WITH (path = '/two.txt');");
  program.Feed("s", {at(2)});
  program.Run("ALTER MODEL m ACTIVATE VERSION 2;");
  program.Feed("s", {at(3)});
  // The same again changes nothing.
  log::Lsn last = program.engine().log().last_lsn();
  program.Run("ALTER MODEL m ADD VERSION WITH (path = '/two.txt');");
  program.Run("ALTER MODEL m ACTIVATE VERSION 2;");
  EXPECT_EQ(last, program.engine().log().last_lsn());
  program.Run("ALTER MODEL m ACTIVATE VERSION 1;");
  std::string rows = "{\"p\":0.625}\n{\"p\":0.625}\n{\"p\":4.625}\n";
  EXPECT_EQ(rows, program.Rows("o"));
  EXPECT_EQ(0U, program.Differences());
  ASSERT_TRUE(program.Crash(3).ok());
  EXPECT_EQ(rows, program.Rows("o"));
  program.Feed("s", {at(4)});
  EXPECT_EQ(rows + "{\"p\":0.625}\n", program.Rows("o"));
  Result<std::string> why = program.engine().Why("o:0:2");
  ASSERT_TRUE(why.ok()) << why.error().ToString();
  EXPECT_EQ(1U, Count(*why, "\"number\":2")) << *why;
  EXPECT_EQ(1U, Count(*why, "\"recomputed\":true")) << *why;
}

TEST(Shadow, DecidesNothingAndIsComparedFromItsLsnOn) {
  TestProgram program(20);
  ASSERT_TRUE(os::ReplaceFile(program.disk(), "/one.txt", ModelText("0.625")).ok());
  ASSERT_TRUE(os::ReplaceFile(program.disk(), "/two.txt", ModelText("4.625")).ok());
  program.Run(
      "CREATE STREAM s (x DOUBLE PRECISION, ts TIMESTAMPTZ, WATERMARK FOR ts AS ts) "
      "WITH (timestamp_unit = 'us');\nCREATE MODEL m WITH (path = '/one.txt');\n"
      "CREATE STREAM o AS SELECT x, PREDICT(m) AS p FROM s;\n"
      "CREATE STREAM d AS SELECT x, CASE WHEN p > 1 THEN 'stop' ELSE 'go' END AS decision FROM o;");
  auto feed = [&](int64_t from, int64_t to) {
    std::vector<std::string> events;
    for (int64_t i = from; i < to; ++i) {
      events.push_back("{\"x\":" + std::to_string(i % 20) + ",\"ts\":" + std::to_string(kBase + i) +
                       "}");
    }
    program.Feed("s", events);
  };
  feed(0, 40);
  EXPECT_NE(std::string::npos, program.engine().ModelReport("m", {})->find("\"comparisons\":[]"));
  program.Run("ALTER MODEL m ADD VERSION WITH (path = '/two.txt');");
  program.Run("ALTER MODEL m SHADOW VERSION 2;");
  feed(40, 100);
  ASSERT_TRUE(program.Restart().ok());
  feed(100, 120);
  const std::string report = program.engine().ModelReport("m", {}).value();
  // Of twenty values eleven, 0 to 10, would stop: of the eighty events since then 44.
  EXPECT_EQ(1U, Count(report, "\"stream\":\"d\",\"compared\":80,\"differing\":44,\"flips\":44"))
      << report;
  EXPECT_EQ(1U, Count(report, "{\"from\":\"go\",\"to\":\"stop\",\"count\":44}")) << report;
  EXPECT_EQ(0U, Count(program.Rows("d"), "stop"));
  program.Run("ALTER MODEL m ACTIVATE VERSION 2;");
  EXPECT_NE(std::string::npos, program.engine().ModelReport("m", {})->find("\"comparisons\":[]"));
  EXPECT_EQ("HR1107", program.engine().ModelReport("d", {}).error().code());
  EXPECT_EQ(0U, program.Differences());
}

TEST(Recovery, AModelWhoseBytesChangedIsRefused) {
  TestProgram program;
  ASSERT_TRUE(os::ReplaceFile(program.disk(), "/m.txt", ModelText("1")).ok());
  program.Run("CREATE MODEL m WITH (path = '/m.txt');");
  std::vector<std::string> kept = program.disk().List("/data/models").value();
  ASSERT_EQ(1U, kept.size());
  program.disk().FlipBits("/data/models/" + kept[0], 150, 1);
  EXPECT_EQ("HR5304", program.Restart().error().code());
}

TEST(Recovery, AFinishedInputStaysFinished) {
  TestProgram program;
  program.Run(std::string(kStream) +
              "CREATE STREAM w AS SELECT window_start, count(*) AS n FROM TUMBLE(TABLE s, "
              "DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start;");
  program.Feed("s", {Event(1, 1), Event(2, 2)});
  EXPECT_EQ("", program.Rows("w"));
  ASSERT_TRUE(program.engine().FinishInput("s").ok());
  std::string rows = program.Rows("w");
  EXPECT_EQ(1U, Count(rows, "\"n\":2"));
  ASSERT_TRUE(program.engine().FinishInput("s").ok());
  ASSERT_TRUE(program.Crash(9).ok());
  ASSERT_TRUE(program.engine().FinishInput("s").ok());
  EXPECT_EQ(rows, program.Rows("w"));
  EXPECT_EQ(0U, program.Differences());
}

TEST(Recovery, AScriptWithAnErrorDeploysNothingAndNamesEveryError) {
  TestProgram program;
  uint64_t lsn = program.engine().log().last_lsn();
  Status refused =
      program.engine().Execute(std::string(kStream) +
                                   "CREATE STREAM a AS SELECT nothing FROM s;\nCREATE STREAM b AS "
                                   "SELECT k FROM nowhere;",
                               "x.sql");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(1U, Count(refused.error().message(), "nothing`"));
  EXPECT_EQ(1U, Count(refused.error().message(), "nowhere`"));
  EXPECT_EQ(lsn, program.engine().log().last_lsn());
  EXPECT_TRUE(program.engine().streams().empty());
}

}  // namespace
}  // namespace headrace::engine
