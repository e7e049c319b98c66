// OVER windows through a whole flow, against looking at every row for every row.

#include <cmath>
#include <optional>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "flow/test_flow.h"

namespace headrace::flow {
namespace {

using Kind = state::AggregateKind;

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kHour = 3600 * kSecond;

struct OverEvent {
  std::optional<std::string> k;
  std::optional<int64_t> q;
  std::optional<bool> f;
  int64_t ts = 0;

  std::string json() const {
    std::string text = "{\"ts\":" + std::to_string(ts);
    if (k) text += ",\"k\":\"" + *k + "\"";
    if (q) text += ",\"q\":" + std::to_string(*q);
    if (f) text += *f ? ",\"f\":true" : ",\"f\":false";
    return text + "}";
  }
};

std::vector<OverEvent> RandomEvents(uint64_t seed, int count) {
  std::mt19937_64 random(seed);
  auto below = [&](int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); };
  std::vector<OverEvent> events;
  int64_t now = 1'700'000'000 * kSecond;
  for (int i = 0; i < count; ++i) {
    OverEvent event;
    now += below(4) * kSecond;
    if (below(8) > 0) event.k = "k" + std::to_string(below(3));
    if (below(6) > 0) event.q = below(40) - 20;
    if (below(6) > 0) event.f = below(2) == 0;
    event.ts = now - (below(4) == 0 ? below(50) * kSecond : 0);
    if (below(50) == 0) event.ts -= 2 * kHour;  // later than allowed
    events.push_back(event);
  }
  return events;
}

std::vector<state::FrameSpec> Frames() {
  return {{.start = 30 * kSecond},    {.start = 60 * kSecond, .end = 10 * kSecond},
          {.rows = true, .start = 3}, {.rows = true, .start = 5, .end = 2},
          {.unbounded = true},        {.rows = true, .unbounded = true}};
}

struct Wanted {
  Kind kind;
  int column = -1;
  bool filtered = false;
};

std::vector<Wanted> Aggregates() {
  std::vector<Wanted> wanted = {{Kind::kCountRows},
                                {Kind::kCountRows, -1, true},
                                {Kind::kBoolAnd, kFlagColumn},
                                {Kind::kBoolOr, kFlagColumn}};
  for (Kind kind : {Kind::kCount, Kind::kCountDistinct, Kind::kSum, Kind::kAvg, Kind::kMin,
                    Kind::kMax, Kind::kStddevSamp, Kind::kStddevPop, Kind::kVarSamp, Kind::kVarPop,
                    Kind::kFirstValue, Kind::kLastValue}) {
    wanted.push_back({kind, kQuantityColumn});
  }
  wanted.push_back({Kind::kSum, kQuantityColumn, true});
  wanted.push_back({Kind::kCountDistinct, kQuantityColumn, true});
  return wanted;
}

// All aggregates over all frames, PARTITION BY k or over everything.
std::shared_ptr<StatementPlan> OverPlan(bool partitioned) {
  auto plan = TestSelect("o", "s", TestSource(0)->schema);
  SelectPlan& select = *plan->select;
  state::KeyBlockSpec block;
  if (partitioned) {
    block.key_slots = {kKeyColumn};
    block.key_types = {kTextType};
  }
  block.frames = Frames();
  auto add = [&](const Wanted& wanted, int frame, int64_t lag) {
    state::AggregateSpec spec;
    spec.kind = wanted.kind;
    spec.argument_slot = wanted.column;
    spec.argument_type = wanted.column == kFlagColumn ? kBooleanType : kBigintType;
    spec.filter_slot = wanted.filtered ? kFlagColumn : -1;
    spec.frame = frame;
    spec.lag = lag;
    spec.result_slot = select.slots++;
    spec.result_type = state::ResultType(wanted.kind, spec.argument_type).value();
    select.output_slots.push_back(spec.result_slot);
    plan->schema.columns.push_back({"c" + std::to_string(spec.result_slot), spec.result_type});
    block.aggregates.push_back(spec);
  };
  for (size_t frame = 0; frame < block.frames.size(); ++frame) {
    for (const Wanted& wanted : Aggregates())
      add(wanted, static_cast<int>(frame), 0);
  }
  add({Kind::kLag, kQuantityColumn}, 0, 1);
  add({Kind::kLag, kQuantityColumn}, 0, 3);
  select.stages[0].key_blocks.push_back(block);
  return plan;
}

// The rows that had come when the last of `seen` did, in the order of windows, and its place there.
std::vector<const OverEvent*> Ordered(const std::vector<const OverEvent*>& seen, bool partitioned,
                                      size_t* place) {
  const OverEvent* current = seen.back();
  std::vector<const OverEvent*> same;
  for (const OverEvent* event : seen) {
    if (!partitioned || event->k == current->k) same.push_back(event);
  }
  std::stable_sort(same.begin(), same.end(),
                   [](const OverEvent* a, const OverEvent* b) { return a->ts < b->ts; });
  *place = static_cast<size_t>(std::find(same.begin(), same.end(), current) - same.begin());
  return same;
}

std::vector<const OverEvent*> InFrame(const std::vector<const OverEvent*>& ordered, size_t place,
                                      const state::FrameSpec& frame) {
  std::vector<const OverEvent*> inside;
  for (size_t i = 0; i < ordered.size(); ++i) {
    int64_t back = frame.rows ? static_cast<int64_t>(place) - static_cast<int64_t>(i)
                              : ordered[place]->ts - ordered[i]->ts;
    bool begun = frame.unbounded || back <= frame.start;
    if (begun && back >= frame.end) inside.push_back(ordered[i]);
  }
  return inside;
}

// Text of an exact result; a double behind `~` for one known to about 15 digits.
std::string Spread(Kind kind, const std::vector<int64_t>& values) {
  auto n = static_cast<double>(values.size());
  bool sample = kind == Kind::kStddevSamp || kind == Kind::kVarSamp;
  if (values.empty() || (sample && values.size() < 2)) return "";
  double mean = 0;
  for (int64_t value : values)
    mean += static_cast<double>(value) / n;
  if (kind == Kind::kAvg) return "~" + std::to_string(mean);
  double squares = 0;
  for (int64_t value : values)
    squares += (static_cast<double>(value) - mean) * (static_cast<double>(value) - mean);
  double variance = squares / (sample ? n - 1 : n);
  bool root = kind == Kind::kStddevSamp || kind == Kind::kStddevPop;
  return "~" + std::to_string(root ? std::sqrt(variance) : variance);
}

std::string OfQuantities(Kind kind, const std::vector<int64_t>& values) {
  if (kind == Kind::kCount) return std::to_string(values.size());
  std::set<int64_t> sorted(values.begin(), values.end());
  if (kind == Kind::kCountDistinct) return std::to_string(sorted.size());
  if (values.empty()) return "";
  if (kind == Kind::kMin) return std::to_string(*sorted.begin());
  if (kind == Kind::kMax) return std::to_string(*sorted.rbegin());
  if (kind != Kind::kSum) return Spread(kind, values);
  int64_t sum = 0;
  for (int64_t value : values)
    sum += value;
  return std::to_string(sum);
}

std::string Text(std::optional<int64_t> value) {
  return value ? std::to_string(*value) : "";
}

std::string Naive(const Wanted& wanted, const std::vector<const OverEvent*>& frame) {
  if (wanted.kind == Kind::kFirstValue) return frame.empty() ? "" : Text(frame.front()->q);
  if (wanted.kind == Kind::kLastValue) return frame.empty() ? "" : Text(frame.back()->q);
  std::vector<int64_t> values;
  size_t rows = 0;
  int yes = 0;
  int no = 0;
  for (const OverEvent* event : frame) {
    if (wanted.filtered && !event->f.value_or(false)) continue;
    ++rows;
    if (event->f) ++(*event->f ? yes : no);
    if (event->q) values.push_back(*event->q);
  }
  if (wanted.kind == Kind::kCountRows) return std::to_string(rows);
  if (wanted.column == kQuantityColumn) return OfQuantities(wanted.kind, values);
  if (yes + no == 0) return "";
  return (wanted.kind == Kind::kBoolAnd ? no == 0 : yes > 0) ? "t" : "f";
}

std::vector<std::string> Split(const std::string& row) {
  std::vector<std::string> cells(1);
  for (char c : row) {
    if (c == ',') {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  return cells;
}

bool Agrees(const std::string& expected, const std::string& actual) {
  if (expected.empty() || expected[0] != '~' || actual.empty()) return expected == actual;
  double wanted = std::stod(expected.substr(1));
  return std::abs(std::stod(actual) - wanted) <= 2e-6 + 1e-9 * std::abs(wanted);
}

void CompareWithNaive(uint64_t seed, bool partitioned) {
  std::vector<OverEvent> events = RandomEvents(seed, 400);
  constexpr int64_t kDelay = 5 * kSecond;
  TestFlow flow(TestSource(kDelay));
  flow.Add(OverPlan(partitioned));
  std::mt19937_64 random(seed);
  for (size_t i = 0; i < events.size();) {
    std::vector<std::string> frame;
    for (size_t end = std::min(events.size(), i + 1 + random() % 60); i < end; ++i)
      frame.push_back(events[i].json());
    flow.Feed(frame);
  }
  std::vector<const OverEvent*> seen;
  std::optional<int64_t> watermark;
  size_t row = 0;
  size_t late = 0;
  for (const OverEvent& event : events) {
    bool too_late = watermark && event.ts < *watermark - kHour;
    watermark = std::max(watermark.value_or(INT64_MIN), event.ts - kDelay);
    if (too_late) {
      ++late;
      continue;
    }
    seen.push_back(&event);
    size_t place = 0;
    std::vector<const OverEvent*> ordered = Ordered(seen, partitioned, &place);
    ASSERT_LT(row, flow.notes().rows("o").size());
    std::vector<std::string> cells = Split(flow.notes().rows("o")[row++]);
    size_t cell = kTestColumns;
    for (const state::FrameSpec& frame : Frames()) {
      std::vector<const OverEvent*> inside = InFrame(ordered, place, frame);
      for (const Wanted& wanted : Aggregates()) {
        std::string expected = Naive(wanted, inside);
        ASSERT_TRUE(Agrees(expected, cells[cell]))
            << "row " << row << " cell " << cell << ": " << expected << " is " << cells[cell];
        ++cell;
      }
    }
    for (size_t lag : {size_t{1}, size_t{3}}) {
      std::string expected = place < lag ? "" : Text(ordered[place - lag]->q);
      ASSERT_EQ(expected, cells[cell++]) << "row " << row << ", lag " << lag;
    }
  }
  EXPECT_EQ(row, flow.notes().rows("o").size());
  EXPECT_EQ(late, flow.notes().refused("s").size());
}

TEST(Over, EveryAggregateOfEveryFrameIsThatOfTheRowsThatHadCome) {
  for (uint64_t seed = 1; seed <= 6 && !HasFailure(); ++seed)
    CompareWithNaive(seed, true);
}

TEST(Over, WithoutPartitionByAllRowsAreOneGroup) {
  for (uint64_t seed = 1; seed <= 3 && !HasFailure(); ++seed)
    CompareWithNaive(seed, false);
}

TEST(Over, WhatIsLaterThanAllowedIsRefusedOrOnlyCounted) {
  for (LatePolicy policy : {LatePolicy::kDeadLetter, LatePolicy::kDrop}) {
    auto plan = OverPlan(true);
    plan->lateness = 10 * kSecond;
    plan->late_policy = policy;
    TestFlow flow(TestSource(0));
    flow.Add(plan);
    auto at = [](int64_t seconds) { return "{\"ts\":" + std::to_string(seconds * kSecond) + "}"; };
    flow.Feed({at(100), at(90), at(89), at(95)});
    EXPECT_EQ(3U, flow.notes().rows("o").size());  // 90 is just in time
    EXPECT_EQ(1, flow.notes().late("o"));
    size_t letters = policy == LatePolicy::kDeadLetter ? 1 : 0;
    ASSERT_EQ(letters, flow.notes().refused("s").size());
    if (letters > 0) {
      EXPECT_EQ("2 HR2208", flow.notes().refused("s")[0]);
    }
  }
}

}  // namespace
}  // namespace headrace::flow
