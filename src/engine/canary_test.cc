// A canary: another version decides for a share of the keys, from one LSN until another, and every
// life of the program says the same of who decided.

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "engine/test_program.h"

namespace headrace::engine {
namespace {

// One split: a score below a half up to `threshold`, above it beyond.
std::string ModelText(int threshold) {
  return "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
         "max_feature_idx=1\nobjective=binary sigmoid:1\nfeature_names=amount n\n"
         "feature_infos=[0:100] [0:20]\n\nTree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=0 1\n"
         "threshold=" +
         std::to_string(threshold) +
         " 2\ndecision_type=2 2\nleft_child=-1 -2\nright_child=1 -3\nleaf_value=-2 0.5 2\n"
         "leaf_count=5 5 5\ninternal_count=15 10\nis_linear=0\nshrinkage=1\n\n\nend of trees\n";
}

// Version 1 declines nothing, version 2 everything: the decision tells who made it.
constexpr const char* kScript =
    "CREATE STREAM payments (id TEXT, card TEXT, amount BIGINT, ts TIMESTAMPTZ NOT NULL, "
    "WATERMARK FOR ts AS ts) PARTITION BY (card) WITH (timestamp_unit = 'us');\n"
    "CREATE MODEL risk WITH (path = '/never.txt');\n"
    "CREATE STREAM scored AS SELECT id, amount, ts, count(*) OVER (PARTITION BY card ORDER BY ts) "
    "AS n, PREDICT(risk) AS score FROM payments;\n"
    "CREATE STREAM decisions AS SELECT id, CASE WHEN score > 0.5 THEN 'decline' ELSE 'approve' END "
    "AS decision FROM scored;\n"
    "ALTER MODEL risk ADD VERSION WITH (path = '/always.txt');\n";

std::vector<std::string> Events(int begin, int end) {
  std::vector<std::string> events;
  for (int i = begin; i < end; ++i) {
    events.push_back(R"({"id":"e)" + std::to_string(i) + R"(","card":"card)" +
                     std::to_string(i % 200) + R"(","amount":50,"ts":)" +
                     std::to_string(TestProgram::kNow + i) + "}");
  }
  return events;
}

void WriteModels(TestProgram& program) {
  ASSERT_TRUE(os::ReplaceFile(program.disk(), "/never.txt", ModelText(1000)).ok());
  ASSERT_TRUE(os::ReplaceFile(program.disk(), "/always.txt", ModelText(-1000)).ok());
}

std::string Refusal(TestProgram& program, const std::string& statement) {
  const Status done = program.engine().Execute(statement, "app.sql");
  return done.ok() ? "" : done.error().code();
}

// Of the events [begin, end): the cards whose decision was to decline.
std::set<int> Declined(const TestProgram& program, int begin, int end) {
  const std::string rows = program.Rows("decisions");
  std::set<int> cards;
  size_t line = 0;
  for (int i = 0; i < end; ++i) {
    const size_t next = rows.find('\n', line);
    const std::string row = rows.substr(line, next - line);
    line = next + 1;
    if (i >= begin && row.find("decline") != std::string::npos) cards.insert(i % 200);
  }
  return cards;
}

bool Holds(const std::set<int>& outer, const std::set<int>& inner) {
  return std::includes(outer.begin(), outer.end(), inner.begin(), inner.end());
}

// The whole story, with a pause between its parts.
template <typename Pause>
std::string Play(TestProgram& program, Pause pause) {
  WriteModels(program);
  program.Run(kScript);
  program.Feed("payments", Events(0, 400));
  pause(program);
  program.Run("ALTER MODEL risk CANARY 10 PERCENT VERSION 2;");
  program.Feed("payments", Events(400, 800), [](size_t i) { return i % 7 + 1; });
  pause(program);
  program.Feed("payments", Events(800, 1000));
  program.Run("ALTER MODEL risk CANARY 40 PERCENT;");
  pause(program);
  program.Feed("payments", Events(1000, 1400));
  program.Run("ALTER MODEL risk ROLLBACK;");
  pause(program);
  program.Feed("payments", Events(1400, 1600));
  pause(program);
  EXPECT_EQ(program.Differences(), 0U);
  return program.Rows("scored", true) + program.Rows("decisions", true);
}

TEST(Canary, TakesItsShareOfTheKeysAndKeepsThemWhenItGrows) {
  TestProgram program;
  Play(program, [](TestProgram&) {});
  EXPECT_TRUE(Declined(program, 0, 400).empty());
  const std::set<int> ten = Declined(program, 400, 600);
  EXPECT_GT(ten.size(), 5U);
  EXPECT_LT(ten.size(), 40U);
  EXPECT_EQ(ten, Declined(program, 600, 800)) << "a key is in or out";
  EXPECT_EQ(ten, Declined(program, 800, 1000));
  const std::set<int> forty = Declined(program, 1000, 1200);
  EXPECT_GT(forty.size(), 50U);
  EXPECT_TRUE(Holds(forty, ten));
  EXPECT_EQ(forty, Declined(program, 1200, 1400));
  EXPECT_TRUE(Declined(program, 1400, 1600).empty()) << "rolled back";
}

TEST(Canary, RestartsCrashesSnapshotsAndWorkersDoNotShow) {
  TestProgram undisturbed;
  const std::string expected = Play(undisturbed, [](TestProgram&) {});
  uint64_t seed = 1;
  const auto restart = [](TestProgram& program) { ASSERT_TRUE(program.Restart().ok()); };
  const auto crash = [&](TestProgram& program) { ASSERT_TRUE(program.Crash(++seed).ok()); };
  for (const uint64_t snapshot_lsns : {UINT64_MAX, uint64_t{20}}) {
    for (const size_t workers : {1, 3}) {
      TestProgram restarted(snapshot_lsns, workers);
      EXPECT_EQ(Play(restarted, restart), expected);
      TestProgram crashed(snapshot_lsns, workers);
      EXPECT_EQ(Play(crashed, crash), expected);
    }
  }
}

TEST(Canary, WhyTellsWhichVersionDecidedAndForksHaveOneVersion) {
  TestProgram program;
  Play(program, [](TestProgram&) {});
  int by_canary = 0;
  for (int offset = 400; offset < 420; ++offset) {
    const std::string id = "decisions:0:" + std::to_string(offset);
    const std::string told = program.engine().Why(id).value();
    const bool canary = told.find("\"decision\":\"decline\",\"rules\"") != std::string::npos;
    by_canary += canary ? 1 : 0;
    EXPECT_NE(told.find(canary ? "\"number\":2,\"format\"" : "\"number\":1,\"format\""),
              std::string::npos)
        << told;
    EXPECT_NE(told.find(canary ? "\"canary\":{\"number\":2,\"percent\":10,\"decided\":true}"
                               : "\"canary\":{\"number\":2,\"percent\":10,\"decided\":false}"),
              std::string::npos)
        << told;
    EXPECT_NE(told.find("\"recomputed\":true"), std::string::npos);
  }
  EXPECT_GT(by_canary, 0);
  WhatIfRequest request;
  request.stream = "decisions";
  request.compare = true;
  const auto take = [](std::string_view) { return Ok(); };
  EXPECT_EQ(program.engine().WhatIf(request, take, nullptr).value().changed, 0U);
  request.fork.models = {{"risk", "2"}};
  const WhatIfReport all = program.engine().WhatIf(request, take, nullptr).value();
  size_t declined = 0;
  const std::string rows = program.Rows("decisions");
  for (size_t at = rows.find("decline"); at != std::string::npos; at = rows.find("decline", at + 1))
    ++declined;
  EXPECT_EQ(all.changed, 1600 - declined) << "the fork's version decides for every key";
}

TEST(Canary, IsRefusedWithoutAKeyOrForTheVersionThatDecides) {
  TestProgram program;
  WriteModels(program);
  program.Run(kScript);
  EXPECT_EQ(Refusal(program, "ALTER MODEL risk CANARY 10 PERCENT VERSION 1;"), "HR1214");
  EXPECT_EQ(Refusal(program, "ALTER MODEL risk CANARY 10 PERCENT VERSION 3;"), "HR1206");
  EXPECT_EQ(Refusal(program, "ALTER MODEL risk CANARY 10 PERCENT WITH (canary_key = 'kard');"),
            "HR1195");
  // Behind a stream that dropped the card nothing carries the key.
  program.Run(
      "CREATE STREAM bare AS SELECT id, amount, 1 AS n, ts FROM payments;\n"
      "CREATE STREAM other AS SELECT id, PREDICT(risk) AS score FROM bare;\n");
  EXPECT_EQ(Refusal(program, "ALTER MODEL risk CANARY 10 PERCENT VERSION 2;"), "HR1195");
  program.Run("ALTER MODEL risk CANARY 10 PERCENT VERSION 2 WITH (canary_key = 'id');");
  EXPECT_EQ(Refusal(program,
                    "CREATE STREAM third AS SELECT amount, PREDICT(risk, amount, 1) AS score FROM "
                    "(SELECT 1);"),
            "HR1130");
  program.Run("CREATE STREAM thin AS SELECT amount, ts FROM payments;");
  EXPECT_EQ(Refusal(program,
                    "CREATE STREAM fourth AS SELECT PREDICT(risk, amount, 1) AS score FROM thin;"),
            "HR1195");
  program.Run("ALTER MODEL risk ACTIVATE VERSION 1;");
  EXPECT_EQ(program.engine().deployment()->catalog.Find("risk")->canary(), nullptr);
  EXPECT_EQ(Refusal(program,
                    "CREATE STREAM fourth AS SELECT PREDICT(risk, amount, 1) AS score FROM thin;"),
            "");
}

TEST(Canary, RowsThatWaitedAreToldApartByTheKeyTheyCameWith) {
  const auto play = [](TestProgram& program, bool restart) {
    WriteModels(program);
    program.Run(
        "CREATE STREAM payments (id TEXT, card TEXT, amount BIGINT, ts TIMESTAMPTZ NOT NULL, "
        "WATERMARK FOR ts AS ts - INTERVAL '1 second') PARTITION BY (card) WITH (timestamp_unit = "
        "'us');\n"
        "CREATE MODEL risk WITH (path = '/never.txt');\n"
        "ALTER MODEL risk ADD VERSION WITH (path = '/always.txt');\n"
        "CREATE STREAM sorted AS SELECT id, amount, 1 AS n, PREDICT(risk) > 0.5 AS bad FROM "
        "payments EMIT ON WATERMARK;\n"
        "ALTER MODEL risk CANARY 50 PERCENT VERSION 2;\n");
    program.Feed("payments", Events(0, 300));
    if (restart) {
      ASSERT_TRUE(program.Restart().ok());
    }
    program.Feed("payments", {R"({"id":"z","card":"x","amount":1,"ts":)" +
                              std::to_string(TestProgram::kNow + 5'000'000) + "}"});
  };
  TestProgram straight;
  play(straight, false);
  const std::string rows = straight.Rows("sorted");
  EXPECT_NE(rows.find("\"bad\":true"), std::string::npos);
  EXPECT_NE(rows.find("\"bad\":false"), std::string::npos);
  TestProgram restarted(10);
  play(restarted, true);
  EXPECT_EQ(restarted.Rows("sorted"), rows);
  EXPECT_EQ(restarted.Differences(), 0U);
}

}  // namespace
}  // namespace headrace::engine
