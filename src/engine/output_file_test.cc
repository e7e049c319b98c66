// Runs over files: each row once in its output, however often the program is stopped.

#include <gtest/gtest.h>

#include "base/hash.h"
#include "engine/bulk_run.h"
#include "engine/test_program.h"

namespace headrace::engine {
namespace {

constexpr const char* kScript =
    "CREATE STREAM s (k TEXT, q BIGINT, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) "
    "WITH (timestamp_unit = 'us');\n"
    "CREATE STREAM o AS SELECT k, q, 12 / q AS d, ts FROM s;\n"
    "CREATE MATERIALIZED VIEW w AS SELECT window_start, count(*) AS n FROM TUMBLE(TABLE o, "
    "DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start;";

std::string Events(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) {
    text += "{\"k\":\"k" + std::to_string(i % 3) + "\",\"q\":" + std::to_string(i % 7) +
            ",\"ts\":" + std::to_string(TestProgram::kNow - 1'000'000'000 + i * 1'000'000) + "}\n";
  }
  return text;
}

class Outputs : public testing::Test {
 protected:
  Outputs() { program_.Run(kScript); }

  void Write(const std::string& path, const std::string& text) {
    ASSERT_TRUE(os::ReplaceFile(program_.disk(), path, text).ok());
  }
  std::string Read(const std::string& path) {
    return os::ReadFile(program_.disk(), path, 64 << 20).value();
  }
  int64_t LinesOf(const std::string& path) {
    std::string text = Read(path);
    return std::count(text.begin(), text.end(), '\n');
  }
  RunOptions Options(bool follow = false) {
    RunOptions options;
    options.inputs = {{"s", "/in.jsonl"}};
    options.outputs = {{"o", "/o.jsonl"}, {"w", "/w.jsonl"}, {"s.dead", "/dead"}};
    options.chunk_events = 7;
    options.follow = follow;
    stop_ = false;
    options.stop = &stop_;
    options.idle = [this] { stop_ = true; };
    return options;
  }
  Result<RunTotals> Run(const RunOptions& options) {
    return RunInputs(program_.engine(), program_.files(), options, "/data");
  }

  TestProgram program_;
  std::atomic<bool> stop_ = false;
};

TEST_F(Outputs, HoldEveryRowOnceWhenARunGoesOnBehindAnother) {
  Write("/in.jsonl", Events(0, 100));
  ASSERT_TRUE(Run(Options(true)).ok());
  EXPECT_EQ(program_.Rows("o"), Read("/o.jsonl"));
  Write("/in.jsonl", Events(0, 180));
  ASSERT_TRUE(program_.Restart().ok());
  Result<RunTotals> totals = Run(Options());
  ASSERT_TRUE(totals.ok());
  EXPECT_EQ(80U, totals->events);
  EXPECT_EQ(program_.Rows("o"), Read("/o.jsonl"));
  EXPECT_EQ(program_.Rows("s.dead"), Read("/dead"));
  EXPECT_EQ(26, LinesOf("/dead"));
}

TEST_F(Outputs, DoNotGoOnBehindRowsThatRetentionRemoved) {
  program_.Run(
      "CREATE STREAM r (k TEXT) WITH (retention_bytes = 0);\n"
      "CREATE STREAM kept AS SELECT k FROM r;\n"
      "CREATE STREAM cut WITH (retention_bytes = 0) AS SELECT k FROM r;");
  uint64_t noise = 1;
  std::vector<std::string> lines;
  for (int i = 0; i < 3000; ++i) {  // of a kilobyte: more than a segment of a topic with retention
    std::string text;
    while (text.size() < 1000) {
      noise = base::MixHash(noise);
      text += std::to_string(noise);
    }
    lines.push_back("{\"k\":\"" + text + "\"}");
  }
  program_.Feed("r", lines);
  program_.Restart().value();
  log::Log& log = program_.engine().log();
  log.SetRetentionFloor(log.last_lsn());
  ASSERT_TRUE(log.ApplyRetention().ok());
  ASSERT_GT(log.start_offset("cut", 0), 0);
  ASSERT_GT(log.start_offset("r", 0), 0);
  ASSERT_EQ(0, log.start_offset("kept", 0));
  for (const char* stream : {"cut", "r", "kept"}) {
    RunOptions options = Options();
    options.inputs.clear();
    options.outputs = {{stream, "/out.jsonl"}};
    Result<RunTotals> run = Run(options);
    EXPECT_EQ(run.ok() ? "" : run.error().code(), stream == std::string("kept") ? "" : "HR6604")
        << stream;
  }
}

TEST_F(Outputs, AreCaughtUpFromTheLog) {
  Write("/in.jsonl", Events(0, 50));
  RunOptions nothing = Options();
  nothing.outputs.clear();
  ASSERT_TRUE(Run(nothing).ok());
  ASSERT_TRUE(Run(Options()).ok());
  EXPECT_EQ(program_.Rows("o"), Read("/o.jsonl"));
  EXPECT_EQ(program_.Rows("w"), Read("/w.jsonl"));
}

TEST_F(Outputs, AreCutBackToWhatWasCheckpointed) {
  Write("/in.jsonl", Events(0, 30));
  ASSERT_TRUE(Run(Options(true)).ok());
  std::string rows = Read("/o.jsonl");
  Write("/o.jsonl", rows + "{\"half a row");
  ASSERT_TRUE(program_.Restart().ok());
  ASSERT_TRUE(Run(Options(true)).ok());
  EXPECT_EQ(rows, Read("/o.jsonl"));
  Write("/o.jsonl", "");  // somebody emptied it
  ASSERT_TRUE(program_.Restart().ok());
  ASSERT_TRUE(Run(Options(true)).ok());
  EXPECT_EQ(rows, Read("/o.jsonl"));
}

TEST_F(Outputs, AsCsvHaveOneHeader) {
  Write("/in.jsonl", Events(0, 10));
  RunOptions options = Options(true);
  options.outputs = {{"o", "/o.csv"}};
  ASSERT_TRUE(Run(options).ok());
  Write("/in.jsonl", Events(0, 20));
  ASSERT_TRUE(program_.Restart().ok());
  options = Options();
  options.outputs = {{"o", "/o.csv"}};
  ASSERT_TRUE(Run(options).ok());
  std::string text = Read("/o.csv");
  EXPECT_EQ(0U, text.find("k,q,d,ts\n"));
  EXPECT_EQ(std::string::npos, text.find("k,q", 1));
  EXPECT_EQ(18, std::count(text.begin(), text.end(), '\n'));  // 3 of 20 divide by zero
}

TEST_F(Outputs, AsCsvHaveOneHeaderWhenThereWasNoRowYet) {
  Write("/in.jsonl", "");
  for (int i = 0; i < 3; ++i) {
    RunOptions options = Options(true);
    options.outputs = {{"o", "/o.csv"}};
    ASSERT_TRUE(Run(options).ok());
    ASSERT_TRUE(program_.Restart().ok());
  }
  EXPECT_EQ("k,q,d,ts\n", Read("/o.csv"));
}

TEST_F(Outputs, OfARunToTheEndHaveEveryWindow) {
  Write("/in.jsonl", Events(0, 25));
  ASSERT_TRUE(Run(Options(true)).ok());
  int64_t open = LinesOf("/w.jsonl");
  ASSERT_TRUE(Run(Options()).ok());
  EXPECT_GT(LinesOf("/w.jsonl"), open);
  EXPECT_EQ(program_.Rows("w"), Read("/w.jsonl"));
  std::string rows = Read("/w.jsonl");
  Result<RunTotals> again = Run(Options());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(0U, again->events);
  EXPECT_EQ(rows, Read("/w.jsonl"));
}

TEST_F(Outputs, OfASourceAreItsFitEvents) {
  Write("/in.jsonl", Events(0, 3) + "nonsense\n" + Events(3, 5));
  RunOptions options = Options();
  options.outputs = {{"s", "/s.jsonl"}};
  ASSERT_TRUE(Run(options).ok());
  std::string text = Read("/s.jsonl");
  EXPECT_EQ(5, std::count(text.begin(), text.end(), '\n'));
  EXPECT_EQ(program_.Rows("s"), text);
  options.outputs = {{"s", "/again.jsonl"}, {"s", "/again.csv"}};
  ASSERT_TRUE(Run(options).ok());
  EXPECT_EQ(text, Read("/again.jsonl"));
  EXPECT_EQ(6, LinesOf("/again.csv"));
}

TEST_F(Outputs, ToUnknownStreamsAndInputsFromUnknownFilesAreErrors) {
  RunOptions options = Options();
  EXPECT_EQ("HR6601", Run(options).error().code());
  Write("/in.jsonl", "");
  options.outputs = {{"nowhere", "/x"}};
  EXPECT_EQ("HR1204", Run(options).error().code());
  options.inputs = {{"o", "/in.jsonl"}};
  EXPECT_EQ("HR1204", Run(options).error().code());
}

}  // namespace
}  // namespace headrace::engine
