// Events that come in requests: answers, refusals, rows that are asked back, a full disk.

#include <algorithm>

#include <gtest/gtest.h>

#include "engine/test_program.h"

namespace headrace::engine {
namespace {

constexpr const char* kScript =
    "CREATE STREAM s (id TEXT NOT NULL, q BIGINT, ts TIMESTAMPTZ NOT NULL, "
    "WATERMARK FOR ts AS ts) PARTITION BY (id) DEDUPLICATE BY (id) WITHIN INTERVAL '1 hour' "
    "WITH (timestamp_unit = 'us');\n"
    "CREATE STREAM o AS SELECT id, 10 / q AS d FROM s WHERE q <> 9;\n"
    "CREATE STREAM p AS SELECT d FROM o;";

std::string Event(const std::string& id, int64_t q = 1) {
  return "{\"id\":\"" + id + "\",\"q\":" + std::to_string(q) +
         ",\"ts\":" + std::to_string(TestProgram::kNow) + "}";
}

// Sends requests and keeps their answers, in the order in which they came.
class Requests : public testing::Test {
 protected:
  Requests() { program_.Run(kScript); }

  void Submit(std::vector<std::string> payloads, const std::string& wanted = "",
              bool atomic = false) {
    IngestRequest request;
    request.topic = "s";
    request.payloads = std::move(payloads);
    request.return_stream = wanted;
    request.atomic = atomic;
    request.done = [this](IngestReply reply) { replies_.push_back(std::move(reply)); };
    program_.engine().Submit(std::move(request));
  }
  void Answer() {
    while (program_.engine().Pump()) {
    }
    Status durable = program_.engine().log().WaitDurable(program_.engine().log().last_lsn());
    EXPECT_TRUE(durable.ok());
    program_.engine().Complete();
    EXPECT_EQ(0U, program_.engine().in_flight());
  }

  TestProgram program_;
  std::vector<IngestReply> replies_;
};

TEST(Topics, KeepWhatTheirStreamSays) {
  TestProgram program;
  program.Run(
      "CREATE STREAM a (k TEXT) WITH (retention = '7 days', retention_bytes = '10 GB');\n"
      "CREATE STREAM b WITH (retention.ms = 5000, retention.bytes = -1) AS SELECT k FROM a;\n"
      "CREATE STREAM c AS SELECT k FROM a;\n");
  for (bool restarted : {false, true}) {
    if (restarted) program.Restart().value();
    const log::Log& log = program.engine().log();
    for (const char* topic : {"a", "a.dead"}) {
      EXPECT_EQ(7 * 86'400'000, log.topic_config(topic).retention_ms) << topic;
      EXPECT_EQ(int64_t{10} << 30, log.topic_config(topic).retention_bytes) << topic;
    }
    EXPECT_EQ(5000, log.topic_config("b").retention_ms);
    EXPECT_EQ(-1, log.topic_config("b").retention_bytes);
    EXPECT_EQ(-1, log.topic_config("c").retention_ms);
  }
}

TEST_F(Requests, AreAnsweredWhenTheirEventsAreDurable) {
  Submit({Event("a"), Event("b")});
  EXPECT_TRUE(replies_.empty());
  Answer();
  ASSERT_EQ(1U, replies_.size());
  EXPECT_FALSE(replies_[0].error);
  EXPECT_EQ(2U, replies_[0].accepted);
  ASSERT_EQ(1U, replies_[0].placed.size());
  EXPECT_EQ(0, replies_[0].placed[0].first_offset);
  EXPECT_EQ(2, replies_[0].placed[0].count);
}

TEST_F(Requests, TakenTogetherGetTheirOwnRowsBack) {
  Submit({Event("a", 1), Event("b", 2)}, "o");
  Submit({Event("c", 5)}, "p");
  Submit({Event("d", 9)}, "o");
  Submit({Event("e", 10)});
  Submit({Event("f", 10)}, "o");
  Answer();
  ASSERT_EQ(5U, replies_.size());
  EXPECT_EQ((std::vector<std::string>{"{\"_id\":\"o:0:0\",\"id\":\"a\",\"d\":10}",
                                      "{\"_id\":\"o:0:1\",\"id\":\"b\",\"d\":5}"}),
            replies_[0].rows);
  EXPECT_EQ(std::vector<std::string>{"{\"_id\":\"p:0:2\",\"d\":2}"}, replies_[1].rows);
  EXPECT_TRUE(replies_[2].rows.empty());
  EXPECT_TRUE(replies_[3].rows.empty());
  EXPECT_EQ(std::vector<std::string>{"{\"_id\":\"o:0:4\",\"id\":\"f\",\"d\":1}"}, replies_[4].rows);
}

TEST_F(Requests, LeaveUnfitEventsOutAndNameThem) {
  Submit({Event("a"), "{\"q\":1}", Event("b"), "nonsense"});
  Submit({Event("c"), "nonsense"}, "", true);
  Answer();
  EXPECT_EQ(2U, replies_[0].accepted);
  ASSERT_EQ(2U, replies_[0].rejected.size());
  EXPECT_EQ(1U, replies_[0].rejected[0].index);
  EXPECT_EQ(3U, replies_[0].rejected[1].index);
  EXPECT_EQ(0U, replies_[1].accepted);
  EXPECT_TRUE(replies_[1].placed.empty());
  EXPECT_EQ("{\"id\":\"a\",\"d\":10}\n{\"id\":\"b\",\"d\":10}\n", program_.Rows("o"));
  EXPECT_EQ("", program_.Rows("s.dead"));
}

TEST_F(Requests, MayRepeatWhatWasTaken) {
  Submit({Event("a"), Event("a"), Event("b")});
  Submit({Event("b")}, "o");
  Answer();
  ASSERT_TRUE(program_.Restart().ok());
  Submit({Event("a")});
  Answer();
  EXPECT_EQ(3U, replies_[0].accepted);
  EXPECT_EQ(1U, replies_[1].accepted);
  EXPECT_TRUE(replies_[1].rows.empty());
  EXPECT_EQ(1U, replies_[2].accepted);
  EXPECT_EQ("{\"id\":\"a\",\"d\":10}\n{\"id\":\"b\",\"d\":10}\n", program_.Rows("o"));
}

TEST_F(Requests, ForAnUnknownTopicOrStreamAreRefusedAtOnce) {
  Submit({Event("a")}, "nowhere");
  ASSERT_EQ(1U, replies_.size());
  EXPECT_EQ(ErrorKind::kNotFound, replies_[0].error->kind());
  IngestRequest request;
  request.topic = "t";
  request.done = [this](IngestReply reply) { replies_.push_back(std::move(reply)); };
  program_.engine().Submit(std::move(request));
  EXPECT_EQ(ErrorKind::kNotFound, replies_[1].error->kind());
}

TEST_F(Requests, BeyondTheQueueAreRefused) {
  std::vector<std::string> many(60'000, Event("a"));
  Submit(many);
  Submit(many);
  ASSERT_EQ(1U, replies_.size());
  EXPECT_EQ(ErrorKind::kLimitExceeded, replies_[0].error->kind());
}

TEST_F(Requests, AreRefusedWhenTheJournalHasFailedAndReadingGoesOn) {
  Submit({Event("a")});
  Answer();
  program_.files().Add({.point = os::FaultPoint::kSync, .repeat = 1000});
  Submit({Event("b")});
  program_.engine().Pump();
  Status durable = program_.engine().log().WaitDurable(program_.engine().log().last_lsn());
  EXPECT_FALSE(durable.ok());
  program_.engine().Complete();
  ASSERT_EQ(2U, replies_.size());
  EXPECT_TRUE(replies_[1].error);
  Submit({Event("c")});
  EXPECT_EQ("HR5001", replies_.back().error->code());
  EXPECT_FALSE(program_.engine().ready());
  EXPECT_EQ("HR5001",
            program_.engine().Execute("CREATE STREAM x AS SELECT id FROM s;", "x").error().code());
  EXPECT_EQ("{\"id\":\"a\",\"d\":10}\n", program_.Rows("o"));
  program_.files().ClearFaults();
  ASSERT_TRUE(program_.Crash(1).ok());
  EXPECT_EQ("{\"id\":\"a\",\"d\":10}\n", program_.Rows("o"));
}

// A statement that comes while a group waits for space must not take the group's place.
TEST_F(Requests, ThatWaitForDiskSpaceAreNotLostToAStatement) {
  Submit({Event("a")});
  Answer();
  program_.disk().SetCapacity(0);
  for (int i = 0; i < 400; ++i) {
    std::vector<std::string> payloads;
    for (int k = 0; k < 100; ++k)
      payloads.push_back(Event("full" + std::to_string(i) + "_" + std::to_string(k)));
    Submit(payloads);
    program_.engine().Pump();
    if (replies_.back().error) break;
  }
  EXPECT_TRUE(replies_.back().error) << "the disk never was full";
  Status deployed = program_.engine().Execute("CREATE STREAM x AS SELECT id FROM s;", "x.sql");
  EXPECT_FALSE(deployed.ok());
  program_.disk().SetCapacity(UINT64_MAX);
  // The journal tries again by itself; what waits is answered when it is written.
  while (program_.engine().in_flight() > 0) {
    program_.engine().Pump();
    program_.engine().Complete();
  }
  EXPECT_FALSE(replies_.back().error);
  Submit({Event("after")});
  Answer();
  EXPECT_FALSE(replies_.back().error);
  size_t accepted = 0;
  for (const IngestReply& reply : replies_)
    accepted += reply.error ? 0 : reply.accepted;
  ASSERT_TRUE(program_.Restart().ok());
  EXPECT_EQ(0U, program_.Differences());
  std::string rows = program_.Rows("s");
  EXPECT_NE(std::string::npos, program_.Rows("o").find("\"after\""));
  // What was refused is not there, what was taken is, once.
  EXPECT_EQ(accepted, static_cast<size_t>(std::count(rows.begin(), rows.end(), '\n')));
}

}  // namespace
}  // namespace headrace::engine
