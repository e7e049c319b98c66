// What is said of a decision: reasons, stored explanations, the nearest other decision, what inputs
// weighed, how another version would have scored.

#include <gtest/gtest.h>

#include "engine/test_program.h"

namespace headrace::engine {
namespace {

// Two trees: amount at 10 and 60, n at 2. Leaves are chosen so that a score above a half needs both
// a large amount and many payments, or a very large amount.
std::string ModelText(const std::string& leaves = "-2 1 0.5") {
  return "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
         "max_feature_idx=1\nobjective=binary sigmoid:1\nfeature_names=amount n\n"
         "feature_infos=[0:100] [0:20]\n\nTree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=0 0\n"
         "threshold=10 60.5\ndecision_type=2 2\nleft_child=-1 -2\nright_child=1 -3\nleaf_value=" +
         leaves +
         "\nleaf_count=50 30 20\ninternal_count=100 50\nis_linear=0\nshrinkage=1\n\n\n"
         "Tree=1\nnum_leaves=2\nnum_cat=0\nsplit_feature=1\nthreshold=2.5\ndecision_type=2\n"
         "left_child=-1\nright_child=-2\nleaf_value=-1.25 1\nleaf_count=60 40\n"
         "internal_count=100\nis_linear=0\nshrinkage=1\n\n\nend of trees\n";
}

constexpr const char* kSource =
    "CREATE STREAM s (id TEXT, card TEXT, amount BIGINT, ts TIMESTAMPTZ NOT NULL, "
    "WATERMARK FOR ts AS ts) PARTITION BY (card) WITH (timestamp_unit = 'us');\n";
constexpr const char* kModel =
    "CREATE MODEL risk WITH (path = '/one.txt') REASONS (amount 'Unusual amount', n 'Many "
    "payments');\n";
constexpr const char* kScored =
    "CREATE STREAM scored AS SELECT id, card, amount, ts, count(*) OVER (PARTITION BY card ORDER "
    "BY ts) AS n, PREDICT(risk) AS score, REASONS(risk) AS reasons FROM s EXPLAIN WHEN score > "
    "0.5;\n"
    "CREATE STREAM d AS SELECT id, CASE WHEN score > 0.5 THEN 'stop' ELSE 'go' END AS decision "
    "FROM scored;\n";

constexpr int64_t kDay = 86'400'000'000;
constexpr int64_t kBegin = TestProgram::kNow - 10 * kDay;  // 2027-01-05T08:00:00Z

std::string Event(int i, const std::string& card, int amount, int64_t ts) {
  return R"({"id":"e)" + std::to_string(i) + R"(","card":")" + card + R"(","amount":)" +
         std::to_string(amount) + ",\"ts\":" + std::to_string(ts) + "}";
}

// Four payments of one card in a day, then the same of another on the next.
std::vector<std::string> Events() {
  std::vector<std::string> events;
  int i = 0;
  for (const char* card : {"a", "b"}) {
    const int64_t day = kBegin + (card[0] - 'a') * kDay;
    for (int amount : {5, 50, 50, 50}) {
      events.push_back(Event(i, card, amount, day + i));
      ++i;
    }
  }
  return events;
}

void Fill(TestProgram& program) {
  ASSERT_TRUE(os::ReplaceFile(program.disk(), "/one.txt", ModelText()).ok());
  ASSERT_TRUE(os::ReplaceFile(program.disk(), "/two.txt", ModelText("-2 -1 3")).ok());
  program.Run(std::string(kSource) + kModel + kScored);
  program.Feed("s", Events());
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> Lines(const std::string& rows) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < rows.size();) {
    const size_t end = rows.find('\n', at);
    lines.push_back(rows.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string Between(const std::string& text, const std::string& from, const std::string& to) {
  const size_t begin = text.find(from);
  if (begin == std::string::npos) return "";
  const size_t end = text.find(to, begin + from.size());
  return text.substr(begin + from.size(), end - begin - from.size());
}

TEST(Explain, MarkedRowsCarryWhatWhyTellsOfAllOthers) {
  TestProgram program;
  Fill(program);
  const std::vector<std::string> rows = Lines(program.Rows("scored"));
  ASSERT_EQ(rows.size(), 8U);
  EXPECT_TRUE(Has(rows[0], "\"reasons\":null,\"explanation\":null")) << rows[0];
  EXPECT_TRUE(Has(rows[1], "\"reasons\":\"Unusual amount\",\"explanation\":null")) << rows[1];
  EXPECT_TRUE(Has(rows[2], "\"reasons\":\"Unusual amount; Many payments\"")) << rows[2];
  EXPECT_TRUE(Has(rows[2], "\"explanation\":{\"model\":\"risk\",\"version\":1,")) << rows[2];
  std::string why = program.engine().Why("scored:0:2").value();
  why = why.substr(why.find("\"features\":"));  // behind the row, which carries them, too
  const std::string contributions = Between(why, "\"contributions\":", "}");
  EXPECT_FALSE(contributions.empty()) << why;
  EXPECT_EQ(contributions, Between(rows[2], "\"contributions\":", "}"));
  const std::string reasons = Between(why, "\"reasons\":[", "]");
  EXPECT_FALSE(reasons.empty());
  EXPECT_EQ(reasons, Between(rows[2], "\"reasons\":[", "]"));
  // The statement behind tells the same, and of what was not marked as well.
  EXPECT_EQ(contributions,
            Between(program.engine().Why("d:0:2").value(), "\"contributions\":", "}"));
  EXPECT_FALSE(Between(program.engine().Why("d:0:0").value(), "\"contributions\":", "}").empty());
}

TEST(Explain, StoredExplanationsAreTheSameAfterCrashesAndWithWorkers) {
  TestProgram undisturbed;
  Fill(undisturbed);
  for (const size_t workers : {1, 3}) {
    TestProgram program(4, workers);
    Fill(program);
    ASSERT_TRUE(program.Crash(workers).ok());
    EXPECT_EQ(program.Rows("scored", true), undisturbed.Rows("scored", true));
    EXPECT_EQ(program.Differences(), 0U);
  }
}

TEST(Explain, TheNearestOtherDecisionIsWhatTheModelWouldSay) {
  TestProgram program;
  Fill(program);
  const std::string stopped = program.engine().Why("d:0:2").value();
  EXPECT_TRUE(Has(stopped, "\"decision\":\"stop\",\"rules\"")) << stopped;
  // Two payments instead of three, or at most ten: the first is nearer to the inputs' splits.
  EXPECT_TRUE(Has(stopped, "\"instead\":[{\"decision\":\"go\",")) << stopped;
  EXPECT_TRUE(Has(stopped,
                  "\"feature\":\"amount\",\"from\":50,\"relation\":\"<=\",\"bound\":10,"
                  "\"value\":10") ||
              Has(stopped,
                  "\"feature\":\"n\",\"from\":3,\"relation\":\"<=\",\"bound\":2,\"value\":"
                  "2"))
      << stopped;
  const std::string passed = program.engine().Why("d:0:1").value();
  EXPECT_TRUE(
      Has(passed, "\"feature\":\"n\",\"from\":2,\"relation\":\">=\",\"bound\":3,\"value\":3"))
      << passed;
  // No single input stops a first small payment; two do.
  const std::string first = program.engine().Why("d:0:0").value();
  EXPECT_TRUE(Has(first,
                  "\"changes\":[{\"feature\":\"amount\",\"from\":5,\"relation\":\"=\","
                  "\"bound\":11,\"value\":11},{\"feature\":\"n\""))
      << first;
}

// What only EXPLAIN WHEN reads is read.
TEST(Explain, APlainColumnMarksRows) {
  TestProgram program;
  ASSERT_TRUE(os::ReplaceFile(program.disk(), "/one.txt", ModelText()).ok());
  program.Run(
      "CREATE STREAM s (card TEXT, amount BIGINT, asked BOOLEAN, ts TIMESTAMPTZ NOT NULL, "
      "WATERMARK FOR ts AS ts) WITH (timestamp_unit = 'us');\n"
      "CREATE MODEL risk WITH (path = '/one.txt');\n"
      "CREATE STREAM d AS SELECT card, PREDICT(risk, amount, 1) AS score FROM s EXPLAIN WHEN "
      "asked;");
  for (const std::string asked : {"true", "false"}) {
    program.Feed("s", {R"({"card":"a","amount":5,"asked":)" + asked +
                       ",\"ts\":" + std::to_string(kBegin) + "}"});
  }
  const std::vector<std::string> rows = Lines(program.Rows("d"));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_TRUE(Has(rows[0], "\"explanation\":{\"model\":\"risk\"")) << rows[0];
  EXPECT_TRUE(Has(rows[1], "\"explanation\":null")) << rows[1];
}

// What a function with a memory makes of another score cannot be told from one row.
TEST(Explain, NothingInsteadIsToldBehindAMemory) {
  for (const std::string memory : {"", ", adwin(score) OVER (PARTITION BY card) AS changed"}) {
    TestProgram program;
    ASSERT_TRUE(os::ReplaceFile(program.disk(), "/one.txt", ModelText()).ok());
    const std::string decision = memory.empty() ? "score > 0.5" : "score > 0.5 OR changed";
    program.Run(std::string(kSource) + kModel +
                "CREATE STREAM scored AS SELECT id, card, PREDICT(risk, amount, 3) AS score FROM "
                "s;\nCREATE STREAM d AS SELECT id" +
                memory + ", CASE WHEN " + decision +
                " THEN 'stop' ELSE 'go' END AS decision FROM scored;\n");
    program.Feed("s", {Event(0, "a", 5, kBegin)});
    const std::string why = program.engine().Why("d:0:0").value();
    EXPECT_EQ(Has(why, "\"instead\":["), memory.empty()) << why;
  }
}

TEST(Explain, ReasonsOfAVersionAreItsOwnOrThoseBefore) {
  TestProgram program;
  Fill(program);
  program.Run("ALTER MODEL risk ADD VERSION WITH (path = '/two.txt');");
  const auto& reasons = program.engine().deployment()->Find("risk")->models->reasons;
  ASSERT_EQ(reasons.size(), 2U);
  EXPECT_EQ(reasons[1], reasons[0]);
  ASSERT_TRUE(os::ReplaceFile(program.disk(), "/three.txt", ModelText("-1 -1 3")).ok());
  program.Run(
      "ALTER MODEL risk ADD VERSION WITH (path = '/three.txt') REASONS (amount 'High amount');");
  ASSERT_TRUE(program.Restart().ok());
  const auto& again = program.engine().deployment()->Find("risk")->models->reasons;
  EXPECT_EQ(again[1].at(1), "Many payments");
  EXPECT_EQ(again[2], (model::ReasonTexts{{0, "High amount"}}));
  const auto refusal = [&](const std::string& statement) {
    const Status done = program.engine().Execute(statement, "app.sql");
    return done.ok() ? "" : done.error().code();
  };
  EXPECT_EQ(refusal("CREATE MODEL m WITH (path = '/one.txt') REASONS (amont 'x');"), "HR1197");
  EXPECT_EQ(refusal("CREATE MODEL m WITH (path = '/one.txt') REASONS (n 'x', n 'y');"), "HR1197");
  program.Run("CREATE MODEL bare WITH (path = '/one.txt');");
  EXPECT_EQ(refusal("CREATE STREAM t AS SELECT REASONS(bare, amount, 1) AS r FROM s;"), "HR1196");
  EXPECT_EQ(refusal("CREATE STREAM t AS SELECT id FROM s EXPLAIN WHEN amount > 1;"), "HR1196");
  EXPECT_EQ(refusal("CREATE STREAM t AS SELECT PREDICT(bare, amount, 1) AS p FROM s EXPLAIN WHEN "
                    "amount;"),
            "HR1114");
}

TEST(Explain, ImportanceIsTheMeanOfContributionsByDayAndVersion) {
  TestProgram program;
  Fill(program);
  const std::string told = program.engine().Importance("risk", {}, nullptr).value();
  EXPECT_TRUE(Has(told, "\"day\":\"2027-01-05\",\"version\":1,\"rows\":4")) << told;
  EXPECT_TRUE(Has(told, "\"day\":\"2027-01-06\",\"version\":1,\"rows\":4")) << told;
  EXPECT_EQ(Between(told, "\"importance\":", "}"),
            Between(told.substr(told.find("2027-01-06")), "\"importance\":", "}"))
      << "the days are alike";
  WhatIfRequest second;
  second.from = Moment::Parse("2027-01-06T00:00:00Z").value();
  EXPECT_FALSE(Has(program.engine().Importance("risk", second, nullptr).value(), "2027-01-05"));
  EXPECT_EQ(program.engine().Importance("d", {}, nullptr).error().code(), "HR1107");
}

TEST(Explain, AModelReportComparesScoresAndGoesOnWhereItWas) {
  TestProgram program(6);
  Fill(program);
  program.Run("ALTER MODEL risk ADD VERSION WITH (path = '/two.txt');");
  program.Run("ALTER MODEL risk SHADOW VERSION 2;");
  const auto feed = [&](int from, int count) {
    std::vector<std::string> events;
    for (int i = from; i < from + count; ++i)
      events.push_back(Event(i, "c", i % 3 == 0 ? 80 : 20, kBegin + 2 * kDay + i));
    program.Feed("s", events, [](size_t) { return 5; });
  };
  feed(100, 30);
  const std::string first = program.engine().ModelReport("risk", {}).value();
  EXPECT_TRUE(Has(first, "\"role\":\"shadow\"")) << first;
  EXPECT_TRUE(Has(first, "\"compared\":30")) << first;
  EXPECT_TRUE(Has(first, "\"scores\":{\"rows\":30,\"psi\":")) << first;
  feed(130, 20);
  const std::string second = program.engine().ModelReport("risk", {}).value();
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_EQ(program.engine().ModelReport("risk", {}).value(), second)
      << "in two parts it is what it is at once";
  EXPECT_EQ(program.engine().ModelReport("risk", {}).value(), second);
  EXPECT_TRUE(Has(second, "\"scores\":{\"rows\":50")) << second;
}

TEST(Explain, ScoresThatAreReadFromTheLogAreThoseThatAreMadeAgain) {
  // Where the decision is a statement of its own, its rows do not have the score.
  constexpr const char* kTogether =
      "CREATE STREAM d AS SELECT id, amount, count(*) OVER (PARTITION BY card ORDER BY ts) AS n, "
      "PREDICT(risk) AS score, CASE WHEN score > 0.5 THEN 'stop' ELSE 'go' END AS decision FROM "
      "s;\n";
  std::vector<std::string> told;
  for (const char* script : {kScored, kTogether}) {
    TestProgram program;
    ASSERT_TRUE(os::ReplaceFile(program.disk(), "/one.txt", ModelText()).ok());
    ASSERT_TRUE(os::ReplaceFile(program.disk(), "/two.txt", ModelText("-2 -1 3")).ok());
    program.Run(std::string(kSource) + kModel + script +
                "CREATE STREAM labels (id TEXT, bad BIGINT, ts TIMESTAMPTZ, WATERMARK FOR ts AS "
                "ts) WITH (timestamp_unit = 'us');\n"
                "ALTER MODEL risk ADD VERSION WITH (path = '/two.txt');\n"
                "ALTER MODEL risk SHADOW VERSION 2;\n");
    std::vector<std::string> events;
    std::vector<std::string> labels;
    for (int i = 0; i < 150; ++i) {
      events.push_back(Event(i, "c" + std::to_string(i % 40), i * 37 % 100, kBegin + i));
      labels.push_back(R"({"id":"e)" + std::to_string(i) + R"(","bad":)" +
                       std::to_string(i * 37 % 100 > 70 ? 1 : 0) +
                       ",\"ts\":" + std::to_string(kBegin + kDay) + "}");
    }
    program.Feed("s", events);
    program.Feed("labels", labels);
    const std::string report =
        program.engine()
            .ModelReport("risk", LabelRequest{"labels", "id", "id", "bad", "", {}})
            .value();
    EXPECT_TRUE(Has(report, "\"scores\":{\"rows\":150,")) << report;
    EXPECT_TRUE(Has(report, "\"metrics\":{\"labelled\":150,")) << report;
    EXPECT_TRUE(Has(report, "\"latency\":{\"rows\":3,\"before\":{\"mean\":")) << report;
    told.push_back(Between(report, "\"scores\":", "\"sample\":"));
  }
  EXPECT_EQ(told[0], told[1]);
}

TEST(Explain, LabelsMeasureBothVersionsAndConfusionCountsBothSides) {
  TestProgram program;
  Fill(program);
  program.Run(
      "CREATE STREAM labels (id TEXT, bad BIGINT, ts TIMESTAMPTZ, WATERMARK FOR ts AS ts) WITH "
      "(timestamp_unit = 'us');\n"
      "ALTER MODEL risk ADD VERSION WITH (path = '/two.txt');\n"
      "ALTER MODEL risk SHADOW VERSION 2;\n");
  program.Feed("s",
               {Event(20, "z", 80, kBegin + 3 * kDay), Event(21, "z", 20, kBegin + 3 * kDay + 1)});
  std::vector<std::string> labels;
  for (const auto& [id, bad] : {std::pair{20, 1}, std::pair{21, 0}, std::pair{2, 1}}) {
    labels.push_back(R"({"id":"e)" + std::to_string(id) + R"(","bad":)" + std::to_string(bad) +
                     ",\"ts\":" + std::to_string(kBegin + 4 * kDay) + "}");
  }
  program.Feed("labels", labels);
  const LabelRequest request{"labels", "id", "id", "bad", {}, {}};
  const std::string report = program.engine().ModelReport("risk", request).value();
  EXPECT_TRUE(Has(report, "\"metrics\":{\"labelled\":2,\"before\":{\"roc_auc\":0,")) << report;
  EXPECT_TRUE(Has(report, "\"after\":{\"roc_auc\":1,")) << report;
  WhatIfRequest replay;
  replay.stream = "d";
  replay.compare = true;
  replay.why = true;
  replay.labels = request;
  replay.fork.models = {{"risk", "2"}};
  const WhatIfReport changed =
      program.engine().WhatIf(replay, [](std::string_view) { return Ok(); }, nullptr).value();
  std::string cells;
  for (const Confusion& cell : changed.confusion) {
    cells += cell.decision + cell.label + ":" + std::to_string(cell.before) + "," +
             std::to_string(cell.after) + " ";
  }
  EXPECT_EQ(cells, "\"go\"0:1,1 \"go\"1:1,1 \"stop\"1:1,1 ");
  ASSERT_FALSE(changed.sample.empty());
  EXPECT_TRUE(Has(changed.sample.front().why_before, "\"number\":1,\"format\""));
  EXPECT_TRUE(Has(changed.sample.front().why_after, "\"number\":")) << changed.sample[0].why_after;
}

TEST(Explain, AReplayBeginsWithASnapshotWhereNoStateIsOtherwise) {
  TestProgram program(1000);
  Fill(program);
  std::vector<std::string> events;
  for (int i = 0; i < 200; ++i)
    events.push_back(Event(100 + i, "c", i % 90, kBegin + 2 * kDay + i * 1000));
  const std::vector<std::string> last(events.end() - 60, events.end());
  events.resize(events.size() - last.size());
  program.Feed("s", events, [](size_t) { return 5; });
  ASSERT_TRUE(program.Restart().ok());  // which leaves a snapshot
  program.Feed("s", last, [](size_t) { return 5; });
  program.Run("ALTER MODEL risk ADD VERSION WITH (path = '/two.txt');");
  const auto run = [&](WhatIfRequest request, const std::string& from) {
    request.stream = "d";
    request.compare = true;
    if (!from.empty()) request.from = Moment::Parse(from).value();
    std::string rows;
    WhatIfReport report = program.engine()
                              .WhatIf(
                                  request,
                                  [&](std::string_view bytes) {
                                    rows += bytes;
                                    return Ok();
                                  },
                                  nullptr)
                              .value();
    return std::pair{std::move(report), std::move(rows)};
  };
  WhatIfRequest swap;
  swap.fork.models = {{"risk", "2"}};
  WhatIfRequest threshold;
  threshold.fork.file = "app.sql";
  threshold.fork.script =
      "CREATE STREAM d AS SELECT id, CASE WHEN score > 0.9 THEN 'stop' ELSE 'go' END AS decision "
      "FROM scored;";
  const uint64_t late = program.engine().log().durable_lsn() - 10;
  for (const WhatIfRequest& request : {swap, threshold}) {
    const auto [whole, all_rows] = run(request, "");
    EXPECT_EQ(whole.from_lsn, 1U);
    const auto [tail, tail_rows] = run(request, std::to_string(late));
    EXPECT_GT(tail.from_lsn, 1U) << "it began with a snapshot";
    EXPECT_LT(tail.events, whole.events);
    ASSERT_LT(tail_rows.size(), all_rows.size());
    EXPECT_EQ(tail_rows, all_rows.substr(all_rows.size() - tail_rows.size()));
    EXPECT_EQ(tail.only_before + tail.only_after, 0U);
    // By time as well: the newest events alone.
    const auto [timed, timed_rows] = run(request, "2027-01-07T08:00:00.19Z");
    EXPECT_GT(timed.from_lsn, 1U);
    EXPECT_EQ(timed_rows, all_rows.substr(all_rows.size() - timed_rows.size()));
    EXPECT_GT(timed_rows.size(), 0U);
  }
  // What counts scores has another state.
  program.Run(
      "CREATE STREAM e AS SELECT id, sum(score) OVER (PARTITION BY card ORDER BY ts) AS total FROM "
      "scored;");
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_EQ(run(swap, std::to_string(late)).first.from_lsn, 1U);
}

TEST(Explain, QueriesSeeWhatWasThereAtAMoment) {
  TestProgram program;
  Fill(program);
  const uint64_t lsn = program.engine().log().durable_lsn();
  program.Feed("s", {Event(50, "z", 80, kBegin + 3 * kDay)});
  const auto count = [&](const std::string& as_of) {
    return program.engine()
        .Query("SELECT count(*) AS n FROM d " + as_of)
        .value()
        .rows.front()
        .front()
        .integer;
  };
  EXPECT_EQ(count(""), 9);
  EXPECT_EQ(count("AS OF LSN " + std::to_string(lsn)), 8);
  EXPECT_EQ(count("AS OF LSN 0"), 0);
  EXPECT_EQ(count("FOR SYSTEM_TIME AS OF TIMESTAMPTZ '2020-01-01 00:00:00Z'"), 0);
  EXPECT_EQ(count("AS OF TIMESTAMPTZ '2099-01-01 00:00:00Z'"), 9);
  EXPECT_EQ(count("AS of"), 9) << "an alias";
  EXPECT_EQ(program.engine().Query("SELECT id FROM d AS OF LSN 999999").error().code(), "HR4195");
}

}  // namespace
}  // namespace headrace::engine
