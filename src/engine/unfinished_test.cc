// What was computed beside live traffic when the program ended: the next start is as quick as any,
// the flow goes on as it was, and the rest is computed beside it.

#include <gtest/gtest.h>

#include "engine/frame_note.h"
#include "engine/test_events.h"
#include "engine/test_program.h"
#include "log/record_batch.h"

namespace headrace::engine {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kPast = 1200;

constexpr const char* kScript =
    "CREATE STREAM s (k TEXT NOT NULL, q BIGINT, ts TIMESTAMPTZ NOT NULL, "
    "WATERMARK FOR ts AS ts - INTERVAL '5 seconds') PARTITION BY (k) "
    "WITH (timestamp_unit = 'us', partitions = 2);\n"
    "CREATE STREAM d AS SELECT k, q, ts, count(*) OVER w AS n FROM s WINDOW w AS "
    "(PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW);\n"
    "CREATE STREAM r AS SELECT k, 12 / (n - 3) AS x FROM d;";

// A new source, a statement that is replaced, one that reads it as it will be, one that does not.
constexpr const char* kNext =
    "CREATE STREAM other (id BIGINT);\n"
    "CREATE OR REPLACE STREAM d AS SELECT sum(q) OVER w AS total, k, q, ts, count(*) OVER w AS n "
    "FROM s WINDOW w AS "
    "(PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW);\n"
    "CREATE STREAM t AS SELECT k, total, 20 / (n - 9) AS y FROM d;\n"
    "CREATE STREAM a AS SELECT k, ts, sum(q) OVER (PARTITION BY k ORDER BY ts) AS sum, "
    "10 / (q - 7) AS part FROM s;\n"
    "CREATE MATERIALIZED VIEW v AS SELECT window_start, count(*) AS c FROM "
    "TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start;";
constexpr const char* kNextStreams[] = {"d", "t", "a", "v", "r"};

void Feed(TestProgram& program, int64_t from, int64_t to, size_t batch = 10) {
  program.Feed("s", KeyedEvents(from, to), [batch](size_t) { return batch; });
}

std::string RowsOf(const TestProgram& program) {
  std::string all;
  for (const char* stream : kNextStreams)
    all += program.Rows(stream, true);
  return all;
}

// The same where everything stood still when the replacement took over.
std::string Undisturbed(const TestProgram& program, int64_t events) {
  const std::string rows = program.Rows("d", true);
  int64_t moment = 0;
  for (size_t at = 0; at < rows.size(); at = rows.find('\n', at) + 1) {
    const std::string line = rows.substr(at, rows.find('\n', at) - at);
    if (line.find("\"total\"") == std::string::npos) ++moment;
  }
  TestProgram still;
  still.Run(kScript);
  Feed(still, 0, moment);
  still.Run(kNext);
  Feed(still, moment, events);
  return RowsOf(still);
}

int64_t EventsOf(const TestProgram& program) {
  const log::Log& log = const_cast<TestProgram&>(program).engine().log();
  return log.next_offset("s", 0) + log.next_offset("s", 1);
}

// A program whose newest snapshot holds the past, and that computes the script when it ends.
void MakePast(TestProgram& program) {
  program.Run(kScript);
  Feed(program, 0, kPast);
  program.Restart().value();
  Feed(program, kPast, kPast + 20);
  program.engine().FinishSnapshots();  // a script waits for what is being written
}

void TakeOne(TestProgram& program, int64_t i) {
  IngestRequest request;
  request.topic = "s";
  request.payloads = KeyedEvents(i, i + 1);
  request.done = [](const IngestReply&) {};
  program.engine().Submit(std::move(request));
  program.engine().Pump();
  program.engine().Complete();
}

TEST(Unfinished, TheStartIsAsQuickAsAnyAndTheRestIsComputedBesideTraffic) {
  for (size_t batch : {1, 30}) {
    TestProgram program;
    MakePast(program);
    Status told = Ok();
    program.engine().Deploy(kNext, "app.sql", [&told](const Status& done) { told = done; });
    Feed(program, kPast + 20, kPast + 40, batch);
    ASSERT_TRUE(program.Crash(batch).ok());
    EXPECT_EQ(40U, program.replayed()) << "what came behind the snapshot, and no more";
    EXPECT_TRUE(program.engine().ready());
    EXPECT_EQ(StartupProgress::Phase::kReady, program.engine().startup().phase);
    EXPECT_EQ(40U, program.engine().startup().events_total);
    EXPECT_EQ(0U, program.Differences());
    const Deployed* d = program.engine().deployment()->Find("d");
    EXPECT_TRUE(d->pending != nullptr) << "prepared, and not in force";
    EXPECT_FALSE(program.engine().deployment()->Find("a")->joined());
    // The old statement answers meanwhile.
    Feed(program, kPast + 40, kPast + 60, batch);
    EXPECT_EQ(std::string::npos, program.Rows("d").find("\"total\""));
    ASSERT_TRUE(program.Crash(batch + 1).ok()) << "again";
    EXPECT_EQ(60U, program.replayed());
    Feed(program, kPast + 60, kPast + 80, batch);
    ASSERT_TRUE(program.engine().FinishDeployments().ok());
    EXPECT_TRUE(program.engine().deployment()->Find("a")->joined());
    Feed(program, kPast + 80, kPast + 120, batch);
    EXPECT_NE(std::string::npos, program.Rows("d").find("\"total\""));
    EXPECT_EQ(Undisturbed(program, kPast + 120), RowsOf(program));
    EXPECT_EQ(0U, program.Differences());
    ASSERT_TRUE(program.Restart().ok());
    EXPECT_EQ(0U, program.replayed()) << "the snapshot at the end holds all of it";
  }
}

TEST(Unfinished, AScriptThatIsGivenAgainIsDoneWhenTheRestIs) {
  TestProgram program;
  MakePast(program);
  program.engine().Deploy(kNext, "app.sql", [](const Status&) {});
  program.engine().log().WaitDurable(program.engine().log().last_lsn()).value();
  ASSERT_TRUE(program.Crash(1).ok());
  bool done = false;
  program.engine().Deploy(kNext, "app.sql", [&done](const Status& status) { done = status.ok(); });
  EXPECT_FALSE(done);
  TakeOne(program, kPast + 20);
  ASSERT_TRUE(program.engine().FinishDeployments().ok());
  EXPECT_TRUE(done);
  EXPECT_TRUE(program.engine().deployment()->Find("a")->joined());
  EXPECT_EQ(2U, program.engine().deployment()->Find("d")->revisions().size());
  const int64_t events = EventsOf(program);
  program.Run(kNext);
  EXPECT_EQ(Undisturbed(program, events), RowsOf(program));
}

TEST(Unfinished, IsFinishedBeforeAnythingElseIsDeployed) {
  TestProgram program;
  MakePast(program);
  program.engine().Deploy(kNext, "app.sql", [](const Status&) {});
  program.engine().log().WaitDurable(program.engine().log().last_lsn()).value();
  ASSERT_TRUE(program.Crash(2).ok());
  Status more = program.engine().Execute("CREATE STREAM z AS SELECT k, y FROM t;", "app.sql");
  ASSERT_TRUE(more.ok()) << more.error().ToString();
  EXPECT_TRUE(program.engine().deployment()->Find("a")->joined());
  Feed(program, kPast + 20, kPast + 50);
  EXPECT_EQ(Undisturbed(program, kPast + 50), RowsOf(program));
  EXPECT_NE("", program.Rows("z"));
  EXPECT_EQ(0U, program.Differences());
}

TEST(Unfinished, ADropWaitsUntilAllHasJoined) {
  TestProgram program;
  MakePast(program);
  program.engine().Deploy(kNext, "app.sql", [](const Status&) {});
  program.engine().log().WaitDurable(program.engine().log().last_lsn()).value();
  ASSERT_TRUE(program.Crash(2).ok());
  std::string refused;
  bool dropped = false;
  program.engine().Deploy("DROP STREAM d;", "a.sql", [&refused](const Status& status) {
    refused = status.ok() ? "" : status.error().code();
  });
  program.engine().Deploy("DROP STREAM t;", "b.sql",
                          [&dropped](const Status& status) { dropped = status.ok(); });
  EXPECT_TRUE(program.engine().deployment()->Find("t") != nullptr);
  EXPECT_FALSE(dropped);
  ASSERT_TRUE(program.engine().FinishDeployments().ok());
  EXPECT_EQ("HR1208", refused);
  EXPECT_TRUE(dropped);
  EXPECT_TRUE(program.engine().deployment()->Find("t") == nullptr);
  EXPECT_EQ(2U, program.engine().deployment()->Find("d")->revisions().size());
  Feed(program, kPast + 20, kPast + 40);
  ASSERT_TRUE(program.Crash(3).ok());
  EXPECT_EQ(0U, program.Differences());
}

// Its pages stand before those of statements.
TEST(Unfinished, ASourceThatCameSinceTheSnapshotHasItsPlaceInTheNext) {
  for (bool crash : {false, true}) {
    TestProgram program(50);
    MakePast(program);
    program.engine().Deploy(
        "CREATE STREAM once (id BIGINT, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) "
        "DEDUPLICATE BY (id) WITHIN INTERVAL '1 hour' WITH (timestamp_unit = 'us');",
        "app.sql", [](const Status&) {});
    ASSERT_TRUE(program.engine().FinishDeployments().ok());
    if (crash) {
      ASSERT_TRUE(program.Crash(1).ok());
      EXPECT_LE(program.replayed(), 20U) << "the snapshot serves, though it lacks the source";
    }
    for (int64_t i = 0; i < 20; ++i) {
      Feed(program, kPast + 20 + i * 10, kPast + 30 + i * 10, 1);
      program.engine().FinishSnapshots();
    }
    const std::string rows = program.Rows("d", true) + program.Rows("r", true);
    ASSERT_TRUE(program.Crash(2).ok());
    EXPECT_LE(program.replayed(), 100U);
    EXPECT_EQ(rows, program.Rows("d", true) + program.Rows("r", true));
    ASSERT_TRUE(program.Restart().ok());
    Feed(program, kPast + 220, kPast + 240);
    EXPECT_EQ(0U, program.Differences());
  }
}

// The power fails at every operation of the disk, until all has joined; then it is a life
// later, which is cut off, too.
TEST(UnfinishedCrash, LeavesTheOldStatementAndAQuickStartOrTheNew) {
  bool finished = false;
  size_t unfinished = 0;
  for (uint64_t at = 1; !finished; ++at) {
    TestProgram program;
    MakePast(program);
    program.files().CrashAtOperation(program.files().operations() + at);
    program.engine().Deploy(kNext, "app.sql", [](const Status&) {});
    for (int64_t i = 0; i < 10 && program.engine().log().failure() == nullptr; ++i)
      TakeOne(program, kPast + 20 + i);
    finished = program.engine().FinishDeployments().ok() && !program.files().crashed();
    program.CrashNextStartAt(at % 7 == 0 ? 0 : 5 + at % 60);
    if (!program.Crash(at).ok()) {
      ASSERT_TRUE(program.Crash(at).ok()) << at;
    }
    const bool prepared = program.engine().deployment()->Find("t") != nullptr;
    const bool joined = prepared && program.engine().deployment()->Find("t")->joined();
    if (prepared && !joined) ++unfinished;
    if (!joined) {
      ASSERT_LE(program.replayed(), 30U) << at;
    }
    EXPECT_EQ(!joined, program.engine().deployment()->Find("d")->revisions().size() == 1) << at;
    EXPECT_EQ(0U, program.Differences()) << at;
    for (int64_t i = EventsOf(program); i < kPast + 40; ++i) {
      if (program.engine().log().failure() != nullptr) break;
      TakeOne(program, i);
    }
    ASSERT_TRUE(program.Crash(at + 1).ok()) << at;
    program.Run(kNext);
    Feed(program, EventsOf(program), kPast + 60);
    ASSERT_EQ(Undisturbed(program, kPast + 60), RowsOf(program)) << at;
    ASSERT_TRUE(program.Restart().ok()) << at;
    ASSERT_EQ(0U, program.Differences()) << at;
  }
  EXPECT_GT(unfinished, 0U);
}

// A row that another program would have logged.
void LogByHand(TestProgram& program, const std::string& topic, const std::string& row) {
  program.Stop().value();
  base::MetricsRegistry metrics;
  log::LogOptions options;
  options.journal_file_bytes = 1 << 20;
  auto log = log::Log::Open(program.disk(), program.clock(), metrics, "/data", options).value();
  log::RecordBatchBuilder builder;
  builder.Begin(0);
  log::Record record;
  record.value = row;
  builder.Add(record);
  CauseEncoder causes;
  causes.Add({1, 0});
  std::vector<log::Entry> entries(1);
  entries[0].topic = topic;
  entries[0].record_count = 1;
  entries[0].note = causes.Finish();
  entries[0].bytes = builder.Finish();
  log->Append(entries).value();
  log->WaitDurable(log->last_lsn()).value();
  log->Close().value();
}

TEST(Unfinished, WhatIsComputedOtherwiseThanItWasIsHaltedAndTheRestGoesOn) {
  TestProgram program;
  MakePast(program);
  program.engine().Deploy(kNext, "app.sql", [](const Status&) {});
  LogByHand(program, "t", R"({"k":"never","total":null,"y":1})");
  program.SetHalts(true);
  program.Start().value();
  EXPECT_TRUE(program.engine().halted().empty()) << "it is found beside live traffic";
  ASSERT_TRUE(program.engine().FinishDeployments().ok());
  ASSERT_EQ(1U, program.engine().halted().size());
  EXPECT_EQ("t", program.engine().halted().front().name);
  Feed(program, kPast + 20, kPast + 50);
  EXPECT_NE("", program.Rows("a"));
  EXPECT_NE(std::string::npos, program.Rows("d").find("\"total\""));
  ASSERT_TRUE(program.Crash(3).ok());
  EXPECT_EQ(1U, program.engine().halted().size());
}

}  // namespace
}  // namespace headrace::engine
