// CREATE OR REPLACE: what was emitted stays, what comes is computed as if it always had been so.

#include <gtest/gtest.h>

#include "engine/test_program.h"

namespace headrace::engine {
namespace {

constexpr int64_t kSecond = 1'000'000;

constexpr const char* kScript =
    "CREATE STREAM s (k TEXT NOT NULL, q BIGINT, ts TIMESTAMPTZ NOT NULL, "
    "WATERMARK FOR ts AS ts) PARTITION BY (k) WITH (timestamp_unit = 'us');\n"
    "CREATE STREAM d AS SELECT k, ts, count(*) OVER w AS n FROM s WINDOW w AS (PARTITION BY k "
    "ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW);\n"
    "CREATE STREAM r AS SELECT k, 12 / (n - 3) AS x FROM d;\n"
    "CREATE MATERIALIZED VIEW v AS SELECT window_start, count(*) AS n FROM "
    "TUMBLE(TABLE d, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start;";

constexpr const char* kWithSum =
    "CREATE OR REPLACE STREAM d AS SELECT sum(q) OVER w AS total, k, ts, count(*) OVER w AS n "
    "FROM s WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND "
    "CURRENT ROW);";

// Event i of key a: q is i, a second behind the one before.
std::string Event(int64_t i) {
  return R"({"k":"a","q":)" + std::to_string(i) +
         ",\"ts\":" + std::to_string(TestProgram::kNow - 3600 * kSecond + i * kSecond) + "}";
}

std::vector<std::string> Events(int64_t from, int64_t to) {
  std::vector<std::string> events;
  for (int64_t i = from; i < to; ++i)
    events.push_back(Event(i));
  return events;
}

class Replacement : public testing::Test {
 protected:
  Replacement() { program_.Run(kScript); }

  size_t Lines(const std::string& text, const std::string& part) const {
    size_t count = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
      ++count;
    return count;
  }
  // The message of the error that the script gives.
  std::string Refusal(const std::string& script) {
    Status done = program_.engine().Execute(script, "app.sql");
    return done.ok() ? "" : done.error().message();
  }

  TestProgram program_;
};

TEST_F(Replacement, ComputesNewColumnsOverThePastAndLeavesOldRowsAsTheyWere) {
  program_.Feed("s", Events(1, 3));
  std::string before = program_.Rows("d");
  program_.Run(kWithSum);
  EXPECT_EQ(before, program_.Rows("d"));
  program_.Feed("s", Events(3, 4));
  std::string after = program_.Rows("d");
  EXPECT_EQ(before, after.substr(0, before.size()));
  EXPECT_EQ(0U, after.substr(before.size()).find(R"({"total":6,"k":"a",)")) << after;
  EXPECT_NE(std::string::npos, after.find(R"("n":3})", before.size())) << after;
  EXPECT_EQ(0U, program_.Differences());
}

TEST_F(Replacement, SurvivesARestartAndACrash) {
  program_.Feed("s", Events(1, 5));
  program_.Run(kWithSum);
  program_.Feed("s", Events(5, 9));
  std::string rows = program_.Rows("d", true) + program_.Rows("r", true) + program_.Rows("v", true);
  ASSERT_TRUE(program_.Restart().ok());
  ASSERT_TRUE(program_.Crash(7).ok());
  EXPECT_EQ(rows, program_.Rows("d", true) + program_.Rows("r", true) + program_.Rows("v", true));
  EXPECT_EQ(0U, program_.Differences());
  program_.Feed("s", Events(9, 10));
  EXPECT_NE(std::string::npos, program_.Rows("d").find(R"({"total":45,)"));
}

TEST_F(Replacement, FeedsWhatReadTheStreamBeforeAsBefore) {
  TestProgram calm;
  calm.Run(kScript);
  calm.Feed("s", Events(1, 30));
  program_.Feed("s", Events(1, 12));
  program_.Run(kWithSum);
  program_.Feed("s", Events(12, 30));
  EXPECT_EQ(calm.Rows("r", true), program_.Rows("r", true));
  EXPECT_EQ(calm.Rows("v", true), program_.Rows("v", true));
  EXPECT_EQ(0U, program_.Differences());
}

TEST_F(Replacement, ARowThatAReaderRefusesGoesToTheDeadLettersAsItStands) {
  program_.Run(kWithSum);
  program_.Feed("s", Events(1, 4));
  std::string dead = program_.Rows("d.dead");
  EXPECT_EQ(1U, Lines(dead, "\"code\"")) << dead;
  EXPECT_NE(std::string::npos, dead.find(R"(\"total\":6)")) << dead;
}

// Its rows are neither those of `d` nor those of `d` as `a` sees them.
TEST_F(Replacement, WhatReadsAReaderRefusesRowsOfItsOwn) {
  program_.Run(
      "CREATE STREAM a AS SELECT n, k FROM d WHERE n > 1;\n"
      "CREATE STREAM b AS SELECT 12 / (n - 5) AS x FROM a;");
  program_.Run(kWithSum);
  program_.Feed("s", Events(1, 9));
  EXPECT_EQ(1U, Lines(program_.Rows("a.dead"), R"(\"n\":5,\"k\":\"a\")"))
      << program_.Rows("a.dead");
  EXPECT_EQ(6U, Lines(program_.Rows("b"), "\"x\""));
  EXPECT_EQ(0U, program_.Differences());
}

TEST_F(Replacement, NewReadersSeeNullWhereOldRowsLackAColumn) {
  program_.Feed("s", Events(1, 3));
  program_.Run(kWithSum);
  program_.Feed("s", Events(3, 4));
  program_.Run("CREATE STREAM t AS SELECT total, n FROM d;");
  EXPECT_EQ(R"({"total":null,"n":1}
{"total":null,"n":2}
{"total":6,"n":3}
)",
            program_.Rows("t"));
  QueryResult result = program_.engine().Query("SELECT total FROM d").value();
  ASSERT_EQ(3U, result.rows.size());
  EXPECT_TRUE(result.rows[0][0].null);
  EXPECT_FALSE(result.rows[2][0].null);
  EXPECT_EQ(0U, program_.Differences());
}

TEST_F(Replacement, AWindowThatIsOpenMeanwhileIsEmittedOnce) {
  program_.Feed("s", Events(1, 15));
  program_.Run(
      "CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT window_start, count(*) AS n, max(n) AS top "
      "FROM TUMBLE(TABLE d, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start;");
  program_.Feed("s", Events(15, 35));
  std::string rows = program_.Rows("v");
  EXPECT_EQ(3U, Lines(rows, "window_start")) << rows;
  EXPECT_EQ(2U, Lines(rows, R"("n":10,"top")")) << rows;
  EXPECT_EQ(0U, program_.Differences());
}

TEST_F(Replacement, ExplainsEachRowWithItsOwnDefinition) {
  program_.Feed("s", Events(1, 3));
  program_.Run(kWithSum);
  program_.Feed("s", Events(3, 4));
  std::string old_row = program_.engine().Why("d:0:1").value();
  std::string new_row = program_.engine().Why("d:0:2").value();
  EXPECT_EQ(std::string::npos, old_row.find("\"total\"")) << old_row;
  EXPECT_NE(std::string::npos, old_row.find("\"recomputed\":true")) << old_row;
  EXPECT_NE(std::string::npos, new_row.find(R"("total":{"value":6)")) << new_row;
  EXPECT_NE(std::string::npos, new_row.find("\"recomputed\":true")) << new_row;
}

TEST_F(Replacement, TheSameDefinitionAndAFormerTextChangeNothing) {
  program_.Run(kWithSum);
  log::Lsn last = program_.engine().log().last_lsn();
  program_.Run(kWithSum);
  program_.Run(std::string(kWithSum).erase(6, 11));  // without OR REPLACE
  program_.Run(kScript);
  EXPECT_EQ(last, program_.engine().log().last_lsn());
}

TEST_F(Replacement, IsRefusedWithTheReason) {
  const char* end =
      " FROM s WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN "
      "INTERVAL '1 hour' PRECEDING AND CURRENT ROW);";
  EXPECT_NE(std::string::npos,
            Refusal(std::string("CREATE OR REPLACE STREAM d AS SELECT k, ts") + end)
                .find("`r` reads its column `n`"));
  EXPECT_NE(std::string::npos,
            Refusal("CREATE OR REPLACE STREAM d AS SELECT k, ts, 'x' AS n FROM s;")
                .find("column `n` is bigint, not text"));
  EXPECT_NE(std::string::npos, Refusal("CREATE OR REPLACE STREAM d AS SELECT k, x AS n FROM r;")
                                   .find("it would read itself"));
  EXPECT_NE(std::string::npos,
            Refusal("CREATE OR REPLACE MATERIALIZED VIEW d AS SELECT k, ts, 1 AS n FROM s;")
                .find("it is a stream"));
  EXPECT_NE(std::string::npos,
            Refusal("CREATE OR REPLACE STREAM s AS SELECT k FROM d;").find("not a statement"));
  EXPECT_EQ(1U, program_.engine().deployment()->Find("d")->revisions().size());
}

TEST_F(Replacement, IsPlannedFeatureByFeatureWithoutBeingDone) {
  program_.Feed("s", Events(1, 4));
  log::Lsn last = program_.engine().log().last_lsn();
  std::string script =
      "CREATE OR REPLACE STREAM d AS SELECT sum(q) OVER w AS total, k, ts, count(*) OVER w AS n, "
      "max(q) OVER w AS top FROM s WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN "
      "INTERVAL '1 hour' PRECEDING AND CURRENT ROW);\n"
      "CREATE STREAM r AS SELECT k, 12 / (n - 3) AS x FROM d;\n"
      "CREATE STREAM t AS SELECT top FROM d;";
  std::vector<PlannedChange> plan = program_.engine().Plan(script, "app.sql").value();
  ASSERT_EQ(3U, plan.size());
  EXPECT_EQ("r", plan[0].name);
  EXPECT_EQ("none", plan[0].change);
  EXPECT_EQ("d", plan[1].name);
  EXPECT_EQ("replaced", plan[1].change);
  EXPECT_EQ(3U, plan[1].events);
  ASSERT_EQ(3U, plan[1].features.size());
  EXPECT_EQ("computed", plan[1].features[0].change) << plan[1].features[0].name;
  EXPECT_EQ("kept", plan[1].features[1].change) << plan[1].features[1].name;
  EXPECT_EQ("new", plan[2].change);
  EXPECT_EQ(0U, plan[0].from_lsn) << "nothing is computed";
  EXPECT_EQ(1U, plan[1].from_lsn);
  EXPECT_GT(plan[1].bytes, 100U);
  EXPECT_FALSE(plan[1].seconds) << "by a clock that stands still nothing is measured";
  const std::string explain = "EXPLAIN DIFF " + script;
  EXPECT_FALSE(program_.engine().IsDefinition(explain));
  QueryResult table = program_.engine().Query(explain).value();
  ASSERT_EQ(6U, table.rows.size());
  EXPECT_EQ("d", table.rows[1][0].text());
  EXPECT_EQ("total", table.rows[2][2].text());
  EXPECT_EQ("computed", table.rows[2][3].text());
  EXPECT_EQ(1, table.rows[2][4].integer);
  EXPECT_EQ("kept", table.rows[3][3].text());
  EXPECT_TRUE(table.rows[3][4].null);
  EXPECT_EQ(last, program_.engine().log().last_lsn());
}

// The power fails at every operation of the disk while the statement is replaced and behind it.
TEST(ReplacementCrash, LeavesTheOldStatementOrTheNew) {
  bool finished = false;
  for (uint64_t at = 1; !finished; ++at) {
    TestProgram program;
    program.Run(kScript);
    program.Feed("s", Events(1, 6));
    program.files().CrashAtOperation(program.files().operations() + at);
    Status replaced = program.engine().Execute(kWithSum, "app.sql");
    finished = replaced.ok() && !program.files().crashed();
    ASSERT_TRUE(program.Crash(at).ok()) << at;
    bool is_new = program.engine().deployment()->Find("d")->revisions().size() == 2;
    EXPECT_TRUE(!replaced.ok() || is_new) << "acknowledged and lost at " << at;
    program.Feed("s", Events(6, 8));
    EXPECT_EQ(is_new ? 2U : 0U, program.Rows("d").find("total") == std::string::npos ? 0U : 2U);
    EXPECT_EQ(0U, program.Differences()) << at;
    program.Run(kWithSum);
    EXPECT_EQ(0U, program.Differences()) << at;
  }
}

}  // namespace
}  // namespace headrace::engine
