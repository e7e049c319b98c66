// What-if: the past run through a fork gives what would have been written, and leaves the log
// alone.

#include <algorithm>

#include <gtest/gtest.h>

#include "engine/test_program.h"

namespace headrace::engine {
namespace {

constexpr const char* kSource =
    "CREATE STREAM s (k TEXT, q DECIMAL(8,2), ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) "
    "PARTITION BY (k) WITH (timestamp_unit = 'us');\n";

std::string Scored(int limit) {
  return "CREATE STREAM d AS SELECT k, q, ts, count(*) OVER (PARTITION BY k ORDER BY ts) AS n, "
         "CASE WHEN q > " +
         std::to_string(limit) + " THEN 'stop' ELSE 'go' END AS decision FROM s;\n";
}

constexpr const char* kBehind =
    "CREATE STREAM e AS SELECT k, n, count(*) FILTER (WHERE decision = 'stop') OVER "
    "(PARTITION BY k ORDER BY ts) AS stops FROM d;\n"
    "CREATE MATERIALIZED VIEW v AS SELECT window_start, decision, count(*) AS n, sum(q) AS q FROM "
    "TUMBLE(TABLE d, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start, decision;\n";

std::string Script(int limit) {
  return kSource + Scored(limit) + kBehind;
}

// One a second: q goes 0 to 9 and begins again, k goes a to c.
std::vector<std::string> Events(int64_t count) {
  std::vector<std::string> events;
  for (int64_t i = 0; i < count; ++i) {
    events.push_back(R"({"k":")" + std::string(1, static_cast<char>('a' + i % 3)) + R"(","q":)" +
                     std::to_string(i % 10) +
                     ",\"ts\":" + std::to_string(TestProgram::kNow - (1000 - i) * 1'000'000) + "}");
  }
  return events;
}

// A program that took a hundred events with everything above `limit` stopped.
void Fill(TestProgram& program, int limit) {
  program.Run(Script(limit));
  program.Feed("s", Events(100));
}

std::string RowsAndReport(TestProgram& program, WhatIfRequest request,
                          WhatIfReport* report = nullptr) {
  std::string rows;
  auto take = [&](std::string_view bytes) {
    rows += bytes;
    return Ok();
  };
  Result<WhatIfReport> done = program.engine().WhatIf(request, take, nullptr);
  if (!done.ok()) return done.error().code() + ": " + done.error().message();
  if (report != nullptr) *report = *done;
  return rows;
}

TEST(WhatIf, NothingOtherwiseGivesWhatIsLogged) {
  TestProgram program;
  Fill(program, 6);
  for (const char* stream : {"d", "e", "v"}) {
    WhatIfRequest request;
    request.stream = stream;
    request.compare = true;
    WhatIfReport report;
    EXPECT_EQ(program.Rows(stream), RowsAndReport(program, request, &report)) << stream;
    EXPECT_EQ(0U, report.changed);
    EXPECT_EQ(0U, report.differing);
    EXPECT_EQ(report.rows, report.compared);
    EXPECT_TRUE(report.changed_statements.empty());
  }
}

TEST(WhatIf, AnotherStatementGivesWhatItWouldHaveWritten) {
  TestProgram program;
  Fill(program, 6);
  TestProgram other;
  Fill(other, 3);
  const uint64_t lsn = program.engine().log().last_lsn();
  for (const char* stream : {"d", "e", "v"}) {
    WhatIfRequest request;
    request.fork.script = Scored(3);
    request.stream = stream;
    WhatIfReport report;
    EXPECT_EQ(other.Rows(stream), RowsAndReport(program, request, &report)) << stream;
    EXPECT_EQ((std::vector<std::string>{"d", "e", "v"}), report.changed_statements);
  }
  EXPECT_EQ(lsn, program.engine().log().last_lsn());
  EXPECT_EQ(0U, program.Differences());
}

TEST(WhatIf, TheScriptAsAWholeChangesOnlyWhatDiffers) {
  TestProgram program;
  Fill(program, 6);
  WhatIfRequest request;
  request.fork.script = Script(6);
  WhatIfReport report;
  EXPECT_EQ(program.Rows("v"), RowsAndReport(program, request, &report));
  EXPECT_EQ("v", report.stream);
  EXPECT_TRUE(report.changed_statements.empty());
}

TEST(WhatIf, FlipsAreCountedAddedUpAndToldApart) {
  TestProgram program;
  Fill(program, 6);
  WhatIfRequest request;
  request.fork.script = Scored(3);
  request.compare = true;
  request.sum = "q";
  request.by = "k";
  WhatIfReport report;
  RowsAndReport(program, request, &report);
  EXPECT_EQ((std::vector<std::string>{"decision"}), report.decisions);
  EXPECT_EQ(100U, report.compared);
  EXPECT_EQ(30U, report.changed);  // q of 4, 5 and 6
  EXPECT_EQ(30U, report.differing);
  ASSERT_EQ(3U, report.flips.size());
  uint64_t flips = 0;
  for (const Flips& each : report.flips) {
    EXPECT_EQ("\"go\"", each.from);
    EXPECT_EQ("\"stop\"", each.to);
    flips += each.count;
  }
  EXPECT_EQ(30U, flips);
  EXPECT_EQ("\"a\"", report.flips[0].by);
  EXPECT_EQ(kChangedSample, report.sample.size());
  EXPECT_EQ("d:0:4", report.sample[0].id);
  EXPECT_NE(std::string::npos, report.sample[0].after.find(R"("q":4.00)"));
  request.by.clear();
  RowsAndReport(program, request, &report);
  ASSERT_EQ(1U, report.flips.size());
  EXPECT_EQ("150.00", report.flips[0].sum);
}

TEST(WhatIf, RowsOfOneSideAloneAreChanges) {
  TestProgram program;
  Fill(program, 6);
  WhatIfRequest request;
  request.fork.script =
      "CREATE STREAM d AS SELECT k, q, ts, count(*) OVER (PARTITION BY k ORDER BY ts) AS n, "
      "CASE WHEN q > 6 THEN 'stop' ELSE 'go' END AS decision FROM s WHERE q <> 2;";
  request.compare = true;
  WhatIfReport report;
  RowsAndReport(program, request, &report);
  EXPECT_EQ(90U, report.compared);
  EXPECT_EQ(10U, report.only_before);
  EXPECT_EQ(0U, report.only_after);
  EXPECT_EQ(10U, report.changed);
  // A view's groups come and go: they are joined by its key.
  request.stream = "v";
  request.fork.script = Scored(9);
  RowsAndReport(program, request, &report);
  EXPECT_EQ(report.compared, report.only_before);  // no group stops any more
  EXPECT_EQ(0U, report.only_after);
}

TEST(WhatIf, WithoutADecisionAnyDifferenceIsAChange) {
  TestProgram program;
  Fill(program, 6);
  WhatIfRequest request;
  request.fork.script = Scored(3);
  request.stream = "e";
  request.compare = true;
  WhatIfReport report;
  RowsAndReport(program, request, &report);
  EXPECT_EQ((std::vector<std::string>{"k", "n", "stops"}), report.decisions);
  EXPECT_EQ(report.differing, report.changed);
  ASSERT_EQ(1U, report.flips.size());  // not one for each row
  EXPECT_EQ("\"row\"", report.flips[0].from);
  EXPECT_EQ(report.changed, report.flips[0].count);
  EXPECT_GT(report.changed, 90U);
}

TEST(WhatIf, ANewStatementIsRunOverThePast) {
  TestProgram program;
  Fill(program, 6);
  WhatIfRequest request;
  request.fork.script = "CREATE STREAM f AS SELECT k, n FROM d WHERE decision = 'stop' AND n < 4;";
  EXPECT_EQ("{\"k\":\"b\",\"n\":3}\n{\"k\":\"c\",\"n\":3}\n", RowsAndReport(program, request));
  EXPECT_EQ(nullptr, program.engine().deployment()->Find("f"));
  request.compare = true;
  EXPECT_EQ("HR1204", RowsAndReport(program, request).substr(0, 6));
}

TEST(WhatIf, ARangeLeavesRowsOutAndKeepsTheState) {
  TestProgram program(20);
  Fill(program, 6);
  const std::string all = program.Rows("d");
  WhatIfRequest request;
  request.stream = "d";
  request.from = Moment::Parse(std::to_string(program.engine().log().last_lsn())).value();
  const std::string last = RowsAndReport(program, request);
  EXPECT_EQ(all.substr(all.size() - last.size()), last);
  request.from = Moment::Parse("2027-01-15T07:43:20Z").value();  // event 0
  EXPECT_EQ(all, RowsAndReport(program, request));
  request.to = Moment::Parse("2027-01-15T07:43:29Z").value();
  const std::string ten = RowsAndReport(program, request);
  EXPECT_EQ(all.substr(0, ten.size()), ten);
  EXPECT_EQ(10, std::count(ten.begin(), ten.end(), '\n'));
  request.csv = true;
  EXPECT_EQ("k,q,ts,n,decision\n", RowsAndReport(program, request).substr(0, 18));
}

TEST(WhatIf, SaysWhatItCannotDo) {
  TestProgram program;
  Fill(program, 6);
  WhatIfRequest request;
  EXPECT_EQ("HR1204", RowsAndReport(program, request).substr(0, 6));
  request.stream = "s";
  EXPECT_EQ("HR1204", RowsAndReport(program, request).substr(0, 6));
  request.stream = "d";
  request.fork.models = {{"m", "2"}};
  EXPECT_EQ("HR1107", RowsAndReport(program, request).substr(0, 6));
  request.fork.models.clear();
  request.fork.script = "DROP STREAM d;";
  EXPECT_EQ("HR1210", RowsAndReport(program, request).substr(0, 6));
  request.fork.script = "CREATE STREAM d AS SELECT k FROM s;";  // what v reads is gone
  EXPECT_EQ("HR11", RowsAndReport(program, request).substr(0, 4));
  request.fork.script = "CREATE STREAM d AS SELECT k FROM e;";  // and e reads d
  EXPECT_EQ("HR11", RowsAndReport(program, request).substr(0, 4));
  EXPECT_EQ("HR1211", Moment::Parse("yesterday").error().code());
}

}  // namespace
}  // namespace headrace::engine
