#include "state/running_block.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "state/key_block.h"
#include "state/running_function.h"
#include "state/test_pages.h"
#include "state/test_spill.h"

namespace headrace::state {
namespace {

constexpr row::Type kText{row::TypeKind::kText, 0, 0};
constexpr row::Type kBigint{row::TypeKind::kBigint, 0, 0};

// Answers a number that depends on all that it was given, and on their order.
class Chain final : public RunningFunction {
 public:
  row::Value Step(const row::Value* arguments, base::Arena&) override {
    const int64_t given = arguments[0].null ? -1 : arguments[0].integer;
    chain_ = base::MixHash(chain_ ^ static_cast<uint64_t>(given));
    return row::Value::Integer(static_cast<int64_t>(chain_ >> 40));
  }
  void Save(base::ByteWriter& writer) const override { writer.U64Le(chain_); }
  bool Load(base::ByteReader& reader) override {
    chain_ = reader.U64Le();
    return reader.ok();
  }
  size_t bytes() const override { return sizeof *this; }

 private:
  uint64_t chain_ = 7;
};

// Slots: key, number, then two results.
RunningSpec Spec(bool keyed) {
  RunningSpec spec;
  if (keyed) spec = {{0}, {kText}, {}};
  for (int i = 0; i < 2; ++i) {
    RunningCall call;
    call.definition = "chain " + std::to_string(i);
    call.make = [] { return std::make_unique<Chain>(); };
    call.argument_slots = {1};
    call.argument_types = {kBigint};
    call.result_slot = 2 + i;
    call.result_type = kBigint;
    spec.calls.push_back(call);
  }
  return spec;
}

struct Input {
  std::string key;  // empty: NULL
  int64_t number = 0;
  bool failed = false;
};

std::vector<Input> Inputs(int count, int keys) {
  std::vector<Input> inputs;
  for (int i = 0; i < count; ++i) {
    const uint64_t chance = base::MixHash(static_cast<uint64_t>(i));
    const auto key = static_cast<int>(chance % static_cast<uint64_t>(keys));
    inputs.push_back({key == 0 ? "" : "a key that is long enough: " + std::to_string(key),
                      static_cast<int64_t>(chance >> 50), chance % 11 == 0});
  }
  return inputs;
}

struct Span {
  size_t begin = 0;
  size_t end = 0;
  size_t batch = 1;
};

// Takes inputs in batches and writes their results down.
void Feed(KeyBlock& block, const std::vector<Input>& inputs, Span span, os::WorkerTeam& team,
          std::vector<std::string>& results) {
  const auto [begin, end, size] = span;
  KeyBlock::Failures failures;
  row::Batch batch;
  for (size_t from = begin; from < end; from += size) {
    batch.Clear();
    const size_t until = std::min(from + size, end);
    failures.failed.assign(until - from, 0);
    for (size_t i = from; i < until; ++i) {
      row::Row& row = batch.Add(4);
      if (!inputs[i].key.empty()) row.values[0] = row::Value::Text(inputs[i].key);
      row.values[1] = row::Value::Integer(inputs[i].number);
      failures.failed[i - from] = inputs[i].failed ? 1 : 0;
    }
    block.Update(batch, failures, team);
    for (const row::Row& row : batch.rows()) {
      results.push_back(row.values[2].null ? ""
                                           : std::to_string(row.values[2].integer) + " " +
                                                 std::to_string(row.values[3].integer));
    }
  }
}

std::vector<std::string> Answers(bool keyed, size_t size, size_t workers) {
  const std::vector<Input> inputs = Inputs(3000, 300);
  os::WorkerTeam team(workers);
  std::vector<std::string> results;
  Feed(*MakeRunningBlock(Spec(keyed)), inputs, {0, inputs.size(), size}, team, results);
  return results;
}

TEST(RunningBlock, AnswersByTheRowsOfTheKeyInTheirOrder) {
  const std::vector<Input> inputs = Inputs(3000, 300);
  const std::vector<std::string> results = Answers(true, 17, 1);
  std::map<std::string, Chain> chains;
  base::Arena arena;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].failed) {
      EXPECT_EQ(results[i], "");
      continue;
    }
    const row::Value argument = row::Value::Integer(inputs[i].number);
    const std::string wanted = std::to_string(chains[inputs[i].key].Step(&argument, arena).integer);
    EXPECT_EQ(results[i], wanted + " " + wanted) << i;
  }
}

TEST(RunningBlock, ShowsNeitherBatchesNorWorkers) {
  for (bool keyed : {false, true}) {
    const std::vector<std::string> wanted = Answers(keyed, 1, 1);
    for (size_t size : {7U, 256U, 1000U, 3000U}) {
      for (size_t workers : {1U, 4U})
        EXPECT_TRUE(Answers(keyed, size, workers) == wanted) << size << " " << workers;
    }
  }
}

// A snapshot that is taken page by page while rows come holds the state of the moment it began.
TEST(RunningBlock, KeepsTheMomentInASnapshotWhileRowsCome) {
  const std::vector<Input> inputs = Inputs(6000, 900);
  for (bool keyed : {false, true}) {
    os::WorkerTeam team(2);
    auto block = MakeRunningBlock(Spec(keyed));
    std::vector<std::string> wanted;
    Feed(*block, inputs, {0, 2000, 64}, team, wanted);
    std::map<uint32_t, std::string> pages;
    BlockHead head;
    // The second snapshot adds what has changed since the first.
    for (bool whole : {true, false}) {
      head = block->BeginSnapshot(whole);
      const size_t begin = wanted.size();
      std::vector<StatePage> taken;
      bool more = true;
      for (size_t i = 0; i < 100; ++i) {
        more = more && block->TakePages(whole ? 1 : 100, taken);
        Feed(*block, inputs, {begin + i * 20, begin + (i + 1) * 20, 20}, team, wanted);
      }
      while (block->TakePages(1 << 20, taken)) {
      }
      for (StatePage& page : taken)
        pages[page.number] = std::move(page.bytes);
      if (whole) continue;
      auto loaded = MakeRunningBlock(Spec(keyed));
      ASSERT_TRUE(loaded->BeginLoad(head).ok());
      for (auto page = pages.rbegin(); page != pages.rend(); ++page)
        ASSERT_TRUE(loaded->LoadPage(page->first, page->second).ok());
      loaded->EndLoad();
      std::vector<std::string> results;
      Feed(*loaded, inputs, {begin, inputs.size(), 33}, team, results);
      Feed(*block, inputs, {wanted.size(), inputs.size(), 64}, team, wanted);
      EXPECT_EQ(results, std::vector(wanted.begin() + static_cast<ptrdiff_t>(begin), wanted.end()));
      EXPECT_EQ(loaded->keys(), block->keys());
      EXPECT_EQ(loaded->bytes() > 0, true);
    }
  }
}

TEST(RunningBlock, SavesAndLoadsAsAWhole) {
  const std::vector<Input> inputs = Inputs(2000, 100);
  os::WorkerTeam team(1);
  auto block = MakeRunningBlock(Spec(true));
  std::vector<std::string> wanted;
  Feed(*block, inputs, {0, 1000, 50}, team, wanted);
  std::string saved;
  block->Save(saved);
  auto loaded = MakeRunningBlock(Spec(true));
  ASSERT_TRUE(loaded->Load(saved).ok());
  std::string again;
  loaded->Save(again);
  EXPECT_TRUE(again == saved);
  std::vector<std::string> results;
  Feed(*loaded, inputs, {1000, 2000, 50}, team, results);
  wanted.clear();
  Feed(*block, inputs, {1000, 2000, 50}, team, wanted);
  EXPECT_EQ(results, wanted);
}

TEST(RunningBlock, RefusesDamagedAndForeignState) {
  const std::vector<Input> inputs = Inputs(300, 20);
  os::WorkerTeam team(1);
  auto block = MakeRunningBlock(Spec(true));
  std::vector<std::string> unused;
  Feed(*block, inputs, {0, inputs.size(), 50}, team, unused);
  std::string saved;
  block->Save(saved);
  for (size_t size = 0; size < saved.size(); size += 7) {
    Status loaded = MakeRunningBlock(Spec(true))->Load(std::string_view(saved).substr(0, size));
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().code(), "HR4201");
  }
  EXPECT_FALSE(MakeRunningBlock(Spec(false))->Load(saved).ok());
  RunningSpec other = Spec(true);
  other.calls[1].definition += " otherwise";
  EXPECT_FALSE(MakeRunningBlock(other)->Load(saved).ok());
  const BlockHead head = block->BeginSnapshot(true);
  EXPECT_FALSE(MakeRunningBlock(other)->BeginLoad(head).ok());
  std::vector<StatePage> pages;
  while (block->TakePages(1 << 20, pages)) {
  }
  auto load = [&](uint32_t number, std::string_view bytes) {
    auto fresh = MakeRunningBlock(Spec(true));
    EXPECT_TRUE(fresh->BeginLoad(head).ok());
    return fresh->LoadPage(number, bytes).ok();
  };
  EXPECT_TRUE(load(pages[0].number, pages[0].bytes));
  EXPECT_FALSE(load(pages[0].number + 8, pages[0].bytes));
  for (size_t size = 0; size < pages[0].bytes.size(); ++size)
    EXPECT_FALSE(load(pages[0].number, std::string_view(pages[0].bytes).substr(0, size)));
  EXPECT_FALSE(load(pages[0].number, pages[0].bytes + "x"));
}

// Functions that fall asleep behind every row, in memory that is put out behind every batch, answer
// as those that stay awake; snapshots and the whole state are the same bytes.
TEST(RunningBlock, WhatIsPutOutToAFileDoesNotShow) {
  const std::vector<Input> inputs = Inputs(20'000, 3000);
  for (size_t workers : {1U, 3U}) {
    os::WorkerTeam team(workers);
    auto spill = SpillOfNothing();
    auto spilled = MakeRunningBlock(Spec(true), spill.get());
    auto whole = MakeRunningBlock(Spec(true));
    std::vector<std::string> results;
    std::vector<std::string> wanted;
    StoredPages pages;
    StoredPages wanted_pages;
    for (size_t from = 0; from < inputs.size(); from += 1000) {
      for (const bool first : {true, false}) {
        const Span span{first ? from : from + 500, first ? from + 500 : from + 1000, 250};
        Feed(*spilled, inputs, span, team, results);
        Feed(*whole, inputs, span, team, wanted);
        spill->KeepWithin();
        if (!first) continue;
        pages.Begin(*spilled, from == 0);
        wanted_pages.Begin(*whole, from == 0);
      }
      pages.TakeAll(*spilled);
      wanted_pages.TakeAll(*whole);
      ASSERT_TRUE(pages.pages() == wanted_pages.pages()) << from;
    }
    EXPECT_EQ(results, wanted);
    std::string saved;
    std::string expected;
    spilled->Save(saved);
    whole->Save(expected);
    EXPECT_TRUE(saved == expected);
    EXPECT_GT(spill->put_out(), 100'000U);
    EXPECT_GT(spill->fetched(), 0U);
    EXPECT_EQ(spilled->keys(), whole->keys());
    auto loaded = MakeRunningBlock(Spec(true), spill.get());
    pages.LoadInto(*loaded);
    spill->KeepWithin();
    results.clear();
    wanted.clear();
    // The last 500 rows are behind the snapshot.
    Feed(*loaded, inputs, {inputs.size() - 500, inputs.size(), 100}, team, results);
    auto before = MakeRunningBlock(Spec(true));
    wanted_pages.LoadInto(*before);
    Feed(*before, inputs, {inputs.size() - 500, inputs.size(), 100}, team, wanted);
    EXPECT_EQ(results, wanted);
    spilled.reset();
    loaded.reset();
    EXPECT_EQ(spill->bytes(), 0U);
    EXPECT_EQ(spill->Share(), spill->limit() / 4);
  }
}

// What is on the heap stays within the share, however many keys there are.
TEST(RunningBlock, KeepsNoMoreAwakeThanItsShare) {
  auto spill = os::SpillFile::Create("/tmp", 4 << 20, [] { return uint64_t{0}; }).value();
  RunningSpec spec = Spec(true);
  RunningShard shard(spec, spill.get());
  shard.SetAwakeMax(100 * 2 * sizeof(Chain));
  row::Batch batch;
  std::vector<KeyedRow> rows;
  for (int i = 0; i < 20'000; ++i) {
    row::Row& row = batch.Add(4);
    row.values[1] = row::Value::Integer(i);
    // Every other row is of the same few keys.
    const std::string key = std::to_string(i % 2 == 0 ? i % 40 : i);
    const PackedText text = PackedText::Short(key);
    rows.push_back({text, text.Hash(), static_cast<uint32_t>(i)});
  }
  shard.Update(rows, batch, batch.arena());
  EXPECT_EQ(shard.keys(), 10'020U);
  EXPECT_LE(shard.awake(), 130U);
  EXPECT_GE(shard.awake(), 90U);
}

}  // namespace
}  // namespace headrace::state
