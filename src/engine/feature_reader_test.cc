#include "engine/feature_reader.h"

#include <gtest/gtest.h>

#include "engine/feature_report.h"
#include "engine/test_program.h"

namespace headrace::engine {
namespace {

constexpr int64_t kSecond = 1'000'000;

constexpr const char* kScript =
    "CREATE STREAM s (k TEXT NOT NULL, g TEXT, q BIGINT, ts TIMESTAMPTZ NOT NULL, "
    "WATERMARK FOR ts AS ts - INTERVAL '5 seconds') PARTITION BY (k) "
    "WITH (timestamp_unit = 'us', partitions = 3);\n"
    "CREATE STREAM d AS SELECT k, g, ts, q, "
    "count(*) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND "
    "CURRENT ROW) AS n, "
    "sum(q) OVER (PARTITION BY g ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND "
    "CURRENT ROW) AS total, n * 2 AS twice FROM s;";

std::vector<std::string> Events(int64_t from, int64_t to) {
  std::vector<std::string> events;
  for (int64_t i = from; i < to; ++i) {
    events.push_back(R"({"k":"key)" + std::to_string(i * 7 % 23) + R"(","g":"g)" +
                     std::to_string(i % 3) + R"(","q":)" + std::to_string(i) + ",\"ts\":" +
                     std::to_string(TestProgram::kNow - 3600 * kSecond + i * kSecond / 4) + "}");
  }
  return events;
}

// All features of all keys, as one text.
std::string ReadAll(TestProgram& program) {
  FeatureRequest request;
  request.columns = {{"d", "n"}, {"d", "total"}, {"d", "twice"}, {"s", "q"}};
  request.entities.resize(2);
  request.entities[0].name = "k";
  request.entities[1].name = "g";
  for (int i = 0; i < 24; ++i) {
    request.entities[0].texts.push_back("key" + std::to_string(i));
    request.entities[1].texts.push_back("g" + std::to_string(i % 4));
  }
  auto answer = program.engine().ReadFeatures(request, true);
  if (!answer.ok()) return answer.error().code();
  std::string out;
  for (const auto& column : (*answer)->columns) {
    out += column.name + ":";
    for (const auto& cell : column.cells) {
      out += cell.found && !cell.value.null ? std::to_string(cell.value.integer) + "@" +
                                                  std::to_string(cell.time % (10'000 * kSecond))
                                            : "-";
      out += " ";
    }
    out += "\n";
  }
  return out;
}

TEST(FeatureReader, GivesTheLatestRowWhateverTheBatchesAndTheCrashes) {
  TestProgram whole;
  whole.Run(kScript);
  whole.Feed("s", Events(0, 600));
  const std::string expected = ReadAll(whole);
  EXPECT_NE(expected.find("n:"), std::string::npos) << expected;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    TestProgram program(50, 1 + seed % 2);
    program.Run(kScript);
    for (int64_t at = 0; at < 600; at += 100) {
      program.Feed("s", Events(at, at + 100), [&](size_t) { return seed * 7; });
      if (at % 200 == 0) ReadAll(program);
      ASSERT_TRUE(program.Crash(seed).ok());
    }
    EXPECT_EQ(expected, ReadAll(program));
  }
}

TEST(FeatureReader, DoesNotWaitWhenAskedNotTo) {
  TestProgram program;
  program.Run(kScript);
  program.Feed("s", Events(0, 600));
  FeatureRequest request;
  request.columns = {{"d", "n"}};
  request.entities = {{"k", {"key1"}}};
  // 600 rows are more than it reads at once; each question brings it nearer.
  EXPECT_FALSE(program.engine().ReadFeatures(request, false)->has_value());
  EXPECT_FALSE(program.engine().ReadFeatures(request, false)->has_value());
  EXPECT_TRUE(program.engine().ReadFeatures(request, false)->has_value());
  program.Feed("s", Events(600, 700));
  EXPECT_TRUE(program.engine().ReadFeatures(request, false)->has_value());
}

TEST(FeatureReader, FollowsAReplacement) {
  TestProgram program;
  program.Run(kScript);
  program.Feed("s", Events(0, 100));
  const std::string before = ReadAll(program);
  program.Run(
      "CREATE OR REPLACE STREAM d AS SELECT k, g, ts, q, "
      "count(*) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1 second' PRECEDING AND "
      "CURRENT ROW) AS n, "
      "sum(q) OVER (PARTITION BY g ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND "
      "CURRENT ROW) AS total, n * 2 AS twice FROM s;");
  EXPECT_EQ(before, ReadAll(program));
  program.Feed("s", Events(100, 200));
  const std::string after = ReadAll(program);
  EXPECT_NE(before, after);
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_EQ(after, ReadAll(program));
}

// A function with a memory has an entity as a window has one, though no window stands beside it.
TEST(FeatureReader, ReadsWhatAFunctionWithAMemoryGives) {
  TestProgram program;
  program.Run(std::string(kScript) +
              "CREATE STREAM w AS SELECT k, g, adwin(q) OVER (PARTITION BY g) AS changed, "
              "adwin(q) AS changed_at_all FROM s;");
  program.Feed("s", Events(0, 9));
  FeatureRequest request;
  request.columns = {{"w", "changed"}};
  request.entities = {{"g", {"g1", "g9"}}};
  const auto answer = program.engine().ReadFeatures(request, true);
  ASSERT_TRUE(answer.ok()) << answer.error().ToString();
  const auto& cells = (*answer)->columns.front().cells;
  EXPECT_TRUE(cells[0].found);
  EXPECT_FALSE(cells[1].found);
  const auto report = program.engine().FeatureReport("");
  ASSERT_TRUE(report.ok());
  EXPECT_NE(report->find("changed_at_all"), std::string::npos);
}

TEST(FeatureReader, SaysWhatCannotBeAsked) {
  TestProgram program;
  program.Run(kScript);
  auto ask = [&](FeatureRequest::Column column, std::vector<FeatureRequest::Entity> entities) {
    FeatureRequest request;
    request.columns = {std::move(column)};
    request.entities = std::move(entities);
    auto answer = program.engine().ReadFeatures(request, true);
    return answer.ok() ? "ok" : answer.error().code();
  };
  EXPECT_EQ("ok", ask({"d", "n"}, {{"k", {"key1"}}}));
  EXPECT_EQ("HR1204", ask({"none", "n"}, {{"k", {"key1"}}}));
  EXPECT_EQ("HR1204", ask({"d.dead", "code"}, {{"k", {"key1"}}}));
  EXPECT_EQ("HR1104", ask({"d", "none"}, {{"k", {"key1"}}}));
  EXPECT_EQ("HR4091", ask({"d", "total"}, {{"k", {"key1"}}}));
  EXPECT_EQ("HR4091", ask({"d", "n"}, {}));
  program.Run("CREATE STREAM n (id BIGINT, v BIGINT) PARTITION BY (id);");
  EXPECT_EQ("HR4091", ask({"n", "v"}, {{"id", {"one"}}}));
}

TEST(FeatureReport, CountsNullsOfTheLastRowsAndNamesReaders) {
  TestProgram program;
  program.Run(kScript);
  program.Run("CREATE STREAM r AS SELECT k, total FROM d;");
  program.Feed("s", Events(0, 20));
  const std::string one = program.engine().FeatureReport("d:total").value();
  EXPECT_NE(one.find(R"("entity":["g"])"), std::string::npos) << one;
  EXPECT_NE(one.find(R"("read_by":["r"])"), std::string::npos) << one;
  EXPECT_NE(one.find(R"("sampled_rows":20,"null_rows":0,"null_rate":0)"), std::string::npos) << one;
  EXPECT_NE(one.find(R"("age_seconds":3595)"), std::string::npos) << one;
  EXPECT_EQ("HR4092", program.engine().FeatureReport("d:k").error().code());
}

}  // namespace
}  // namespace headrace::engine
