#include "state/group_table.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

#include "row/text.h"
#include "state/test_pages.h"
#include "state/test_spill.h"

namespace headrace::state {
namespace {

using row::Type;
using row::TypeKind;
using row::Value;

constexpr Type kBigint{TypeKind::kBigint, 0, 0};
constexpr Type kText{TypeKind::kText, 0, 0};
constexpr Type kMoney{TypeKind::kDecimal, 12, 2};

GroupAggregate Aggregate(AggregateKind kind, int slot, Type type) {
  GroupAggregate aggregate;
  aggregate.kind = kind;
  aggregate.argument_slot = slot;
  aggregate.argument_type = type;
  aggregate.result_type = ResultType(kind, type).value();
  return aggregate;
}

// Row: window, name, amount.
GroupTableSpec ByWindowAndName() {
  GroupTableSpec spec;
  spec.key_slots = {0, 1};
  spec.key_types = {kBigint, kText};
  spec.aggregates = {Aggregate(AggregateKind::kCountRows, -1, {}),
                     Aggregate(AggregateKind::kSum, 2, kMoney),
                     Aggregate(AggregateKind::kAvg, 2, kMoney),
                     Aggregate(AggregateKind::kMin, 2, kMoney),
                     Aggregate(AggregateKind::kStddevSamp, 2, kMoney),
                     Aggregate(AggregateKind::kCountDistinct, 1, kText)};
  return spec;
}

struct Collected {
  std::vector<std::string> lines;
  GroupTable::Emit Emit(const GroupTableSpec& spec) {
    return [this, spec](const Value* keys, const Value* aggregates) {
      std::string line;
      for (size_t i = 0; i < spec.key_types.size(); ++i) {
        Append(keys[i], spec.key_types[i], line);
      }
      for (size_t i = 0; i < spec.aggregates.size(); ++i) {
        Append(aggregates[i], spec.aggregates[i].result_type, line);
      }
      lines.push_back(line);
    };
  }
  static void Append(const Value& value, Type type, std::string& line) {
    if (!line.empty()) line += "|";
    if (value.null) {
      line += "null";
    } else {
      row::AppendText(value, type, line);
    }
  }
};

void Add(GroupTable& table, int64_t window, const char* name, std::optional<int64_t> cents) {
  Value row[3] = {Value::Integer(window), name == nullptr ? Value::Null() : Value::Text(name),
                  cents ? Value::Decimal(*cents, 2) : Value::Null()};
  ASSERT_TRUE(table.Add(row).ok());
}

TEST(GroupTableTest, GroupsComeInKeyOrderWithNullsLast) {
  GroupTableSpec spec = ByWindowAndName();
  auto table = GroupTable::Make(spec);
  Add(*table, 20, "b", 100);
  Add(*table, 10, nullptr, 300);
  Add(*table, 10, "b", 250);
  Add(*table, 10, "a-name-longer-than-fifteen-bytes", std::nullopt);
  Add(*table, 10, "b", 150);
  base::Arena arena;
  Collected all;
  ASSERT_TRUE(table->ForEach(arena, all.Emit(spec)).ok());
  EXPECT_EQ(all.lines, (std::vector<std::string>{
                           "10|a-name-longer-than-fifteen-bytes|1|null|null|null|null|1",
                           "10|b|2|4.00|2.0000000000000000|1.50|0.70710678118654752440|1",
                           "10|null|1|3.00|3.0000000000000000|3.00|null|0",
                           "20|b|1|1.00|1.00000000000000000000|1.00|null|1"}));
  EXPECT_EQ(table->groups(), 4U);
}

TEST(GroupTableTest, ClosingRemovesWhatIsDueAndNothingElse) {
  GroupTableSpec spec = ByWindowAndName();
  auto table = GroupTable::Make(spec);
  for (int64_t window : {30, 10, 20})
    Add(*table, window, "x", window);
  base::Arena arena;
  Collected closed;
  ASSERT_TRUE(table->EmitUpTo(20, arena, closed.Emit(spec)).ok());
  EXPECT_EQ(closed.lines.size(), 2U);
  EXPECT_EQ(closed.lines[0].substr(0, 2), "10");
  EXPECT_EQ(table->groups(), 1U);
  ASSERT_TRUE(table->EmitUpTo(20, arena, closed.Emit(spec)).ok());
  EXPECT_EQ(closed.lines.size(), 2U);
  Add(*table, 10, "x", 5);
  EXPECT_EQ(table->groups(), 2U);
}

TEST(GroupTableTest, ManyGroupsEqualAMapAndSurviveSavingAndClosing) {
  GroupTableSpec spec = ByWindowAndName();
  auto table = GroupTable::Make(spec);
  std::map<std::pair<int64_t, std::string>, std::pair<int64_t, int64_t>> expected;
  std::mt19937_64 random(5);
  for (int i = 0; i < 20000; ++i) {
    auto window = static_cast<int64_t>(random() % 50);
    std::string name = "name-of-some-length-" + std::to_string(random() % 40);
    auto cents = static_cast<int64_t>(random() % 1000);
    Add(*table, window, name.c_str(), cents);
    auto& [count, sum] = expected[{window, name}];
    ++count;
    sum += cents;
    if (i == 10000) {
      std::string saved;
      table->Save(saved);
      table = GroupTable::Make(spec);
      ASSERT_TRUE(table->Load(saved).ok());
      std::string again;
      table->Save(again);
      EXPECT_EQ(again, saved);
    }
  }
  base::Arena arena;
  for (int64_t bound : {24, 49}) {
    Collected closed;
    ASSERT_TRUE(table->EmitUpTo(bound, arena, closed.Emit(spec)).ok());
    auto it = expected.begin();
    for (const std::string& line : closed.lines) {
      std::string sum;
      row::AppendText(Value::Decimal(it->second.second, 2), kMoney, sum);
      std::string start = std::to_string(it->first.first) + "|" + it->first.second + "|" +
                          std::to_string(it->second.first) + "|" + sum + "|";
      EXPECT_EQ(line.substr(0, start.size()), start);
      it = expected.erase(it);
    }
  }
  EXPECT_TRUE(expected.empty());
  EXPECT_EQ(table->groups(), 0U);
}

TEST(GroupTableTest, WithoutKeysThereIsOneGroup) {
  GroupTableSpec spec;
  spec.aggregates = {Aggregate(AggregateKind::kMax, 0, kText)};
  auto table = GroupTable::Make(spec);
  for (const char* name : {"a", "zebra", "m"}) {
    Value row[1] = {Value::Text(name)};
    ASSERT_TRUE(table->Add(row).ok());
  }
  base::Arena arena;
  Collected all;
  ASSERT_TRUE(table->ForEach(arena, all.Emit(spec)).ok());
  EXPECT_EQ(all.lines, std::vector<std::string>{"zebra"});
}

TEST(GroupTableTest, DamagedStateIsRefused) {
  GroupTableSpec spec = ByWindowAndName();
  auto table = GroupTable::Make(spec);
  Add(*table, 1, "a", 1);
  std::string saved;
  table->Save(saved);
  for (size_t at = 0; at < saved.size(); ++at) {
    std::string damaged = saved;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_FALSE(table->Load(damaged).ok());
    EXPECT_FALSE(table->Load(saved.substr(0, at)).ok());
  }
  EXPECT_EQ(table->groups(), 0U);
  EXPECT_TRUE(table->Load(saved).ok());
}

// Many groups with long names and sets of their own: what is put out between two rows does not
// show.
TEST(GroupTableTest, WhatIsPutOutToAFileDoesNotShow) {
  const GroupTableSpec spec = ByWindowAndName();
  auto spill = SpillOfNothing();
  auto spilled = GroupTable::Make(spec, spill.get());
  auto whole = GroupTable::Make(spec);
  std::mt19937_64 random(4);
  base::Arena arena;
  for (int64_t i = 0; i < 40'000; ++i) {
    const int64_t window = i / 8000 + static_cast<int64_t>(random() % 2);
    const std::string name = "the name of customer " + std::to_string(random() % 9000);
    const auto cents = static_cast<int64_t>(random() % 100'000);
    Add(*spilled, window, name.c_str(), cents);
    Add(*whole, window, name.c_str(), cents);
    if (i % 1000 == 0) spill->KeepWithin();
    if (i % 8000 != 7999) continue;
    Collected expected;
    Collected collected;
    ASSERT_TRUE(whole->EmitUpTo(window - 1, arena, expected.Emit(spec)).ok());
    ASSERT_TRUE(spilled->EmitUpTo(window - 1, arena, collected.Emit(spec)).ok());
    ASSERT_EQ(collected.lines, expected.lines);
  }
  EXPECT_GT(spill->put_out(), spill->bytes());
  EXPECT_EQ(spilled->groups(), whole->groups());
  std::string expected;
  std::string saved;
  whole->Save(expected);
  spilled->Save(saved);
  EXPECT_EQ(saved, expected);
  ASSERT_TRUE(spilled->Load(saved).ok());
  spill->KeepWithin();
  saved.clear();
  spilled->Save(saved);
  EXPECT_EQ(saved, expected);
  spilled.reset();
  EXPECT_EQ(spill->bytes(), 0U);
}

std::string Saved(const GroupTable& table) {
  std::string saved;
  table.Save(saved);
  return saved;
}

// Snapshots that are taken page by page while rows come and windows close hold the moments they
// began; a table that was loaded goes on as the one that was not.
TEST(GroupTableTest, PagesKeepTheMomentWhileRowsComeAndWindowsClose) {
  const GroupTableSpec spec = ByWindowAndName();
  auto table = GroupTable::Make(spec);
  base::Arena arena;
  int64_t next = 0;
  const auto feed = [&](GroupTable& to, int64_t from, int64_t end, Collected& closed) {
    for (int64_t i = from; i < end; ++i) {
      const uint64_t chance = static_cast<uint64_t>(i) * 0x9E3779B97F4A7C15;
      const std::string name = "the name of customer " + std::to_string((chance >> 33) % 700);
      Add(to, i / 1000, name.c_str(), static_cast<int64_t>((chance >> 50) % 1000));
      if (i % 1000 == 500) {
        ASSERT_TRUE(to.EmitUpTo(i / 1000 - 3, arena, closed.Emit(spec)).ok());
      }
    }
  };
  Collected closed;
  feed(*table, 0, next = 8000, closed);
  StoredPages stored;
  for (bool whole : {true, false, false}) {
    stored.Begin(*table, whole);
    const std::string expected = Saved(*table);
    const int64_t begin = next;
    closed.lines.clear();
    for (bool more = true; more;) {
      more = stored.Take(*table, 1);
      feed(*table, next, next + 60, closed);
      next += 60;
    }
    auto loaded = GroupTable::Make(spec);
    stored.LoadInto(*loaded);
    EXPECT_EQ(Saved(*loaded), expected);
    Collected closed_again;
    feed(*loaded, begin, next, closed_again);
    EXPECT_EQ(closed_again.lines, closed.lines);
    EXPECT_EQ(Saved(*loaded), Saved(*table));
  }
  stored.Begin(*table, false);
  stored.TakeAll(*table);
  Add(*table, 1000, "one more", 1);
  stored.Begin(*table, false);
  stored.TakeAll(*table);
  EXPECT_EQ(stored.written(), 1U);
  EXPECT_GT(stored.pages().size(), 20U);
}

TEST(GroupTableTest, DamagedPagesAreRefused) {
  const GroupTableSpec spec = ByWindowAndName();
  auto table = GroupTable::Make(spec);
  Add(*table, 1, "a", 1);
  Add(*table, 2, nullptr, std::nullopt);
  Add(*table, 2, "a name that is longer than fifteen bytes", 70'000);
  StoredPages stored;
  stored.Begin(*table, true);
  stored.TakeAll(*table);
  ExpectDamagedPagesAreRefused(stored, [&] { return GroupTable::Make(spec); });
  // Twice the same key is none.
  auto twice = GroupTable::Make(spec);
  BlockHead head = stored.head();
  head.slots = 128;
  ASSERT_TRUE(twice->BeginLoad(head).ok());
  ASSERT_TRUE(twice->LoadPage(0, stored.pages().at(0)).ok());
  EXPECT_EQ(twice->LoadPage(1, stored.pages().at(0)).error().code(), "HR4202");
}

}  // namespace
}  // namespace headrace::state
