// Policies in statements: whatever happens to the program, they choose as if nothing had.

#include <map>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "engine/test_program.h"
#include "engine/test_restarts.h"

namespace headrace::engine {
namespace {

constexpr const char* kSources =
    "CREATE STREAM visits (id BIGINT NOT NULL, a DOUBLE PRECISION, b DECIMAL(8,2), "
    "ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) WITH (timestamp_unit = 'us');\n"
    "CREATE STREAM clicks (choice TEXT, other TEXT, worth DOUBLE PRECISION, "
    "ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) WITH (timestamp_unit = 'us');\n";

constexpr const char* kPolicies =
    "CREATE POLICY line ARMS ('x', 'y', 'z') CONTEXT (a DOUBLE PRECISION, b DOUBLE PRECISION) "
    "WITH (type = 'linear_thompson', reward_within = '0.0008 seconds', expired_reward = 0, "
    "discount = 0.99);\n"
    "CREATE POLICY coin ARMS ('heads', 'tails') WITH (type = 'exp3', explore_budget = 0.3, "
    "guardrail_min = 0.2, guardrail_window = 100);\n";

constexpr const char* kShown =
    "STREAM shown AS SELECT id, a, CHOOSE(line, a, b) AS arm, CHOOSE(coin) AS side, ts "
    "FROM visits WHERE id % 17 <> 3;\n";
constexpr const char* kTold =
    "STREAM told AS SELECT choice, REWARD(line, choice, worth) AS line, "
    "REWARD(coin, other, worth, worth + 0.1) AS coin FROM clicks;\n";

std::string Script() {
  return std::string(kSources) + kPolicies + "CREATE " + kShown + "CREATE " + kTold;
}

std::string Visit(int64_t i) {
  const uint64_t chance = base::MixHash(static_cast<uint64_t>(i));
  const std::string a = chance % 23 == 0 ? "null" : std::to_string(chance % 10) + ".5";
  return R"({"id":)" + std::to_string(i) + R"(,"a":)" + a + R"(,"b":)" +
         std::to_string(chance / 10 % 7) + ".25,\"ts\":" + std::to_string(TestProgram::kNow + i) +
         "}";
}

// Click i is about a choice some hundreds before, or about nothing that there is.
std::string Click(int64_t i) {
  const uint64_t chance = base::MixHash(static_cast<uint64_t>(i) + 1'000'000);
  const auto about = [&](uint64_t c) {
    const int64_t offset = i - static_cast<int64_t>(c % 900);
    return "shown:0:" + std::to_string(offset);
  };
  const std::string worth = chance % 29 == 0 ? "null" : chance % 3 == 0 ? "1" : "0.25";
  return R"({"choice":")" + about(chance) + R"(","other":")" + about(chance / 7) + R"(","worth":)" +
         worth + ",\"ts\":" + std::to_string(TestProgram::kNow + i) + "}";
}

void FeedAll(TestProgram& program, const std::string& topic, std::string (*make)(int64_t),
             int64_t from, int64_t to, size_t batch) {
  std::vector<std::string> events;
  for (int64_t i = from; i < to; ++i)
    events.push_back(make(i));
  program.Feed(topic, events, [batch](size_t) { return batch; });
}

// Always a hundred visits, then the clicks of that time.
void Feed(TestProgram& program, int64_t from, int64_t to, size_t batch = 100) {
  for (int64_t at = from; at < to; at += 100) {
    FeedAll(program, "visits", Visit, at, at + 100, batch);
    FeedAll(program, "clicks", Click, at, at + 100, batch);
  }
}

std::string Rows(TestProgram& program) {
  return program.Rows("shown") + program.Rows("told");
}

std::string Undisturbed(const std::string& script, int64_t events) {
  TestProgram program;
  program.Run(script);
  Feed(program, 0, events);
  return Rows(program);
}

size_t Count(const std::string& text, const std::string& wanted) {
  size_t count = 0;
  for (size_t at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1))
    ++count;
  return count;
}

TEST(Policies, TellWhatBecameOfEachRewardAndWithWhichChanceEachArmWasDrawn) {
  TestProgram program;
  program.Run(Script());
  Feed(program, 0, 2000);
  const std::string told = program.Rows("told");
  for (const char* const outcome : {"taken", "second", "expired", "unknown", "refused"})
    EXPECT_GT(Count(told, std::string(R"("line":")") + outcome + '"'), 10U) << outcome;
  EXPECT_EQ(2000U, Count(told, "\n"));  // nothing is lost
  const std::string shown = program.Rows("shown");
  EXPECT_EQ(Count(shown, "\n"), Count(shown, "\"arm_propensity\":"));
  for (const char* const arm : {"\"x\"", "\"y\"", "\"z\"", "\"heads\"", "\"tails\""})
    EXPECT_GT(Count(shown, arm), 20U) << arm;
}

TEST(Policies, ShowNeitherBatchesNorWorkers) {
  const std::string wanted = Undisturbed(Script(), 1500);
  ExpectAlways(wanted, Script(), 1500, {1U, 7U, 64U}, Feed,
               [](TestProgram& program) { return Rows(program); });
}

TEST(Policies, GoOnBehindRestartsAndCrashes) {
  TestProgram program(7);
  program.Run(Script());
  FeedThroughRestarts(program, Feed, 2);
  EXPECT_TRUE(Rows(program) == Undisturbed(Script(), 2000));
  EXPECT_EQ(program.Differences(), 0U);
}

// Visits and clicks in one stream: each row is chosen for, or rewards, before the next is looked
// at.
TEST(Policies, ChooseAndLearnFromOneStreamRowByRow) {
  const std::string script =
      "CREATE STREAM s (id BIGINT NOT NULL, choice TEXT, worth DOUBLE PRECISION, "
      "ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) WITH (timestamp_unit = 'us');\n"
      "CREATE POLICY p ARMS ('x', 'y', 'z') WITH (type = 'thompson', seed = 5);\n"
      "CREATE STREAM asked AS SELECT id, ts FROM s WHERE choice IS NULL;\n"
      "CREATE STREAM shown AS SELECT id, CHOOSE(p) AS arm FROM asked;\n"
      "CREATE STREAM told AS SELECT id, REWARD(p, choice, worth) AS outcome FROM s "
      "WHERE choice IS NOT NULL;\n"
      "CREATE STREAM sorted AS SELECT id, CHOOSE(p) AS arm FROM s WHERE id % 9 = 0 "
      "EMIT ON WATERMARK;\n"
      "CREATE STREAM counted AS SELECT window_start, count(*) AS n, max(id) AS last "
      "FROM TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '0.00001 seconds') GROUP BY window_start;\n";
  const auto event = [](int64_t i) {
    const std::string choice =
        i % 2 == 0 ? "null" : "\"shown:0:" + std::to_string(i / 2 - i / 2 % 3) + "\"";
    return R"({"id":)" + std::to_string(i) + R"(,"choice":)" + choice + R"(,"worth":)" +
           (i % 5 == 0 ? "1" : "0") + ",\"ts\":" + std::to_string(TestProgram::kNow + i) + "}";
  };
  std::vector<std::string> events;
  for (int64_t i = 0; i < 800; ++i)
    events.push_back(event(i));
  std::string wanted;
  for (size_t batch : {1U, 2U, 50U, 800U}) {
    TestProgram program(UINT64_MAX, batch == 50 ? 3 : 1);
    program.Run(script);
    program.Feed("s", events, [batch](size_t) { return batch; });
    const auto all = [&] {
      return Rows(program) + program.Rows("sorted") + program.Rows("counted");
    };
    const std::string rows = all();
    if (wanted.empty()) wanted = rows;
    EXPECT_TRUE(rows == wanted) << batch;
    EXPECT_EQ(program.Differences(), 0U);
    ASSERT_TRUE(program.Crash(batch).ok());
    EXPECT_TRUE(all() == wanted) << batch;
  }
  EXPECT_GT(Count(wanted, "\"last\":"), 70U);
  EXPECT_EQ(134U, Count(wanted, "\"taken\""));
}

// What is chosen for is what comes; what was chosen stays chosen when something new reads it.
TEST(Policies, StartFromNowAndAreReadByWhatIsNew) {
  TestProgram program(20);
  program.Run(kSources);
  Feed(program, 0, 300);
  program.Run(std::string(kPolicies) + "CREATE " + kShown);
  EXPECT_EQ("", program.Rows("shown"));
  Feed(program, 300, 600);
  program.Run(std::string("CREATE ") + kTold);
  EXPECT_EQ("", program.Rows("told"));
  Feed(program, 600, 900);
  ASSERT_TRUE(program.Crash(3).ok());
  program.Run("CREATE STREAM arms AS SELECT id, arm, upper(side) AS side FROM shown;\n");
  Feed(program, 900, 1000);
  const std::string shown = program.Rows("shown");
  const std::string arms = program.Rows("arms");
  EXPECT_EQ(Count(shown, "\n"), Count(arms, "\n"));
  EXPECT_EQ(Count(shown, "\"arm\":\"y\""), Count(arms, "\"arm\":\"y\""));
  EXPECT_EQ(Count(shown, "\"heads\""), Count(arms, "\"HEADS\""));
  EXPECT_EQ(program.Differences(), 0U);
}

// Beside live events: a statement that uses a policy goes at once, what reads it is computed from
// all that use the policy.
TEST(Policies, AreDeployedWhileTheProgramRuns) {
  TestProgram program(20);
  program.Run(kSources);
  size_t done = 0;
  const auto deploy = [&](const std::string& script) {
    program.engine().Deploy(script, "app.sql", [&](const Status& status) {
      EXPECT_TRUE(status.ok()) << status.error().message();
      ++done;
    });
  };
  Feed(program, 0, 200);
  deploy(kPolicies);
  deploy(std::string("CREATE ") + kShown);
  ASSERT_TRUE(program.engine().FinishDeployments().ok());
  Feed(program, 200, 400);
  deploy(std::string("CREATE ") + kTold);
  Feed(program, 400, 600);
  deploy("CREATE STREAM arms AS SELECT id, arm, arm_propensity AS p FROM shown;");
  deploy("CREATE STREAM taken AS SELECT choice FROM told WHERE line = 'taken';");
  Feed(program, 600, 800);
  ASSERT_TRUE(program.engine().FinishDeployments().ok());
  EXPECT_EQ(5U, done);
  Feed(program, 800, 1000);
  const std::string shown = program.Rows("shown");
  const std::string arms = program.Rows("arms");
  EXPECT_GT(Count(shown, "\n"), 700U);
  EXPECT_EQ(Count(shown, "\n"), Count(arms, "\n"));
  for (const char* const arm : {"\"arm\":\"x\"", "\"arm\":\"y\"", "\"arm\":\"z\""})
    EXPECT_EQ(Count(shown, arm), Count(arms, arm)) << arm;
  EXPECT_EQ(Count(program.Rows("told"), "\"line\":\"taken\""), Count(program.Rows("taken"), "\n"));
  EXPECT_EQ(program.Differences(), 0U);
  ASSERT_TRUE(program.Crash(4).ok());
  EXPECT_TRUE(program.Rows("shown") == shown);
  EXPECT_EQ(program.Differences(), 0U);
}

TEST(Policies, KeepWhatTheyLearnedWhenAStatementIsReplaced) {
  const std::string other =
      "STREAM shown AS SELECT id, a, CHOOSE(line, a, b) AS arm, CHOOSE(coin) AS side, ts "
      "FROM visits WHERE id % 5 <> 3;\n";
  TestProgram program(30);
  program.Run(Script());
  Feed(program, 0, 700);
  const std::string before = program.Rows("shown");
  program.Run("CREATE OR REPLACE " + other);
  EXPECT_TRUE(program.Rows("shown") == before);
  Feed(program, 700, 1000);
  ASSERT_TRUE(program.Crash(1).ok());
  Feed(program, 1000, 1400);
  ASSERT_TRUE(program.Restart().ok());
  EXPECT_EQ(program.Differences(), 0U);
  EXPECT_GT(Count(program.Rows("told"), "\"line\":\"taken\""), 100U);
}

TEST(Policies, AReplayDoesNotPretendToKnowWhatWasNotChosen) {
  TestProgram program(50);
  program.Run(Script());
  Feed(program, 0, 300);
  const auto fork = [&](std::string script, std::string stream) {
    WhatIfRequest request;
    request.fork.script = std::move(script);
    request.stream = std::move(stream);
    std::string rows;
    auto take = [&](std::string_view bytes) {
      rows += bytes;
      return Ok();
    };
    const auto done = program.engine().WhatIf(request, take, nullptr);
    return done.ok() ? rows : std::string(done.error().code());
  };
  EXPECT_TRUE(fork(Script(), "told") == program.Rows("told"));
  std::string script = Script();
  script.replace(script.find("discount = 0.99"), 15, "discount = 0.95");
  EXPECT_EQ("HR1251", fork(script, "shown"));
  script = Script();
  script.replace(script.find("id % 17 <> 3"), 12, "id % 17 <> 4");
  EXPECT_EQ("HR1251", fork(script, "told"));
}

TEST(Policies, TheGuardrailStopsThemAndSaysSo) {
  TestProgram program(15);
  program.Run(
      "CREATE STREAM visits (id BIGINT NOT NULL);\n"
      "CREATE STREAM clicks (choice TEXT, harm DOUBLE PRECISION);\n"
      "CREATE POLICY p ARMS ('new', 'old') WITH (type = 'ucb1', fallback = 'old', "
      "guardrail_max = 0.5, guardrail_window = 20);\n"
      "CREATE STREAM shown AS SELECT id, CHOOSE(p) AS arm FROM visits;\n"
      "CREATE STREAM told AS SELECT REWARD(p, choice, 1, harm) AS outcome FROM clicks;\n");
  std::vector<std::string> visits;
  std::vector<std::string> clicks;
  for (int i = 0; i < 30; ++i) {
    visits.push_back(R"({"id":)" + std::to_string(i) + "}");
    clicks.push_back(R"({"choice":"shown:0:)" + std::to_string(i) + R"(","harm":1})");
  }
  program.Feed("visits", visits, [](size_t) { return 10; });
  program.Feed("clicks", clicks, [](size_t) { return 10; });
  EXPECT_EQ(19U, Count(program.Rows("told"), "\"taken\""));
  EXPECT_EQ(11U, Count(program.Rows("told"), "\"stopped\""));
  ASSERT_TRUE(program.Crash(2).ok());
  program.Feed("visits", visits, [](size_t) { return 10; });
  const std::string rows = program.Rows("shown");
  EXPECT_GE(Count(rows, R"("arm":"old","arm_propensity":1)"), 30U);
  EXPECT_EQ(rows.size(), rows.rfind("\"old\",\"arm_propensity\":1}\n") + 26);
  EXPECT_EQ(program.Differences(), 0U);
}

}  // namespace
}  // namespace headrace::engine
