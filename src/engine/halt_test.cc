// A start that computes rows otherwise than they were logged: what it halts, what goes on, and how
// it is begun anew. Rows that another program would have logged are appended by hand.

#include <gtest/gtest.h>

#include "engine/frame_note.h"
#include "engine/test_program.h"
#include "log/record_batch.h"

namespace headrace::engine {
namespace {

constexpr int64_t kBase = TestProgram::kNow - 3'600'000'000;
constexpr const char* kScript =
    "CREATE STREAM s (k TEXT, q BIGINT, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) "
    "WITH (timestamp_unit = 'us');\n"
    "CREATE STREAM a AS SELECT k, count(*) OVER (PARTITION BY k ORDER BY ts "
    "RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW) AS n, ts FROM s;\n"
    "CREATE STREAM b AS SELECT k, n + 1 AS m, ts FROM a;\n"
    "CREATE STREAM c AS SELECT k, q + 1 AS r FROM s;\n"
    "CREATE MATERIALIZED VIEW v AS SELECT window_start, count(*) AS n FROM TUMBLE(TABLE b, "
    "DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start;\n";
constexpr const char* kAnew =
    "CREATE OR REPLACE STREAM a AS SELECT k, count(*) OVER (PARTITION BY k ORDER BY ts "
    "RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW) AS n, ts FROM s;\n"
    "CREATE OR REPLACE STREAM b AS SELECT k, n + 1 AS m, ts FROM a;\n"
    "CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT window_start, count(*) AS n FROM "
    "TUMBLE(TABLE b, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start;\n";

std::string Event(int64_t second) {
  return R"({"k":"x","q":)" + std::to_string(second) +
         ",\"ts\":" + std::to_string(kBase + second * 1'000'000) + "}";
}

std::string TimeOf(int64_t second) {
  return "\"2027-01-15T07:00:0" + std::to_string(second) + "Z\"";
}

using Rows = std::vector<std::pair<std::string, std::string>>;  // topic, row

// Ends the program, and appends an event with the rows it is to have caused.
void LogByHand(TestProgram& program, const std::string& event, const Rows& rows) {
  program.Stop().value();
  base::MetricsRegistry metrics;
  log::LogOptions options;
  options.journal_file_bytes = 1 << 20;
  auto log = log::Log::Open(program.disk(), program.clock(), metrics, "/data", options).value();
  std::vector<log::Entry> entries;
  const auto add = [&](const std::string& topic, std::string note, const std::string& value) {
    log::RecordBatchBuilder builder;
    builder.Begin(kBase / 1000);
    log::Record record;
    record.timestamp_ms = kBase / 1000;
    record.value = value;
    builder.Add(record);
    log::Entry& entry = entries.emplace_back();
    entry.topic = topic;
    entry.record_count = 1;
    entry.note = std::move(note);
    entry.bytes = builder.Finish();
  };
  InputNote note;
  note.arrival_micros = TestProgram::kNow;
  add("s", note.Encode(), event);
  for (const auto& [topic, row] : rows) {
    CauseEncoder causes;
    causes.Add({log->last_lsn() + 1, 0});
    add(topic, causes.Finish(), row);
  }
  log->Append(entries).value();
  log->WaitDurable(log->last_lsn()).value();
  log->Close().value();
}

void StartFromTheBeginning(TestProgram& program) {
  program.Stop().value();
  const std::vector<std::string> files = program.disk().List("/data/snapshots").value();
  for (const std::string& name : files)
    program.disk().Remove("/data/snapshots/" + name).value();
  program.Start().value();
}

std::vector<std::string> Names(TestProgram& program) {
  std::vector<std::string> names;
  for (const HaltedStream& stream : program.engine().halted())
    names.push_back(stream.name);
  return names;
}

// Three events as they should be, and a fourth of which `a` has another row.
void MakeDifference(TestProgram& program) {
  program.Run(kScript);
  program.Feed("s", {Event(1), Event(2), Event(3)}, [](size_t) { return 1; });
  LogByHand(program, Event(4),
            {{"a", R"({"k":"x","n":40,"ts":)" + TimeOf(4) + "}"},
             {"b", R"({"k":"x","m":41,"ts":)" + TimeOf(4) + "}"},
             {"c", R"({"k":"x","r":5})"}});
}

using Strings = std::vector<std::string>;

TEST(Halt, ADifferenceStopsItsPipelineAndLeavesTheRestRunning) {
  TestProgram program;
  MakeDifference(program);
  Status refused = program.Start();
  EXPECT_EQ("HR5401", refused.error().code());
  program.SetHalts(true);
  program.Start().value();
  EXPECT_EQ((Strings{"a", "b", "v"}), Names(program));
  const HaltedStream first = program.engine().halted().front();
  EXPECT_EQ("a:0:3 (made by app.sql:2), caused by s:0:3 (LSN " + std::to_string(first.lsn - 4) +
                "): logged was {\"k\":\"x\",\"n\":40,\"ts\":" + TimeOf(4) +
                "}, computed now is {\"k\":\"x\",\"n\":4,\"ts\":" + TimeOf(4) + "}",
            first.why);
  EXPECT_NE(std::string::npos, program.engine().recovery_note().find("a, b, v halted at LSN "));
  const std::string a = program.Rows("a", true);
  program.Feed("s", {Event(5)});
  EXPECT_EQ(a, program.Rows("a", true));
  EXPECT_NE(std::string::npos, program.Rows("c").find("\"r\":6"));
  EXPECT_LT(0U, program.Differences());
}

TEST(Halt, LastsOverStartsFromASnapshotAndFromTheBeginning) {
  for (const bool snapshots : {true, false}) {
    TestProgram program;
    MakeDifference(program);
    program.SetHalts(true);
    program.Start().value();
    program.SetHalts(false);  // a start finds nothing new
    program.Feed("s", {Event(5)});
    for (uint64_t seed = 1; seed < 4; ++seed) {
      if (!snapshots) {
        StartFromTheBeginning(program);
      } else {
        Status started = seed == 1 ? program.Restart() : program.Crash(seed);
        ASSERT_TRUE(started.ok()) << started.error().ToString();
      }
      EXPECT_EQ((Strings{"a", "b", "v"}), Names(program));
      program.Feed("s", {Event(5 + static_cast<int64_t>(seed))});
      EXPECT_EQ(4, program.engine().log().end_offset("a", 0));
      EXPECT_EQ(4 + 1 + static_cast<int64_t>(seed), program.engine().log().end_offset("c", 0));
    }
  }
}

TEST(Halt, ACallThatWantsItsRowsIsRefused) {
  TestProgram program;
  MakeDifference(program);
  program.SetHalts(true);
  program.Start().value();
  std::string code;
  for (const char* stream : {"b", "c"}) {
    IngestRequest request;
    request.topic = "s";
    request.payloads = {Event(5)};
    request.return_stream = stream;
    request.done = [&](const IngestReply& reply) {
      code += reply.error ? reply.error->code() : "ok";
    };
    program.engine().Submit(std::move(request));
    program.engine().Pump();
    program.engine().log().WaitDurable(program.engine().log().last_lsn()).value();
    program.engine().Complete();
  }
  EXPECT_EQ("HR5075ok", code);
}

TEST(Halt, CreateOrReplaceBeginsItAnew) {
  for (const bool beside : {false, true}) {
    TestProgram program;
    MakeDifference(program);
    program.SetHalts(true);
    program.Start().value();
    program.Feed("s", {Event(5)});
    program.Run(kScript);  // the same again is no order to begin anew
    EXPECT_EQ(3U, program.engine().halted().size());
    if (beside) {
      program.engine().Deploy(kAnew, "app.sql", [](const Status& done) { done.value(); });
      program.engine().FinishDeployments().value();
    } else {
      program.Run(kAnew);
    }
    EXPECT_EQ(Strings{}, Names(program));
    program.Feed("s", {Event(6)});
    program.SetHalts(false);
    for (uint64_t seed = 1; seed < 5; ++seed) {
      // With the events while nothing was emitted it is the sixth.
      EXPECT_NE(std::string::npos,
                program.Rows("a", true).find(R"({"_id":"a:0:4","k":"x","n":6,)"));
      EXPECT_NE(std::string::npos,
                program.Rows("b", true).find(R"({"_id":"b:0:4","k":"x","m":7,)"));
      EXPECT_NE(std::string::npos, program.engine().Why("a:0:4")->find("\"recomputed\":true"));
      EXPECT_NE(std::string::npos, program.engine().Why("b:0:4")->find("\"n\":{\"value\":6"));
      Status started = seed % 2 == 1 ? program.Restart() : program.Crash(seed);
      ASSERT_TRUE(started.ok()) << started.error().ToString();
      if (seed < 3) continue;
      StartFromTheBeginning(program);
    }
    program.engine().FinishInput("s").value();
    EXPECT_NE(std::string::npos, program.Rows("v").find("\"n\":"));
  }
}

TEST(Halt, ACrashAtAnyDiskOperationOfTheStartHaltsTheSame) {
  TestProgram still;
  MakeDifference(still);
  still.SetHalts(true);
  still.Start().value();
  still.Feed("s", {Event(5)});
  const std::string expected =
      still.Rows("a", true) + still.Rows("b", true) + still.Rows("c", true);
  bool finished = false;
  uint64_t at = 1;
  for (; !finished; ++at) {
    TestProgram program;
    MakeDifference(program);
    program.SetHalts(true);
    program.CrashNextStartAt(at);
    finished = program.Start().ok() && !program.files().crashed();
    ASSERT_TRUE(program.Crash(at).ok()) << at;
    EXPECT_EQ((Strings{"a", "b", "v"}), Names(program)) << at;
    program.Feed("s", {Event(5)});
    EXPECT_EQ(expected, program.Rows("a", true) + program.Rows("b", true) + program.Rows("c", true))
        << at;
  }
  EXPECT_GT(at, 5U);
}

// Several statements refuse rows of one stream: which of them is meant cannot be told.
TEST(Halt, ADifferenceInDeadLettersStopsWhatReadsTheirStream) {
  TestProgram program;
  program.Run(std::string(kScript) + "CREATE STREAM d AS SELECT 1 / m AS x FROM b;");
  program.Feed("s", {Event(1)});
  LogByHand(program, Event(2),
            {{"a", R"({"k":"x","n":2,"ts":)" + TimeOf(2) + "}"},
             {"b", R"({"k":"x","m":3,"ts":)" + TimeOf(2) + "}"},
             {"c", R"({"k":"x","r":3})"},
             {"d", R"({"x":0})"},
             {"b.dead", R"({"k":"x","m":3,"ts":)" + TimeOf(2) + "}"}});
  program.SetHalts(true);
  program.Start().value();
  EXPECT_EQ((Strings{"v", "d"}), Names(program));
  program.SetHalts(false);
  program.Feed("s", {Event(3)});
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_NE(std::string::npos, program.Rows("b").find("\"m\":4"));
}

}  // namespace
}  // namespace headrace::engine
