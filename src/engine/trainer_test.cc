// CREATE MODEL ... TRAIN: what is trained, when, and what is told of it are the same in every life
// of the program.

#include <gtest/gtest.h>

#include "base/hash.h"
#include "engine/test_program.h"
#include "row/text.h"

namespace headrace::engine {
namespace {

constexpr int64_t kMinute = 60'000'000;
constexpr int64_t kPerMinute = 20;  // events
constexpr int64_t kFirst = TestProgram::kNow - 10'000 * kMinute;

std::string ModelText() {
  return "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
         "max_feature_idx=1\nobjective=binary sigmoid:1\nfeature_names=amount n\n"
         "feature_infos=[0:100] [0:20]\n\nTree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=0 1\n"
         "threshold=50 2\ndecision_type=2 2\nleft_child=-1 -2\nright_child=1 -3\n"
         "leaf_value=-2 0.5 2\nleaf_count=5 5 5\ninternal_count=15 10\nis_linear=0\n"
         "shrinkage=1\n\n\nend of trees\n";
}

constexpr const char* kStreams =
    "CREATE STREAM payments (id TEXT, card TEXT, amount DOUBLE PRECISION, bad BOOLEAN, ts "
    "TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '5 seconds') PARTITION BY (card) "
    "WITH (timestamp_unit = 'us', partitions = 2);\n"
    "CREATE MODEL risk WITH (path = '/one.txt', watch_window = '30 minutes', watch_rows = 100, "
    "watch_baseline_rows = 600);\n"
    "CREATE STREAM scored AS SELECT id, card, ts, amount, bad, count(*) OVER (PARTITION BY card "
    "ORDER BY ts RANGE BETWEEN INTERVAL '10 minutes' PRECEDING AND CURRENT ROW) AS n, "
    "PREDICT(risk) AS score FROM payments;\n";

std::string Trainer(const std::string& when = "EVERY INTERVAL '40 minutes' OR drift(risk) > 0.25",
                    const std::string& options = "trees = 4, leaves = 4, min_rows = 500") {
  return "CREATE MODEL risk2 TRAIN gradient_boosting (amount, n) LABEL bad ON scored WITH (" +
         options + ") WHEN " + when + " INTO SHADOW OF risk;\n";
}

constexpr const char* kTold =
    "CREATE STREAM told AS SELECT ts, run, version FROM __training_risk2 WHERE step = 'shadowed';\n"
    "CREATE STREAM decided AS SELECT id, ts, CASE WHEN score > 0.3 THEN 'stop' ELSE 'go' END AS "
    "decision FROM scored;";

// Event i; from 1,500 on amounts are larger, from `unlabelled` on no label is known.
std::string Event(int64_t i, int64_t unlabelled = INT64_MAX) {
  const uint64_t chance = base::MixHash(static_cast<uint64_t>(i));
  const auto amount = static_cast<int64_t>(chance % 100) + (i >= 1'500 ? 60 : 0);
  const bool bad = amount + static_cast<int64_t>(chance / 100 % 40) > 90;
  return R"({"id":"e)" + std::to_string(i) + R"(","card":"c)" + std::to_string(chance % 40) +
         R"(","amount":)" + std::to_string(amount) +
         (i >= unlabelled ? ""
          : bad           ? R"(,"bad":true)"
                          : R"(,"bad":false)") +
         ",\"ts\":" + std::to_string(kFirst + i * kMinute / kPerMinute) + "}";
}

std::vector<std::string> Events(int64_t from, int64_t to, int64_t unlabelled = INT64_MAX) {
  std::vector<std::string> events;
  for (int64_t i = from; i < to; ++i)
    events.push_back(Event(i, unlabelled));
  return events;
}

void Begin(TestProgram& program, const std::string& trainer = Trainer()) {
  ASSERT_TRUE(os::ReplaceFile(program.disk(), "/one.txt", ModelText()).ok());
  program.Run(kStreams + trainer + kTold);
}

std::string Table(const TestProgram& program, const std::string& sql) {
  const QueryResult result = const_cast<TestProgram&>(program).engine().Query(sql).value();
  std::string text;
  for (const std::vector<row::Value>& row : result.rows) {
    for (size_t c = 0; c < row.size(); ++c) {
      if (c > 0) text += " ";
      if (row[c].null) {
        text += "-";
      } else {
        row::AppendText(row[c], result.columns.columns[c].type, text);
      }
    }
    text += "\n";
  }
  return text;
}

// But for LSNs, which tell of other entries of the journal, too.
std::string Steps(const TestProgram& program) {
  return Table(
      program,
      "SELECT ts, run, step, model, why, rows, held_out, metric, value, deciding, version, "
      "sha256 FROM __training_risk2");
}
std::string Names(const TestProgram& program) {
  return Table(program,
               "SELECT run, step, why, version FROM __training_risk2 WHERE step <> 'measured'");
}

constexpr int64_t kEvents = 3'000;

std::string Everything(const TestProgram& program) {
  return Steps(program) + Table(program, "SELECT ts, run, version FROM told") +
         Table(program, "SELECT id, ts, n, score FROM scored");
}

std::string Roles(const TestProgram& program) {
  std::string roles;
  const ServedModel model = *const_cast<TestProgram&>(program).engine().FindModel("risk");
  for (const ServedVersion& version : model.versions)
    roles += std::to_string(version.number) + " " + version.role + "\n";
  return roles;
}

// A training is done whenever something was fed, or only at the end.
std::string Undisturbed(size_t chunk, bool at_once, size_t batch) {
  TestProgram program;
  Begin(program);
  for (int64_t i = 0; i < kEvents; i += static_cast<int64_t>(chunk)) {
    const int64_t end = std::min(kEvents, i + static_cast<int64_t>(chunk));
    program.Feed("payments", Events(i, end), [batch](size_t) { return batch; });
    if (at_once) program.engine().FinishTraining().value();
  }
  EXPECT_TRUE(program.engine().FinishTraining().ok());
  EXPECT_EQ(0U, program.Differences());
  return Everything(program);
}

TEST(Trainer, TrainsOnTriggersAndTheVersionsBecomeShadows) {
  TestProgram program;
  Begin(program);
  program.Feed("payments", Events(0, kEvents));
  ASSERT_TRUE(program.engine().FinishTraining().ok());
  EXPECT_EQ(
      "1 triggered every -\n"
      "1 skipped too few labels: 3 rows have one, 500 are wanted -\n"
      "2 triggered every -\n"
      "2 trained 4 trees -\n"
      "2 shadowed - 2\n"
      "3 triggered every -\n"
      "3 trained 4 trees -\n"
      "3 shadowed version 2 is retired 3\n"
      "4 triggered drift: a PSI of 2.035 of `amount` -\n"
      "4 trained 4 trees -\n"
      "4 shadowed version 3 is retired 4\n"
      "5 triggered every -\n"
      "5 trained 4 trees -\n"
      "5 shadowed version 4 is retired 5\n",
      Names(program));
  EXPECT_EQ("1 decides\n2 retired\n3 retired\n4 retired\n5 shadow\n", Roles(program));
  EXPECT_EQ("2 2\n3 3\n4 4\n5 5\n", Table(program, "SELECT run, version FROM told"));
  EXPECT_EQ("643 160\n1283 320\n1604 401\n1923 480\n",
            Table(program, "SELECT rows, held_out FROM __training_risk2 WHERE step = 'trained'"));
  // It learned from what it was given: on the newest rows it tells better than the hand-made one.
  EXPECT_EQ(
      "2\n3\n4\n5\n",
      Table(program,
            "SELECT run FROM __training_risk2 WHERE metric = 'roc_auc' AND value > deciding"));
  EXPECT_NE(std::string::npos, Table(program, "SHOW MODELS").find("\nrisk2  trains risk "));
  EXPECT_EQ("amount double precision\nn double precision\nbad double precision\n",
            Table(program, "DESCRIBE risk2"));
  EXPECT_EQ(0U, program.Differences());
}

TEST(Trainer, IsAFunctionOfTheLog) {
  const std::string expected = Undisturbed(kEvents, false, 100);
  EXPECT_EQ(expected, Undisturbed(100, true, 100));
  EXPECT_EQ(expected, Undisturbed(777, true, 7));
  EXPECT_EQ(expected, Undisturbed(kEvents, false, 256));
}

TEST(Trainer, GoesOnBehindARestart) {
  const std::string expected = Undisturbed(kEvents, false, 100);
  for (const bool clean : {true, false}) {
    TestProgram program(200);
    Begin(program);
    for (int64_t i = 0; i < kEvents; i += 500) {
      program.Feed("payments", Events(i, i + 500));
      // What is under way, or not begun, is begun again.
      ASSERT_TRUE((clean ? program.Restart() : program.Crash(static_cast<uint64_t>(i))).ok());
      if (i % 1'000 == 0) program.engine().FinishTraining().value();
    }
    ASSERT_TRUE(program.engine().FinishTraining().ok());
    EXPECT_EQ(expected, Everything(program));
    const std::string roles = Roles(program);
    ASSERT_TRUE(program.Restart().ok());
    ASSERT_TRUE(program.engine().FinishTraining().ok());
    EXPECT_EQ(expected, Everything(program));
    EXPECT_EQ(roles, Roles(program));
    EXPECT_EQ(0U, program.Differences());
  }
}

constexpr int64_t kFew = 900;  // events of the run that is crashed

// Feeds what the log does not have yet, and trains. Not ok: the disk failed.
Status FeedRest(TestProgram& program) {
  HR_TRY(program.engine().FinishTraining());
  while (true) {
    const auto at = static_cast<int64_t>(program.engine().PositionOf("payments", "file").events);
    if (at >= kFew) return program.engine().FinishTraining();
    const int64_t end = std::min(kFew, at + 300);
    HR_TRY(program.FeedAsFrom("file", "payments", Events(at, end), static_cast<uint64_t>(end)));
    HR_TRY(program.engine().FinishTraining());
  }
}

std::string Few() {
  return Trainer("EVERY INTERVAL '10 minutes'", "trees = 2, leaves = 3, min_rows = 300");
}

// Two kinds of life: one whose shadows stay, and one in which they come to decide.
std::string Promoting() {
  return Trainer("EVERY INTERVAL '10 minutes'",
                 "trees = 2, leaves = 3, min_rows = 300, promote = 'gate', promote_after = '5 "
                 "minutes', promote_rows = 50, promote_flips = 100");
}

void ExpectNothingOfCrashes(const std::string& trainer, const std::string& roles) {
  TestProgram undisturbed;
  Begin(undisturbed, trainer);
  ASSERT_TRUE(FeedRest(undisturbed).ok());
  const std::string expected = Everything(undisturbed);
  EXPECT_EQ(roles, Roles(undisturbed));
  bool finished = false;
  uint64_t at = 1;
  for (; !finished; ++at) {
    TestProgram program;
    Begin(program, trainer);
    program.files().CrashAtOperation(at);
    finished = FeedRest(program).ok() && !program.files().crashed();
    ASSERT_TRUE(program.Crash(at).ok()) << at;
    ASSERT_TRUE(FeedRest(program).ok()) << at;
    ASSERT_EQ(expected, Everything(program)) << at;
    ASSERT_EQ(roles, Roles(program)) << at;
    ASSERT_EQ(0U, program.Differences()) << at;
  }
  EXPECT_GT(at, 30U);
}

TEST(Trainer, ACrashAtAnyOperationOfTheDiskShowsNowhere) {
  ExpectNothingOfCrashes(Few(), "1 decides\n2 retired\n3 retired\n4 shadow\n");
}

TEST(Trainer, ACrashAtAnyOperationShowsNowhereWhenShadowsComeToDecide) {
  ExpectNothingOfCrashes(Promoting(), "1 \n2 \n3 decides\n4 shadow\n");
}

TEST(Trainer, AShadowDecidesOnlyWhenTheGateIsOpen) {
  const auto told = [](const std::string& options) {
    TestProgram program;
    Begin(program, Trainer("EVERY INTERVAL '40 minutes'",
                           "trees = 4, leaves = 4, min_rows = 500, promote = 'gate', "
                           "promote_after = '15 minutes'" +
                               options));
    for (int64_t i = 0; i < 1'500; i += 100) {
      program.Feed("payments", Events(i, i + 100));
      program.engine().FinishTraining().value();
    }
    EXPECT_EQ(0U, program.Differences());
    return Table(program,
                 "SELECT step, why, version FROM __training_risk2 WHERE step IN ('promoted', "
                 "'refused')") +
           Roles(program);
  };
  EXPECT_EQ("promoted 43 of 296 decisions would have been others 2\n1 \n2 decides\n",
            told(", promote_flips = 100"));
  EXPECT_EQ(
      "refused 14.53 % of the decisions would have been others, at most 5 % may 2\n"
      "1 decides\n2 shadow\n",
      told(""));
  EXPECT_EQ(
      "refused 296 rows compared as a shadow or canary, at least 5000 are wanted 2\n"
      "1 decides\n2 shadow\n",
      told(", promote_rows = 5000"));
}

TEST(Trainer, BytesThatAreAVersionAddNone) {
  TestProgram program;
  Begin(program, Few());
  // Nothing is learned from rows without a label: the training sets are the same.
  program.Feed("payments", Events(0, 900, 500));
  ASSERT_TRUE(program.engine().FinishTraining().ok());
  EXPECT_EQ("5 unchanged it is version 3 to the byte 3\n",
            Table(program,
                  "SELECT run, step, why, version FROM __training_risk2 WHERE step = 'unchanged'"));
  EXPECT_EQ("1 decides\n2 retired\n3 shadow\n", Roles(program));
}

std::string Refusal(TestProgram& program, const std::string& script) {
  const Status done = program.engine().Execute(script, "more.sql");
  return done.ok() ? "" : done.error().code();
}

TEST(Trainer, WhatDoesNotFitIsRefusedWhenItIsCreated) {
  TestProgram program;
  Begin(program);
  program.Run(
      "CREATE STREAM timeless (amount DOUBLE PRECISION, n BIGINT, bad BOOLEAN);"
      "CREATE MODEL unwatched WITH (path = '/one.txt', watch = off);");
  const auto create = [&](const std::string& middle, const std::string& end) {
    return Refusal(program, "CREATE MODEL x TRAIN " + middle + " " + end);
  };
  const std::string daily = "WHEN EVERY INTERVAL '1 day' INTO SHADOW OF risk;";
  const std::string good = "gradient_boosting (amount, n) LABEL bad ON scored";
  EXPECT_EQ("HR1255", create("magic (amount, n) LABEL bad ON scored", daily));
  EXPECT_EQ("HR1256", create("gradient_boosting (n, amount) LABEL bad ON scored", daily));
  EXPECT_EQ("HR1257", create("gradient_boosting (amount, n) LABEL worse ON scored", daily));
  EXPECT_EQ("HR1257", create("gradient_boosting (amount, n) LABEL id ON scored", daily));
  EXPECT_EQ("HR1257", create("gradient_boosting (amount, n) LABEL n ON scored", daily));
  EXPECT_EQ("HR1258", create("gradient_boosting (amount, n) LABEL bad ON timeless", daily));
  EXPECT_EQ("HR1259", create(good + " WITH (trees = 0)", daily));
  EXPECT_EQ("HR1259", create(good + " WITH (holdout = 'all')", daily));
  EXPECT_EQ("HR1259", create(good + " WITH (objective = 'multiclass')", daily));
  EXPECT_EQ("HR1259", create(good + " WITH (promote = 'always')", daily));
  EXPECT_EQ("HR1259", create(good + " WITH (promote_rows = 10)", daily));
  EXPECT_EQ("HR1261", create(good, "WHEN EVERY INTERVAL '1 month' INTO SHADOW OF risk;"));
  EXPECT_EQ("HR1262", create(good, "WHEN drift(unwatched) > 1 INTO SHADOW OF risk;"));
  EXPECT_EQ("HR1262", create(good, "WHEN drift(unwatched) > 1 INTO SHADOW OF unwatched;"));
  EXPECT_EQ("HR1107", create(good, "WHEN EVERY INTERVAL '1 day' INTO SHADOW OF rsik;"));
  EXPECT_EQ("HR1105", create("gradient_boosting (amount, n) LABEL bad ON nowhere", daily));
  EXPECT_EQ("HR1260", Refusal(program, "CREATE STREAM __training_x AS SELECT id FROM scored;"));
  EXPECT_EQ("HR1264",
            Refusal(program, "CREATE OR REPLACE MODEL risk2 TRAIN " + good + " " + daily));
  EXPECT_EQ("", Refusal(program, Trainer()));  // what is there already
  EXPECT_EQ(
      "HR1107",
      Refusal(program, "CREATE STREAM y AS SELECT PREDICT(risk2, amount, n) AS s FROM scored;"));
  EXPECT_EQ("HR1107", Refusal(program, "ALTER MODEL risk2 ACTIVATE VERSION 1;"));
  IngestRequest request;
  request.topic = "__training_risk2";
  request.payloads = {"{}"};
  std::string code;
  request.done = [&](const IngestReply& reply) { code = reply.error ? reply.error->code() : ""; };
  program.engine().Submit(std::move(request));
  EXPECT_EQ("HR1263", code);
}

TEST(Trainer, ATrainerHoldsWhatItReadsAndCanBeDropped) {
  TestProgram program;
  Begin(program, Few());
  program.Feed("payments", Events(0, 600));
  ASSERT_TRUE(program.engine().FinishTraining().ok());
  EXPECT_EQ("HR1208", Refusal(program, "DROP MODEL risk;"));
  EXPECT_EQ("HR1208", Refusal(program, "DROP STREAM scored;"));
  EXPECT_EQ("HR1208", Refusal(program, "DROP STREAM __training_risk2;"));
  const std::string roles = Roles(program);
  EXPECT_EQ("", Refusal(program, "DROP MODEL risk2;"));
  const std::string steps = Steps(program);
  program.Feed("payments", Events(600, 900));
  ASSERT_TRUE(program.engine().FinishTraining().ok());
  EXPECT_EQ(steps, Steps(program));
  EXPECT_EQ(roles, Roles(program));
  // Another of the name tells in the same stream.
  EXPECT_EQ("", Refusal(program, Few()));
  program.Feed("payments", Events(900, 1'200));
  ASSERT_TRUE(program.engine().FinishTraining().ok());
  EXPECT_EQ("1\n", Table(program, "SELECT run FROM __training_risk2 WHERE version = 3"));
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_EQ(0U, program.Differences());
  EXPECT_EQ("", Refusal(program, "DROP STREAM scored CASCADE;"));
  EXPECT_EQ(std::string::npos, Table(program, "SHOW MODELS").find("risk2"));
}

}  // namespace
}  // namespace headrace::engine
