// A limit of memory: what goes to the spill file does not show, and what does not fit stays out.

#include "engine/state_memory.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "engine/test_program.h"
#include "flow/waiting_rows.h"

namespace headrace::engine {
namespace {

constexpr uint64_t kLimit = 100'000'000;

// Every kind of state there is.
constexpr const char* kScript = R"(
CREATE STREAM events (
  id TEXT NOT NULL, k TEXT NOT NULL, q BIGINT NOT NULL, ts TIMESTAMPTZ NOT NULL,
  WATERMARK FOR ts AS ts - INTERVAL '20 seconds'
) PARTITION BY (k) DEDUPLICATE BY (id) WITHIN INTERVAL '1 hour'
  WITH (topic = 'events', timestamp_unit = 's');
CREATE STREAM rolling AS
SELECT id, k, q, ts, count(*) OVER m5 AS n, sum(q) OVER m5 AS total, max(q) OVER m5 AS most,
  count(DISTINCT id) OVER h1 AS ids, lag(q) OVER (PARTITION BY k ORDER BY ts) AS before
FROM events
WINDOW m5 AS (PARTITION BY k ORDER BY ts
              RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW),
       h1 AS (PARTITION BY k ORDER BY ts
              RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW);
CREATE STREAM sorted AS
SELECT id, q, ts,
  sum(q) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS ten
FROM events EMIT ON WATERMARK;
CREATE STREAM watched AS
SELECT id, adwin(q) OVER (PARTITION BY k) AS drift, ewma_score(q) OVER (PARTITION BY k) AS score
FROM events;
CREATE MATERIALIZED VIEW per_minute AS
SELECT window_start, k, count(*) AS n, avg(q) AS mean, count(DISTINCT q) AS different
FROM TUMBLE(TABLE rolling, DESCRIPTOR(ts), INTERVAL '1 minute') GROUP BY window_start, k;
)";

std::vector<std::string> Events(int64_t from, int64_t to, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::string> events;
  for (int64_t i = from; i < to; ++i) {
    const int64_t id = i - (random() % 10 == 0 ? static_cast<int64_t>(random() % 1000) : 0);
    const auto seconds = TestProgram::kNow / 1'000'000 - 20'000 + id / 4;
    events.push_back(R"({"id":"the event number )" + std::to_string(id) + R"(","k":"customer )" +
                     std::to_string(random() % 700) + R"(","q":)" + std::to_string(random() % 50) +
                     R"(,"ts":)" + std::to_string(seconds - static_cast<int64_t>(random() % 15)) +
                     "}");
  }
  return events;
}

MemoryLimit NothingStays() {
  return {1, "/tmp", [looks = 0]() mutable -> uint64_t { return ++looks % 2 == 0 ? 0 : 2; }};
}

std::string AllRows(const TestProgram& program) {
  std::string rows;
  for (const char* stream : {"rolling", "sorted", "watched", "per_minute"})
    rows += program.Rows(stream, true) + "\n";
  return rows;
}

TEST(StateMemory, DoesNotShowInWhatComesOut) {
  TestProgram whole;
  whole.Run(kScript);
  whole.Feed("events", Events(0, 8000, 1));
  whole.Feed("events", Events(8000, 16'000, 2));
  TestProgram tight;
  tight.SetMemory(NothingStays());
  tight.Restart().value();
  tight.Run(kScript);
  tight.Feed("events", Events(0, 8000, 1), [](size_t i) { return 1 + i % 97; });
  tight.Restart().value();
  tight.Feed("events", Events(8000, 16'000, 2), [](size_t i) { return 1 + i % 253; });
  EXPECT_EQ(AllRows(tight), AllRows(whole));
  tight.Crash(3).value();
  EXPECT_EQ(AllRows(tight), AllRows(whole));
  EXPECT_EQ(tight.Differences(), 0U);
  EXPECT_GT(tight.Metric("headrace_memory_put_out_bytes_total"), 1e6);
  EXPECT_GT(tight.Metric("headrace_memory_spill_bytes"), 1e6);
  EXPECT_EQ(tight.Metric("headrace_memory_limit_bytes"), 1);
}

// A stream of keys that come once: what is kept of them goes with the windows, of every kind.
TEST(StateMemory, IsGivenUpAsTheWatermarkPasses) {
  TestProgram program;
  program.SetMemory(NothingStays());
  program.Restart().value();
  program.Run(R"(
CREATE STREAM events (
  id TEXT NOT NULL, q BIGINT NOT NULL, ts TIMESTAMPTZ NOT NULL,
  WATERMARK FOR ts AS ts - INTERVAL '1 second'
) DEDUPLICATE BY (id) WITHIN INTERVAL '10 minutes' WITH (topic = 'events', timestamp_unit = 's');
CREATE STREAM rolling AS
SELECT id, ts, count(*) OVER m5 AS n, max(q) OVER m5 AS most,
  count(DISTINCT q) OVER m5 AS different,
  avg(CAST(q AS DOUBLE PRECISION)) OVER m5 AS mean
FROM events
WINDOW m5 AS (PARTITION BY id ORDER BY ts
              RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW);
CREATE STREAM sorted AS
SELECT id, sum(q) OVER (PARTITION BY id ORDER BY ts
                        RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW) AS s
FROM events EMIT ON WATERMARK ALLOWED LATENESS INTERVAL '5 minutes';
CREATE MATERIALIZED VIEW per_minute AS
SELECT window_start, id, count(*) AS n, count(DISTINCT q) AS different
FROM TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '1 minute') GROUP BY window_start, id;
)");
  int64_t next = 0;
  auto feed = [&](int64_t count) {
    std::vector<std::string> events;
    for (const int64_t end = next + count; next < end; ++next) {
      const int64_t seconds = TestProgram::kNow / 1'000'000 - 200'000 + next;
      events.push_back(R"({"id":"the key that comes once, number )" + std::to_string(next) +
                       R"(","q":)" + std::to_string(next % 100) + R"(,"ts":)" +
                       std::to_string(seconds) + "}");
    }
    program.Feed("events", events);
  };
  // Allowed lateness is an hour.
  feed(8000);
  const double before = program.Metric("headrace_memory_spill_bytes");
  feed(40'000);
  EXPECT_GT(before, 0);
  EXPECT_LE(program.Metric("headrace_memory_spill_bytes"), before * 1.5);
}

// The end of an input lets go of all rows that wait at once: the limit is looked at meanwhile.
TEST(StateMemory, IsLookedAtWhileManyRowsAreReleased) {
  size_t looks = 0;
  TestProgram program;
  program.SetMemory({kLimit, "/tmp", [&looks] { return ++looks, uint64_t{0}; }});
  program.Restart().value();
  program.Run(R"(
CREATE STREAM events (id TEXT NOT NULL, q BIGINT NOT NULL, ts TIMESTAMPTZ NOT NULL,
  WATERMARK FOR ts AS ts) WITH (topic = 'events', timestamp_unit = 's');
CREATE STREAM sorted AS SELECT id, ts FROM events
  EMIT ON WATERMARK ALLOWED LATENESS INTERVAL '100000 seconds';
)");
  constexpr int64_t kRows = 20'000;
  std::vector<std::string> events;
  for (int64_t i = 0; i < kRows; ++i) {
    const int64_t seconds = TestProgram::kNow / 1'000'000 - kRows + i;
    events.push_back(R"({"id":"i","q":1,"ts":)" + std::to_string(seconds) + "}");
  }
  program.Feed("events", events);
  EXPECT_EQ(program.Rows("sorted"), "");
  looks = 0;
  program.engine().FinishInput("events").value();
  EXPECT_GE(looks, static_cast<size_t>(kRows) / flow::WaitingRows::kReleaseRows);
  EXPECT_EQ(std::ranges::count(program.Rows("sorted"), '\n'), kRows);
}

// The rest of the process takes what there is: what comes is refused, and nothing of it is there.
TEST(StateMemory, KeepsEventsOutWhenNothingCanBePutOutAnyMore) {
  uint64_t others = 0;
  TestProgram program;
  program.SetMemory({kLimit, "/tmp", [&others] { return others; }});
  program.Restart().value();
  program.Run(kScript);
  std::optional<Error> refused;
  size_t accepted = 0;
  auto submit = [&](const std::string& payload) {
    IngestRequest request;
    request.topic = "events";
    request.payloads = {payload};
    request.done = [&](const IngestReply& reply) {
      refused = reply.error;
      accepted += reply.accepted;
    };
    program.engine().Submit(std::move(request));
    while (program.engine().in_flight() > 0) {
      program.engine().Pump();
      program.engine().log().WaitDurable(program.engine().log().last_lsn()).value();
      program.engine().Complete();
    }
  };
  const std::vector<std::string> events = Events(0, 10, 1);
  submit(events[0]);
  EXPECT_EQ(accepted, 1U);
  others = kLimit;
  submit(events[1]);  // was looked at before
  EXPECT_EQ(accepted, 2U);
  submit(events[2]);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code(), "HR5065");
  EXPECT_EQ(refused->kind(), ErrorKind::kLimitExceeded);
  EXPECT_TRUE(program.engine().RefuseNow(1));
  EXPECT_EQ(program.FeedAsFrom("f", "events", {events[3]}, 1).error().code(), "HR5065");
  EXPECT_EQ(accepted, 2U);
  others = kLimit / 2;
  EXPECT_TRUE(program.engine().RefuseNow(1)) << "it was looked at a moment ago";
  program.clock().Advance(StateMemory::kLookNanos / 1000);
  EXPECT_FALSE(program.engine().RefuseNow(1));
  submit(events[4]);
  EXPECT_EQ(accepted, 3U);
  EXPECT_EQ(std::ranges::count(program.Rows("rolling"), '\n'), 3);
  // Nor does a start take more than there is.
  others = kLimit;
  Status started = program.Crash(1);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code(), "HR5065");
  others = 0;
  program.Start().value();
  EXPECT_EQ(std::ranges::count(program.Rows("rolling"), '\n'), 3);
}

TEST(StateMemory, SaysWhenThereIsNoPlaceForTheFile) {
  os::ManualClock clock{0};
  base::MetricsRegistry metrics;
  auto memory =
      StateMemory::Make({kLimit, "", os::ResidentBytes}, "/no/such/directory", clock, metrics);
  ASSERT_FALSE(memory.ok());
  EXPECT_EQ(memory.error().code(), "HR7020");
}

}  // namespace
}  // namespace headrace::engine
