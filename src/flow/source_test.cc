// Sources and chains: what is taken, what is refused and where, watermarks, repeats.

#include <gtest/gtest.h>

#include "flow/test_flow.h"

namespace headrace::flow {
namespace {

using Rows = std::vector<std::string>;

constexpr int64_t kSecond = 1'000'000;

std::string EventAt(int64_t seconds, const std::string& k = "a", int64_t q = 1) {
  return "{\"k\":\"" + k + "\",\"q\":" + std::to_string(q) +
         ",\"ts\":" + std::to_string(seconds * kSecond) + "}";
}

expr::ExprPtr Divided(int64_t number, int slot) {
  std::vector<expr::ExprPtr> arguments;
  arguments.push_back(expr::Literal(row::Value::Integer(number), kBigintType));
  arguments.push_back(expr::Column(slot, kBigintType));
  return expr::Call("/", std::move(arguments)).value();
}

// The statement with `number / q` as another column.
std::shared_ptr<StatementPlan> Dividing(const std::string& name, const std::string& input) {
  auto plan = TestSelect(name, input, TestSource(0)->schema);
  int slot = plan->select->slots++;
  plan->select->stages[0].evaluations.push_back({slot, Divided(100, kQuantityColumn)});
  plan->select->output_slots.push_back(slot);
  plan->schema.columns.push_back({"d", kBigintType});
  return plan;
}

TEST(Source, SaysWhichMemberOfAnUnfitEventIsWrong) {
  auto plan = TestSource(0);
  plan->schema.columns[kKeyColumn].not_null = true;
  std::vector<expr::ExprPtr> positive;
  positive.push_back(expr::Column(kQuantityColumn, kBigintType));
  positive.push_back(expr::Literal(row::Value::Integer(0), kBigintType));
  plan->checks.push_back({expr::Call(">", std::move(positive)).value(), "q > 0"});
  TestFlow flow(plan);
  flow.Feed({"{", "[]", "{\"k\":1,\"ts\":1}", "{\"q\":1,\"ts\":1}", "{\"k\":\"a\",\"q\":1}",
             "{\"k\":\"a\",\"q\":0,\"ts\":1}", "{\"k\":\"a\",\"ts\":1}",
             EventAt((kArrival + kFutureMaxMicros) / kSecond + 1),
             EventAt((kArrival + kFutureMaxMicros) / kSecond)});
  ASSERT_EQ(7U, flow.unfit().size());
  EXPECT_TRUE(flow.unfit()[2].ends_with("/k")) << flow.unfit()[2];
  EXPECT_EQ("HR2205/k", flow.unfit()[3]);
  EXPECT_EQ("HR2205/ts", flow.unfit()[4]);
  EXPECT_EQ("HR2209", flow.unfit()[5]);
  EXPECT_EQ("HR2207/ts", flow.unfit()[6]);
}

TEST(Source, ComputedColumnsAreThereForChecksAndStatements) {
  auto plan = TestSource(0);
  plan->schema.columns.push_back({"half", kBigintType, true});
  plan->schema_slots.push_back(kTestColumns);
  plan->slots = kTestColumns + 1;
  plan->computed.push_back({kTestColumns, Divided(10, kQuantityColumn)});
  TestFlow flow(plan);
  flow.Add(TestSelect("o", "s", plan->schema));
  flow.Feed({EventAt(1, "a", 5), EventAt(2, "a", 0), "{\"ts\":3}"});
  ASSERT_EQ(1U, flow.notes().rows("o").size());
  EXPECT_TRUE(flow.notes().rows("o")[0].ends_with(",2"));
  EXPECT_EQ(2U, flow.unfit().size());  // a division by zero, and a half of nothing
}

TEST(Source, DropsRepeatsWithinTheHorizonAndTheFirstToArriveWins) {
  auto plan = TestSource(0);
  plan->dedup_slots = {kKeyColumn};
  plan->dedup_types = {kTextType};
  plan->dedup_within = 10 * kSecond;
  TestFlow flow(plan);
  flow.Add(TestSelect("o", "s", plan->schema));
  flow.Feed({EventAt(100, "a", 1), EventAt(100, "a", 2), EventAt(110, "a", 3), EventAt(111, "a", 4),
             EventAt(90, "a", 5), EventAt(89, "a", 6), "{\"ts\":100000000}", "{\"ts\":100000000}",
             EventAt(100, "", 7)});
  Rows quantities;
  for (const std::string& row : flow.notes().rows("o"))
    quantities.push_back(row.substr(0, row.find(",", row.find(",") + 1)));
  EXPECT_EQ((Rows{"a,1", "a,4", "a,6", ",", ",7"}), quantities);  // NULL is not the empty text
  EXPECT_EQ(4, flow.repeats());
}

// What is forgotten is so old that nobody may repeat it: when, must not depend on frames.
TEST(Source, RepeatsThatAreTooOldAreForgottenAtTheSameEventHoweverTheyCame) {
  constexpr int64_t kHour = 3600;
  std::vector<std::string> events;
  for (int64_t i = 0; i < 40; ++i)
    events.push_back(EventAt(100 * kHour + i, "now" + std::to_string(i)));
  events.push_back(EventAt(99 * kHour + 30, "a"));  // remembered: it is less than an hour late
  events.push_back(EventAt(99 * kHour + 30, "a"));
  events.push_back(EventAt(50 * kHour, "b"));  // forgotten at once
  events.push_back(EventAt(50 * kHour, "b"));
  events.push_back(EventAt(200 * kHour, "new"));
  events.push_back(EventAt(99 * kHour + 30, "a"));  // and now this too
  for (size_t frame : {size_t{1}, size_t{7}, events.size()}) {
    auto plan = TestSource(0);
    plan->dedup_slots = {kKeyColumn};
    plan->dedup_types = {kTextType};
    plan->dedup_within = 10 * kSecond;
    TestFlow flow(plan);
    for (size_t i = 0; i < events.size(); i += frame) {
      auto begin = events.begin() + static_cast<ptrdiff_t>(i);
      flow.Feed({begin, begin + static_cast<ptrdiff_t>(std::min(frame, events.size() - i))});
    }
    EXPECT_EQ(1, flow.repeats()) << "frames of " << frame;
  }
}

TEST(Source, TheWatermarkOfAnEventIsThatOfTheEventsBeforeIt) {
  SourceNode source(TestSource(5 * kSecond));
  row::Batch batch;
  std::vector<std::string> payloads = {EventAt(100), EventAt(90), EventAt(103), "{", EventAt(102)};
  uint32_t index = 0;
  for (const std::string& payload : payloads) {
    Status fit = source.Admit(payload, false, kArrival, batch);
    static_cast<void>(fit.ok());
    batch.rows().back().cause = {1, index++};
  }
  std::vector<WatermarkStep> steps;
  source.Stamp(batch, {kArrival}, steps);
  std::vector<int64_t> before;
  for (const row::Row& row : batch.rows())
    before.push_back(row.watermark == INT64_MIN ? -1 : row.watermark / kSecond);
  EXPECT_EQ((std::vector<int64_t>{-1, 95, 95, 98, 98}), before);
  ASSERT_EQ(2U, steps.size());
  EXPECT_EQ((row::Place{1, 2}), steps[1].at);
  EXPECT_EQ(98 * kSecond, source.watermark());
}

// Feeds a source of two partitions event by event.
struct TwoPartitions {
  SourceNode source{TestSource(0, 2)};

  // The watermark in seconds behind the event; -1 when there is none.
  int64_t Feed(int32_t partition, int64_t seconds, Arrival arrival) {
    row::Batch batch;
    std::string payload = EventAt(seconds);
    EXPECT_TRUE(source.Admit(payload, false, kArrival, batch).ok());
    batch.rows()[0].partition = partition;
    std::vector<WatermarkStep> steps;
    source.Stamp(batch, arrival, steps);
    return source.watermark() == INT64_MIN ? -1 : source.watermark() / kSecond;
  }
};

TEST(Source, APartitionIsIdleAfterTenSecondsOfOthersEvents) {
  TwoPartitions two;
  EXPECT_EQ(-1, two.Feed(0, 100, {kArrival}));  // the other has never had an event: it holds
  EXPECT_EQ(50, two.Feed(1, 50, {kArrival}));
  int64_t arrival = kArrival;
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(50, two.Feed(0, 200 + i, {arrival += kSecond}));
  EXPECT_EQ(300, two.Feed(0, 300, {arrival += kSecond}));
  EXPECT_EQ(300, two.Feed(1, 250, {arrival}));  // it never goes back
}

TEST(Source, APartitionThatNeverHadAnEventHoldsTheWatermarkNoLongerThanAnIdleOne) {
  TwoPartitions two;
  for (int64_t i = 0; i <= 10; ++i)
    EXPECT_EQ(-1, two.Feed(0, i, {kArrival + i * kSecond}));
  EXPECT_EQ(11, two.Feed(0, 11, {kArrival + 11 * kSecond}));
}

TEST(Source, SaysWhichPartitionHoldsTheWatermark) {
  TwoPartitions two;
  const auto told = [&] {
    std::string text;
    for (const PartitionState& state : two.source.partition_states()) {
      text += state.watermark == INT64_MIN ? "-" : std::to_string(state.watermark / kSecond);
      text += std::string(state.idle ? " idle" : "") + (state.holds ? " holds" : "") + " " +
              std::to_string(state.silent_micros / kSecond) + "; ";
    }
    return text;
  };
  EXPECT_EQ("- holds 0; - 0; ", told());
  two.Feed(0, 100, {kArrival});
  EXPECT_EQ("100 0; - holds 0; ", told());
  two.Feed(1, 50, {kArrival});
  two.Feed(0, 110, {kArrival + kSecond});
  EXPECT_EQ("110 0; 50 holds 1; ", told());
  for (int i = 2; i < 13; ++i)
    two.Feed(0, 200 + i, {kArrival + i * kSecond});
  EXPECT_EQ("212 holds 0; 50 idle 12; ", told());
  two.Feed(1, 230, {kArrival + 13 * kSecond});
  EXPECT_EQ("212 holds 1; 230 0; ", told());
}

TEST(Source, AStopMakesNoPartitionIdle) {
  TwoPartitions two;
  two.Feed(0, 100, {kArrival});
  two.Feed(1, 50, {kArrival});
  EXPECT_EQ(50, two.Feed(0, 200, {kArrival + 86'400 * kSecond}));
  EXPECT_EQ(50, two.Feed(0, 201, {kArrival}));  // nor does a clock that is set back
}

TEST(Source, NoPartitionOfAnInputThatEndsIsIdle) {
  TwoPartitions two;
  for (int64_t i = 0; i < 100; ++i)
    EXPECT_EQ(-1, two.Feed(0, i, {kArrival + i * kSecond, true}));
}

TEST(Source, RowsOfOneKeyGoToOnePartition) {
  SourceNode source(TestSource(0, 8));
  row::Batch batch;
  std::vector<std::string> payloads;
  for (int i = 0; i < 64; ++i)
    payloads.push_back(EventAt(i, "k" + std::to_string(i % 16)));
  for (const std::string& payload : payloads)
    EXPECT_TRUE(source.Admit(payload, false, kArrival, batch).ok());
  std::map<int32_t, int> rows;
  for (size_t i = 0; i < 64; ++i) {
    int32_t partition = source.PartitionOf(batch.rows()[i]);
    EXPECT_EQ(partition, source.PartitionOf(batch.rows()[i % 16]));
    ++rows[partition];
  }
  EXPECT_GT(rows.size(), 4U);
}

TEST(Flow, ARowThatCannotBeComputedIsRefusedAndTheNextIsTaken) {
  TestFlow flow(TestSource(0));
  flow.Add(Dividing("o", "s"));
  flow.Feed({EventAt(1, "a", 4), EventAt(2, "a", 0), EventAt(3, "a", 5)});
  EXPECT_EQ(2U, flow.notes().rows("o").size());
  EXPECT_EQ(Rows{"1 HR2101"}, flow.notes().refused("s"));
}

TEST(Flow, AnEventIsRefusedOnceHoweverManyStatementsFail) {
  TestFlow flow(TestSource(0));
  flow.Add(Dividing("o", "s"));
  flow.Add(Dividing("p", "s"));
  flow.Feed({EventAt(1, "a", 0), EventAt(2, "a", 2)});
  EXPECT_EQ(1U, flow.notes().refused("s").size());
  EXPECT_EQ(1U, flow.notes().rows("o").size());
  EXPECT_EQ(1U, flow.notes().rows("p").size());
}

TEST(Flow, WhatAStatementRefusesFromAnotherBearsTheOffsetThere) {
  TestFlow flow(TestSource(0));
  auto filter = TestSelect("f", "s", TestSource(0)->schema);
  std::vector<expr::ExprPtr> small;
  small.push_back(expr::Column(kQuantityColumn, kBigintType));
  small.push_back(expr::Literal(row::Value::Integer(5), kBigintType));
  filter->select->where = expr::Call("<", std::move(small)).value();
  flow.Add(filter);
  flow.Add(Dividing("o", "f"));
  flow.Feed({EventAt(1, "a", 9), EventAt(2, "a", 1), EventAt(3, "a", 0), EventAt(4, "a", 2)});
  EXPECT_EQ(Rows{"1 HR2101"}, flow.notes().refused("f"));
  EXPECT_EQ(Rows{}, flow.notes().refused("s"));
  EXPECT_EQ(2U, flow.notes().rows("o").size());
}

TEST(Flow, AConditionThatFailsRefusesAndOneThatIsNullPassesNothing) {
  TestFlow flow(TestSource(0));
  auto plan = TestSelect("o", "s", TestSource(0)->schema);
  std::vector<expr::ExprPtr> compared;
  compared.push_back(Divided(10, kQuantityColumn));
  compared.push_back(expr::Literal(row::Value::Integer(2), kBigintType));
  plan->select->where = expr::Call(">", std::move(compared)).value();
  flow.Add(plan);
  flow.Feed({EventAt(1, "a", 0), EventAt(2, "a", 3), EventAt(3, "a", 9), "{\"ts\":4000000}"});
  EXPECT_EQ(Rows{"0 HR2101"}, flow.notes().refused("s"));
  EXPECT_EQ(1U, flow.notes().rows("o").size());
}

TEST(Flow, AStatementTakesOnlyWhatComesAfterItsStart) {
  TestFlow flow(TestSource(0));
  auto by_place = TestSelect("p", "s", TestSource(0)->schema);
  by_place->start_lsn = 2;
  auto by_time = TestSelect("t", "s", TestSource(0)->schema);
  by_time->start_time = 15 * kSecond;
  flow.Add(by_place);
  flow.Add(by_time);
  flow.Feed({EventAt(10), EventAt(20)});
  flow.Feed({EventAt(11), EventAt(21)});
  EXPECT_EQ(2U, flow.notes().rows("p").size());
  EXPECT_EQ(2U, flow.notes().rows("t").size());
}

}  // namespace
}  // namespace headrace::flow
