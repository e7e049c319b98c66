// Deploying while events go on: what comes out is what comes out of a program that stood still for
// it, whenever the other thread was done.

#include <gtest/gtest.h>

#include "engine/test_events.h"
#include "engine/test_program.h"

namespace headrace::engine {
namespace {

constexpr int64_t kSecond = 1'000'000;

constexpr const char* kScript =
    "CREATE STREAM s (k TEXT NOT NULL, q BIGINT, ts TIMESTAMPTZ NOT NULL, "
    "WATERMARK FOR ts AS ts - INTERVAL '5 seconds') PARTITION BY (k) "
    "WITH (timestamp_unit = 'us', partitions = 3);\n"
    "CREATE STREAM d AS SELECT k, q, ts, 100 / q AS share, count(*) OVER w AS n FROM s WINDOW w AS "
    "(PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW);\n"
    "CREATE STREAM r AS SELECT k, 12 / (n - 3) AS x FROM d;";

// Read the source, a stream that was there, one another; one closes windows, one is not of the
// past; two refuse rows.
constexpr const char* kNew =
    "CREATE STREAM a AS SELECT k, ts, sum(q) OVER (PARTITION BY k ORDER BY ts) AS total, "
    "10 / (q - 7) AS part FROM s;\n"
    "CREATE STREAM b AS SELECT k, total, 5 / (total - 10) AS y FROM a;\n"
    "CREATE STREAM c AS SELECT k, x, 7 / (x - 2) AS z FROM r;\n"
    "CREATE STREAM fresh AS SELECT k, q FROM s WHERE q > 3 START FROM NOW;\n"
    "CREATE MATERIALIZED VIEW v AS SELECT window_start, count(*) AS n, sum(total) AS total FROM "
    "TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start;";
constexpr const char* kNewStreams[] = {"a", "b", "c", "v"};

constexpr const char* kReplacement =
    "CREATE OR REPLACE STREAM d AS SELECT sum(q) OVER w AS total, k, q, ts, 100 / q AS share, "
    "count(*) OVER w AS n FROM s WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN "
    "INTERVAL '1 hour' PRECEDING AND CURRENT ROW);";

void Feed(TestProgram& program, int64_t from, int64_t to, size_t batch = 10) {
  program.Feed("s", KeyedEvents(from, to), [batch](size_t) { return batch; });
}

// What became of a deployment.
struct Told {
  bool done = false;
  std::string error;
  std::function<void(Status)> Listen() {
    return [this](const Status& status) {
      EXPECT_FALSE(done) << "told twice";
      done = true;
      error = status.ok() ? "" : status.error().code();
    };
  }
};

std::string RowsOf(const TestProgram& program) {
  std::string all;
  for (const char* stream : kNewStreams)
    all += program.Rows(stream, true);
  return all;
}

TEST(Deployment, NewStatementsGiveWhatTheyGiveWhenEverythingStandsStill) {
  TestProgram still;
  still.Run(kScript);
  Feed(still, 0, 2000);
  still.Run(kNew);
  Feed(still, 2000, 3000);
  const std::string expected = RowsOf(still);
  EXPECT_EQ(0U, still.Differences());
  for (size_t batch : {1, 3, 50, 1000}) {
    TestProgram program;
    Told told;
    program.Run(kScript);
    Feed(program, 0, 2000);
    program.engine().Deploy(kNew, "app.sql", told.Listen());
    EXPECT_EQ(0U, program.Differences()) << "while it is computed";
    Feed(program, 2000, 3000, batch);
    ASSERT_TRUE(program.engine().FinishDeployments().ok());
    ASSERT_TRUE(told.done);
    EXPECT_EQ("", told.error);
    EXPECT_EQ(expected, RowsOf(program)) << "batches of " << batch;
    EXPECT_EQ(still.Rows("fresh", true), program.Rows("fresh", true));
    EXPECT_EQ(still.Rows("r", true), program.Rows("r", true));
    EXPECT_EQ(0U, program.Differences());
    ASSERT_TRUE(program.Restart().ok());
    EXPECT_EQ(0U, program.replayed()) << "the snapshot at the end holds the new statements";
    Feed(program, 3000, 3100);
    ASSERT_TRUE(program.Crash(batch).ok());
    EXPECT_EQ(0U, RowsOf(program).find(program.Rows("a", true)));
    EXPECT_EQ(0U, program.Differences());
  }
}

TEST(Deployment, RowsOfThePastAreHandedOnInPiecesWhileEventsGoOn) {
  constexpr int64_t kPast = 12'000;  // some chunks
  TestProgram still;
  still.Run(kScript);
  Feed(still, 0, kPast, 256);
  still.Run(kNew);
  Feed(still, kPast, kPast + 500);
  TestProgram program;
  Told told;
  program.Run(kScript);
  Feed(program, 0, kPast, 256);
  program.engine().Deploy(kNew, "app.sql", told.Listen());
  int64_t at = kPast;
  for (; at < kPast + 500 && !told.done; ++at) {
    Feed(program, at, at + 1);
    program.engine().Pump();
    program.engine().Complete();
  }
  Feed(program, at, kPast + 500);
  ASSERT_TRUE(program.engine().FinishDeployments().ok());
  EXPECT_EQ(RowsOf(still), RowsOf(program));
  EXPECT_EQ(0U, program.Differences());
}

TEST(Deployment, AReplacementTakesOverAtOneMoment) {
  for (size_t batch : {1, 7, 100}) {
    TestProgram program;
    Told told;
    program.Run(kScript);
    Feed(program, 0, 1000);
    const std::string before = program.Rows("d", true);
    program.engine().Deploy(kReplacement, "app.sql", told.Listen());
    Feed(program, 1000, 1500, batch);
    ASSERT_TRUE(program.engine().FinishDeployments().ok());
    EXPECT_EQ("", told.error);
    Feed(program, 1500, 1600);
    const std::string rows = program.Rows("d", true);
    EXPECT_EQ(before, rows.substr(0, before.size()));
    const size_t first = rows.find("\"total\"");
    ASSERT_NE(std::string::npos, first);
    for (size_t at = rows.find('\n', first); at + 1 < rows.size(); at = rows.find('\n', at + 1)) {
      const std::string line = rows.substr(at + 1, rows.find('\n', at + 1) - at);
      EXPECT_NE(std::string::npos, line.find("\"total\"")) << line;
    }
    EXPECT_EQ(0U, program.Differences());

    // The same with everything standing still gives the same columns from there on.
    TestProgram still;
    still.Run(kScript);
    still.Run(kReplacement);
    Feed(still, 0, 1600);
    const std::string all = still.Rows("d", true);
    const std::string end = rows.substr(rows.rfind('\n', first) + 1);
    EXPECT_EQ(all.substr(all.size() - end.size()), end);
    EXPECT_EQ(still.Rows("r", true), program.Rows("r", true));
    ASSERT_TRUE(program.Restart().ok());
    EXPECT_EQ(0U, program.replayed());
    ASSERT_TRUE(program.Crash(batch).ok());
    EXPECT_EQ(0U, program.Differences());
    EXPECT_EQ(rows, program.Rows("d", true));
  }
}

TEST(Deployment, WhatIsRefusedOfThePastStandsWhereTheStatementJoined) {
  TestProgram program;
  Told told;
  program.Run(kScript);
  Feed(program, 0, 200);
  program.engine().Deploy("CREATE STREAM a AS SELECT 10 / (q - 7) AS x FROM s;", "app.sql",
                          told.Listen());
  Feed(program, 200, 400, 1);
  ASSERT_TRUE(program.engine().FinishDeployments().ok());
  Feed(program, 400, 500, 1);
  std::string letters = program.Rows("s.dead", true);
  size_t count = 0;
  for (size_t at = letters.find("\"q\\\":7,"); at != std::string::npos;
       at = letters.find("\"q\\\":7,", at + 1))
    ++count;
  EXPECT_EQ(500U / 13, count) << letters;
  ASSERT_TRUE(program.Crash(1).ok());
  EXPECT_EQ(letters, program.Rows("s.dead", true));
  EXPECT_EQ(0U, program.Differences());
}

TEST(Deployment, ReplacementsAndNewStatementsAndModelsOfOneScript) {
  TestProgram program;
  Told told;
  program.Run(kScript);
  Feed(program, 0, 300);
  program.engine().Deploy(std::string("CREATE STREAM other (id BIGINT);\n"
                                      "CREATE STREAM o AS SELECT id FROM other;\n") +
                              kReplacement + "\n" + kNew,
                          "app.sql", told.Listen());
  Feed(program, 300, 600, 1);
  ASSERT_TRUE(program.engine().FinishDeployments().ok());
  EXPECT_EQ("", told.error);
  Feed(program, 600, 700);
  program.Feed("other", {R"({"id":4})"});
  EXPECT_EQ("{\"id\":4}\n", program.Rows("o"));
  EXPECT_NE(std::string::npos, program.Rows("d").find("total"));
  EXPECT_EQ(0U, program.Differences());
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_EQ(0U, program.replayed());
  ASSERT_TRUE(program.Crash(5).ok());
  EXPECT_EQ(0U, program.Differences());
}

// How many rows the stream gave before its replacement, which has a column more, took over.
size_t RowsWithout(const std::string& rows, const std::string& column) {
  size_t count = 0;
  for (size_t at = 0; at < rows.size(); at = rows.find('\n', at) + 1) {
    const std::string line = rows.substr(at, rows.find('\n', at) - at);
    if (line.find("\"" + column + "\"") == std::string::npos) ++count;
  }
  return count;
}

TEST(Deployment, ANewStatementThatReadsAReplacedOneJoinsWhenThatTakesOver) {
  const std::string script =
      kReplacement + std::string(
                         "CREATE STREAM t AS SELECT k, total, n, 20 / (total - 9) AS x "
                         "FROM d;\nCREATE STREAM u AS SELECT k, x FROM t;");
  for (size_t batch : {1, 9, 100}) {
    TestProgram program;
    Told told;
    program.Run(kScript);
    Feed(program, 0, 1000);
    program.engine().Deploy(script, "app.sql", told.Listen());
    EXPECT_FALSE(told.done);
    EXPECT_EQ(0U, program.Differences()) << "while it is computed";
    Feed(program, 1000, 1500, batch);
    ASSERT_TRUE(program.engine().FinishDeployments().ok());
    EXPECT_EQ("", told.error);
    Feed(program, 1500, 1600);
    EXPECT_EQ(0U, program.Differences());
    // As if everything had stood still at that moment. Every thirteenth event gives `d` nothing.
    const size_t before = RowsWithout(program.Rows("d", true), "total");
    auto moment = static_cast<int64_t>(before);
    while (moment - (moment + 12) / 13 < static_cast<int64_t>(before))
      ++moment;
    TestProgram still;
    still.Run(kScript);
    Feed(still, 0, moment);
    still.Run(script);
    Feed(still, moment, 1600);
    for (const char* stream : {"d", "t", "u", "r"})
      EXPECT_EQ(still.Rows(stream, true), program.Rows(stream, true)) << stream << batch;
    EXPECT_EQ(still.Rows("d.dead"), program.Rows("d.dead"));
    EXPECT_NE(std::string::npos, program.Rows("t").find("\"total\":null"));
    ASSERT_TRUE(program.Restart().ok());
    EXPECT_EQ(0U, program.replayed());
    Feed(program, 1600, 1650);
    ASSERT_TRUE(program.Crash(batch).ok());
    EXPECT_EQ(0U, program.Differences());
    program.Run(script);  // changes nothing
    EXPECT_EQ(2U, program.engine().deployment()->Find("d")->revisions().size());
  }
}

TEST(Deployment, AStatementThatIsMadeAndReplacedInOneScript) {
  TestProgram program;
  Told told;
  program.Run(kScript);
  Feed(program, 0, 100);
  program.engine().Deploy(
      "CREATE STREAM t AS SELECT k FROM d;\n"
      "CREATE OR REPLACE STREAM t AS SELECT k, n FROM d;\n"
      "CREATE OR REPLACE STREAM d AS SELECT k, q, ts, count(*) OVER (PARTITION "
      "BY k ORDER BY ts) AS n FROM s;",
      "app.sql", told.Listen());
  ASSERT_TRUE(told.done);
  EXPECT_EQ("", told.error);
  Feed(program, 100, 110);
  EXPECT_EQ(0U, program.Differences());
}

TEST(Deployment, ReplacedStatementsThatReadOneAnotherTakeOverTogether) {
  TestProgram program;
  Told told;
  program.Run(kScript);
  Feed(program, 0, 300);
  program.engine().Deploy(
      kReplacement + std::string("CREATE OR REPLACE STREAM r AS SELECT k, 12 / (n - 3) AS x, "
                                 "count(*) OVER (PARTITION BY k ORDER BY ts) AS m, total FROM d;"),
      "app.sql", told.Listen());
  Feed(program, 300, 500, 1);
  ASSERT_TRUE(program.engine().FinishDeployments().ok());
  EXPECT_EQ("", told.error);
  Feed(program, 500, 600);
  const std::string rows = program.Rows("r");
  EXPECT_NE(std::string::npos, rows.find("\"total\":")) << rows;
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_EQ(0U, program.Differences());
}

TEST(Deployment, ScriptsWaitForOneAnotherAndModelsForNobody) {
  TestProgram program;
  program.Run(kScript);
  Feed(program, 0, 500);
  Told first;
  Told wrong;
  Told second;
  program.engine().Deploy("CREATE STREAM a AS SELECT k, q FROM s;", "1.sql", first.Listen());
  program.engine().Deploy("CREATE STREAM x AS SELECT nothing FROM a;", "2.sql", wrong.Listen());
  program.engine().Deploy("CREATE STREAM b AS SELECT k FROM a WHERE q > 3;", "3.sql",
                          second.Listen());
  Feed(program, 500, 600, 1);
  ASSERT_TRUE(program.engine().FinishDeployments().ok());
  EXPECT_TRUE(first.done && second.done && wrong.done);
  EXPECT_EQ("", first.error + second.error);
  EXPECT_EQ("HR1104", wrong.error);
  EXPECT_EQ(0U, program.Differences());

  std::vector<Told> many(kDeploymentsMax + 2);
  for (size_t i = 0; i < many.size(); ++i) {
    program.engine().Deploy("CREATE STREAM m" + std::to_string(i) + " AS SELECT k, q FROM s;",
                            "m.sql", many[i].Listen());
  }
  EXPECT_EQ("HR5009", many.back().error);
  ASSERT_TRUE(program.engine().FinishDeployments().ok());
  for (size_t i = 0; i <= kDeploymentsMax; ++i)
    EXPECT_TRUE(many[i].done && many[i].error.empty()) << i;
  EXPECT_EQ(program.Rows("a"), program.Rows("m0"));
}

TEST(Deployment, AnswersAreAskedForOnlyWhenItIsDone) {
  TestProgram program;
  program.Run(kScript);
  Feed(program, 0, 100);
  Told told;
  program.engine().Deploy("CREATE STREAM a AS SELECT k, q FROM s;", "app.sql", told.Listen());
  auto ask = [&] {
    std::string code = "none";
    IngestRequest request;
    request.topic = "s";
    request.payloads = KeyedEvents(100, 101);
    request.return_stream = "a";
    request.done = [&code](const IngestReply& reply) {
      code = reply.error ? reply.error->code() : reply.rows.at(0);
    };
    program.engine().Submit(std::move(request));
    while (program.engine().Pump()) {
    }
    program.engine().log().WaitDurable(program.engine().log().last_lsn()).value();
    program.engine().Complete();
    return code;
  };
  EXPECT_EQ("HR5010", ask());
  ASSERT_TRUE(program.engine().FinishDeployments().ok());
  EXPECT_NE(std::string::npos, ask().find("\"q\":9"));
}

// Late rows as a stream, and rows that wait; each with a reader, and one that refuses some.
constexpr const char* kTimed =
    "CREATE STREAM w AS SELECT window_start, count(*) AS n FROM TUMBLE(TABLE s, DESCRIPTOR(ts), "
    "INTERVAL '10 seconds') GROUP BY window_start LATE ROWS SIDE OUTPUT TO late;\n"
    "CREATE STREAM l AS SELECT k, 12 / (q - 4) AS x FROM late;\n"
    "CREATE STREAM o AS SELECT k, ts, q, count(*) OVER (PARTITION BY k ORDER BY ts) AS n FROM s "
    "EMIT ON WATERMARK LATE ROWS SIDE OUTPUT TO missed;\n"
    "CREATE STREAM p AS SELECT k, n, 10 / (q - 7) AS part FROM o;";
constexpr const char* kTimedStreams[] = {"w", "late",   "l",         "o",
                                         "p", "missed", "late.dead", "o.dead"};
constexpr const char* kTimedReplacement =
    "CREATE OR REPLACE STREAM w AS SELECT window_start, sum(q) AS q, count(*) AS n FROM "
    "TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start "
    "LATE ROWS SIDE OUTPUT TO late;\n"
    "CREATE OR REPLACE STREAM o AS SELECT sum(q) OVER (PARTITION BY k ORDER BY ts) AS total, k, "
    "ts, "
    "q, count(*) OVER (PARTITION BY k ORDER BY ts) AS n FROM s "
    "EMIT ON WATERMARK LATE ROWS SIDE OUTPUT TO missed;";

// Four a second; every third is two seconds out of order, every seventh half a minute late.
void FeedUnordered(TestProgram& program, int64_t from, int64_t to, size_t batch = 10) {
  std::vector<std::string> events;
  for (int64_t i = from; i < to; ++i) {
    int64_t ts = TestProgram::kNow - 3600 * kSecond + i * kSecond / 4;
    ts -= i % 7 == 6 ? 30 * kSecond : i % 3 == 2 ? 2 * kSecond : 0;
    events.push_back(R"({"k":"key)" + std::to_string(i * 7 % 23) + R"(","q":)" +
                     std::to_string(i % 13) + ",\"ts\":" + std::to_string(ts) + "}");
  }
  program.Feed("s", events, [batch](size_t) { return batch; });
}

std::string ByPartition(const std::string& stream, const std::string& rows) {
  std::string sorted;
  for (const char* partition : {":0:", ":1:", ":2:"}) {
    for (size_t at = 0; at < rows.size();) {
      const std::string line = rows.substr(at, rows.find('\n', at) + 1 - at);
      if (line.find(stream + partition) != std::string::npos) sorted += line;
      at += line.size();
    }
  }
  return sorted;
}

// When a statement joined shows in how dead letters of several partitions stand to one another:
// they are compared by partition.
std::string TimedRows(const TestProgram& program) {
  std::string all;
  for (const std::string stream : kTimedStreams) {
    const std::string rows = program.Rows(stream, true);
    all += "== " + stream + "\n";
    all += stream.ends_with(".dead") ? ByPartition(stream, rows) : rows;
  }
  return all;
}

TEST(Deployment, SideOutputsAndRowsThatWaitAreTakenAlong) {
  TestProgram still;
  still.Run(kScript);
  FeedUnordered(still, 0, 1000);
  still.Run(kTimed);
  for (const char* stream : kTimedStreams)
    EXPECT_NE("", still.Rows(stream)) << stream;
  FeedUnordered(still, 1000, 1500);
  const std::string before_restarts = TimedRows(still);
  FeedUnordered(still, 1500, 1600);
  const std::string expected = TimedRows(still);
  for (size_t batch : {1, 7, 50, 1000}) {
    TestProgram program;
    Told told;
    program.Run(kScript);
    FeedUnordered(program, 0, 1000);
    program.engine().Deploy(kTimed, "app.sql", told.Listen());
    EXPECT_FALSE(told.done) << "it is computed beside live traffic";
    FeedUnordered(program, 1000, 1500, batch);
    ASSERT_TRUE(program.engine().FinishDeployments().ok());
    EXPECT_EQ("", told.error);
    EXPECT_EQ(before_restarts, TimedRows(program)) << "batches of " << batch;
    EXPECT_EQ(0U, program.Differences());
    ASSERT_TRUE(program.Restart().ok());
    EXPECT_EQ(0U, program.replayed()) << "the snapshot at the end holds the rows that wait";
    FeedUnordered(program, 1500, 1550);
    ASSERT_TRUE(program.Crash(batch).ok());
    FeedUnordered(program, 1550, 1600);
    EXPECT_EQ(expected, TimedRows(program)) << "batches of " << batch;
    EXPECT_EQ(0U, program.Differences());
  }
}

TEST(Deployment, OfASideOutputGoesOnBehindARestart) {
  TestProgram still;
  still.Run(kScript);
  FeedUnordered(still, 0, 500);
  still.Run(kTimed);
  FeedUnordered(still, 500, 600);
  TestProgram program;
  Told told;
  program.Run(kScript);
  FeedUnordered(program, 0, 500);
  program.engine().Deploy(kTimed, "app.sql", told.Listen());
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_EQ("HR5001", told.error);
  FeedUnordered(program, 500, 600);
  ASSERT_TRUE(program.engine().FinishDeployments().ok());
  EXPECT_EQ(TimedRows(still), TimedRows(program));
  EXPECT_EQ(0U, program.Differences());
}

TEST(Deployment, SideOutputsAndRowsThatWaitAreReplaced) {
  // What of it does not depend on the moment: the late rows, and what reads columns that stay.
  constexpr const char* kSame[] = {"late", "l", "p", "missed"};
  TestProgram still;
  still.Run(kScript);
  still.Run(kTimed);
  FeedUnordered(still, 0, 1600);
  for (size_t batch : {1, 20}) {
    TestProgram program;
    Told told;
    program.Run(kScript);
    program.Run(kTimed);
    FeedUnordered(program, 0, 1000);
    program.engine().Deploy(kTimedReplacement, "app.sql", told.Listen());
    EXPECT_FALSE(told.done);
    FeedUnordered(program, 1000, 1300, batch);
    ASSERT_TRUE(program.engine().FinishDeployments().ok());
    EXPECT_EQ("", told.error);
    Told reader;
    program.engine().Deploy("CREATE STREAM again AS SELECT k, 12 / (q - 4) AS x FROM late;",
                            "app.sql", reader.Listen());
    EXPECT_FALSE(reader.done);
    FeedUnordered(program, 1300, 1500, batch);
    ASSERT_TRUE(program.engine().FinishDeployments().ok());
    EXPECT_EQ("", reader.error);
    EXPECT_EQ(program.Rows("l"), program.Rows("again"));
    ASSERT_TRUE(program.Restart().ok());
    EXPECT_EQ(0U, program.replayed());
    FeedUnordered(program, 1500, 1600);
    for (const char* stream : kSame)
      EXPECT_EQ(still.Rows(stream, true), program.Rows(stream, true)) << stream;
    EXPECT_NE(std::string::npos, program.Rows("w").find("\"q\":"));
    EXPECT_NE(std::string::npos, program.Rows("o").find("\"total\":"));
    ASSERT_TRUE(program.Crash(batch).ok());
    EXPECT_EQ(0U, program.Differences());
  }
}

TEST(Deployment, ANewReaderOfASideOutputThatIsReplacedJoinsWhenThatTakesOver) {
  TestProgram program;
  Told told;
  program.Run(kScript);
  program.Run(kTimed);
  FeedUnordered(program, 0, 200);
  program.engine().Deploy(
      kTimedReplacement + std::string("CREATE STREAM t AS SELECT k, 12 / (q - 4) AS x FROM late;"),
      "app.sql", told.Listen());
  EXPECT_FALSE(told.done);
  FeedUnordered(program, 200, 300);
  ASSERT_TRUE(program.engine().FinishDeployments().ok());
  EXPECT_EQ("", told.error);
  FeedUnordered(program, 300, 400);
  EXPECT_EQ(program.Rows("l"), program.Rows("t"));
  EXPECT_EQ(0U, program.Differences());
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_EQ(0U, program.replayed());
}

// The power fails at every operation of the disk while statements are computed and events come.
TEST(DeploymentCrash, LeavesNothingOrTheWhole) {
  TestProgram still;
  still.Run(kScript);
  Feed(still, 0, 60);
  still.Run(kNew);
  Feed(still, 60, 100);
  const std::string expected = RowsOf(still);
  bool finished = false;
  size_t announced = 0;
  for (uint64_t at = 1; !finished; ++at) {
    TestProgram program(9);
    Told told;
    program.Run(kScript);
    Feed(program, 0, 60);
    program.files().CrashAtOperation(program.files().operations() + at);
    program.engine().Deploy(kNew + std::string("\n") + kReplacement, "app.sql", told.Listen());
    size_t taken = 0;
    for (; taken < 10 && program.engine().log().failure() == nullptr; ++taken) {
      IngestRequest request;
      request.topic = "s";
      request.payloads =
          KeyedEvents(60 + static_cast<int64_t>(taken), 61 + static_cast<int64_t>(taken));
      request.done = [](const IngestReply&) {};
      program.engine().Submit(std::move(request));
      program.engine().Pump();
      program.engine().Complete();
    }
    finished = program.engine().FinishDeployments().ok() && !program.files().crashed();
    const bool acknowledged = told.done && told.error.empty();
    ASSERT_TRUE(program.Crash(at).ok()) << at;
    const Deployed* made = program.engine().deployment()->Find("a");
    const bool replaced = program.engine().deployment()->Find("d")->revisions().size() == 2;
    announced += made != nullptr && !replaced ? 1 : 0;
    EXPECT_TRUE(!acknowledged || (made != nullptr && replaced)) << "lost at " << at;
    EXPECT_EQ(0U, program.Differences()) << at;
    program.Run(kNew + std::string("\n") + kReplacement);
    int64_t goes_on = 0;
    for (int32_t p = 0; p < 3; ++p)
      goes_on += program.engine().log().next_offset("s", p);
    Feed(program, goes_on, 100);
    ASSERT_EQ(expected, RowsOf(program)) << at;
    ASSERT_TRUE(program.Restart().ok()) << at;
    ASSERT_EQ(0U, program.Differences()) << at;
  }
  EXPECT_GT(announced, 0U);
}

TEST(Deployment, AFullDiskOnlyDelaysIt) {
  TestProgram still;
  still.Run(kScript);
  Feed(still, 0, 500);
  still.Run(kNew);
  Feed(still, 500, 600);
  for (uint64_t at = 1; at < 30; at += 3) {
    TestProgram program;
    Told told;
    program.Run(kScript);
    Feed(program, 0, 500);
    program.engine().Deploy(kNew, "app.sql", told.Listen());
    os::FaultyFileSystem::Fault fault;
    fault.point = os::FaultPoint::kWrite;
    fault.kind = ErrorKind::kNoSpace;
    fault.nth = at;
    fault.repeat = 3;
    program.files().Add(fault);
    while (!told.done) {
      Status finished = program.engine().FinishDeployments();
      static_cast<void>(finished.ok());
    }
    ASSERT_TRUE(told.done);
    EXPECT_EQ("", told.error) << at;
    program.files().ClearFaults();
    Feed(program, 500, 600);
    EXPECT_EQ(RowsOf(still), RowsOf(program)) << at;
    EXPECT_EQ(0U, program.Differences()) << at;
  }
}

}  // namespace
}  // namespace headrace::engine
