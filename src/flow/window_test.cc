// TUMBLE and HOP through a whole flow.

#include <map>
#include <optional>
#include <random>
#include <tuple>

#include <gtest/gtest.h>

#include "flow/test_flow.h"

namespace headrace::flow {
namespace {

constexpr int64_t kSecond = 1'000'000;

struct WindowShape {
  int64_t size = 10;  // seconds
  int64_t slide = 10;
  int64_t offset = 0;
  int64_t lateness = 0;
};

// SELECT window_start, window_end, k, count(*), sum(q), min(q) FROM HOP(s) GROUP BY ...
std::shared_ptr<StatementPlan> WindowPlanOf(const WindowShape& shape) {
  auto plan = std::make_shared<StatementPlan>();
  plan->name = "w";
  plan->lateness = shape.lateness * kSecond;
  WindowPlan window;
  window.input = "s";
  window.time_column = kTimeColumn;
  window.size = shape.size * kSecond;
  window.slide = shape.slide * kSecond;
  window.offset = shape.offset * kSecond;
  window.window_start_slot = kTestColumns;
  window.window_end_slot = kTestColumns + 1;
  window.slots = kTestColumns + 2;
  window.table.key_slots = {kTestColumns + 1, kTestColumns, kKeyColumn};
  window.table.key_types = {kTimeType, kTimeType, kTextType};
  row::Type sum = state::ResultType(state::AggregateKind::kSum, kBigintType).value();
  window.table.aggregates = {
      {state::AggregateKind::kCountRows, -1, {}, -1, kBigintType},
      {state::AggregateKind::kSum, kQuantityColumn, kBigintType, -1, sum},
      {state::AggregateKind::kMin, kQuantityColumn, kBigintType, -1, kBigintType}};
  std::vector<std::pair<int, row::Type>> outputs = {{1, kBigintType}, {0, kBigintType},
                                                    {2, kTextType},   {3, kBigintType},
                                                    {4, sum},         {5, kBigintType}};
  for (auto [slot, type] : outputs) {
    window.outputs.push_back(expr::Column(slot, type));
    plan->schema.columns.push_back({"c" + std::to_string(slot), type});
  }
  plan->window = std::move(window);
  return plan;
}

std::string EventAt(double seconds, const std::string& k, std::optional<int64_t> q = 1) {
  return "{\"k\":\"" + k + "\",\"q\":" + (q ? std::to_string(*q) : "null") +
         ",\"ts\":" + std::to_string(static_cast<int64_t>(seconds * 1e6)) + "}";
}

// A row as the notebook has it, times in seconds.
std::string Row(int64_t start, int64_t end, const std::string& rest) {
  return std::to_string(start * kSecond) + "," + std::to_string(end * kSecond) + "," + rest;
}

using Rows = std::vector<std::string>;

TEST(Tumble, AWindowHoldsItsStartAndNotItsEnd) {
  TestFlow flow(TestSource(0));
  flow.Add(WindowPlanOf({}));
  flow.Feed({EventAt(10, "a"), EventAt(19.999999, "a"), EventAt(20, "a")});
  EXPECT_EQ(Rows{Row(10, 20, "a,2,2,1")}, flow.notes().rows("w"));
  flow.Finish();
  EXPECT_EQ(Row(20, 30, "a,1,1,1"), flow.notes().rows("w").back());
}

TEST(Tumble, AWindowClosesAtTheEventThatMovesTheWatermarkToItsEnd) {
  TestFlow flow(TestSource(5 * kSecond));
  flow.Add(WindowPlanOf({}));
  flow.Feed({EventAt(12, "a"), EventAt(24.999999, "a")});
  EXPECT_EQ(Rows{}, flow.notes().rows("w"));
  flow.Feed({EventAt(11, "a"), EventAt(25, "a"), EventAt(26, "a")});
  ASSERT_EQ(Rows{Row(10, 20, "a,1,1,1")}, flow.notes().rows("w"));
  EXPECT_EQ((row::Place{2, 1}), flow.notes().causes("w")[0]);
  EXPECT_EQ(1, flow.notes().late("w"));  // 11 is older than 19.999999
}

TEST(Tumble, AnInputsEndClosesItsWindowsForGood) {
  TestFlow flow(TestSource(5 * kSecond));
  flow.Add(WindowPlanOf({.lateness = 60}));
  flow.Feed({EventAt(12, "a"), EventAt(17, "b")});
  flow.Finish();
  ASSERT_EQ(2U, flow.notes().rows("w").size());
  // Another run goes on: what belongs to the windows that were emitted is late.
  flow.Feed({EventAt(13, "a"), EventAt(19.999999, "c"), EventAt(20, "a")});
  flow.Finish();
  EXPECT_EQ((Rows{Row(10, 20, "a,1,1,1"), Row(10, 20, "b,1,1,1"), Row(20, 30, "a,1,1,1")}),
            flow.notes().rows("w"));
  EXPECT_EQ(2, flow.notes().late("w"));
}

TEST(Tumble, GroupsComeByWindowThenKeyWithNullLast) {
  TestFlow flow(TestSource(0));
  flow.Add(WindowPlanOf({.lateness = 60}));
  flow.Feed({EventAt(25, "b"), EventAt(15, "c"), EventAt(25, "a"), EventAt(15, "b"),
             "{\"ts\":15000000}", EventAt(25, "b")});
  flow.Finish();
  EXPECT_EQ((Rows{Row(10, 20, "b,1,1,1"), Row(10, 20, "c,1,1,1"), Row(10, 20, ",1,,"),
                  Row(20, 30, "a,1,1,1"), Row(20, 30, "b,2,2,1")}),
            flow.notes().rows("w"));
}

TEST(Tumble, TimesBefore1970AndOffsetsCountFromTheEpoch) {
  TestFlow flow(TestSource(0));
  flow.Add(WindowPlanOf({.offset = 3}));
  flow.Feed({EventAt(-8, "a"), EventAt(-7, "a"), EventAt(2.5, "a"), EventAt(3, "a")});
  flow.Finish();
  EXPECT_EQ((Rows{Row(-17, -7, "a,1,1,1"), Row(-7, 3, "a,2,2,1"), Row(3, 13, "a,1,1,1")}),
            flow.notes().rows("w"));
}

TEST(Tumble, LateRowsAreTakenUpToTheAllowedLateness) {
  TestFlow flow(TestSource(0));
  flow.Add(WindowPlanOf({.lateness = 15}));
  flow.Feed({EventAt(30, "a"), EventAt(15, "a"), EventAt(14.999999, "a")});
  EXPECT_EQ(Rows{"2 HR2208"}, flow.notes().refused("s"));
  flow.Feed({EventAt(34.9, "a")});
  EXPECT_EQ(Rows{}, flow.notes().rows("w"));
  flow.Feed({EventAt(35, "a")});
  EXPECT_EQ(Rows{Row(10, 20, "a,1,1,1")}, flow.notes().rows("w"));
}

TEST(Tumble, LateRowsAreOnlyCountedWhenTheyAreDropped) {
  auto plan = WindowPlanOf({});
  plan->late_policy = LatePolicy::kDrop;
  TestFlow flow(TestSource(0));
  flow.Add(plan);
  flow.Feed({EventAt(30, "a"), EventAt(29, "a")});
  EXPECT_EQ(Rows{}, flow.notes().refused("s"));
  EXPECT_EQ(1, flow.notes().late("w"));
}

TEST(Tumble, AFilterOverWindowsTakesTheOnesThatTheEndOfTheInputCloses) {
  auto windows = WindowPlanOf({.lateness = 7200});
  TestFlow flow(TestSource(0));
  flow.Add(windows);
  flow.Add(TestSelect("f", "w", windows->schema));
  flow.Feed({EventAt(5, "a"), EventAt(8000, "b")});
  flow.Finish();
  EXPECT_EQ(2U, flow.notes().rows("w").size());
  EXPECT_EQ(flow.notes().rows("w"), flow.notes().rows("f"));
  EXPECT_EQ(0, flow.notes().late("f"));
}

TEST(Tumble, HavingLeavesGroupsOutAndAFailingCellIsNull) {
  auto plan = WindowPlanOf({});
  std::vector<expr::ExprPtr> more;
  more.push_back(expr::Column(3, kBigintType));
  more.push_back(expr::Literal(row::Value::Integer(1), kBigintType));
  plan->window->having = expr::Call(">", std::move(more)).value();
  std::vector<expr::ExprPtr> division;
  division.push_back(expr::Literal(row::Value::Integer(6), kBigintType));
  division.push_back(expr::Column(5, kBigintType));
  plan->window->outputs[5] = expr::Call("/", std::move(division)).value();
  TestFlow flow(TestSource(0));
  flow.Add(plan);
  flow.Feed({EventAt(1, "a"), EventAt(1, "b", 0), EventAt(1, "b", 3), EventAt(2, "c", 2),
             EventAt(2, "c", 4)});
  flow.Finish();
  EXPECT_EQ((Rows{Row(0, 10, "b,2,3,"), Row(0, 10, "c,2,6,3")}), flow.notes().rows("w"));
}

TEST(Tumble, ARowThatOverflowsItsGroupIsRefused) {
  auto plan = WindowPlanOf({});
  // The sum of integers is a bigint, which has an end.
  plan->window->table.aggregates[1] = {state::AggregateKind::kSum,
                                       kQuantityColumn,
                                       {row::TypeKind::kInteger, 0, 0},
                                       -1,
                                       kBigintType};
  plan->window->outputs[4] = expr::Column(4, kBigintType);
  plan->schema.columns[4].type = kBigintType;
  TestFlow flow(TestSource(0));
  flow.Add(plan);
  flow.Feed({EventAt(1, "a", INT64_MAX), EventAt(1, "a", 1), EventAt(1, "b", 1)});
  flow.Finish();
  // Where the sum overflows, either the row is refused or the cell says nothing; never a wrong sum.
  for (const std::string& row : flow.notes().rows("w"))
    EXPECT_EQ(std::string::npos, row.find(",-9223372036854775808")) << row;
  EXPECT_EQ(2U, flow.notes().rows("w").size());
}

// Window by window from the rows that were in time.
Rows NaiveHop(const WindowShape& shape, const std::vector<std::tuple<int64_t, int, int>>& events,
              int64_t delay) {
  struct Group {
    int64_t n = 0, sum = 0, low = INT64_MAX;
  };
  std::map<std::tuple<int64_t, int64_t, int>, Group> groups;
  int64_t watermark = INT64_MIN;
  for (auto [ts, k, q] : events) {
    bool late = watermark != INT64_MIN && ts < watermark - shape.lateness;
    watermark = std::max(watermark, ts - delay);
    if (late) continue;
    for (int64_t start = -1000; start <= ts; start += shape.slide) {
      int64_t from = start + shape.offset;
      if (ts < from || ts >= from + shape.size) continue;
      Group& group = groups[{from + shape.size, from, k}];
      ++group.n;
      group.sum += q;
      group.low = std::min<int64_t>(group.low, q);
    }
  }
  Rows rows;
  for (const auto& [key, group] : groups) {
    rows.push_back(Row(std::get<1>(key), std::get<0>(key),
                       "k" + std::to_string(std::get<2>(key)) + "," + std::to_string(group.n) +
                           "," + std::to_string(group.sum) + "," + std::to_string(group.low)));
  }
  return rows;
}

TEST(Hop, AgreesWithWindowByWindowAdditionWhateverTheFrames) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    std::mt19937_64 random(seed);
    WindowShape shape;
    shape.slide = 1 + static_cast<int64_t>(random() % 20);
    shape.size = shape.slide * (1 + static_cast<int64_t>(random() % 5));
    shape.offset = static_cast<int64_t>(random() % 7);
    shape.lateness = static_cast<int64_t>(random() % 3 * 10);
    while (1000 % shape.slide != 0)  // the naive windows begin at -1000
      shape.size = --shape.slide * 2;
    std::vector<std::tuple<int64_t, int, int>> events;
    int64_t now = 500;
    for (int i = 0; i < 300; ++i) {
      now += static_cast<int64_t>(random() % 4);
      int64_t back = random() % 3 == 0 ? static_cast<int64_t>(random() % 25) : 0;
      events.emplace_back(now - back, random() % 4, static_cast<int>(random() % 90) - 30);
    }
    TestFlow flow(TestSource(8 * kSecond));
    flow.Add(WindowPlanOf(shape));
    for (size_t i = 0; i < events.size();) {
      std::vector<std::string> frame;
      for (size_t end = std::min(events.size(), i + 1 + random() % 50); i < end; ++i) {
        auto [ts, k, q] = events[i];
        frame.push_back(EventAt(static_cast<double>(ts), "k" + std::to_string(k), q));
      }
      flow.Feed(frame);
    }
    flow.Finish();
    ASSERT_EQ(NaiveHop(shape, events, 8), flow.notes().rows("w")) << "seed " << seed;
  }
}

}  // namespace
}  // namespace headrace::flow
