// The watch of a model: what it tells is a stream like any other, the same in every life of the
// program.

#include <gtest/gtest.h>

#include "base/hash.h"
#include "engine/test_program.h"
#include "row/text.h"

namespace headrace::engine {
namespace {

constexpr int64_t kMinute = 60'000'000;
constexpr int64_t kPerMinute = 20;  // events

std::string ModelText(int threshold) {
  return "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
         "max_feature_idx=1\nobjective=binary sigmoid:1\nfeature_names=amount n\n"
         "feature_infos=[0:100] [0:20]\n\nTree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=0 1\n"
         "threshold=" +
         std::to_string(threshold) +
         " 2\ndecision_type=2 2\nleft_child=-1 -2\nright_child=1 -3\nleaf_value=-2 0.5 2\n"
         "leaf_count=5 5 5\ninternal_count=15 10\nis_linear=0\nshrinkage=1\n\n\nend of trees\n";
}

std::string Script(const std::string& options = "") {
  return "CREATE STREAM payments (id TEXT, card TEXT, amount DOUBLE PRECISION, ts TIMESTAMPTZ NOT "
         "NULL, WATERMARK FOR ts AS ts - INTERVAL '5 seconds') PARTITION BY (card) "
         "WITH (timestamp_unit = 'us');\n"
         "CREATE MODEL risk WITH (path = '/one.txt'" +
         options +
         ");\n"
         "CREATE STREAM scored AS SELECT id, card, ts, amount, count(*) OVER (PARTITION BY card "
         "ORDER BY ts RANGE BETWEEN INTERVAL '10 minutes' PRECEDING AND CURRENT ROW) AS n, "
         "PREDICT(risk) AS score FROM payments WHERE amount IS NULL OR amount >= 0;\n";
}

constexpr const char* kHourly =
    ", watch_window = '1 hour', watch_rows = 100, "
    "watch_baseline_rows = 1200";
constexpr const char* kAlarms =
    "CREATE STREAM alarms AS SELECT ts, model, version, feature, alarm, psi FROM __health_scored "
    "WHERE crossed AND kind <> 'all';\n";

// Event i; from 4,000 on amounts are larger, from 6,000 on many are missing.
std::string Event(int64_t i) {
  const uint64_t chance = base::MixHash(static_cast<uint64_t>(i));
  std::string amount = std::to_string(static_cast<int64_t>(chance % 100) + (i >= 4'000 ? 60 : 0));
  if (i >= 6'000 && chance % 3 == 0) amount = "null";
  return R"({"id":"e)" + std::to_string(i) + R"(","card":"c)" + std::to_string(chance % 40) +
         R"(","amount":)" + amount + ",\"ts\":" +
         std::to_string(TestProgram::kNow - 8'000 * kMinute + i * kMinute / kPerMinute) + "}";
}

void Feed(TestProgram& program, int64_t from, int64_t to, size_t batch = 100) {
  std::vector<std::string> events;
  for (int64_t i = from; i < to; ++i)
    events.push_back(Event(i));
  program.Feed("payments", events, [batch](size_t) { return batch; });
}

void WriteModels(TestProgram& program) {
  ASSERT_TRUE(os::ReplaceFile(program.disk(), "/one.txt", ModelText(50)).ok());
  ASSERT_TRUE(os::ReplaceFile(program.disk(), "/two.txt", ModelText(20)).ok());
}

void Begin(TestProgram& program) {
  WriteModels(program);
  program.Run(Script(kHourly) + kAlarms);
}

std::string Everything(const TestProgram& program) {
  return program.Rows("scored", true) + program.Rows("__health_scored", true) +
         program.Rows("alarms", true);
}

constexpr int64_t kEvents = 9'000;

std::string Undisturbed() {
  TestProgram program;
  Begin(program);
  Feed(program, 0, kEvents);
  return Everything(program);
}

std::vector<std::vector<std::string>> Ask(const TestProgram& program, const std::string& sql) {
  const QueryResult result = const_cast<TestProgram&>(program).engine().Query(sql).value();
  std::vector<std::vector<std::string>> rows;
  for (const std::vector<row::Value>& row : result.rows) {
    std::vector<std::string>& texts = rows.emplace_back();
    for (size_t c = 0; c < row.size(); ++c) {
      std::string text;
      if (!row[c].null) row::AppendText(row[c], result.columns.columns[c].type, text);
      texts.push_back(text);
    }
  }
  return rows;
}

TEST(ModelWatch, TellsARuleWhenInputsMove) {
  TestProgram program;
  Begin(program);
  Feed(program, 0, kEvents);
  const auto alarms =
      Ask(program, "SELECT feature, alarm, version FROM alarms ORDER BY ts, feature LIMIT 2");
  ASSERT_EQ(alarms.size(), 2U);
  EXPECT_EQ(alarms[0][0], "amount");
  EXPECT_TRUE(alarms[0][1].find("psi") != std::string::npos) << alarms[0][1];
  EXPECT_EQ(alarms[0][2], "1");
  EXPECT_EQ(Ask(program, "SELECT count(*) FROM alarms WHERE feature = 'n'")[0][0], "0");
  EXPECT_EQ(Ask(program, "SELECT count(*) FROM alarms WHERE alarm LIKE '%nulls%'")[0][0], "1");
  EXPECT_EQ(program.Differences(), 0U);
}

TEST(ModelWatch, TheNewestWindowIsAViewAndInTheReport) {
  TestProgram program;
  Begin(program);
  Feed(program, 0, kEvents);
  const auto rows = Ask(program, "SELECT statement, kind, feature, version FROM __model_health");
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0], (std::vector<std::string>{"scored", "input", "amount", "1"}));
  EXPECT_EQ(rows[2][1], "score");
  EXPECT_EQ(rows[3][1], "all");
  const std::string report = program.engine().ModelReport("risk", {}).value();
  EXPECT_TRUE(report.find(R"("health":[{"statement":"scored")") != std::string::npos);
  EXPECT_EQ(Ask(program, "DESCRIBE __model_health").size(), 27U);
  const Status streamed =
      program.engine().Execute("CREATE STREAM x AS SELECT model FROM __model_health", "app.sql");
  ASSERT_FALSE(streamed.ok());
  EXPECT_EQ(streamed.error().code(), "HR1130");
}

TEST(ModelWatch, CrashesRestartsSnapshotsBatchesAndWorkersDoNotShow) {
  const std::string wanted = Undisturbed();
  for (size_t workers : {1U, 3U}) {
    TestProgram program(3, workers);
    Begin(program);
    int64_t at = 0;
    for (size_t round = 0; at < kEvents; ++round) {
      const int64_t to = std::min<int64_t>(kEvents, at + 700);
      Feed(program, at, to, 1 + round * 37 % 300);
      at = to;
      ASSERT_TRUE((round % 2 == 0 ? program.Crash(round) : program.Restart()).ok());
    }
    EXPECT_EQ(Everything(program), wanted);
    EXPECT_EQ(program.Differences(), 0U);
  }
}

TEST(ModelWatch, AStatementThatIsDeployedLaterTellsTheSame) {
  const std::string wanted = Undisturbed();
  TestProgram program;
  WriteModels(program);
  const std::string script = Script(kHourly);
  const size_t statement = script.find("CREATE MODEL");
  program.Run(script.substr(0, statement));
  Feed(program, 0, 5'000);
  program.Run(script.substr(statement) + kAlarms);
  ASSERT_TRUE(program.Crash(1).ok());
  Feed(program, 5'000, kEvents);
  EXPECT_EQ(Everything(program), wanted);
}

TEST(ModelWatch, VersionsAreWatchedApart) {
  TestProgram program;
  Begin(program);
  Feed(program, 0, 3'000);
  program.Run(
      "ALTER MODEL risk ADD VERSION WITH (path = '/two.txt');"
      "ALTER MODEL risk CANARY 50 PERCENT VERSION 2 WITH (canary_key = 'card');");
  Feed(program, 3'000, kEvents);
  EXPECT_EQ(Ask(program, "SELECT DISTINCT version FROM __model_health ORDER BY version"),
            (std::vector<std::vector<std::string>>{{"1"}, {"2"}}));
  const auto windows = Ask(program,
                           "SELECT window_end, sum(scored) AS n FROM __health_scored WHERE kind = "
                           "'all' GROUP BY window_end ORDER BY window_end");
  ASSERT_GT(windows.size(), 5U);
  for (size_t i = 1; i < windows.size(); ++i)  // the first began within its hour
    EXPECT_EQ(windows[i][1], std::to_string(60 * kPerMinute)) << windows[i][0];
  EXPECT_EQ(program.Differences(), 0U);
}

TEST(ModelWatch, AReplacementIsWatchedAsTheStatementWas) {
  TestProgram program;
  Begin(program);
  Feed(program, 0, 3'000);
  program.Run(
      "CREATE OR REPLACE STREAM scored AS SELECT id, card, ts, amount, CAST(1 AS BIGINT) AS n, "
      "PREDICT(risk, "
      "amount * 2, n) AS score FROM payments;");
  Feed(program, 3'000, 6'000);
  EXPECT_GT(Ask(program, "SELECT * FROM __health_scored").size(), 10U);
  EXPECT_EQ(program.Differences(), 0U);
  program.Run(
      "CREATE OR REPLACE STREAM scored AS SELECT id, card, ts, amount, CAST(1 AS BIGINT) AS n, "
      "CAST(0.5 AS DOUBLE PRECISION) AS score FROM payments;");
  Feed(program, 6'000, kEvents);
  EXPECT_EQ(program.Differences(), 0U);
  ASSERT_TRUE(program.Restart().ok());
}

// A statement with a watched model that is replaced, what reads it and its health as they will be,
// and a new one that is watched.
constexpr const char* kNext =
    "CREATE OR REPLACE STREAM scored AS SELECT id, card, ts, amount, amount * 2 AS twice, count(*) "
    "OVER (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '20 minutes' PRECEDING AND CURRENT "
    "ROW) AS n, PREDICT(risk) AS score FROM payments WHERE amount IS NULL OR amount >= 0;\n"
    "CREATE STREAM reads AS SELECT id, twice, score FROM scored;\n"
    "CREATE STREAM news AS SELECT ts, model, feature, psi FROM __health_scored;\n"
    "CREATE STREAM other AS SELECT id, card, ts, amount, 3 AS n, PREDICT(risk) AS score "
    "FROM payments;\n";

std::string WithNext(const TestProgram& program) {
  std::string all = Everything(program);
  for (const char* stream : {"reads", "news", "other", "__health_other"})
    all += program.Rows(stream, true);
  return all;
}

// The same where everything stood still when the replacement took over.
std::string NextAtRest(const TestProgram& program) {
  const std::string rows = program.Rows("scored");
  int64_t moment = 0;
  for (size_t at = 0; at < rows.size(); at = rows.find('\n', at) + 1)
    moment += rows.substr(at, rows.find('\n', at) - at).find("\"twice\"") == std::string::npos;
  TestProgram still;
  Begin(still);
  Feed(still, 0, moment);
  still.Run(kNext);
  Feed(still, moment, kEvents);
  return WithNext(still);
}

TEST(ModelWatch, AReplacementThatHadNotJoinedWhenTheProgramEndedTellsTheSame) {
  for (int64_t seed : {1, 2, 3}) {
    TestProgram program;
    Begin(program);
    Feed(program, 0, 4'000);
    program.Restart().value();
    program.engine().FinishSnapshots();  // a script waits for what is being written
    program.engine().Deploy(kNext, "app.sql", [](const Status& done) {
      EXPECT_TRUE(done.ok() || done.error().code() == "HR5001") << done.error().ToString();
    });
    program.engine().log().WaitDurable(program.engine().log().last_lsn()).value();
    program.Crash(static_cast<uint64_t>(seed)).value();
    const auto deployment = program.engine().deployment();
    ASSERT_TRUE(deployment->Find("scored")->pending != nullptr);
    EXPECT_TRUE(deployment->Find("__health_scored")->pending != nullptr);
    EXPECT_FALSE(deployment->Find("__health_other")->joined());
    EXPECT_EQ(0U, program.Differences());
    const int64_t taken = program.engine().log().next_offset("payments", 0);
    if (seed > 2) Feed(program, taken, 5'000);
    if (seed > 1) program.Crash(7).value();
    program.engine().FinishDeployments().value();
    Feed(program, program.engine().log().next_offset("payments", 0), kEvents, 70);
    EXPECT_EQ(NextAtRest(program), WithNext(program)) << seed;
    EXPECT_EQ(0U, program.Differences());
    const std::string before = WithNext(program);
    program.Restart().value();
    EXPECT_EQ(before, WithNext(program));
    EXPECT_EQ(0U, program.replayed());
  }
}

TEST(ModelWatch, IsOffWhereTheModelSaysSo) {
  TestProgram program;
  WriteModels(program);
  program.Run(Script(", watch = off"));
  Feed(program, 0, 2'000);
  EXPECT_TRUE(Ask(program, "SELECT * FROM __model_health").empty());
  EXPECT_EQ(program.engine().Query("SELECT * FROM __health_scored").error().code(), "HR1105");
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_EQ(program.engine().Query("SELECT * FROM __health_scored").error().code(), "HR1105");
}

TEST(ModelWatch, RefusesOptionsAndNames) {
  TestProgram program;
  WriteModels(program);
  for (const char* option :
       {", watch = maybe", ", watch_window = '1 month'", ", watch_window = '1 second'",
        ", watch_rows = 3", ", watch_psi = -1", ", watch_psi = 'nan'", ", watch_nulls = x"}) {
    const Status done = program.engine().Execute(Script(option), "app.sql");
    ASSERT_FALSE(done.ok()) << option;
    EXPECT_EQ(done.error().code(), "HR1278") << option;
  }
  const Status named = program.engine().Execute("CREATE STREAM __health_x (a BIGINT);", "app.sql");
  ASSERT_FALSE(named.ok());
  EXPECT_EQ(named.error().code(), "HR1279");
}

TEST(ModelWatch, MetricsTellTheNewestWindowAlsoAfterAStart) {
  TestProgram program;
  Begin(program);
  Feed(program, 0, kEvents);
  const std::string drift =
      "headrace_model_drift{statement=\"scored\",model=\"risk\",version=\"1\"}";
  const double told = program.Metric(drift);
  EXPECT_GT(told, 0.25);
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_EQ(program.Metric(drift), told);
}

// Labels of every second of 400 payments: half a day late, then three days late.
TEST(ModelWatch, LabelsMeasureScoresByVersionAgeAndSegment) {
  TestProgram program;
  WriteModels(program);
  program.Run(
      Script() +
      "CREATE STREAM labels (id TEXT, bad BIGINT, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts "
      "AS ts) WITH (timestamp_unit = 'us');");
  Feed(program, 0, 400);
  std::vector<std::string> labels;
  constexpr int64_t kDay = 86'400'000'000;
  const int64_t begin = TestProgram::kNow - 8'000 * kMinute;
  for (int64_t i = 0; i < 400; i += 2) {
    const int64_t late = i < 200 ? kDay / 2 : 3 * kDay;
    labels.push_back(R"({"id":"e)" + std::to_string(i) + R"(","bad":)" +
                     std::to_string(base::MixHash(static_cast<uint64_t>(i)) % 100 > 70 ? 1 : 0) +
                     ",\"ts\":" + std::to_string(begin + i * kMinute / kPerMinute + late) + "}");
  }
  std::sort(labels.begin(), labels.end(), [](const std::string& a, const std::string& b) {
    return a.substr(a.find("ts")) < b.substr(b.find("ts"));
  });
  program.Feed("labels", labels);
  LabelRequest request{"labels", "id", "id", "bad", "card", {}};
  const std::string report = program.engine().ModelReport("risk", request).value();
  const auto has = [&](const std::string& part) { return report.find(part) != std::string::npos; };
  EXPECT_TRUE(has(R"("quality":{"statement":"scored","labelled":200,"unlabelled":200,)")) << report;
  // By every pair of a bad one and a good one.
  std::vector<std::pair<bool, double>> labelled;
  for (const auto& row : Ask(program, "SELECT id, score FROM scored")) {
    const int64_t i = std::stoll(row[0].substr(1));
    if (i % 2 == 0) {
      labelled.emplace_back(base::MixHash(static_cast<uint64_t>(i)) % 100 > 70, std::stod(row[1]));
    }
  }
  double pairs = 0;
  double right = 0;
  for (const auto& [bad, score] : labelled) {
    for (const auto& [other_bad, other] : labelled) {
      if (!bad || other_bad) continue;
      ++pairs;
      right += score > other ? 1 : score == other ? 0.5 : 0;
    }
  }
  const size_t at = report.find(R"({"by":"version","name":"1","rows":200,)");
  ASSERT_NE(at, std::string::npos) << report;
  const double told = std::stod(report.substr(report.find("\"roc_auc\":", at) + 10));
  EXPECT_NEAR(told, right / pairs, 1e-12);
  EXPECT_TRUE(has(R"({"by":"label_age","name":"up to 1 day","rows":100,)"));
  EXPECT_TRUE(has(R"({"by":"label_age","name":"1 to 7 days","rows":100,)"));
  EXPECT_TRUE(has(R"({"by":"segment","name":"c)"));
  EXPECT_TRUE(has(R"("curves":[{"version":1,"roc":[[0,0],)"));
  request.segment = "nowhere";
  EXPECT_EQ(program.engine().ModelReport("risk", request).error().code(), "HR1104");
}

TEST(ModelWatch, AForkWithAnotherVersionTellsItsOwnHealth) {
  TestProgram program(5);
  Begin(program);
  program.Run("ALTER MODEL risk ADD VERSION WITH (path = '/two.txt');");
  Feed(program, 0, kEvents);
  WhatIfRequest request;
  request.stream = "__health_scored";
  request.fork.models = {{"risk", "2"}};
  request.compare = true;
  const WhatIfReport report =
      program.engine().WhatIf(request, [](std::string_view) { return Ok(); }, nullptr).value();
  EXPECT_GT(report.compared, 20U);
  EXPECT_GT(report.differing, 5U);
}

}  // namespace
}  // namespace headrace::engine
