// Damage is found while the program goes on, and only damage.

#include "engine/scrubber.h"

#include <map>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "engine/test_program.h"

namespace headrace::engine {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr const char* kScript =
    "CREATE STREAM s (k TEXT, q BIGINT, ts TIMESTAMPTZ NOT NULL, "
    "WATERMARK FOR ts AS ts - INTERVAL '2 seconds') PARTITION BY (k) "
    "WITH (timestamp_unit = 'us', retention = '10 minutes');\n"
    "CREATE STREAM d AS SELECT k, ts, count(*) OVER w AS n FROM s WINDOW w AS (PARTITION BY k "
    "ORDER BY ts RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW);";

void Feed(TestProgram& program, int64_t from, int64_t to) {
  for (int64_t at = from; at < to; at += 10) {
    program.clock().Set(TestProgram::kNow + at * kSecond);
    std::vector<std::string> events;
    for (int64_t i = at; i < at + 10; ++i) {
      events.push_back(R"({"k":"key)" + std::to_string(i % 7) + R"(","q":1,"ts":)" +
                       std::to_string(TestProgram::kNow + i * kSecond) + "}");
    }
    program.Feed("s", events);
    if (at % 200 != 190) continue;
    ASSERT_TRUE(program.Restart().ok());
  }
}

struct ScrubberTest : testing::Test {
  TestProgram program{20};
  base::MetricsRegistry metrics;
  std::vector<std::string> lines;

  ScrubReport Pass(uint64_t bytes_per_second = 0) {
    Scrubber::Options options;
    options.bytes_per_second = bytes_per_second;
    options.notice = [this](const std::string& line) { lines.push_back(line); };
    Scrubber scrubber(program.disk(), program.clock(), metrics, "/data", options);
    Result<ScrubReport> report = scrubber.Pass();
    EXPECT_TRUE(report.ok()) << report.error().ToString();
    return report.value();
  }
};

TEST_F(ScrubberTest, FindsEveryFlippedByteOfAFileAndSaysWhere) {
  program.Run(kScript);
  Feed(program, 0, 1200);
  program.disk().CreateDirectories("/data/models").value();
  const std::string model = "/data/models/" + base::Sha256Hex("model");
  os::ReplaceFile(program.disk(), model, "model").value();
  ASSERT_EQ(0U, Pass().found);
  ASSERT_TRUE(lines.empty());
  std::map<std::string, size_t> found;  // by the end of the name
  for (const std::string& path : program.disk().AllFiles()) {
    const std::string kind = path.substr(path.find_last_of("./") + 1);
    const bool checked = kind == "segment" || kind == "index" || kind == "manifest" ||
                         kind == "beginning" || path == model;
    const uint64_t size = program.disk().Open(path, {}).value()->Size().value();
    if (!checked || size == 0) continue;
    for (const uint64_t at : {uint64_t{0}, size / 2, size - 1}) {
      program.disk().FlipBits(path, at, 0x10);
      const ScrubReport report = Pass();
      ASSERT_GE(report.found, 1U) << path << "@" << at;
      bool named = false;
      for (const ScrubReport::Finding& finding : report.findings)
        named = named || finding.place.starts_with(path);
      EXPECT_TRUE(named) << path << ": " << report.findings.front().place;
      EXPECT_FALSE(lines.empty());
      lines.clear();
      // As `doctor` sees it.
      const auto kept = ReadScrubReport(program.disk(), "/data").value();
      ASSERT_TRUE(kept.has_value());
      EXPECT_EQ(report.findings.front().place, kept->findings.front().place);
      program.disk().FlipBits(path, at, 0x10);
      ++found[path == model ? "model" : kind];
    }
  }
  EXPECT_EQ(5U, found.size());
  // The program goes on, whatever was found.
  Feed(program, 1200, 1300);
  EXPECT_EQ(0U, program.Differences());
}

TEST_F(ScrubberTest, APageOfASnapshotIsCheckedToo) {
  program.Run(kScript);
  Feed(program, 0, 300);
  size_t pages = 0;
  for (const std::string& path : program.disk().AllFiles()) {
    if (!path.ends_with(".pages")) continue;
    if (program.disk().Open(path, {}).value()->Size().value() == 0) continue;
    program.disk().FlipBits(path, 0, 1);
    ++pages;
  }
  ASSERT_GT(pages, 0U);
  const ScrubReport report = Pass();
  ASSERT_GE(report.found, 1U);
  EXPECT_EQ("HR5403", report.findings.front().code);
}

TEST_F(ScrubberTest, FindsNothingBesideAProgramThatWritesSnapshotsAndRetains) {
  program.Run(kScript);
  Feed(program, 0, 200);
  Scrubber::Options options;
  options.bytes_per_second = 0;
  options.pause_ms = 0;
  std::vector<std::string> said;
  options.notice = [&said](const std::string& line) { said.push_back(line); };
  {
    Scrubber scrubber(program.disk(), program.clock(), metrics, "/data", options);
    scrubber.Start();
    Feed(program, 200, 2000);
  }
  EXPECT_TRUE(said.empty()) << said.front();
  EXPECT_GT(program.engine().log().start_offset("s", 0), 0);
  EXPECT_GT(metrics.GetCounter("headrace_scrub_bytes_total", "").value(), 0U);
}

TEST_F(ScrubberTest, ADestructorDoesNotWaitForASlowPass) {
  program.Run(kScript);
  Feed(program, 0, 400);
  Scrubber::Options options;
  options.bytes_per_second = 1;  // years
  Scrubber scrubber(program.disk(), program.clock(), metrics, "/data", options);
  scrubber.Start();
}

TEST(ScrubReport, IsReadAsItWasWrittenAndRefusedWhenItIsDamaged) {
  ScrubReport report;
  report.ended_micros = 5;
  report.bytes = 6;
  report.found = 7;
  report.findings = {{"HR5205", "/data/x@3", "segment: damaged"}};
  const std::string bytes = report.Encode();
  const ScrubReport read = ScrubReport::Decode(bytes).value();
  EXPECT_EQ(bytes, read.Encode());
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    EXPECT_EQ("HR5262", ScrubReport::Decode(flipped).error().code());
    EXPECT_EQ("HR5262", ScrubReport::Decode(bytes.substr(0, i)).error().code());
  }
}

}  // namespace
}  // namespace headrace::engine
