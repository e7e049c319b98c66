// Remote models: rows wait for answers that stand in the journal, and nothing is asked twice.

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/test_program.h"

namespace headrace::engine {
namespace {

// A remote model that answers when the test says so: calls wait in the order in which they came.
class FakeModel final : public os::HttpCaller {
 public:
  void Post(os::HttpCall call, Done done) override {
    ++calls_;
    bodies_.push_back(call.body);
    waiting_.push_back({std::move(call), std::move(done)});
    if (automatic_) AnswerAll();
  }
  size_t calls() const { return calls_; }
  size_t waiting() const { return waiting_.size(); }
  const std::vector<std::string>& bodies() const { return bodies_; }
  // From now on each call is answered at once.
  void AnswerByItself() { automatic_ = true; }
  // Whose process has ended: nobody hears of its calls.
  void Forget() { waiting_.clear(); }

  // Ends the `at`-th of the calls that wait.
  void End(size_t at, Result<os::HttpReply> reply) {
    Done done = std::move(waiting_[at].done);
    waiting_.erase(waiting_.begin() + static_cast<ptrdiff_t>(at));
    done(std::move(reply));
  }
  void Say(size_t at, const std::string& data) {
    End(at, os::HttpReply{200,
                          R"({"outputs":[{"name":"score","shape":[1,1],"data":[)" + data + "]}]}"});
  }
  // A score that follows from the inputs: twice the first number.
  void Answer(size_t at) {
    const std::string& body = waiting_[at].call.body;
    const size_t data = body.find("\"data\":[") + 8;
    Say(at, std::to_string(2 * std::stoll(body.substr(data))));
  }
  void AnswerAll() {
    while (!waiting_.empty())
      Answer(0);
  }

 private:
  struct Call {
    os::HttpCall call;
    Done done;
  };
  std::deque<Call> waiting_;
  std::vector<std::string> bodies_;
  size_t calls_ = 0;
  bool automatic_ = false;
};

constexpr int64_t kSecond = 1'000'000;

std::string Source() {
  return "CREATE STREAM s (id TEXT, q BIGINT, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) "
         "PARTITION BY (id) WITH (timestamp_unit = 'us', partitions = 2);\n";
}
std::string RemoteModel(const std::string& options = "") {
  return "CREATE MODEL risk INPUT (q BIGINT) OUTPUT (score DOUBLE PRECISION) WITH "
         "(url = 'http://127.0.0.1:1/v2/models/risk'" +
         options + ");\n";
}
// Asks for what is over 3; counts before, decides behind.
constexpr const char* kScored =
    "CREATE STREAM scored AS SELECT id, q, ts, count(*) OVER (PARTITION BY id ORDER BY ts) AS n, "
    "CASE WHEN q > 3 THEN PREDICT(risk, q) END AS score, "
    "CASE WHEN score > 9 THEN 'stop' ELSE 'go' END AS decision FROM s;\n";
constexpr const char* kBehind =
    "CREATE STREAM again AS SELECT id, score, sum(q) OVER (PARTITION BY id ORDER BY ts) AS sum "
    "FROM scored;\n"
    "CREATE MATERIALIZED VIEW minutes AS SELECT window_start, count(*) AS n, sum(score) AS score "
    "FROM TUMBLE(TABLE scored, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start;\n";

std::string Script(const std::string& options = "") {
  return Source() + RemoteModel(options) + kScored + kBehind;
}

std::string Event(int64_t i, int64_t q) {
  return R"({"id":"k)" + std::to_string(i % 3) + R"(","q":)" + std::to_string(q) +
         ",\"ts\":" + std::to_string(TestProgram::kNow - 3600 * kSecond + i * kSecond) + "}";
}
std::vector<std::string> Events(int64_t from, int64_t to) {
  std::vector<std::string> events;
  for (int64_t i = from; i < to; ++i)
    events.push_back(Event(i, i * 5 % 8));
  return events;
}

std::string RowsOf(const TestProgram& program) {
  std::string all;
  for (const char* stream : {"scored", "again", "minutes"})
    all += program.Rows(stream, true);
  return all;
}

class Remote : public testing::Test {
 protected:
  void Begin(const std::string& script) {
    program_.SetCaller(&model_);
    program_.Restart().value();
    program_.Run(script);
  }
  // Takes what was answered.
  void Take() {
    program_.engine().StepAsks().value();
    program_.engine().log().WaitDurable(program_.engine().log().last_lsn()).value();
    program_.engine().Complete();
  }
  // Takes the events; their questions go out.
  void Feed(const std::vector<std::string>& events, size_t batch = 5) {
    program_.Feed("s", events, [batch](size_t) { return batch; });
    program_.engine().Complete();
  }
  void Submit(const std::vector<std::string>& payloads, const std::string& wanted,
              const std::string& key = "") {
    IngestRequest request;
    request.topic = "s";
    request.payloads = payloads;
    request.return_stream = wanted;
    request.idempotency_key = key;
    request.fingerprint = 7;
    request.done = [this](IngestReply reply) { replies_.push_back(std::move(reply)); };
    program_.engine().Submit(std::move(request));
    Pump();
  }
  void Pump() {
    while (program_.engine().Pump()) {
    }
    program_.engine().log().WaitDurable(program_.engine().log().last_lsn()).value();
    program_.engine().Complete();
  }

  FakeModel model_;
  TestProgram program_{40};
  std::vector<IngestReply> replies_;
};

TEST_F(Remote, RowsThatDoNotAskGoOnAndTheOthersWait) {
  Begin(Script());
  Feed({Event(0, 1), Event(1, 7), Event(2, 2), Event(3, 4)});
  EXPECT_EQ(2U, model_.calls());
  const std::string there = program_.Rows("scored");
  EXPECT_EQ(2, std::count(there.begin(), there.end(), '\n'));
  EXPECT_NE(std::string::npos, there.find(R"("q":1,)"));
  // The second is answered before the first.
  model_.Answer(1);
  Take();
  model_.Answer(0);
  Take();
  EXPECT_EQ(R"({"id":"k0","q":1,"ts":"2027-01-15T07:00:00Z","n":1,"score":null,"decision":"go"})"
            "\n"
            R"({"id":"k2","q":2,"ts":"2027-01-15T07:00:02Z","n":1,"score":null,"decision":"go"})"
            "\n"
            R"({"id":"k0","q":4,"ts":"2027-01-15T07:00:03Z","n":2,"score":8,"decision":"go"})"
            "\n"
            R"({"id":"k1","q":7,"ts":"2027-01-15T07:00:01Z","n":1,"score":14,"decision":"stop"})"
            "\n",
            program_.Rows("scored"));
  EXPECT_EQ(0U, program_.Differences());
}

TEST_F(Remote, WindowsBehindWaitForTheAnswersAndLoseNone) {
  Begin(Script());
  Feed(Events(0, 60));
  // Time has passed all windows, but rows of the first are on their way.
  EXPECT_EQ("", program_.Rows("minutes"));
  model_.AnswerByItself();
  model_.AnswerAll();
  program_.engine().FinishAsks().value();
  program_.engine().FinishInput("s").value();
  const std::string minutes = program_.Rows("minutes");
  EXPECT_EQ(6, std::count(minutes.begin(), minutes.end(), '\n'));
  size_t whole = 0;
  for (size_t at = minutes.find("\"n\":10,"); at != std::string::npos;
       at = minutes.find("\"n\":10,", at + 1))
    ++whole;
  EXPECT_EQ(6U, whole) << minutes;
  EXPECT_EQ("", program_.Rows("scored.dead"));
  EXPECT_EQ(0U, program_.Differences());
}

TEST_F(Remote, WhatFailsGivesTheDefaultAndSaysWhy) {
  Begin(Script(", default = '-1', connections = 8, breaker_failures = 0"));
  std::vector<std::string> events(7, Event(0, 5));
  Feed(events);
  ASSERT_EQ(7U, model_.waiting());
  model_.End(0, Error(ErrorKind::kTimeout, "HR5031", "no answer within 1000 ms"));
  model_.End(0, Error(ErrorKind::kUnavailable, "HR5032", "cannot connect: refused"));
  model_.End(0, Error(ErrorKind::kLimitExceeded, "HR5033", "too long"));
  model_.End(0, os::HttpReply{503, ""});
  model_.Say(0, "NaN");
  model_.Say(0, "1,2");
  model_.Answer(0);
  Take();
  const char* const kStatuses[] = {"timeout", "unavailable", "too_large", "refused",
                                   "invalid", "invalid",     "answered"};
  for (size_t i = 0; i < std::size(kStatuses); ++i) {
    Result<std::string> told = program_.engine().Why("scored:0:" + std::to_string(i));
    if (!told.ok()) told = program_.engine().Why("scored:1:" + std::to_string(i));
    const std::string why = told.value();
    EXPECT_NE(std::string::npos, why.find(std::string("\"status\":\"") + kStatuses[i] + "\""))
        << why;
    EXPECT_NE(std::string::npos, why.find("\"recomputed\":true")) << why;
    EXPECT_NE(std::string::npos, why.find(R"("event":{"id":"k0")")) << why;
    // The count is that of its own event.
    EXPECT_NE(std::string::npos, why.find("\"events\":" + std::to_string(i + 1))) << why;
    const std::string score = i + 1 < std::size(kStatuses) ? "\"score\":-1," : "\"score\":10,";
    EXPECT_NE(std::string::npos, why.find(score)) << why;
  }
}

TEST_F(Remote, NullInputsAreNotSent) {
  Begin(Source() + RemoteModel(", default = '3'") +
        "CREATE STREAM scored AS SELECT id, PREDICT(risk, nullif(q, 4)) AS score FROM s;");
  Feed({Event(0, 4), Event(1, 5)});
  EXPECT_EQ(1U, model_.calls());
  EXPECT_EQ("{\"id\":\"k0\",\"score\":3}\n", program_.Rows("scored"));
}

TEST_F(Remote, ABreakerStopsTheCallsAndTriesOneBehindThePause) {
  Begin(Script(", breaker_failures = 2, breaker_pause = '5 seconds', connections = 1"));
  Feed({Event(0, 4), Event(1, 5), Event(2, 6), Event(3, 7)});
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(1U, model_.waiting());
    model_.End(0, os::HttpReply{500, ""});
    Take();
  }
  EXPECT_EQ(2U, model_.calls());
  EXPECT_EQ(0U, model_.waiting());
  const auto answers = [this](const std::string& status) {
    return program_.Metric("headrace_remote_answers_total{model=\"risk\",status=\"" + status +
                           "\"}");
  };
  EXPECT_EQ(2, answers("refused"));
  EXPECT_EQ(2, answers("breaker_open"));
  EXPECT_EQ(1, program_.Metric("headrace_remote_breaker_open{model=\"risk\"}"));
  program_.clock().Advance(5 * kSecond);
  Feed({Event(4, 4), Event(5, 5)});
  EXPECT_EQ(1U, model_.waiting());
  model_.End(0, os::HttpReply{500, ""});
  Take();
  EXPECT_EQ(3U, model_.calls());
  EXPECT_EQ(3, answers("breaker_open"));
  program_.clock().Advance(5 * kSecond);
  model_.AnswerByItself();
  Feed({Event(6, 4), Event(7, 5)});
  Take();
  EXPECT_EQ(5U, model_.calls());
  EXPECT_EQ(0, program_.Metric("headrace_remote_breaker_open{model=\"risk\"}"));
  const std::string rows = program_.Rows("scored");
  EXPECT_EQ(8, std::count(rows.begin(), rows.end(), '\n'));
}

TEST_F(Remote, AFullQueueGivesTheDefaultWhereThatIsDeclared) {
  Begin(Script(", queue = 2, when_full = 'default', default = '0'"));
  Feed({Event(0, 4), Event(1, 5), Event(2, 6), Event(3, 7)});
  EXPECT_EQ(2U, model_.calls());
  const std::string rows = program_.Rows("scored");
  EXPECT_EQ(2, std::count(rows.begin(), rows.end(), '\n'));
  model_.AnswerAll();
  Take();
  Feed({Event(4, 4)});
  EXPECT_EQ(3U, model_.calls());
  program_.Restart().value();
  EXPECT_EQ(0U, program_.Differences());
}

TEST_F(Remote, AFullQueueHoldsItsOwnEventsBackAndNoOthers) {
  Begin(Script(", queue = 2") + "CREATE STREAM t (x BIGINT);\nCREATE STREAM u AS SELECT x FROM t;");
  Submit({Event(0, 4), Event(1, 5), Event(2, 6)}, "");
  EXPECT_EQ(1U, replies_.size());
  Submit({Event(3, 1)}, "");
  EXPECT_EQ(1U, replies_.size());
  IngestRequest other;
  other.topic = "t";
  other.payloads = {"{\"x\":1}"};
  bool told = false;
  other.done = [&](const IngestReply& reply) { told = !reply.error; };
  program_.engine().Submit(std::move(other));
  Pump();
  EXPECT_TRUE(told);
  EXPECT_EQ("{\"x\":1}\n", program_.Rows("u"));
  EXPECT_EQ(1U, replies_.size());
  model_.AnswerAll();
  Pump();
  EXPECT_EQ(2U, replies_.size());
}

TEST_F(Remote, ARequestWaitsForItsRowsAlone) {
  Begin(Script());
  Submit({Event(0, 4)}, "again");
  Submit({Event(1, 1)}, "again");
  Submit({Event(2, 5)}, "");
  // What does not ask, or does not want the rows, has its answer.
  ASSERT_EQ(2U, replies_.size());
  EXPECT_EQ(1U, replies_[0].rows.size());
  EXPECT_EQ(0U, replies_[1].rows.size());
  EXPECT_EQ(1U, program_.engine().in_flight());
  model_.AnswerAll();
  Pump();
  ASSERT_EQ(3U, replies_.size());
  ASSERT_EQ(1U, replies_[2].rows.size());
  EXPECT_NE(std::string::npos, replies_[2].rows[0].find("\"score\":8,\"sum\":4"))
      << replies_[2].rows[0];
  EXPECT_EQ(0U, program_.engine().in_flight());
}

TEST_F(Remote, ARepeatedRequestGetsTheSameAnswer) {
  Begin(Script());
  Submit({Event(0, 4), Event(1, 1)}, "scored", "key");
  Submit({Event(0, 4), Event(1, 1)}, "scored", "key");
  EXPECT_EQ(0U, replies_.size());
  model_.AnswerAll();
  Pump();
  ASSERT_EQ(2U, replies_.size());
  EXPECT_EQ(2U, replies_[0].rows.size());
  EXPECT_EQ(replies_[0].rows, replies_[1].rows);
  for (bool restarted : {false, true}) {
    if (restarted) program_.Restart().value();
    Submit({Event(0, 4), Event(1, 1)}, "scored", "key");
    EXPECT_EQ(replies_[0].rows, replies_.back().rows) << restarted;
    EXPECT_TRUE(replies_.back().repeated);
  }
  EXPECT_EQ(1U, model_.calls());
}

TEST_F(Remote, AStartReadsTheAnswersAndAsksForNone) {
  Begin(Script());
  model_.AnswerByItself();
  Feed(Events(0, 100));
  program_.engine().FinishAsks().value();
  const std::string rows = RowsOf(program_);
  const size_t calls = model_.calls();
  EXPECT_GT(calls, 30U);
  for (uint64_t seed : {1U, 2U}) {
    program_.Crash(seed).value();
    EXPECT_EQ(rows, RowsOf(program_));
    program_.Restart().value();
    EXPECT_EQ(rows, RowsOf(program_));
  }
  EXPECT_EQ(0U, program_.Differences());
  EXPECT_EQ(calls, model_.calls());
  // Without the snapshots, too.
  program_.Stop().value();
  const std::vector<std::string> snapshots = program_.disk().List("/data/snapshots").value();
  for (const std::string& path : snapshots)
    program_.disk().Remove("/data/snapshots/" + path).value();
  program_.Start().value();
  EXPECT_EQ(rows, RowsOf(program_));
  EXPECT_EQ(calls, model_.calls());
}

TEST_F(Remote, ACrashBetweenQuestionAndAnswerAsksAgainAndGivesTheSame) {
  std::string undisturbed;
  {
    FakeModel model;
    model.AnswerByItself();
    TestProgram program;
    program.SetCaller(&model);
    program.Restart().value();
    program.Run(Script());
    program.Feed("s", Events(0, 60), [](size_t) { return 60; });
    program.engine().FinishAsks().value();
    undisturbed = program.Rows("scored");
  }
  for (size_t answered = 0; answered < 6; ++answered) {
    FakeModel model;
    TestProgram program(20);
    program.SetCaller(&model);
    program.Restart().value();
    program.Run(Script(", connections = 64"));
    program.Feed("s", Events(0, 60), [](size_t) { return 60; });
    program.engine().Complete();
    for (size_t i = 0; i < answered; ++i) {
      model.Answer(0);
      program.engine().StepAsks().value();
    }
    // The last answers may be durable or not.
    const size_t open = model.waiting();
    model.Forget();
    (answered % 2 == 0 ? program.Crash(answered) : program.Restart()).value();
    program.engine().Complete();
    EXPECT_GE(model.waiting(), open);
    model.AnswerAll();
    program.engine().FinishAsks().value();
    EXPECT_EQ(undisturbed, program.Rows("scored")) << answered;
    EXPECT_EQ(0U, program.Differences());
  }
}

TEST_F(Remote, ACrashAtAnyOperationOfTheDiskGivesTheSame) {
  constexpr size_t kChunks = 6;
  const auto chunk = [](size_t i) {
    return Events(static_cast<int64_t>(i) * 7, static_cast<int64_t>(i + 1) * 7);
  };
  // From where the file had been read.
  const auto go_on = [&](TestProgram& program) -> Status {
    HR_TRY(program.engine().FinishAsks());
    for (size_t i = program.engine().PositionOf("s", "f").events; i < kChunks; ++i) {
      HR_TRY(program.FeedAsFrom("f", "s", chunk(i), i + 1));
      HR_TRY(program.engine().FinishAsks());
    }
    return Ok();
  };
  std::string undisturbed;
  size_t crashes = 0;
  for (uint64_t operation = 0;; ++operation) {
    FakeModel model;
    model.AnswerByItself();
    TestProgram program(15);
    program.SetCaller(&model);
    program.Restart().value();
    program.Run(Script());
    if (operation > 0) program.files().CrashAtOperation(program.files().operations() + operation);
    Status done = go_on(program);
    if (operation == 0) {
      done.value();
      undisturbed = RowsOf(program);
      continue;
    }
    if (done.ok()) break;  // it is behind the last
    ++crashes;
    program.Crash(operation).value();
    go_on(program).value();
    EXPECT_EQ(undisturbed, RowsOf(program)) << operation;
    EXPECT_EQ(0U, program.Differences()) << operation;
  }
  EXPECT_GT(crashes, 20U);
}

TEST_F(Remote, ANewStatementDoesNotAskForThePast) {
  Begin(Source() + RemoteModel(", default = '-1'"));
  Feed(Events(0, 20));
  bool done = false;
  program_.engine().Deploy(kScored, "app.sql", [&](const Status& status) { done = status.ok(); });
  while (!done)
    Pump();
  EXPECT_EQ(0U, model_.calls());
  const std::string rows = program_.Rows("scored");
  EXPECT_EQ(20, std::count(rows.begin(), rows.end(), '\n'));
  EXPECT_NE(std::string::npos, rows.find("\"score\":-1"));
  Feed({Event(20, 7)});
  EXPECT_EQ(1U, model_.calls());
  model_.AnswerAll();
  Take();
  EXPECT_NE(std::string::npos, program_.Rows("scored").find("\"score\":14"));
  program_.Crash(3).value();
  EXPECT_EQ(0U, program_.Differences());
  EXPECT_EQ(1U, model_.calls());
}

TEST_F(Remote, AReplacementEndsWhatWaits) {
  for (bool beside : {false, true}) {
    SCOPED_TRACE(beside);
    FakeModel model;
    TestProgram program;
    program.SetCaller(&model);
    program.Restart().value();
    program.Run(Script(", default = '-1'"));
    program.Feed("s", {Event(0, 4), Event(1, 1), Event(2, 5)});
    program.engine().Complete();
    EXPECT_EQ(2U, model.waiting());
    const std::string replacement =
        "CREATE OR REPLACE STREAM scored AS SELECT id, q, ts, CAST(0 AS BIGINT) AS n, "
        "CASE WHEN q > 2 THEN PREDICT(risk, q) END AS score, 'x' AS decision FROM s;";
    if (beside) {
      bool done = false;
      program.engine().Deploy(replacement, "app.sql", [&](const Status& status) {
        EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message());
        done = true;
      });
      while (!done) {
        while (program.engine().Pump()) {
        }
        program.engine().log().WaitDurable(program.engine().log().last_lsn()).value();
        program.engine().Complete();
      }
    } else {
      program.Run(replacement);
    }
    const std::string rows = program.Rows("scored");
    EXPECT_EQ(3, std::count(rows.begin(), rows.end(), '\n')) << rows;
    // An answer that comes now is for nobody.
    model.AnswerAll();
    program.engine().StepAsks().value();
    program.Feed("s", {Event(3, 3)});
    program.engine().Complete();
    model.AnswerAll();
    program.engine().FinishAsks().value();
    EXPECT_NE(std::string::npos, program.Rows("scored").find("\"score\":6,\"decision\":\"x\""));
    const std::string all = program.Rows("scored", true);
    EXPECT_EQ(4, std::count(all.begin(), all.end(), '\n')) << all;
    program.Restart().value();
    EXPECT_EQ(all, program.Rows("scored", true));
    EXPECT_EQ(0U, program.Differences());
  }
}

TEST_F(Remote, AnUnfinishedReplacementEndsWhatWaitsWhenItJoins) {
  Begin(Script(", default = '-1'"));
  Feed({Event(0, 4), Event(1, 1)});
  program_.engine().Deploy(
      "CREATE OR REPLACE STREAM scored AS SELECT id, q, ts, CAST(0 AS BIGINT) AS n, PREDICT(risk, "
      "q) AS score, 'x' AS decision FROM s; CREATE STREAM reads AS SELECT score FROM scored;",
      "app.sql", [](const Status&) {});
  program_.engine().log().WaitDurable(program_.engine().log().last_lsn()).value();
  model_.Forget();
  program_.Crash(1).value();
  ASSERT_TRUE(program_.engine().deployment()->Find("scored")->pending != nullptr);
  program_.engine().Complete();
  EXPECT_EQ(1U, model_.waiting()) << "asked again";
  program_.engine().FinishDeployments().value();
  EXPECT_NE(std::string::npos, program_.Rows("scored").find("\"score\":-1"));
  Feed({Event(2, 3)});
  model_.AnswerAll();
  Take();
  EXPECT_NE(std::string::npos, program_.Rows("reads").find("\"score\":6"));
  EXPECT_EQ(0U, program_.Differences());
}

TEST_F(Remote, AReplayAsksForNothing) {
  Begin(Script());
  model_.AnswerByItself();
  Feed(Events(0, 60));
  program_.engine().FinishAsks().value();
  const size_t calls = model_.calls();
  std::string rows;
  const auto take = [&](std::string_view bytes) {
    rows += bytes;
    return Ok();
  };
  WhatIfRequest request;
  request.stream = "scored";
  request.compare = true;
  const auto same = program_.engine().WhatIf(request, take, nullptr);
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(0U, same->changed);
  EXPECT_EQ(program_.Rows("scored"), rows);
  // Another threshold: the same questions have the same answers.
  rows.clear();
  request.fork.script =
      "CREATE STREAM scored AS SELECT id, q, ts, count(*) OVER (PARTITION BY id ORDER BY ts) AS n, "
      "CASE WHEN q > 3 THEN PREDICT(risk, q) END AS score, "
      "CASE WHEN score > 11 THEN 'stop' ELSE 'go' END AS decision FROM s;";
  request.fork.file = "other.sql";
  const auto other = program_.engine().WhatIf(request, take, nullptr);
  ASSERT_TRUE(other.ok()) << other.error().message();
  EXPECT_EQ(60U, other->compared);
  EXPECT_GT(other->changed, 0U);
  EXPECT_EQ(0U, other->only_before + other->only_after);
  // Other inputs: nobody knows what would have been said.
  rows.clear();
  request.fork.script =
      "CREATE STREAM scored AS SELECT id, q, ts, 1 AS n, "
      "CASE WHEN q > 3 THEN PREDICT(risk, q + 1) END AS score, 'go' AS decision FROM s;";
  const auto inputs = program_.engine().WhatIf(request, take, nullptr);
  ASSERT_TRUE(inputs.ok()) << inputs.error().message();
  EXPECT_EQ(60U, inputs->compared);
  EXPECT_EQ(std::string::npos, rows.find("\"score\":1"));
  EXPECT_EQ(calls, model_.calls());
}

TEST_F(Remote, WithoutACallerRowsGetTheDefault) {
  program_.Run(Script(", default = '0'"));
  Feed({Event(0, 4)});
  program_.engine().FinishAsks().value();
  EXPECT_NE(std::string::npos, program_.Rows("scored").find("\"score\":0"));
}

TEST_F(Remote, AnErrorBehindTheAnswerGoesToTheDeadLetters) {
  Begin(Source() + RemoteModel() +
        "CREATE STREAM scored AS SELECT id, PREDICT(risk, q) AS score, "
        "10 / (q - 5) AS x, 10 / (CAST(score AS BIGINT) - 8) AS y FROM s;");
  Feed({Event(0, 4), Event(1, 5), Event(2, 6)});
  EXPECT_EQ(2U, model_.calls());
  model_.AnswerAll();
  Take();
  const std::string dead = program_.Rows("s.dead");
  EXPECT_EQ(2, std::count(dead.begin(), dead.end(), '\n')) << dead;
  EXPECT_NE(std::string::npos, dead.find(R"(\"q\":4)")) << dead;
  program_.Restart().value();
  EXPECT_EQ(dead, program_.Rows("s.dead"));
  EXPECT_EQ(0U, program_.Differences());
}

}  // namespace
}  // namespace headrace::engine
