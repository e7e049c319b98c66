#include "state/key_block.h"

#include <cmath>
#include <map>
#include <random>
#include <span>

#include <gtest/gtest.h>

#include "row/text.h"
#include "state/rolling_oracle.h"
#include "state/test_spill.h"

namespace headrace::state {
namespace {

using row::Value;

int SlotsOf(const KeyBlockSpec& spec) {
  int slots = kInputs;
  for (const AggregateSpec& aggregate : spec.aggregates) {
    slots = std::max(slots, aggregate.result_slot + 1);
  }
  for (const FrameSpec& frame : spec.frames)
    slots = std::max(slots, frame.count_slot + 1);
  return slots;
}

void AddRow(const OracleEvent& event, int slots, row::Batch& batch) {
  row::Row& row = batch.Add(static_cast<size_t>(slots));
  row.event_time = event.time;
  row.watermark = event.watermark;
  if (event.key) row.values[kKey] = Value::Text(*event.key);
  if (event.amount) row.values[kAmount] = Value::Decimal(*event.amount, 2);
  if (event.quantity) row.values[kQuantity] = Value::Integer(*event.quantity);
  if (event.x) row.values[kX] = Value::Double(*event.x);
  if (event.terminal) row.values[kTerminal] = Value::Text(*event.terminal);
  if (event.ok) row.values[kOk] = Value::Boolean(*event.ok);
  if (event.rate) {
    row.values[kRate] = Value::Decimal(event.rate->first, static_cast<uint8_t>(event.rate->second));
  }
}

// One text per aggregate, then one per frame's count.
std::vector<std::string> Texts(const KeyBlockSpec& spec, const row::Row& row) {
  std::vector<std::string> texts;
  for (const AggregateSpec& aggregate : spec.aggregates) {
    std::string text = "null";
    const Value& value = row.values[aggregate.result_slot];
    if (!value.null) {
      text.clear();
      row::AppendText(value, aggregate.result_type, text);
    }
    texts.push_back(text);
  }
  for (const FrameSpec& frame : spec.frames) {
    texts.push_back(std::to_string(row.values[frame.count_slot].integer));
  }
  return texts;
}

using Answers = std::vector<std::vector<std::string>>;

// Feeds events in batches of random size, by as many workers as the seed says.
void Feed(KeyBlock& block, const KeyBlockSpec& spec, std::span<const OracleEvent> events,
          uint64_t seed, Answers& answers) {
  std::mt19937_64 random(seed);
  os::WorkerTeam team(1 + seed % 4);
  row::Batch batch;
  KeyBlock::Failures failures;
  while (!events.empty()) {
    size_t size = std::min(events.size(), seed == 0 ? size_t{1} : 1 + random() % 256);
    while (spec.peers && size < events.size() && events[size].time == events[size - 1].time)
      ++size;
    batch.Clear();
    for (const OracleEvent& event : events.first(size))
      AddRow(event, SlotsOf(spec), batch);
    failures.failed.assign(size, 0);
    failures.errors.assign(size, "");
    block.Update(batch, failures, team);
    for (size_t i = 0; i < size; ++i) {
      EXPECT_EQ(failures.failed[i], 0) << failures.errors[i];
      answers.push_back(Texts(spec, batch.rows()[i]));
    }
    events = events.subspan(size);
  }
}

Answers FeedAll(KeyBlock& block, const KeyBlockSpec& spec, const std::vector<OracleEvent>& events,
                uint64_t seed) {
  Answers answers;
  Feed(block, spec, events, seed, answers);
  return answers;
}

void ExpectClose(const std::string& got, std::optional<double> want, const std::string& where) {
  if (!want) {
    EXPECT_EQ(got, "null") << where;
    return;
  }
  ASSERT_NE(got, "null") << where;
  double value = std::stod(got);
  EXPECT_NEAR(value, *want, 1e-9 * std::abs(*want) + 1e-7) << where;
}

void ExpectOracle(const KeyBlockSpec& spec, const std::vector<OracleEvent>& events,
                  const Answers& answers) {
  for (size_t at = 0; at < events.size(); ++at) {
    for (size_t i = 0; i < spec.aggregates.size(); ++i) {
      const AggregateSpec& aggregate = spec.aggregates[i];
      std::string where = "event " + std::to_string(at) + " aggregate kind " +
                          std::to_string(static_cast<int>(aggregate.kind)) + " slot " +
                          std::to_string(aggregate.argument_slot) + " frame " +
                          std::to_string(aggregate.frame);
      std::optional<std::string> exact = OracleValue(spec, i, events, at);
      if (exact) {
        ASSERT_EQ(answers[at][i], *exact) << where;
      } else {
        ExpectClose(answers[at][i], OracleSpread(spec, i, events, at), where);
      }
      if (testing::Test::HasFailure()) return;
    }
    // The frame counts equal count(*) without filter, which stands first among a frame's.
    for (size_t frame = 0; frame < spec.frames.size(); ++frame) {
      for (size_t i = 0; i < spec.aggregates.size(); ++i) {
        const AggregateSpec& aggregate = spec.aggregates[i];
        bool all_rows = aggregate.kind == AggregateKind::kCountRows && aggregate.filter_slot < 0;
        if (!all_rows || aggregate.frame != static_cast<int>(frame)) continue;
        ASSERT_EQ(answers[at][spec.aggregates.size() + frame], answers[at][i]);
      }
    }
  }
}

OracleStream StreamWith(uint64_t seed, int events, int keys) {
  OracleStream stream;
  stream.seed = seed;
  stream.events = events;
  stream.keys = keys;
  return stream;
}

TEST(KeyBlockTest, EveryAggregateOverEveryFrameIsWhatBruteForceSays) {
  for (uint64_t seed : {1, 2}) {
    KeyBlockSpec spec = OracleSpec(false);
    std::vector<OracleEvent> events = StreamWith(seed, 500, 3).Make();
    auto block = KeyBlock::Make(spec);
    ExpectOracle(spec, events, FeedAll(*block, spec, events, seed));
  }
}

// As rows come when they have waited for the watermark: sorted, and none is late.
std::vector<OracleEvent> Sorted(std::vector<OracleEvent> events, int64_t grain) {
  for (OracleEvent& event : events)
    event.time = event.time / grain * grain;
  std::stable_sort(events.begin(), events.end(),
                   [](const auto& a, const auto& b) { return a.time < b.time; });
  for (OracleEvent& event : events)
    event.watermark = event.time - event.time % 50;
  return events;
}

TEST(KeyBlockTest, FramesThatEndAtTheCurrentRowHoldItsPeers) {
  for (uint64_t seed : {21, 22, 23, 24}) {
    KeyBlockSpec spec = OracleSpec(seed % 2 == 0);
    spec.peers = true;
    spec.lateness = 0;
    std::vector<OracleEvent> events = Sorted(StreamWith(seed, 400, 3).Make(), seed < 23 ? 7 : 60);
    auto block = KeyBlock::Make(spec);
    ExpectOracle(spec, events, FeedAll(*block, spec, events, seed));
  }
}

TEST(KeyBlockTest, PeersAreNotCutByBatches) {
  KeyBlockSpec spec = OracleSpec(true);
  spec.peers = true;
  spec.lateness = 0;
  std::vector<OracleEvent> events = Sorted(StreamWith(25, 2500, 40).Make(), 30);
  auto one_by_one = KeyBlock::Make(spec);
  Answers expected = FeedAll(*one_by_one, spec, events, 0);
  std::string snapshot;
  one_by_one->Save(snapshot);
  for (uint64_t seed : {1, 2, 3}) {
    auto block = KeyBlock::Make(spec);
    EXPECT_EQ(FeedAll(*block, spec, events, seed), expected);
    std::string other;
    block->Save(other);
    EXPECT_EQ(other, snapshot);
  }
}

TEST(KeyBlockTest, LongFramesOfOneKeyWithDisorderAreExact) {
  KeyBlockSpec spec = OracleSpec(false);
  OracleStream stream = StreamWith(7, 450, 0);
  stream.step = 3;
  std::vector<OracleEvent> events = stream.Make();
  auto block = KeyBlock::Make(spec);
  ExpectOracle(spec, events, FeedAll(*block, spec, events, 5));
}

TEST(KeyBlockTest, UnboundedFramesKeepWhatIsTrimmed) {
  for (uint64_t seed : {3, 4}) {
    KeyBlockSpec spec = OracleSpec(true);
    std::vector<OracleEvent> events = StreamWith(seed, 300, seed == 3 ? 2 : 0).Make();
    auto block = KeyBlock::Make(spec);
    ExpectOracle(spec, events, FeedAll(*block, spec, events, seed));
  }
}

TEST(KeyBlockTest, BatchSizesDoNotShowInAnswersNorInSnapshots) {
  for (bool unbounded : {false, true}) {
    KeyBlockSpec spec = OracleSpec(unbounded);
    std::vector<OracleEvent> events = StreamWith(11, 2500, 40).Make();
    auto one_by_one = KeyBlock::Make(spec);
    Answers expected = FeedAll(*one_by_one, spec, events, 0);
    std::string snapshot;
    one_by_one->Save(snapshot);
    for (uint64_t seed : {1, 2, 3}) {
      auto block = KeyBlock::Make(spec);
      EXPECT_EQ(FeedAll(*block, spec, events, seed), expected);
      std::string other;
      block->Save(other);
      EXPECT_EQ(other, snapshot);
    }
  }
}

TEST(KeyBlockTest, WhatIsPutOutToAFileDoesNotShow) {
  KeyBlockSpec spec = OracleSpec(false);
  std::vector<OracleEvent> events = StreamWith(31, 6000, 700).Make();
  auto whole = KeyBlock::Make(spec);
  const Answers expected = FeedAll(*whole, spec, events, 1);
  auto spill = SpillOfNothing();
  auto block = KeyBlock::Make(spec, spill.get());
  Answers answers;
  for (size_t at = 0; at < events.size(); at += 500) {
    Feed(*block, spec, std::span(events).subspan(at, 500), 1, answers);
    spill->KeepWithin();
  }
  EXPECT_GT(spill->put_out(), 0U);
  EXPECT_GT(spill->fetched(), 0U);
  EXPECT_EQ(answers, expected);
}

TEST(KeyBlockTest, ALoadedBlockAnswersAsIfNothingHadHappened) {
  for (bool unbounded : {false, true}) {
    KeyBlockSpec spec = OracleSpec(unbounded);
    std::vector<OracleEvent> events = StreamWith(13, 1500, 20).Make();
    auto whole = KeyBlock::Make(spec);
    Answers expected = FeedAll(*whole, spec, events, 1);
    std::string final_snapshot;
    whole->Save(final_snapshot);
    for (size_t cut : {0, 1, 500, 1400, 1500}) {
      auto before = KeyBlock::Make(spec);
      Answers answers;
      Feed(*before, spec, std::span(events).first(cut), 2, answers);
      std::string snapshot;
      before->Save(snapshot);
      auto after = KeyBlock::Make(spec);
      ASSERT_TRUE(after->Load(snapshot).ok());
      std::string again;
      after->Save(again);
      EXPECT_EQ(again, snapshot);
      Feed(*after, spec, std::span(events).subspan(cut), 3, answers);
      EXPECT_EQ(answers, expected);
      std::string last;
      after->Save(last);
      EXPECT_EQ(last, final_snapshot);
    }
  }
}

TEST(KeyBlockTest, SavingDoesNotDisturbTheBlock) {
  KeyBlockSpec spec = OracleSpec(true);
  std::vector<OracleEvent> events = StreamWith(17, 600, 5).Make();
  auto plain = KeyBlock::Make(spec);
  Answers expected = FeedAll(*plain, spec, events, 1);
  auto saved = KeyBlock::Make(spec);
  Answers answers;
  for (size_t at = 0; at < events.size(); at += 50) {
    Feed(*saved, spec, std::span(events).subspan(at, 50), 1, answers);
    std::string snapshot;
    saved->Save(snapshot);
  }
  EXPECT_EQ(answers, expected);
}

TEST(KeyBlockTest, DamagedSnapshotsAreRefusedWholly) {
  KeyBlockSpec spec = OracleSpec(true);
  std::vector<OracleEvent> events = StreamWith(19, 200, 5).Make();
  auto block = KeyBlock::Make(spec);
  FeedAll(*block, spec, events, 1);
  std::string snapshot;
  block->Save(snapshot);
  auto target = KeyBlock::Make(spec);
  for (size_t at = 0; at < snapshot.size(); at += 97) {
    std::string damaged = snapshot;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    Status status = target->Load(damaged);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().kind(), ErrorKind::kCorruption);
    EXPECT_EQ(target->keys(), 0U);
    EXPECT_FALSE(target->Load(snapshot.substr(0, at)).ok());
  }
  auto other = KeyBlock::Make(OracleSpec(false));
  EXPECT_FALSE(other->Load(snapshot).ok());
}

// The pages of a block as snapshots add them up: each by its number, the newest.
using Pages = std::map<uint32_t, std::string>;

bool Take(KeyBlock& block, size_t bytes_max, Pages& pages) {
  std::vector<StatePage> taken;
  bool more = block.TakePages(bytes_max, taken);
  for (StatePage& page : taken)
    pages[page.number] = std::move(page.bytes);
  return more;
}

std::unique_ptr<KeyBlock> FromPages(const KeyBlockSpec& spec, const BlockHead& head,
                                    const Pages& pages) {
  auto block = KeyBlock::Make(spec);
  EXPECT_TRUE(block->BeginLoad(head).ok());
  for (const auto& [number, bytes] : pages)
    EXPECT_TRUE(block->LoadPage(number, bytes).ok());
  block->EndLoad();
  return block;
}

std::string Saved(const KeyBlock& block) {
  std::string bytes;
  block.Save(bytes);
  return bytes;
}

TEST(KeyBlockTest, PagesTakenWhileEventsGoOnAreThoseOfTheMoment) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    std::mt19937_64 random(seed);
    KeyBlockSpec spec = OracleSpec(seed % 2 == 0);
    std::vector<OracleEvent> events = StreamWith(40 + seed, 3000, seed < 4 ? 30 : 700).Make();
    auto calm = KeyBlock::Make(spec);
    Answers expected = FeedAll(*calm, spec, events, seed);
    auto block = KeyBlock::Make(spec);
    Answers answers;
    Pages pages;
    BlockHead head;
    std::string moment;
    size_t moment_at = 0;
    bool due = false;
    int snapshots = 0;
    for (size_t at = 0; at < events.size();) {
      if (!due && random() % 4 == 0) {
        moment = Saved(*block);
        moment_at = at;
        head = block->BeginSnapshot(snapshots == 0);
        due = true;
      }
      size_t size = std::min<size_t>(events.size() - at, 1 + random() % 60);
      Feed(*block, spec, std::span(events).subspan(at, size), seed, answers);
      at += size;
      if (!due || random() % 3 == 0) continue;
      due = Take(*block, random() % 16000, pages);
      if (due) continue;
      // The block goes on from its own snapshot now and then, as after a restart.
      auto loaded = FromPages(spec, head, pages);
      ASSERT_EQ(moment, Saved(*loaded)) << "seed " << seed << " snapshot " << snapshots;
      ++snapshots;
      if (random() % 3 == 0) {
        block = std::move(loaded);
        answers.resize(moment_at);
        at = moment_at;
      }
    }
    EXPECT_EQ(answers, expected) << seed;
    EXPECT_GT(snapshots, 5) << seed;
  }
}

TEST(KeyBlockTest, OnlyPagesThatChangedAreDue) {
  KeyBlockSpec spec = OracleSpec(false);
  std::vector<OracleEvent> events = StreamWith(50, 2000, 500).Make();
  auto block = KeyBlock::Make(spec);
  Answers answers;
  Feed(*block, spec, events, 1, answers);
  Pages all;
  block->BeginSnapshot(false);
  while (Take(*block, 1, all)) {
  }
  EXPECT_GT(all.size(), 3U);
  Pages none;
  block->BeginSnapshot(false);
  EXPECT_FALSE(Take(*block, SIZE_MAX, none));
  EXPECT_TRUE(none.empty());
  block->BeginSnapshot(true);
  EXPECT_FALSE(Take(*block, SIZE_MAX, none));
  EXPECT_EQ(all, none);
}

TEST(KeyBlockTest, DamagedPagesAreRefused) {
  KeyBlockSpec spec = OracleSpec(true);
  std::vector<OracleEvent> events = StreamWith(51, 300, 90).Make();
  auto block = KeyBlock::Make(spec);
  FeedAll(*block, spec, events, 1);
  Pages pages;
  BlockHead head = block->BeginSnapshot(true);
  Take(*block, SIZE_MAX, pages);
  ASSERT_GT(pages.size(), 1U);
  for (size_t cut = 0; cut < pages[0].size(); cut += 13) {
    auto target = KeyBlock::Make(spec);
    ASSERT_TRUE(target->BeginLoad(head).ok());
    EXPECT_FALSE(target->LoadPage(0, std::string_view(pages[0]).substr(0, cut)).ok());
  }
  auto target = KeyBlock::Make(spec);
  ASSERT_TRUE(target->BeginLoad(head).ok());
  ASSERT_TRUE(target->LoadPage(0, pages[0]).ok());
  EXPECT_FALSE(target->LoadPage(0, pages[0]).ok());
  EXPECT_FALSE(target->LoadPage(UINT32_MAX, pages[0]).ok());
  EXPECT_FALSE(KeyBlock::Make(OracleSpec(false))->BeginLoad(head).ok());
}

KeyBlockSpec CountPerMinute() {
  KeyBlockSpec spec;
  spec.key_slots = {kKey};
  spec.key_types = {{row::TypeKind::kText, 0, 0}};
  FrameSpec frame;
  frame.start = 60;
  spec.frames = {frame};
  AggregateSpec count;
  count.result_slot = kInputs;
  count.result_type = {row::TypeKind::kBigint, 0, 0};
  spec.aggregates = {count};
  spec.lateness = 10;
  return spec;
}

TEST(KeyBlockTest, KeysThatNobodyTouchesGoAwayAsTheWatermarkPasses) {
  auto block = KeyBlock::Make(CountPerMinute());
  os::WorkerTeam alone(1);
  KeyBlock::Failures failures;
  row::Batch batch;
  size_t most = 0;
  for (int i = 0; i < 20000; ++i) {
    batch.Clear();
    OracleEvent event;
    event.key = "key" + std::to_string(i);
    event.time = i;
    event.watermark = i - 1;
    AddRow(event, kInputs + 1, batch);
    failures.failed.assign(1, 0);
    block->Update(batch, failures, alone);
    EXPECT_EQ(batch.rows()[0].values[kInputs].integer, 1);
    most = std::max(most, block->keys());
  }
  EXPECT_LT(most, 400U);
  EXPECT_LT(block->bytes(), size_t{300} << 10);
}

TEST(KeyBlockTest, RowsThatFailedBeforeAreSkipped) {
  auto block = KeyBlock::Make(CountPerMinute());
  row::Batch batch;
  OracleEvent event;
  event.key = "k";
  for (int i = 0; i < 3; ++i)
    AddRow(event, kInputs + 1, batch);
  os::WorkerTeam alone(1);
  KeyBlock::Failures failures{{0, 1, 0}, {}};
  block->Update(batch, failures, alone);
  EXPECT_TRUE(batch.rows()[1].values[kInputs].null);
  EXPECT_EQ(batch.rows()[2].values[kInputs].integer, 2);
}

TEST(KeyBlockTest, AnOverflowFailsItsRowAndIsOverWhenTheFrameMovesOn) {
  KeyBlockSpec spec = CountPerMinute();
  row::Type wide{row::TypeKind::kDecimal, 0, 0};
  spec.aggregates[0].kind = AggregateKind::kSum;
  spec.aggregates[0].argument_slot = kRate;
  spec.aggregates[0].argument_type = wide;
  spec.aggregates[0].result_type = wide;
  auto block = KeyBlock::Make(spec);
  row::Int128 huge = 1;
  for (int i = 0; i < 37; ++i)
    huge *= 10;
  row::Batch batch;
  for (int64_t time : {0, 1, 2, 500}) {
    OracleEvent event;
    event.key = "k";
    event.time = time;
    AddRow(event, kInputs + 1, batch);
    batch.rows().back().values[kRate] = Value::Decimal(huge * 4, 0);
  }
  os::WorkerTeam alone(1);
  KeyBlock::Failures failures{{0, 0, 0, 0}, {}};
  block->Update(batch, failures, alone);
  EXPECT_EQ(failures.failed, (std::vector<uint8_t>{0, 0, 1, 0}));
  EXPECT_EQ(failures.errors[2], "value overflows numeric format");
}

}  // namespace
}  // namespace headrace::state
