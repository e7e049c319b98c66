// The ways in which a stream processor gives one answer today and another in a replay, one test
// each: batch sizes, interleaving, scoring in batches, the clock, hash order, memory, rounding.

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/test_program.h"
#include "os/random.h"
#include "workload.h"

namespace headrace::sim {
namespace {

using engine::TestProgram;

constexpr int64_t kBase = TestProgram::kNow - 86400 * kSecond;

std::string Cut(const std::string& rows) {
  return rows.size() < 4000 ? rows : rows.substr(0, 4000) + "...";
}

// Sizes of batches from 1 to 256.
std::function<size_t(size_t)> RandomBatches(uint64_t seed) {
  auto random = std::make_shared<os::SeededRandom>(seed);
  return [random](size_t) { return 1 + random->Below(random->Below(4) == 0 ? 4 : 256); };
}
std::function<size_t(size_t)> BatchesOf(size_t size) {
  return [size](size_t) { return size; };
}

TEST(DeterminismTraps, BatchSizeDoesNotShow) {
  Workload workload = MakeWorkload(7, Feed::kFile, 1, 1500);
  std::vector<std::string> lines;
  for (const Event& event : workload.events)
    lines.push_back(event.json);
  auto run = [&](const std::function<size_t(size_t)>& batch) {
    TestProgram program;
    program.clock().Set(workload.now);
    program.Run(workload.script);
    program.Feed("events", lines, batch);
    EXPECT_TRUE(program.engine().FinishInput("events").ok());
    std::string rows;
    for (const std::string& stream : workload.streams)
      rows += program.Rows(stream, true);
    return rows;
  };
  std::string one_by_one = run(BatchesOf(1));
  EXPECT_GT(one_by_one.size(), 100'000U);
  EXPECT_TRUE(one_by_one == run(BatchesOf(256)));
  EXPECT_TRUE(one_by_one == run(BatchesOf(1500)));
  for (uint64_t seed = 1; seed <= 4; ++seed)
    EXPECT_TRUE(one_by_one == run(RandomBatches(seed))) << "batches of seed " << seed;
}

TEST(DeterminismTraps, WorkersDoNotShow) {
  Workload workload = MakeWorkload(29, Feed::kFile, 1, 3000);
  std::vector<std::string> lines;
  for (const Event& event : workload.events)
    lines.push_back(event.json);
  // With `changing` the program ends and starts again with other workers on the same snapshots.
  auto run = [&](size_t workers, size_t batch, bool changing) {
    TestProgram program(UINT64_MAX, workers);
    program.clock().Set(workload.now);
    program.Run(workload.script);
    const size_t part = changing ? 700 : lines.size();
    for (size_t i = 0; i < lines.size(); i += part) {
      const size_t end = std::min(lines.size(), i + part);
      program.Feed(
          "events",
          {lines.begin() + static_cast<ptrdiff_t>(i), lines.begin() + static_cast<ptrdiff_t>(end)},
          BatchesOf(batch));
      if (!changing) continue;
      program.SetWorkers(1 + i / part % 4);
      EXPECT_TRUE(program.Restart().ok());
    }
    EXPECT_TRUE(program.engine().FinishInput("events").ok());
    EXPECT_EQ(0U, program.Differences());
    std::string rows;
    for (const std::string& stream : workload.streams)
      rows += program.Rows(stream, true);
    return rows;
  };
  const std::string one = run(1, 7, false);
  EXPECT_GT(one.size(), 100'000U);
  EXPECT_TRUE(one == run(2, 256, false));
  EXPECT_TRUE(one == run(4, 1000, false));
  EXPECT_TRUE(one == run(4, 1000, true));
  EXPECT_TRUE(one == run(3, 129, true));
}

TEST(DeterminismTraps, InterleavingOfPartitionsDoesNotShow) {
  os::SeededRandom random(3);
  std::vector<std::string> lines;
  for (int i = 0; i < 800; ++i) {
    lines.push_back("{\"k\":\"key" + std::to_string(random.Below(20)) +
                    "\",\"ts\":" + std::to_string(kBase + i * kSecond) + "}");
  }
  auto run = [&](int partitions, const std::function<size_t(size_t)>& batch) {
    TestProgram program;
    program.Run(
        "CREATE STREAM s (k TEXT, ts TIMESTAMPTZ, WATERMARK FOR ts AS ts - INTERVAL '1 hour') "
        "PARTITION BY (k) WITH (timestamp_unit = 'us', partitions = " +
        std::to_string(partitions) +
        ");\nCREATE STREAM o AS SELECT k, ts, count(*) OVER (PARTITION BY k ORDER BY ts "
        "RANGE BETWEEN INTERVAL '1 minute' PRECEDING AND CURRENT ROW) AS n FROM s;\n"
        "CREATE STREAM w AS SELECT window_start, k, count(*) AS n FROM TUMBLE(TABLE o, "
        "DESCRIPTOR(ts), INTERVAL '30 seconds') GROUP BY window_start, k;");
    program.Feed("s", lines, batch);
    EXPECT_TRUE(program.engine().FinishInput("s").ok());
    EXPECT_EQ(0U, program.Differences());
    return program.Rows("o") + program.Rows("w") + program.Rows("s.dead");
  };
  std::string single = run(1, BatchesOf(256));
  EXPECT_EQ(single, run(4, BatchesOf(1)));
  EXPECT_EQ(single, run(4, BatchesOf(256)));
  EXPECT_EQ(single, run(7, RandomBatches(5)));
}

TEST(DeterminismTraps, RowsScoredTogetherScoreAsOneByOne) {
  std::unique_ptr<os::FileSystem> real = os::MakePosixFileSystem();
  Result<std::string> model = os::ReadFile(*real, "examples/fraud/fraud.lgb.txt", 64 << 20);
  ASSERT_TRUE(model.ok()) << model.error().ToString();
  os::SeededRandom random(11);
  std::vector<std::string> lines;
  for (int i = 0; i < 700; ++i) {
    std::string line = "{\"ts\":" + std::to_string(kBase + i);
    for (char column = 'a'; column <= 'h'; ++column) {
      if (random.Below(9) == 0) continue;  // missing
      line += std::string(",\"") + column + "\":" + std::to_string(random.Below(3000)) + "e-1";
    }
    lines.push_back(line + "}");
  }
  auto run = [&](const std::function<size_t(size_t)>& batch) {
    TestProgram program;
    EXPECT_TRUE(os::ReplaceFile(program.disk(), "/m.txt", *model).ok());
    std::string columns;
    for (char column = 'a'; column <= 'h'; ++column)
      columns += std::string(1, column) + " DOUBLE PRECISION, ";
    program.Run("CREATE STREAM s (" + columns +
                "ts TIMESTAMPTZ, WATERMARK FOR ts AS ts) WITH (timestamp_unit = 'us');\n"
                "CREATE MODEL m WITH (path = '/m.txt');\n"
                "CREATE STREAM o AS SELECT PREDICT(m, a, b, c, d, e, f, g, h) AS p FROM s;");
    program.Feed("s", lines, batch);
    return program.Rows("o");
  };
  std::string one_by_one = run(BatchesOf(1));
  EXPECT_EQ(one_by_one, run(BatchesOf(16)));
  EXPECT_EQ(one_by_one, run(BatchesOf(256)));
  EXPECT_EQ(one_by_one, run(RandomBatches(2)));
}

// Which partition is idle, and how far the future reaches, the clock decides, once.
TEST(DeterminismTraps, WhatTheClockDecidedIsRecorded) {
  TestProgram program;
  program.Run(
      "CREATE STREAM s (k TEXT, ts TIMESTAMPTZ, WATERMARK FOR ts AS ts) PARTITION BY (k) "
      "WITH (timestamp_unit = 'us', partitions = 4);\n"
      "CREATE STREAM w AS SELECT window_start, count(*) AS n FROM TUMBLE(TABLE s, "
      "DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start;");
  auto event = [](const std::string& key, int64_t ts) {
    return "{\"k\":\"" + key + "\",\"ts\":" + std::to_string(ts) + "}";
  };
  for (int i = 0; i < 8; ++i)
    program.Feed("s", {event("key" + std::to_string(i), TestProgram::kNow + i)});
  for (int i = 0; i < 40; ++i) {  // all but one fall idle
    program.clock().Advance(kSecond);
    program.Feed("s", {event("key1", TestProgram::kNow + i * kSecond)});
  }
  std::string windows = program.Rows("w");
  EXPECT_NE("", windows) << "the idle partitions hold the watermark back";
  // Two hours ahead is too far, until the clock has moved.
  program.Feed("s", {event("key1", TestProgram::kNow + 7200 * kSecond)});
  EXPECT_NE("", program.Rows("s.dead"));
  program.clock().Advance(7200 * kSecond);
  program.Feed("s", {event("key1", TestProgram::kNow + 7201 * kSecond)});
  std::string rows = program.Rows("w", true) + program.Rows("s.dead", true);
  for (int64_t now : {int64_t{0}, TestProgram::kNow, 2 * TestProgram::kNow}) {
    program.clock().Set(now);
    Status started = program.Restart();
    ASSERT_TRUE(started.ok()) << started.error().ToString();
    EXPECT_EQ(0U, program.Differences());
    EXPECT_EQ(rows, program.Rows("w", true) + program.Rows("s.dead", true));
  }
}

TEST(DeterminismTraps, HashOrderAndTableGrowthDoNotShow) {
  constexpr int kKeys = 3000;
  std::vector<std::string> keys;
  for (int i = 0; i < kKeys; ++i)
    keys.push_back("key" + std::to_string(i));
  auto run = [&](uint64_t seed, int grown_before) {
    os::SeededRandom random(seed);
    std::vector<std::string> shuffled = keys;
    for (size_t i = shuffled.size(); i > 1; --i)
      std::swap(shuffled[i - 1], shuffled[random.Below(i)]);
    std::vector<std::string> lines;
    for (int i = 0; i < grown_before; ++i) {
      lines.push_back("{\"k\":\"other" + std::to_string(i) +
                      "\",\"ts\":" + std::to_string(kBase - 60 * kSecond) + "}");
    }
    for (const std::string& key : shuffled)
      lines.push_back("{\"k\":\"" + key + "\",\"ts\":" + std::to_string(kBase) + "}");
    TestProgram program;
    program.Run(
        "CREATE STREAM s (k TEXT, ts TIMESTAMPTZ, WATERMARK FOR ts AS ts) "
        "WITH (timestamp_unit = 'us');\n"
        "CREATE STREAM w AS SELECT k, count(*) AS n, count(DISTINCT k) AS d FROM TUMBLE(TABLE s, "
        "DESCRIPTOR(ts), INTERVAL '10 seconds') WHERE k LIKE 'key%' GROUP BY window_start, k;");
    program.Feed("s", lines);
    EXPECT_TRUE(program.engine().FinishInput("s").ok());
    return program.Rows("w");
  };
  std::string expected;
  std::sort(keys.begin(), keys.end());
  for (const std::string& key : keys)
    expected += "{\"k\":\"" + key + "\",\"n\":1,\"d\":1}\n";
  EXPECT_EQ(Cut(expected), Cut(run(1, 0)));
  EXPECT_TRUE(expected == run(2, 0));
  EXPECT_TRUE(expected == run(3, 5000));
}

// What is forgotten, and when, follows from events alone: a program that was started again keeps
// other memory than one that was not, and must give the same.
TEST(DeterminismTraps, WhatMemoryHoldsDoesNotShow) {
  Workload workload = MakeWorkload(23, Feed::kFile, 1, 1200);
  std::vector<std::string> lines;
  for (const Event& event : workload.events)
    lines.push_back(event.json);
  auto run = [&](size_t restart_every) {
    TestProgram program;
    program.clock().Set(workload.now);
    program.Run(workload.script);
    for (size_t i = 0; i < lines.size(); i += restart_every) {
      size_t end = std::min(lines.size(), i + restart_every);
      program.Feed("events", {lines.begin() + static_cast<ptrdiff_t>(i),
                              lines.begin() + static_cast<ptrdiff_t>(end)});
      EXPECT_TRUE(program.Restart().ok());
    }
    EXPECT_TRUE(program.engine().FinishInput("events").ok());
    std::string rows;
    for (const std::string& stream : workload.streams)
      rows += program.Rows(stream, true);
    return rows;
  };
  std::string never = run(lines.size());
  EXPECT_TRUE(never == run(400));
  EXPECT_TRUE(never == run(77));
}

// Sums of doubles depend on their order; it is that of the events, whatever came together.
TEST(DeterminismTraps, RoundingDoesNotDependOnBatchesOrRestarts) {
  os::SeededRandom random(5);
  std::vector<std::string> lines;
  for (int i = 0; i < 900; ++i) {
    static constexpr const char* kNumbers[] = {"1e16", "-1e16", "0.1", "3.3", "1e-9", "7"};
    lines.push_back(std::string("{\"x\":") + kNumbers[random.Below(6)] + ",\"ts\":" +
                    std::to_string(kBase + (i - static_cast<int>(random.Below(40))) * kSecond) +
                    "}");
  }
  auto run = [&](const std::function<size_t(size_t)>& batch, size_t restart_every) {
    TestProgram program;
    program.Run(
        "CREATE STREAM s (x DOUBLE PRECISION, ts TIMESTAMPTZ, "
        "WATERMARK FOR ts AS ts - INTERVAL '20 seconds') WITH (timestamp_unit = 'us');\n"
        "CREATE STREAM o AS SELECT ts, sum(x) OVER m AS s, avg(x) OVER m AS a, "
        "stddev(x) OVER m AS d FROM s WINDOW m AS (ORDER BY ts RANGE BETWEEN "
        "INTERVAL '90 seconds' PRECEDING AND CURRENT ROW);\n"
        "CREATE STREAM w AS SELECT window_start, sum(x) AS s, avg(x) AS a FROM TUMBLE(TABLE s, "
        "DESCRIPTOR(ts), INTERVAL '45 seconds') GROUP BY window_start ALLOWED LATENESS INTERVAL "
        "'10 seconds';");
    for (size_t i = 0; i < lines.size(); i += restart_every) {
      size_t end = std::min(lines.size(), i + restart_every);
      program.Feed(
          "s",
          {lines.begin() + static_cast<ptrdiff_t>(i), lines.begin() + static_cast<ptrdiff_t>(end)},
          batch);
      EXPECT_TRUE(program.Restart().ok());
    }
    EXPECT_TRUE(program.engine().FinishInput("s").ok());
    return program.Rows("o") + program.Rows("w");
  };
  std::string expected = run(BatchesOf(1), lines.size());
  EXPECT_TRUE(expected == run(BatchesOf(256), lines.size()));
  EXPECT_TRUE(expected == run(RandomBatches(9), 111));
}

}  // namespace
}  // namespace headrace::sim
