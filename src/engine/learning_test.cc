// Learners in statements: whatever happens to the program, they answer as if nothing had.

#include <gtest/gtest.h>

#include "base/hash.h"
#include "engine/test_program.h"
#include "engine/test_restarts.h"

namespace headrace::engine {
namespace {

constexpr const char* kSource =
    "CREATE STREAM s (id BIGINT NOT NULL, k TEXT, a DOUBLE PRECISION, b DECIMAL(8,2), up BIGINT, "
    "ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) PARTITION BY (k) "
    "WITH (timestamp_unit = 'us');\n";

constexpr const char* kModels =
    "CREATE MODEL tree LEARNER hoeffding_tree (a DOUBLE PRECISION, b DOUBLE PRECISION) "
    "LABEL (up BIGINT) WITH (grace_period = 20, delta = 0.1);\n"
    "CREATE MODEL adaptive LEARNER hoeffding_adaptive_tree (a DOUBLE PRECISION, b DOUBLE "
    "PRECISION) LABEL (up BIGINT) WITH (grace_period = 20, delta = 0.1, drift_delta = 0.5);\n"
    "CREATE MODEL forest LEARNER adaptive_random_forest (a DOUBLE PRECISION, b DOUBLE PRECISION) "
    "LABEL (word TEXT) WITH (models = 3, drift_delta = 0.5, warning_delta = 0.7);\n"
    "CREATE MODEL odds LEARNER logistic_regression (a DOUBLE PRECISION, b DOUBLE PRECISION) "
    "LABEL (up BOOLEAN) WITH (output = 'probability');\n"
    "CREATE MODEL line LEARNER linear_regression (a DOUBLE PRECISION) "
    "LABEL (b DOUBLE PRECISION);\n";

constexpr const char* kStatement =
    "STREAM d AS SELECT id, k, LEARN(tree, a, b, up) AS t, PREDICT(tree, b, a) AS turned, "
    "LEARN(adaptive, a, b, up) OVER (PARTITION BY k) AS h, "
    "LEARN(forest, a, b, CASE up WHEN 1 THEN 'up' WHEN 0 THEN 'down' END) AS f, "
    "LEARN(odds, a, b, up = 1) OVER (PARTITION BY k) AS p, LEARN(line, a, b) AS l "
    "FROM s WHERE id % 17 <> 3;\n";

std::string Script() {
  return std::string(kSource) + kModels + "CREATE " + kStatement;
}

// Event i: the classes lie on two sides of a line that turns; labels and values may be missing.
std::string Event(int64_t i) {
  const uint64_t chance = base::MixHash(static_cast<uint64_t>(i));
  const auto a = static_cast<int64_t>(chance % 100);
  const auto b = static_cast<int64_t>(chance / 100 % 100);
  const bool up = i / 700 % 2 == 0 ? a > b : a + b > 100;
  const std::string label = chance % 13 == 0 ? "null" : up ? "1" : "0";
  const std::string value = chance % 19 == 0 ? "null" : std::to_string(a) + ".5";
  return R"({"id":)" + std::to_string(i) + R"(,"k":"key)" + std::to_string(chance % 5) +
         R"(","a":)" + value + R"(,"b":)" + std::to_string(b) + R"(.25,"up":)" + label +
         ",\"ts\":" + std::to_string(TestProgram::kNow + i) + "}";
}

void Feed(TestProgram& program, int64_t from, int64_t to, size_t batch = 100) {
  std::vector<std::string> events;
  for (int64_t i = from; i < to; ++i)
    events.push_back(Event(i));
  program.Feed("s", events, [batch](size_t) { return batch; });
}

std::string Undisturbed(const std::string& script, int64_t events) {
  TestProgram program;
  program.Run(script);
  Feed(program, 0, events);
  return program.Rows("d");
}

TEST(Learning, GuessesBeforeItLearnsAndGetsBetter) {
  const std::string rows = Undisturbed(Script(), 2000);
  EXPECT_EQ(rows.substr(0, rows.find('\n')),
            R"({"id":0,"k":")" + rows.substr(13, 4) +
                R"(","t":null,"turned":null,"h":null,"f":null,"p":null,"l":null})");
  size_t right = 0;
  size_t at = 0;
  for (int64_t i = 0; i < 700; ++i) {
    if (i % 17 == 3) continue;
    const std::string row = rows.substr(at, rows.find('\n', at) - at);
    at = rows.find('\n', at) + 1;
    const bool up = Event(i).find("\"up\":1") != std::string::npos;
    if (i >= 300 && row.find(up ? "\"t\":1" : "\"t\":0") != std::string::npos) ++right;
  }
  EXPECT_GT(right, 290U);
}

TEST(Learning, ShowsNeitherBatchesNorWorkers) {
  const std::string wanted = Undisturbed(Script(), 1500);
  ExpectAlways(wanted, Script(), 1500, {1U, 77U, 1500U}, Feed,
               [](TestProgram& program) { return program.Rows("d"); });
}

TEST(Learning, GoesOnBehindRestartsAndCrashes) {
  TestProgram program(7);
  program.Run(Script());
  FeedThroughRestarts(program, Feed);
  EXPECT_TRUE(program.Rows("d") == Undisturbed(Script(), 2000));
  EXPECT_EQ(program.Differences(), 0U);
}

TEST(Learning, IsComputedOverThePastAndKeptWhenReplaced) {
  TestProgram program(20);
  program.Run(std::string(kSource) + kModels);
  Feed(program, 0, 500);
  program.Run(std::string("CREATE ") + kStatement);
  Feed(program, 500, 800);
  ASSERT_TRUE(program.Crash(3).ok());
  program.Run(std::string("CREATE OR REPLACE ") + kStatement);
  Feed(program, 800, 1200);
  EXPECT_TRUE(program.Rows("d") == Undisturbed(Script(), 1200));
  EXPECT_EQ(program.Differences(), 0U);
}

// A fork whose script gives a learner other options learns anew with them, with the statement in
// the script or without; the same script gives the same rows.
TEST(Learning, IsLearnedAnewByAFork) {
  TestProgram program(50);
  program.Run(Script());
  Feed(program, 0, 1000);
  const auto fork = [&](std::string script) {
    WhatIfRequest request;
    request.fork.script = std::move(script);
    request.stream = "d";
    std::string rows;
    auto take = [&](std::string_view bytes) {
      rows += bytes;
      return Ok();
    };
    EXPECT_TRUE(program.engine().WhatIf(request, take, nullptr).ok());
    return rows;
  };
  std::string script = Script();
  EXPECT_TRUE(fork(script) == program.Rows("d"));
  script.replace(script.find("grace_period = 20"), 17, "grace_period = 90");
  const std::string models = kModels;
  std::string alone = models.substr(0, models.find('\n') + 1);
  alone.replace(alone.find("grace_period = 20"), 17, "grace_period = 90");
  const std::string learned = Undisturbed(script, 1000);
  EXPECT_TRUE(fork(alone) == learned);
  EXPECT_TRUE(fork(script) == learned);
  EXPECT_TRUE(learned != program.Rows("d"));
}

}  // namespace
}  // namespace headrace::engine
