// Rows that wait for the watermark: what comes out, in which pieces, and what a snapshot keeps.

#include "flow/waiting_rows.h"

#include <gtest/gtest.h>

#include "flow/test_flow.h"

namespace headrace::flow {
namespace {

constexpr int64_t kSecond = 1'000'000;

std::shared_ptr<StatementPlan> SortedPlan(int64_t lateness = 0) {
  auto plan = TestSelect("o", "s", TestSource(0)->schema);
  plan->input_schema = plan->schema;
  plan->on_watermark = true;
  plan->lateness = lateness;
  return plan;
}

std::string EventAt(int64_t seconds, const std::string& k) {
  return R"({"k":")" + k + R"(","q":1,"ts":)" + std::to_string(seconds * kSecond) + "}";
}

// SELECT window_start, count(*) FROM TUMBLE(o, 100 seconds) GROUP BY window_start
std::shared_ptr<StatementPlan> CountPlan() {
  auto plan = std::make_shared<StatementPlan>();
  plan->name = "w";
  plan->lateness = 0;
  WindowPlan window;
  window.input = "o";
  window.time_column = kTimeColumn;
  window.size = window.slide = 100 * kSecond;
  window.window_start_slot = kTestColumns;
  window.window_end_slot = kTestColumns + 1;
  window.slots = kTestColumns + 2;
  window.table.key_slots = {kTestColumns + 1, kTestColumns};
  window.table.key_types = {kTimeType, kTimeType};
  window.table.aggregates = {{state::AggregateKind::kCountRows, -1, {}, -1, kBigintType}};
  window.outputs.push_back(expr::Column(1, kBigintType));
  window.outputs.push_back(expr::Column(2, kBigintType));
  plan->schema.columns = {{"start", kBigintType, false}, {"n", kBigintType, false}};
  plan->input_schema = TestSource(0)->schema;
  plan->window = std::move(window);
  return plan;
}

TEST(WaitingRows, ComeInOrderWithTheCauseThatReleasedThem) {
  TestFlow flow(TestSource(0));
  flow.Add(SortedPlan());
  flow.Feed({EventAt(5, "a"), EventAt(9, "b"), EventAt(7, "late"), EventAt(9, "c")});
  EXPECT_EQ(1U, flow.notes().rows("o").size());
  EXPECT_EQ((row::Place{1, 1}), flow.notes().causes("o")[0]);
  EXPECT_EQ(1, flow.notes().late("o"));
  flow.Feed({EventAt(10, "d")});
  ASSERT_EQ(3U, flow.notes().rows("o").size());
  EXPECT_EQ('b', flow.notes().rows("o")[1][0]);
  EXPECT_EQ('c', flow.notes().rows("o")[2][0]);
  EXPECT_EQ((row::Place{2, 0}), flow.notes().causes("o")[2]);
}

// More than are released together, over several windows of what reads them.
TEST(WaitingRows, PiecesOfALargeReleaseDoNotShow) {
  TestFlow flow(TestSource(0));
  flow.Add(SortedPlan(100'000 * kSecond));
  flow.Add(CountPlan());
  constexpr int64_t kRows = 3 * WaitingRows::kReleaseRows;
  std::vector<std::string> events;
  for (int64_t i = 0; i < kRows; ++i)
    events.push_back(EventAt((kRows - i) / 4, "k"));
  flow.Feed(events);
  EXPECT_EQ(0U, flow.notes().rows("o").size());
  EXPECT_GT(flow.graph().state_bytes(), 3U * 1024 * 1024 / 4);
  // One step releases about half, the next one the rest.
  flow.Feed({EventAt(100'000 + kRows / 8, "k"), EventAt(200'000, "k")});
  EXPECT_EQ(static_cast<size_t>(kRows), flow.notes().rows("o").size());
  flow.Finish();
  const std::vector<std::string>& counts = flow.notes().rows("w");
  int64_t sum = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    std::string start = counts[i].substr(0, counts[i].find(','));
    if (i + 2 < counts.size()) {
      EXPECT_EQ(std::to_string(static_cast<int64_t>(i) * 100 * kSecond), start);
    }
    sum += std::stoll(counts[i].substr(start.size() + 1));
  }
  EXPECT_EQ(kRows + 2, sum);
}

struct Snapshot {
  std::string head;
  std::vector<BlockPage> pages;

  static Snapshot Of(Graph& graph) {
    Snapshot snapshot{graph.BeginSnapshot(true), {}};
    while (graph.TakePages(1 << 20, snapshot.pages)) {
    }
    return snapshot;
  }
  Status LoadInto(Graph& graph) const {
    HR_TRY(graph.BeginLoad(head, Graph::Match::kExact));
    for (const BlockPage& page : pages)
      HR_TRY(graph.LoadPage(page.block, page.page.number, page.page.bytes));
    graph.EndLoad();
    return Ok();
  }
};

TEST(WaitingRows, ASnapshotKeepsThemAndDamageIsSeen) {
  TestFlow flow(TestSource(0));
  flow.Add(SortedPlan(60 * kSecond));
  flow.Feed({EventAt(100, "a"), EventAt(90, "b"), EventAt(100, "c"), EventAt(200, "d")});
  flow.Feed({EventAt(150, "e"), EventAt(139, "late")});
  const Snapshot snapshot = Snapshot::Of(flow.graph());
  ASSERT_FALSE(snapshot.pages.empty());
  EXPECT_FALSE(flow.graph().needs_whole_snapshot());

  TestFlow other(TestSource(0));
  other.Add(SortedPlan(60 * kSecond));
  ASSERT_TRUE(snapshot.LoadInto(other.graph()).ok());
  EXPECT_FALSE(other.graph().needs_whole_snapshot());
  EXPECT_EQ(flow.graph().state_bytes(), other.graph().state_bytes());
  const Snapshot again = Snapshot::Of(other.graph());
  ASSERT_EQ(snapshot.pages.size(), again.pages.size());
  for (size_t i = 0; i < again.pages.size(); ++i)
    EXPECT_EQ(snapshot.pages[i].page.bytes, again.pages[i].page.bytes);
  other.Feed({EventAt(139, "still late")});
  other.Finish();
  flow.Finish();
  std::vector<std::string> behind(flow.notes().rows("o").begin() + 3, flow.notes().rows("o").end());
  EXPECT_EQ(behind, other.notes().rows("o"));
  EXPECT_EQ(1, other.notes().late("o"));

  const std::string& head = snapshot.head;
  for (size_t cut = 0; cut < head.size(); ++cut) {
    TestFlow damaged(TestSource(0));
    damaged.Add(SortedPlan(60 * kSecond));
    Status loaded = damaged.graph().BeginLoad(head.substr(0, cut), Graph::Match::kExact);
    EXPECT_FALSE(loaded.ok()) << cut;
  }
  for (size_t at = 0; at < head.size(); ++at) {
    Snapshot changed = snapshot;
    changed.head[at] = static_cast<char>(changed.head[at] ^ 0x85);
    TestFlow damaged(TestSource(0));
    damaged.Add(SortedPlan(60 * kSecond));
    if (changed.LoadInto(damaged.graph()).ok()) damaged.Finish();
  }
  // Rows are looked at before they are taken for some.
  for (size_t page = 0; page < snapshot.pages.size(); ++page) {
    for (size_t at = 0; at < snapshot.pages[page].page.bytes.size(); ++at) {
      Snapshot changed = snapshot;
      std::string& bytes = changed.pages[page].page.bytes;
      bytes[at] = static_cast<char>(bytes[at] ^ 0x85);
      TestFlow damaged(TestSource(0));
      damaged.Add(SortedPlan(60 * kSecond));
      if (changed.LoadInto(damaged.graph()).ok()) damaged.Finish();
    }
  }
}

TEST(WaitingRows, SnapshotsOfAnArrivingStatementAreOfAnother) {
  TestFlow flow(TestSource(0));
  auto plan = SortedPlan();
  flow.Add(plan);
  auto arriving = std::make_shared<StatementPlan>(*plan);
  arriving->on_watermark = false;
  TestFlow other(TestSource(0));
  other.Add(arriving);
  EXPECT_EQ("HR4205", other.graph()
                          .BeginLoad(flow.graph().BeginSnapshot(true), Graph::Match::kExact)
                          .error()
                          .code());
  EXPECT_EQ("HR4205", flow.graph()
                          .BeginLoad(other.graph().BeginSnapshot(true), Graph::Match::kExact)
                          .error()
                          .code());
}

}  // namespace
}  // namespace headrace::flow
