// LATE ROWS SIDE OUTPUT TO: late rows are a stream like any other, whatever happens meanwhile.

#include <gtest/gtest.h>

#include "engine/test_program.h"

namespace headrace::engine {
namespace {

constexpr int64_t kSecond = 1'000'000;

constexpr const char* kScript =
    "CREATE STREAM s (k TEXT NOT NULL, q BIGINT, ts TIMESTAMPTZ NOT NULL, "
    "WATERMARK FOR ts AS ts) PARTITION BY (k) WITH (timestamp_unit = 'us', partitions = 3);\n"
    "CREATE STREAM d AS SELECT k, q, ts FROM s;\n"
    "CREATE STREAM w AS SELECT window_start, count(*) AS n FROM TUMBLE(TABLE d, DESCRIPTOR(ts), "
    "INTERVAL '10 seconds') GROUP BY window_start LATE ROWS SIDE OUTPUT TO late;\n"
    "CREATE STREAM r AS SELECT k, 12 / q AS x FROM late;\n"
    "CREATE STREAM per_key AS SELECT window_start, k, count(*) AS n FROM "
    "TUMBLE(TABLE late, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start, k "
    "ALLOWED LATENESS INTERVAL '1 minute' LATE ROWS DROP;";

constexpr const char* kReplaced =
    "CREATE OR REPLACE STREAM d AS SELECT q + 1 AS more, ts, k, q FROM s;\n"
    "CREATE OR REPLACE STREAM w AS SELECT window_start, count(*) AS n, sum(q) AS q FROM "
    "TUMBLE(TABLE d, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start "
    "LATE ROWS SIDE OUTPUT TO late;";

// Events of five keys, a second apart; every fourth is half a minute late.
std::vector<std::string> Events(int64_t from, int64_t to) {
  std::vector<std::string> events;
  for (int64_t i = from; i < to; ++i) {
    int64_t ts = TestProgram::kNow - 3000 * kSecond + (i % 4 == 3 ? i - 30 : i) * kSecond;
    events.push_back(R"({"k":"k)" + std::to_string(i % 5) + R"(","q":)" + std::to_string(i % 7) +
                     ",\"ts\":" + std::to_string(ts) + "}");
  }
  return events;
}

std::string Everything(const TestProgram& program) {
  std::string all;
  for (const char* stream : {"d", "w", "late", "late.dead", "d.dead", "r", "per_key"})
    all += std::string("== ") + stream + "\n" + program.Rows(stream, true);
  return all;
}

size_t Lines(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(SideOutput, BatchesAndRestartsDoNotShow) {
  TestProgram calm;
  calm.Run(kScript);
  calm.Feed("s", Events(0, 120));
  EXPECT_EQ(28U, Lines(calm.Rows("late")));  // two came before every partition had events
  EXPECT_EQ(24U, Lines(calm.Rows("r")));
  EXPECT_EQ(4U, Lines(calm.Rows("late.dead"))) << calm.Rows("late.dead");
  EXPECT_EQ("", calm.Rows("d.dead"));
  EXPECT_EQ(0U, calm.Differences());

  TestProgram disturbed(10);
  disturbed.Run(kScript);
  for (int64_t i = 0; i < 120; i += 8) {
    disturbed.Feed("s", Events(i, i + 8), [i](size_t) { return static_cast<size_t>(i % 5 + 1); });
    ASSERT_TRUE(
        (i % 3 == 0 ? disturbed.Restart() : disturbed.Crash(static_cast<uint64_t>(i))).ok());
  }
  EXPECT_EQ(Everything(calm), Everything(disturbed));
  EXPECT_EQ(0U, disturbed.Differences());
}

TEST(SideOutput, IsReplacedWithItsStatement) {
  TestProgram calm;
  calm.Run(kScript);
  calm.Feed("s", Events(0, 120));
  TestProgram program(10);
  program.Run(kScript);
  program.Feed("s", Events(0, 50));
  program.Run(kReplaced);
  program.Feed("s", Events(50, 90));
  ASSERT_TRUE(program.Restart().ok());
  program.Feed("s", Events(90, 120));
  for (const char* stream : {"r", "per_key", "late.dead"}) {
    SCOPED_TRACE(stream);
    EXPECT_EQ(Lines(calm.Rows(stream)), Lines(program.Rows(stream)));
  }
  EXPECT_EQ(calm.Rows("r", true), program.Rows("r", true));
  EXPECT_EQ(calm.Rows("per_key", true), program.Rows("per_key", true));
  EXPECT_EQ(28U, Lines(program.Rows("late")));
  EXPECT_NE(std::string::npos, program.Rows("late").find(R"({"more":)"));
  EXPECT_EQ(0U, program.Differences());
  std::string why = program.engine().Why("late:0:1").value();
  EXPECT_NE(std::string::npos, why.find("\"recomputed\":true")) << why;
}

// A window's rows came before the snapshots that are nearest.
TEST(Why, OfAGroupDoesNotDependOnWhichSnapshotsThereAre) {
  TestProgram without;
  without.Run(kScript);
  without.Feed("s", Events(0, 120));
  TestProgram with(3);
  with.Run(kScript);
  for (int64_t i = 0; i < 120; i += 6) {
    with.Feed("s", Events(i, i + 6));
    if (i % 4 == 0) with.Restart().value();
  }
  auto told = [](TestProgram& program, const std::string& id) {
    std::string why = program.engine().Why(id).value();
    const size_t begin = why.find("\"window\":{\"start\"");
    EXPECT_NE(std::string::npos, begin) << why;
    return why.substr(begin);
  };
  for (const char* id : {"w:0:0", "w:0:3", "w:0:8", "per_key:0:0", "per_key:0:7"})
    EXPECT_EQ(told(without, id), told(with, id)) << id;
  std::string group = told(with, "w:0:3");
  EXPECT_NE(std::string::npos, group.find("\"events\":8,\"sample\":[\"d:")) << group;
}

std::string Replayed(TestProgram& program, const std::string& stream, const std::string& script) {
  WhatIfRequest request;
  request.stream = stream;
  request.fork.script = script;
  request.fork.file = "fork.sql";
  std::string rows;
  auto take = [&](std::string_view bytes) {
    rows += bytes;
    return Ok();
  };
  Result<WhatIfReport> done = program.engine().WhatIf(request, take, nullptr);
  return done.ok() ? rows : done.error().message();
}

TEST(SideOutput, IsReplayedWithItsStatement) {
  TestProgram program;
  program.Run(kScript);
  program.Run(
      "CREATE STREAM o AS SELECT k, count(*) OVER (PARTITION BY k ORDER BY ts) AS n FROM d "
      "EMIT ON WATERMARK LATE ROWS DROP;");
  program.Feed("s", Events(0, 120));
  for (const char* stream : {"late", "r", "per_key", "o"})
    EXPECT_EQ(program.Rows(stream), Replayed(program, stream, "")) << stream;
  const std::string patient =
      "CREATE STREAM w AS SELECT window_start, count(*) AS n FROM TUMBLE(TABLE d, DESCRIPTOR(ts), "
      "INTERVAL '10 seconds') GROUP BY window_start ALLOWED LATENESS INTERVAL '1 minute' "
      "LATE ROWS SIDE OUTPUT TO late;";
  EXPECT_EQ("", Replayed(program, "late", patient));
  EXPECT_EQ("", Replayed(program, "r", patient));
  EXPECT_NE(std::string::npos, Replayed(program, "late", "CREATE STREAM late AS SELECT k FROM d;")
                                   .find("side output of `w`"));
  EXPECT_EQ(28U, Lines(program.Rows("late")));
}

TEST(SideOutput, IsAStreamOfThePlanAndOfTheListing) {
  TestProgram program;
  std::vector<PlannedChange> plan = program.engine().Plan(kScript, "app.sql").value();
  ASSERT_EQ(6U, plan.size());
  EXPECT_EQ("w", plan[2].name);
  EXPECT_EQ("late", plan[3].name);
  EXPECT_EQ("new", plan[3].change);
  program.Run(kScript);
  EXPECT_TRUE(program.engine().Plan(kScript, "app.sql").value()[0].change == "none");
  for (const StreamInfo& info : program.engine().streams()) {
    if (info.name != "late") continue;
    EXPECT_EQ(3, info.partitions);
    EXPECT_EQ(0U, info.definition.find("CREATE STREAM w AS")) << info.definition;
  }
}

}  // namespace
}  // namespace headrace::engine
