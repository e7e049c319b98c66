// Functions with a memory: whatever happens to the program, they answer as if nothing had.

#include <gtest/gtest.h>

#include "base/hash.h"
#include "engine/test_program.h"
#include "engine/test_restarts.h"

namespace headrace::engine {
namespace {

constexpr int64_t kSecond = 1'000'000;

constexpr const char* kSource =
    "CREATE STREAM s (id BIGINT NOT NULL, k TEXT, x DOUBLE PRECISION, ts TIMESTAMPTZ NOT NULL, "
    "WATERMARK FOR ts AS ts) PARTITION BY (k) WITH (timestamp_unit = 'us');\n";
// Over all rows and by key; the second reads what the first answers.
constexpr const char* kStatement =
    "STREAM d AS SELECT id, k, ts, adwin(x, 0.9, 1, 1, 1) AS shifted, "
    "adwin(x, 0.9, 1, 1, 1) OVER (PARTITION BY k) AS shifted_k, "
    "adwin(CASE WHEN shifted THEN x ELSE -x END, 0.9, 1, 1, 1) OVER (PARTITION BY k, id % 2) AS "
    "again FROM s WHERE id % 17 <> 3;\n";

std::string Script() {
  return std::string(kSource) + "CREATE " + kStatement +
         "CREATE STREAM e AS SELECT id, k, adwin(shifted_k, 0.9, 1, 1, 1) AS often FROM d;";
}

// Event i, of one of 40 keys; the level of a key changes now and then.
std::string Event(int64_t i) {
  const uint64_t chance = base::MixHash(static_cast<uint64_t>(i));
  const auto level = static_cast<int64_t>(base::MixHash(static_cast<uint64_t>(i / 60)) % 5);
  std::string x = std::to_string(level + static_cast<int64_t>(chance % 3)) + ".25";
  if (chance % 23 == 0) x = "null";
  return R"({"id":)" + std::to_string(i) + R"(,"k":"key)" + std::to_string(chance % 40) +
         R"(","x":)" + x +
         ",\"ts\":" + std::to_string(TestProgram::kNow - 3000 * kSecond + i * kSecond) + "}";
}

std::vector<std::string> Events(int64_t from, int64_t to) {
  std::vector<std::string> events;
  for (int64_t i = from; i < to; ++i)
    events.push_back(Event(i));
  return events;
}

void Feed(TestProgram& program, int64_t from, int64_t to, size_t batch = 100) {
  program.Feed("s", Events(from, to), [batch](size_t) { return batch; });
}

std::string Everything(const TestProgram& program) {
  return program.Rows("d", true) + program.Rows("e", true);
}

std::string Undisturbed(int64_t events) {
  TestProgram program;
  program.Run(Script());
  Feed(program, 0, events);
  return Everything(program);
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

TEST(Running, AnswersAtTheRowAndWithNullForNull) {
  const std::string rows = Undisturbed(2000);
  EXPECT_GT(Count(rows, "\"shifted\":true"), 20U);
  EXPECT_GT(Count(rows, "\"shifted\":null"), 20U);
  EXPECT_GT(Count(rows, "\"shifted_k\":true"), 20U);
  EXPECT_GT(Count(rows, "\"again\":true"), 20U);
  EXPECT_GT(Count(rows, "\"often\":true"), 3U);
}

TEST(Running, ShowsNeitherBatchesNorWorkers) {
  const std::string wanted = Undisturbed(2000);
  ExpectAlways(wanted, Script(), 2000, {1U, 77U, 256U, 2000U}, Feed,
               [](TestProgram& program) { return Everything(program); });
}

TEST(Running, GoesOnBehindRestartsAndCrashes) {
  TestProgram program(7);
  program.Run(Script());
  FeedThroughRestarts(program, Feed);
  EXPECT_TRUE(Everything(program) == Undisturbed(2000));
  EXPECT_EQ(program.Differences(), 0U);
}

// A statement that is deployed behind the events is computed over them, then goes on.
TEST(Running, IsComputedOverThePast) {
  TestProgram program(20);
  program.Run(kSource);
  Feed(program, 0, 900);
  program.Run(Script().substr(std::string(kSource).size()));
  Feed(program, 900, 1500);
  ASSERT_TRUE(program.Crash(3).ok());
  Feed(program, 1500, 2000);
  EXPECT_TRUE(program.Rows("d") == [&] {
    TestProgram other;
    other.Run(Script());
    Feed(other, 0, 2000);
    return other.Rows("d");
  }());
  EXPECT_EQ(program.Differences(), 0U);
}

// The same definition again changes nothing; another column beside it, and the memory is as it was.
TEST(Running, KeepsItsMemoryWhenItsStatementIsReplaced) {
  TestProgram program(20);
  program.Run(Script());
  Feed(program, 0, 700);
  program.Run(std::string("CREATE OR REPLACE ") + kStatement);
  Feed(program, 700, 1000);
  std::string wider = std::string("CREATE OR REPLACE ") + kStatement;
  wider.replace(wider.find("SELECT id"), 9, "SELECT x * 2 AS twice, adwin(x + id) AS other, id");
  program.Run(wider);
  Feed(program, 1000, 1500);
  ASSERT_TRUE(program.Crash(5).ok());
  Feed(program, 1500, 2000);
  std::string rows = program.Rows("d");
  for (size_t at = rows.find("\"twice\""); at != std::string::npos; at = rows.find("\"twice\"")) {
    rows.erase(at, rows.find("\"id\"", at) - at);
  }
  TestProgram other;
  other.Run(Script());
  Feed(other, 0, 2000);
  EXPECT_TRUE(rows == other.Rows("d"));
  EXPECT_TRUE(program.Rows("e") == other.Rows("e"));
  EXPECT_EQ(program.Differences(), 0U);
}

TEST(Running, IsComputedAnewByAFork) {
  TestProgram program(50);
  program.Run(Script());
  Feed(program, 0, 1000);
  WhatIfRequest request;
  request.fork.script = std::string("CREATE OR REPLACE ") + kStatement;
  request.fork.script.replace(request.fork.script.find("adwin(x, 0.9"), 12, "adwin(x, 0.1");
  request.stream = "d";
  std::string rows;
  auto take = [&](std::string_view bytes) {
    rows += bytes;
    return Ok();
  };
  ASSERT_TRUE(program.engine().WhatIf(request, take, nullptr).ok());
  TestProgram other;
  std::string script = Script();
  script.replace(script.find("adwin(x, 0.9"), 12, "adwin(x, 0.1");
  other.Run(script);
  Feed(other, 0, 1000);
  EXPECT_TRUE(rows == other.Rows("d"));
  EXPECT_TRUE(program.Rows("d") != other.Rows("d"));
}

}  // namespace
}  // namespace headrace::engine
