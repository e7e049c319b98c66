// Trims: the first events of a topic go because somebody says so; what was computed from them
// stands, and can be computed again behind the snapshot that stands for them.

#include <gtest/gtest.h>

#include "engine/backup.h"
#include "engine/salvage.h"
#include "engine/snapshot_store.h"
#include "engine/test_events.h"
#include "engine/test_program.h"

namespace headrace::engine {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr const char* kScript =
    "CREATE STREAM s (id TEXT NOT NULL, k TEXT, q BIGINT, ts TIMESTAMPTZ NOT NULL, "
    "WATERMARK FOR ts AS ts - INTERVAL '2 seconds') PARTITION BY (k) "
    "DEDUPLICATE BY (id) WITHIN INTERVAL '1 hour' WITH (timestamp_unit = 'us');\n"
    "CREATE STREAM d AS SELECT id, k, ts, count(*) OVER w AS n, sum(q) OVER all_of AS total "
    "FROM s WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '5 minutes' PRECEDING "
    "AND CURRENT ROW), all_of AS (PARTITION BY k ORDER BY ts);\n"
    "CREATE STREAM e AS SELECT k, 10 / (n - 3) AS x FROM d;\n"
    "CREATE STREAM o AS SELECT id, ts, count(*) OVER (PARTITION BY k ORDER BY ts) AS n FROM s "
    "EMIT ON WATERMARK;\n"
    "CREATE MATERIALIZED VIEW v AS SELECT window_start, k, count(*) AS n FROM "
    "TUMBLE(TABLE d, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start, k;";
constexpr const char* kLater =
    "CREATE STREAM c AS SELECT id, count(*) OVER (PARTITION BY k ORDER BY ts) AS n FROM s;";
constexpr const char* kStreams[] = {"d", "e", "o", "v", "d.dead"};

// As from a file, until the disk fails.
Status Ingest(TestProgram& program, uint64_t from, uint64_t to) {
  for (uint64_t at = from; at < to; at += 10) {
    const auto first = static_cast<int64_t>(at);
    program.clock().Set(TestProgram::kNow + first * kSecond);
    HR_TRY(program.FeedAsFrom("f", "s", RepeatedEvents(first, first + 10), at + 10));
  }
  return Ok();
}

void Feed(TestProgram& program, uint64_t from, uint64_t to) {
  ASSERT_TRUE(Ingest(program, from, to).ok());
}

// Without the rows of `trimmed`, of which the first go.
std::string Derived(const TestProgram& program, const std::string& trimmed = "") {
  std::string all;
  for (const char* stream : kStreams) {
    if (stream != trimmed) all += program.Rows(stream, true);
  }
  return all;
}

std::string Undisturbed(uint64_t events, const std::string& trimmed = "") {
  TestProgram program;
  program.Run(kScript);
  Feed(program, 0, events);
  return Derived(program, trimmed);
}

TrimRequest Before(const std::string& topic, int64_t offset) {
  TrimRequest request;
  request.topic = topic;
  request.before_offset = offset;
  return request;
}

Result<std::string> Trim(TestProgram& program, const TrimRequest& request) {
  std::optional<Result<std::string>> told;
  program.engine().Trim({request, [&](Result<std::string> done) { told = std::move(done); }});
  Status finished = program.engine().FinishTrims();
  if (!told && !finished.ok()) return finished.error();
  HR_CHECK(told.has_value());
  return std::move(*told);
}

std::string Refusal(TestProgram& program, const TrimRequest& request) {
  Result<std::string> done = Trim(program, request);
  return done.ok() ? "" : done.error().ToString();
}

int64_t First(TestProgram& program, const std::string& topic) {
  return program.engine().log().start_offset(topic, 0);
}

std::string FirstRow(TestProgram& program, const std::string& stream) {
  const std::string rows = program.Rows(stream, true);
  return rows.substr(0, rows.find(','));
}

size_t Files(TestProgram& program, const std::string& topic) {
  size_t count = 0;
  for (const std::string& path : program.disk().AllFiles())
    count += path.find("/topics/" + topic + "/") != std::string::npos ? 1 : 0;
  return count;
}

TEST(Trim, EventsGoAndWhatWasComputedStands) {
  TestProgram program(50);
  program.Run(kScript);
  Feed(program, 0, 300);
  const Result<std::string> told = Trim(program, Before("s", 133));
  ASSERT_TRUE(told.ok()) << told.error().ToString();
  const auto lsn = std::to_string(program.engine().log().last_lsn());
  EXPECT_EQ(R"({"topic":"s","lsn":)" + lsn +
                R"(,"events":133,"partitions":[{"partition":0,"first_offset":133}]})",
            *told);
  // Within a batch of nine.
  EXPECT_EQ(133, First(program, "s"));
  EXPECT_EQ(R"({"_id":"s:0:133")", FirstRow(program, "s"));
  EXPECT_EQ("HR5207", program.engine().log().Read("s", 0, 132, 1).error().code());
  EXPECT_GT(SnapshotStore(program.disk(), "/data").Beginning().value(), 0U);
  EXPECT_EQ(Undisturbed(300), Derived(program));
  EXPECT_EQ(0U, program.Differences());
  EXPECT_GT(program.engine().Verify({}).value().from_lsn, 1U);
  Feed(program, 300, 400);
  for (uint64_t seed : {0U, 5U, 6U}) {
    ASSERT_TRUE((seed == 0 ? program.Restart() : program.Crash(seed)).ok()) << seed;
    EXPECT_EQ(133, First(program, "s"));
    EXPECT_EQ(R"({"_id":"s:0:133")", FirstRow(program, "s"));
    EXPECT_EQ(Undisturbed(400), Derived(program));
    EXPECT_EQ(0U, program.Differences());
  }
}

TEST(Trim, OfNothingWritesNothing) {
  TestProgram program;
  program.Run(kScript);
  Feed(program, 0, 100);
  ASSERT_TRUE(Trim(program, Before("s", 20)).ok());
  const log::Lsn last = program.engine().log().last_lsn();
  for (int64_t offset : {0, 19, 20}) {
    const std::string told = Trim(program, Before("s", offset)).value();
    EXPECT_NE(std::string::npos, told.find(R"("lsn":null,"events":0)")) << told;
    EXPECT_NE(std::string::npos, told.find(R"("first_offset":20)")) << told;
  }
  EXPECT_EQ(last, program.engine().log().last_lsn());
}

TEST(Trim, ByTimeGoesByWhenEventsArrived) {
  TestProgram program;
  program.Run(kScript);
  Feed(program, 0, 200);
  TrimRequest request;
  request.topic = "s";
  request.before_ms = (TestProgram::kNow + 100 * kSecond) / 1000;
  ASSERT_TRUE(Trim(program, request).ok());
  EXPECT_EQ(90, First(program, "s"));
  request.before_ms = (TestProgram::kNow + 100 * kSecond) / 1000 + 1;
  ASSERT_TRUE(Trim(program, request).ok());
  EXPECT_EQ(99, First(program, "s"));
  // Behind everything: all of it, and offsets go on.
  request.before_ms = (TestProgram::kNow + 3600 * kSecond) / 1000;
  ASSERT_TRUE(Trim(program, request).ok());
  EXPECT_EQ(180, First(program, "s"));
  EXPECT_EQ("", program.Rows("s"));
  ASSERT_TRUE(program.Crash(3).ok());
  Feed(program, 200, 300);
  EXPECT_EQ(R"({"_id":"s:0:180")", FirstRow(program, "s"));
  EXPECT_EQ(Undisturbed(300), Derived(program));
  EXPECT_EQ(0U, program.Differences());
}

TEST(Trim, OfWhatIsComputedTakesItsRows) {
  for (const std::string topic : {"d", "o", "v", "d.dead"}) {
    TestProgram program(30);
    program.Run(kScript);
    Feed(program, 0, 300);
    const int64_t end = program.engine().log().end_offset(topic, 0);
    ASSERT_GT(end, 4) << topic;
    ASSERT_TRUE(Trim(program, Before(topic, end - 3)).ok()) << topic;
    EXPECT_EQ(end - 3, First(program, topic));
    EXPECT_EQ(R"({"_id":")" + topic + ":0:" + std::to_string(end - 3) + "\"",
              FirstRow(program, topic));
    Feed(program, 300, 330);
    ASSERT_TRUE(program.Crash(2).ok()) << topic;
    EXPECT_EQ(Undisturbed(330, topic), Derived(program, topic)) << topic;
    EXPECT_EQ(0U, program.Differences()) << topic;
    ASSERT_TRUE(program.Restart().ok());
    EXPECT_EQ(end - 3, First(program, topic));
  }
}

TEST(Trim, SegmentsGoThatAreWhollyBefore) {
  TestProgram program;
  program.Run(kScript);
  Feed(program, 0, 100);
  ASSERT_TRUE(Trim(program, Before("s", 50)).ok());
  program.engine().FinishSnapshots();
  EXPECT_EQ(1U, Files(program, "s"));  // the newest, of which a part stays
  ASSERT_TRUE(Trim(program, Before("s", 90)).ok());
  program.engine().FinishSnapshots();
  EXPECT_EQ(0U, Files(program, "s"));
  EXPECT_TRUE(log::Verify(program.disk(), "/data").value().findings.empty());
  ASSERT_TRUE(program.Restart().ok());
  Feed(program, 100, 200);
  EXPECT_EQ(Undisturbed(200), Derived(program));
  EXPECT_EQ(0U, program.Differences());
}

TEST(Trim, WhySaysWhatIsGone) {
  TestProgram program;
  program.Run(kScript);
  Feed(program, 0, 200);
  EXPECT_TRUE(program.engine().Why("d:0:20").ok());
  ASSERT_TRUE(Trim(program, Before("s", 100)).ok());
  const auto code = [&](const char* id) { return program.engine().Why(id).error().code(); };
  EXPECT_EQ("HR4103", code("d:0:20"));
  ASSERT_TRUE(Trim(program, Before("d", 25)).ok());
  EXPECT_EQ("HR4105", code("d:0:20"));
  EXPECT_EQ("HR4103", code("d:0:25"));
  Feed(program, 200, 210);
  EXPECT_TRUE(program.engine().Why("d:0:188").ok());
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_EQ("HR4105", code("d:0:20"));
}

// Of a row that had waited the event may be gone: no other is shown for it.
TEST(Trim, WhyShowsNoOtherEventForOneThatIsGone) {
  TestProgram program(8);
  program.Run(kScript);
  Feed(program, 0, 100);
  // The last two seconds wait for the watermark.
  const int64_t next = program.engine().log().end_offset("o", 0);
  ASSERT_LT(next, 90);
  ASSERT_TRUE(Trim(program, Before("s", 90)).ok());
  Feed(program, 100, 110);
  const std::string told = program.engine().Why("o:0:" + std::to_string(next)).value();
  EXPECT_NE(std::string::npos, told.find(R"("event":null,"event_id":"")")) << told;
  EXPECT_NE(std::string::npos, told.find(R"("released_by":"s:0:9)")) << told;
}

TEST(Trim, ALaterStatementIsComputedOverWhatIsLeft) {
  TestProgram program;
  program.Run(kScript);
  Feed(program, 0, 100);
  ASSERT_TRUE(Trim(program, Before("s", 90)).ok());
  Feed(program, 100, 200);
  program.Run(kLater);
  const std::string rows = program.Rows("c", true);
  EXPECT_EQ(R"({"_id":"c:0:0")", FirstRow(program, "c"));
  EXPECT_EQ(90, std::count(rows.begin(), rows.end(), '\n'));
  ASSERT_TRUE(program.Crash(7).ok());
  EXPECT_EQ(rows, program.Rows("c", true));
  EXPECT_EQ(Undisturbed(200), Derived(program));
  EXPECT_EQ(0U, program.Differences());
}

TEST(Trim, IsRefusedWithWhatIsWrong) {
  TestProgram program;
  program.Run(std::string(kScript) +
              "CREATE STREAM two (k TEXT) PARTITION BY (k) WITH (partitions = 2);");
  Feed(program, 0, 50);
  EXPECT_NE(std::string::npos, Refusal(program, Before("nothing", 1)).find("HR5212"));
  EXPECT_NE(std::string::npos, Refusal(program, Before("s", 46)).find("which is 45"));
  EXPECT_NE(std::string::npos, Refusal(program, Before("two", 0)).find("has 2 partitions"));
  EXPECT_NE(std::string::npos, Refusal(program, Before("__answers", 0)).find("HR5"));
  TrimRequest third = Before("two", 0);
  third.partition = 2;
  EXPECT_NE(std::string::npos, Refusal(program, third).find("HR5212"));
  third.partition = 1;
  EXPECT_EQ("", Refusal(program, third));
  EXPECT_EQ(0, First(program, "s"));
  // What waits to be computed over the events needs them.
  program.engine().Deploy(kLater, "later.sql", [](const Status&) {});
  bool told = false;
  program.engine().Trim({Before("s", 10), [&](Result<std::string> done) {
                           told = true;
                           EXPECT_EQ("HR5007", done.error().code());
                           EXPECT_NE(std::string::npos, done.error().message().find("c is being"))
                               << done.error().message();
                         }});
  EXPECT_TRUE(told);
  ASSERT_TRUE(program.engine().FinishDeployments().ok());
  EXPECT_EQ("", Refusal(program, Before("s", 10)));
}

// As a server does it, a step at a time; whoever deploys meanwhile waits.
TEST(Trim, GoesBesideEventsAndDeploymentsWait) {
  TestProgram program;
  program.Run(kScript);
  Feed(program, 0, 300);
  std::vector<std::string> order;
  program.engine().Trim({Before("s", 101), [&](const Result<std::string>& done) {
                           order.push_back(done.ok() ? "trimmed" : done.error().code());
                         }});
  program.engine().Deploy(kLater, "later.sql", [&](const Status& done) {
    order.push_back(done.ok() ? "deployed" : done.error().code());
  });
  uint64_t at = 300;
  while (order.empty() && at < 5000) {
    Feed(program, at, at + 10);
    at += 10;
    program.engine().Pump();
    program.engine().FinishSnapshots();
    program.engine().Complete();
  }
  ASSERT_TRUE(program.engine().FinishDeployments().ok());
  EXPECT_EQ((std::vector<std::string>{"trimmed", "deployed"}), order);
  EXPECT_EQ(101, First(program, "s"));
  EXPECT_EQ(Undisturbed(at), Derived(program));
  EXPECT_EQ(0U, program.Differences());
  ASSERT_TRUE(program.Crash(1).ok());
  EXPECT_EQ(Undisturbed(at), Derived(program));
}

TEST(Trim, IsGivenUpWhenTheProgramStops) {
  TestProgram program;
  program.Run(kScript);
  Feed(program, 0, 50);
  std::string code;
  program.engine().Trim({Before("s", 10), [&](const Result<std::string>& done) {
                           code = done.ok() ? "" : done.error().code();
                         }});
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_EQ("HR5001", code);
  EXPECT_EQ(0, First(program, "s"));
  EXPECT_EQ(Undisturbed(50), Derived(program));
}

TEST(Trim, NothingGoesWhenNoSnapshotCanBeWritten) {
  TestProgram program;
  program.Run(kScript);
  program.files().Add({.point = os::FaultPoint::kWrite,
                       .kind = ErrorKind::kNoSpace,
                       .repeat = 1000,
                       .path_part = ".pages"});
  Feed(program, 0, 100);
  const std::string refused = Refusal(program, Before("s", 50));
  EXPECT_NE(std::string::npos, refused.find("HR5008")) << refused;
  EXPECT_EQ(0, First(program, "s"));
  program.files().ClearFaults();
  EXPECT_EQ("", Refusal(program, Before("s", 50)));
  EXPECT_EQ(50, First(program, "s"));
  ASSERT_TRUE(program.Crash(4).ok());
  EXPECT_EQ(Undisturbed(100), Derived(program));
  EXPECT_EQ(0U, program.Differences());
}

TEST(Trim, WithoutTheSnapshotThatStandsForItTheLogIsNotWhole) {
  TestProgram program;
  program.Run(kScript);
  Feed(program, 0, 100);
  ASSERT_TRUE(Trim(program, Before("s", 50)).ok());
  ASSERT_TRUE(program.Stop().ok());
  const std::vector<std::string> names = program.disk().List("/data/snapshots").value();
  for (const std::string& name : names)
    ASSERT_TRUE(program.disk().Remove("/data/snapshots/" + name).ok());
  EXPECT_EQ("HR5408", program.Start().error().code());
}

TEST(Trim, GoesIntoBackupsAndSalvages) {
  TestProgram program;
  program.Run(kScript);
  Feed(program, 0, 100);
  ASSERT_TRUE(Backup(program.disk(), program.clock(), "/data", "/copy").ok());
  Feed(program, 100, 200);
  ASSERT_TRUE(Trim(program, Before("s", 133)).ok());
  ASSERT_TRUE(Trim(program, Before("d", 77)).ok());
  Feed(program, 200, 240);
  for (const char* to : {"/copy", "/fresh"}) {
    Result<log::CopyReport> copied = Backup(program.disk(), program.clock(), "/data", to);
    ASSERT_TRUE(copied.ok()) << copied.error().ToString();
  }
  const std::string all = Derived(program) + program.Rows("s", true);
  ASSERT_TRUE(program.Stop().ok());
  for (const char* from : {"/copy", "/fresh"}) {
    EXPECT_TRUE(log::Verify(program.disk(), from).value().findings.empty());
    ASSERT_TRUE(Restore(program.disk(), program.clock(), from, std::string(from) + "_of").ok());
  }
  Result<SalvageResult> salvaged = Salvage(program.disk(), program.clock(), "/data", "/salvaged");
  ASSERT_TRUE(salvaged.ok()) << salvaged.error().ToString();
  EXPECT_TRUE(salvaged->complete());
  for (const char* directory : {"/copy_of", "/fresh_of", "/salvaged", "/data"}) {
    ASSERT_TRUE(program.StartIn(directory).ok()) << directory;
    EXPECT_EQ(all, Derived(program) + program.Rows("s", true)) << directory;
    EXPECT_EQ(133, First(program, "s")) << directory;
    EXPECT_EQ(0U, program.Differences()) << directory;
    ASSERT_TRUE(program.Restart().ok()) << directory;
    EXPECT_TRUE(log::Verify(program.disk(), directory).value().findings.empty()) << directory;
    ASSERT_TRUE(program.Stop().ok());
  }
  ASSERT_TRUE(program.StartIn("/data").ok());
}

// The power fails at every operation of the disk around a trim.
TEST(Trim, IsDoneOrNotAtAnyMomentOfACrash) {
  const std::string expected = Undisturbed(100);
  size_t before = 0;
  size_t after = 0;
  bool finished = false;
  for (uint64_t at = 1; !finished; ++at) {
    TestProgram program(40);
    program.Run(kScript);
    Feed(program, 0, 60);
    program.engine().FinishSnapshots();
    program.files().CrashAtOperation(program.files().operations() + at);
    const Result<std::string> told = Trim(program, Before("s", 33));
    Status done = told.ok() ? Ok() : Status(told.error());
    if (done.ok()) done = Ingest(program, 60, 80);
    if (done.ok()) done = program.engine().Close();
    finished = done.ok() && !program.files().crashed();
    ASSERT_TRUE(program.Crash(at).ok()) << at;
    const bool there = First(program, "s") == 0;
    EXPECT_FALSE(told.ok() && there) << "lost at " << at;
    EXPECT_TRUE(there || First(program, "s") == 33) << at;
    (there ? before : after) += 1;
    EXPECT_EQ(0U, program.Differences()) << at;
    const uint64_t goes_on = program.engine().PositionOf("s", "f").events;
    ASSERT_TRUE(Ingest(program, goes_on, 90).ok()) << at;
    ASSERT_TRUE(Trim(program, Before("s", 70)).ok()) << at;
    ASSERT_TRUE(Ingest(program, 90, 100).ok()) << at;
    ASSERT_EQ(expected, Derived(program)) << at;
    ASSERT_TRUE(program.Restart().ok()) << at;
    ASSERT_EQ(70, First(program, "s")) << at;
    ASSERT_EQ(expected, Derived(program)) << at;
    ASSERT_EQ(0U, program.Differences()) << at;
    ASSERT_TRUE(log::Verify(program.disk(), "/data").value().findings.empty()) << at;
  }
  EXPECT_GT(before, 3U);
  EXPECT_GT(after, 5U);
}

}  // namespace
}  // namespace headrace::engine
