// Requests with an Idempotency-Key that come again: the same answer, and nothing stored twice,
// whatever happened in between.

#include <algorithm>

#include <gtest/gtest.h>

#include "engine/test_program.h"

namespace headrace::engine {
namespace {

constexpr int64_t kHour = int64_t{3600} * 1'000'000;
constexpr const char* kScript =
    "CREATE STREAM s (id TEXT NOT NULL, q BIGINT, ts TIMESTAMPTZ NOT NULL, "
    "WATERMARK FOR ts AS ts) PARTITION BY (id) WITH (timestamp_unit = 'us', partitions = 3);\n"
    "CREATE STREAM o AS SELECT id, q, count(*) OVER (PARTITION BY id ORDER BY ts) AS n FROM s "
    "WHERE q <> 9;\n";

std::string Event(const std::string& id, int64_t q = 1) {
  return "{\"id\":\"" + id + "\",\"q\":" + std::to_string(q) +
         ",\"ts\":" + std::to_string(TestProgram::kNow) + "}";
}

// All that a client sees of it.
std::string Text(const IngestReply& reply) {
  if (reply.error) return reply.error->code();
  std::string text = std::to_string(reply.accepted) + " accepted";
  for (const Placed& placed : reply.placed)
    text += " " + std::to_string(placed.partition) + ":" + std::to_string(placed.first_offset) +
            "+" + std::to_string(placed.count);
  for (const Rejection& rejection : reply.rejected)
    text += " !" + std::to_string(rejection.index) + rejection.error.code() +
            rejection.error.message() + rejection.error.place();
  for (const std::string& row : reply.rows)
    text += " " + row;
  return text;
}

struct Sent {
  std::vector<std::string> payloads;
  std::string key{};
  std::string wanted{};
  uint64_t fingerprint = 1;
  bool atomic = false;
};

class RepeatedRequests : public testing::Test {
 protected:
  RepeatedRequests() { program_.Run(kScript); }

  void Submit(const Sent& sent) {
    IngestRequest request;
    request.topic = "s";
    request.payloads = sent.payloads;
    request.return_stream = sent.wanted;
    request.atomic = sent.atomic;
    request.idempotency_key = sent.key;
    request.fingerprint = sent.fingerprint;
    request.done = [this](IngestReply reply) { replies_.push_back(std::move(reply)); };
    program_.engine().Submit(std::move(request));
  }
  IngestReply Ask(const Sent& sent) {
    const size_t before = replies_.size();
    Submit(sent);
    while (replies_.size() == before) {
      program_.engine().Pump();
      program_.engine().log().WaitDurable(program_.engine().log().last_lsn()).value();
      program_.engine().Complete();
    }
    return replies_.back();
  }
  size_t Events() const {
    const std::string rows = program_.Rows("s");
    return static_cast<size_t>(std::count(rows.begin(), rows.end(), '\n'));
  }

  TestProgram program_;
  std::vector<IngestReply> replies_;
};

const Sent kMixed{
    {Event("a"), "{\"q\":1}", Event("b"), Event("c", 9), Event("d"), Event("a")}, "k1", "o"};

TEST_F(RepeatedRequests, GetTheSameAnswerAndStoreNothing) {
  const IngestReply first = Ask(kMixed);
  EXPECT_EQ(5U, first.accepted);
  EXPECT_EQ(1U, first.rejected.size());
  EXPECT_EQ(4U, first.rows.size());
  EXPECT_FALSE(first.repeated);
  Ask({{Event("a")}, "", "o"});
  const log::Lsn last = program_.engine().log().last_lsn();
  for (int round = 0; round < 3; ++round) {
    const IngestReply again = Ask(kMixed);
    EXPECT_EQ(Text(first), Text(again)) << round;
    EXPECT_TRUE(again.repeated);
    EXPECT_EQ(last, program_.engine().log().last_lsn());
    ASSERT_TRUE((round == 0 ? program_.Restart() : program_.Crash(7)).ok());
    EXPECT_EQ(0U, program_.Differences());
  }
  EXPECT_EQ(6U, Events());
}

TEST_F(RepeatedRequests, WaitForTheFirstWhenItIsUnderWay) {
  Submit(kMixed);
  Submit(kMixed);  // in the same group
  program_.engine().Pump();
  Submit(kMixed);  // behind it
  while (replies_.size() < 3) {
    program_.engine().Pump();
    program_.engine().log().WaitDurable(program_.engine().log().last_lsn()).value();
    program_.engine().Complete();
  }
  EXPECT_EQ(Text(replies_[0]), Text(replies_[1]));
  EXPECT_EQ(Text(replies_[0]), Text(replies_[2]));
  EXPECT_FALSE(replies_[0].repeated);
  EXPECT_TRUE(replies_[1].repeated && replies_[2].repeated);
  EXPECT_EQ(5U, Events());
}

TEST_F(RepeatedRequests, AreNotAnsweredBeforeTheFirstIsDurable) {
  program_.files().StallFlushes();
  for (int i = 0; i < 300; ++i)
    Submit({{Event("filler")}, ""});
  Submit(kMixed);
  while (program_.engine().Pump()) {
  }
  Submit(kMixed);
  program_.engine().Pump();
  program_.engine().Complete();
  EXPECT_TRUE(replies_.empty());
  program_.files().Resume();
  program_.engine().log().WaitDurable(program_.engine().log().last_lsn()).value();
  program_.engine().Complete();
  ASSERT_EQ(302U, replies_.size());
  EXPECT_EQ(Text(replies_[300]), Text(replies_[301]));
  EXPECT_EQ(305U, Events());
}

TEST_F(RepeatedRequests, OfAnotherBodyAreRefused) {
  Ask({{Event("a")}, "k", "", 1});
  EXPECT_EQ("HR5004", Text(Ask({{Event("b")}, "k", "", 2})));
  EXPECT_EQ("HR5004", Text(Ask({{Event("b")}, "k", "", 2})));
  EXPECT_EQ(1U, Ask({{Event("b")}, "other", "", 2}).accepted);
  EXPECT_EQ(2U, Events());
}

TEST_F(RepeatedRequests, OfWhichNothingWasTakenMayBeMended) {
  EXPECT_EQ(0U, Ask({{"{\"q\":1}"}, "k", "", 1}).accepted);
  EXPECT_EQ(0U, Ask({{Event("a"), "{\"q\":1}"}, "k", "", 2, true}).accepted);
  EXPECT_EQ(0U, Events());
  EXPECT_FALSE(Ask({{Event("a")}, "k", "", 3}).repeated);
  EXPECT_TRUE(Ask({{Event("a")}, "k", "", 3}).repeated);
}

// DEDUPLICATE drops them all: nothing but the answer is stored.
TEST_F(RepeatedRequests, OfRepeatedEventsKeepTheirAnswerToo) {
  TestProgram program;
  program.Run(
      "CREATE STREAM s (id TEXT NOT NULL, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts) "
      "DEDUPLICATE BY (id) WITHIN INTERVAL '1 hour' WITH (timestamp_unit = 'us');");
  auto ask = [&](const std::string& key) {
    std::optional<IngestReply> reply;
    IngestRequest request;
    request.topic = "s";
    request.payloads = {Event("a")};
    request.idempotency_key = key;
    request.done = [&](IngestReply given) { reply = std::move(given); };
    program.engine().Submit(std::move(request));
    while (!reply) {
      program.engine().Pump();
      program.engine().log().WaitDurable(program.engine().log().last_lsn()).value();
      program.engine().Complete();
    }
    return *reply;
  };
  EXPECT_EQ("1 accepted 0:0+1", Text(ask("first")));
  EXPECT_EQ("1 accepted", Text(ask("second")));
  ASSERT_TRUE(program.Crash(1).ok());
  EXPECT_TRUE(ask("second").repeated);
  EXPECT_EQ("1 accepted", Text(ask("second")));
  EXPECT_EQ("1 accepted 0:0+1", Text(ask("first")));
}

TEST_F(RepeatedRequests, AreNewOnesBehindTheHorizon) {
  Ask({{Event("a")}, "k"});
  program_.clock().Advance(24 * kHour);
  EXPECT_TRUE(Ask({{Event("a")}, "k"}).repeated);
  program_.clock().Advance(kHour);
  for (bool restarted : {false, true}) {
    if (restarted) program_.Restart().value();
    EXPECT_EQ(restarted, Ask({{Event("a")}, "k"}).repeated);
    EXPECT_EQ(2U, Events());
  }
  // A clock that was set back forgets nothing.
  program_.clock().Advance(-20 * kHour);
  EXPECT_TRUE(Ask({{Event("a")}, "k"}).repeated);
}

TEST_F(RepeatedRequests, WithUnfitEventsBeyondWhatIsKeptAreRefused) {
  std::vector<std::string> payloads(40'000, "{\"q\":1}");
  payloads.push_back(Event("a"));
  EXPECT_TRUE(Text(Ask({payloads, "k"})) == "HR5006");
  EXPECT_EQ(0U, Events());
  EXPECT_EQ(1U, Ask({payloads, ""}).accepted);
}

TEST(KeptAnswers, TheOldestGoWhenThereAreTooMany) {
  os::MemoryFileSystem disk;
  os::ManualClock clock(TestProgram::kNow);
  base::MetricsRegistry metrics;
  auto log = log::Log::Open(disk, clock, metrics, "/data", {}).value();
  KeptAnswers answers(*log, 10);
  auto take = [&](uint64_t from, uint64_t to) {
    std::vector<log::Entry> group;
    for (uint64_t i = from; i < to; ++i)
      answers.Claim({i, i}, i, TestProgram::kNow).value();
    for (uint64_t i = from; i < to; ++i) {
      Answer answer;
      answer.key = {i, i};
      answer.fingerprint = i;
      answer.accepted = i;
      answers.Add(answer, TestProgram::kNow);
    }
    answers.TakeEntry(group);
    log->Append(group).value();
  };
  auto known = [&](const KeptAnswers& these) {
    std::string text;
    for (uint64_t i = 0; i < 40; ++i) {
      const KeptAnswers::Kept* kept = these.Find({i, i}, TestProgram::kNow);
      if (kept == nullptr) continue;
      EXPECT_EQ(i, these.Read(kept->offset)->accepted);
      text += std::to_string(i) + " ";
    }
    return text;
  };
  take(0, 7);
  take(7, 25);
  log->WaitDurable(log->last_lsn()).value();
  const std::string last = "15 16 17 18 19 20 21 22 23 24 ";
  EXPECT_EQ(last, known(answers));
  KeptAnswers again(*log, 10);
  again.Recover().value();
  EXPECT_EQ(last, known(again));
}

TEST_F(RepeatedRequests, TheTopicOfAnswersIsNoStream) {
  Status made =
      program_.engine().Execute("CREATE STREAM x (a TEXT) WITH (topic = '__answers');", "x.sql");
  EXPECT_EQ("HR1205", made.error().code());
  EXPECT_EQ("HR1205", program_.engine()
                          .Execute("CREATE STREAM \"__answers\" AS SELECT id FROM s;", "x.sql")
                          .error()
                          .code());
}

// --- crashes -------------------------------------------------------------------------------------

constexpr size_t kRequests = 24;

Sent Request(size_t i) {
  Sent sent;
  for (size_t k = 0; k <= i % 4; ++k)
    sent.payloads.push_back(Event("id" + std::to_string((i * 5 + k) % 7), int64_t(i)));
  if (i % 5 == 0) sent.payloads.emplace_back("{\"q\":1}");
  sent.key = "key" + std::to_string(i);
  sent.wanted = i % 3 == 0 ? "" : "o";
  sent.fingerprint = i;
  return sent;
}

// A client that sends one request after the other, each until it has its answer.
class Client {
 public:
  explicit Client(TestProgram& program) : program_(program) {}

  // Goes on until all are answered, or the program dies. True when all are.
  bool Send() {
    while (answers_.size() < kRequests) {
      std::optional<IngestReply> reply;
      if (!Ask(Request(answers_.size()), &reply) || reply->error) return false;
      answers_.push_back(Text(*reply));
      repeated_ += reply->repeated ? 1 : 0;
    }
    return true;
  }
  const std::vector<std::string>& answers() const { return answers_; }
  size_t repeated() const { return repeated_; }

 private:
  bool Ask(const Sent& sent, std::optional<IngestReply>* reply) {
    IngestRequest request;
    request.topic = "s";
    request.payloads = sent.payloads;
    request.return_stream = sent.wanted;
    request.idempotency_key = sent.key;
    request.fingerprint = sent.fingerprint;
    auto given = std::make_shared<std::optional<IngestReply>>();
    request.done = [given](IngestReply answer) { *given = std::move(answer); };
    LocalEngine& engine = program_.engine();
    engine.Submit(std::move(request));
    while (!*given) {
      engine.Pump();
      const bool durable = engine.log().WaitDurable(engine.log().last_lsn()).ok();
      engine.Complete();
      if (!durable && !*given) return false;
    }
    *reply = std::move(*given);
    return true;
  }

  TestProgram& program_;
  std::vector<std::string> answers_;
  size_t repeated_ = 0;
};

std::string Everything(const TestProgram& program) {
  return program.Rows("s", true) + program.Rows("o", true) + program.Rows("s.dead", true);
}

// The power fails at any operation of the disk; the client sends again what had no answer.
TEST(RepeatedRequestsAfterACrash, LeaveTheLogOfAnUndisturbedRun) {
  TestProgram undisturbed;
  undisturbed.Run(kScript);
  Client calm(undisturbed);
  ASSERT_TRUE(calm.Send());
  const std::string expected = Everything(undisturbed);
  size_t repeated = 0;
  bool finished = false;
  for (uint64_t at = 1; !finished; ++at) {
    TestProgram program(5);  // with snapshots
    program.Run(kScript);
    program.files().CrashAtOperation(program.files().operations() + at);
    Client client(program);
    finished = client.Send();
    ASSERT_TRUE(program.Crash(at).ok()) << at;
    ASSERT_TRUE(client.Send()) << at;
    ASSERT_EQ(calm.answers(), client.answers()) << at;
    ASSERT_EQ(expected, Everything(program)) << at;
    ASSERT_EQ(0U, program.Differences()) << at;
    repeated += client.repeated();
    // And once more, all of them.
    Client late(program);
    ASSERT_TRUE(late.Send()) << at;
    ASSERT_EQ(calm.answers(), late.answers()) << at;
    ASSERT_EQ(kRequests, late.repeated()) << at;
    ASSERT_EQ(expected, Everything(program)) << at;
  }
  // Some died between the flush and the answer.
  EXPECT_GT(repeated, 0U);
}

}  // namespace
}  // namespace headrace::engine
