#include "cli/torture/checker.h"

#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "cli/torture/derived_model.h"
#include "os/random.h"

namespace headrace::cli::torture {
namespace {

Event EventOf(uint32_t producer, uint32_t number) {
  return {producer, number, producer, 10, 1'000'000 * (int64_t{number} + 1)};
}

// A server as it should be, whose history is written down by hand: events go to partition 0, and
// two lives are told, with everything read to its end in the second one. What a test breaks, it
// breaks in `log` or `records`.
class Story {
 public:
  void Send(const Event& event, Stream topic = Stream::kSent) {
    records.push_back(Invocation{life, topic, event});
  }
  void Acknowledge(const Event& event, std::optional<int64_t> offset) {
    Acknowledgement record{life, event.producer, event.number, {}};
    if (offset) record.place = Place{0, *offset};
    records.push_back(record);
  }
  void See(const Row& row) { records.push_back(Sighting{life, row, Auditor::kNone}); }

  // Sends, takes, acknowledges.
  void Take(const Event& event) {
    Send(event);
    const auto offset = static_cast<int64_t>(log.size());
    log.push_back(event);
    Acknowledge(event, offset);
  }

  // The rows that the log gives.
  std::vector<Row> Rows(Stream stream) const {
    std::vector<Row> rows;
    DerivedModel model;
    for (size_t i = 0; i < log.size(); ++i) {
      DerivedModel::Answer answer = model.Take(log[i]);
      if (stream == Stream::kOdd && !answer.odd) continue;
      if (stream != Stream::kOdd) answer.numbers.running = 0;
      if (stream == Stream::kSent) answer.numbers = {};
      rows.push_back({stream, {0, static_cast<int64_t>(rows.size())}, log[i], answer.numbers});
    }
    return rows;
  }

  void Audit(const std::vector<Row>& rows, Stream stream) {
    records.push_back(AuditBegin{Auditor::kRunner, life, stream, 0, 0});
    for (const Row& row : rows)
      records.push_back(Sighting{life, row, Auditor::kRunner});
    const int64_t end = rows.empty() ? 0 : rows.back().place.offset + 1;
    records.push_back(AuditEnd{Auditor::kRunner, life, stream, 0, 0, end});
  }
  void AuditAll() {
    for (Stream stream : {Stream::kSent, Stream::kCounted, Stream::kOdd})
      Audit(Rows(stream), stream);
  }

  Checker Check() const {
    Checker checker;
    for (const Record& record : records)
      checker.Take(record);
    checker.Finish(life);
    return checker;
  }

  uint32_t life = 1;
  std::vector<Event> log;
  std::vector<Record> records;
};

// Three producers' events, taken in turn, in life 1.
Story GoodStory(uint32_t events = 9) {
  Story story;
  for (uint32_t i = 0; i < events; ++i)
    story.Take(EventOf(i % 3, i / 3));
  return story;
}

void ExpectOnly(const Checker& checker, Fault fault, uint64_t count) {
  EXPECT_EQ(checker.count(fault), count);
  EXPECT_EQ(checker.finding_count(), count)
      << (checker.findings().empty() ? "" : checker.findings().back().text);
}

TEST(TortureCheckerTest, AHistoryOfAServerThatKeptItsWordHasNoFindings) {
  Story story = GoodStory();
  for (const Row& row : story.Rows(Stream::kOdd))
    story.See(row);
  story.life = 2;
  story.AuditAll();
  Checker checker = story.Check();
  EXPECT_EQ(checker.finding_count(), 0U);
  EXPECT_EQ(checker.counts().events, 9U);
  EXPECT_EQ(checker.counts().acknowledged, 9U);
  EXPECT_GT(checker.counts().rows_seen, 0U);
  EXPECT_GT(checker.counts().rows_audited, 18U);
}

TEST(TortureCheckerTest, WhatWasNotAnsweredMayBeThereOrNot) {
  for (bool taken : {false, true}) {
    Story story = GoodStory();
    const Event event = EventOf(0, 3);
    story.Send(event);
    story.records.push_back(Unanswered{1, 0, 3});
    if (taken) story.log.push_back(event);
    story.life = 2;
    story.AuditAll();
    Checker checker = story.Check();
    EXPECT_EQ(checker.finding_count(), 0U);
    EXPECT_EQ(checker.counts().unanswered, 1U);
  }
}

TEST(TortureCheckerTest, ARepeatThatWasAcknowledgedWithoutAPlaceMustBeThereOnce) {
  for (size_t copies : {size_t{0}, size_t{1}, size_t{2}}) {
    Story story = GoodStory();
    const Event event = EventOf(0, 3);
    story.Send(event);
    story.records.push_back(Unanswered{1, 0, 3});
    story.life = 2;
    story.Send(event);
    story.Acknowledge(event, std::nullopt);
    story.log.insert(story.log.end(), copies, event);
    story.AuditAll();
    Checker checker = story.Check();
    EXPECT_EQ(checker.counts().sent_again, 1U);
    EXPECT_EQ(checker.count(Fault::kLost), copies == 0 ? 1U : 0U);
    EXPECT_EQ(checker.count(Fault::kDuplicated), copies == 2 ? 2U : 0U);  // with its row of counted
    EXPECT_EQ(checker.finding_count() == 0, copies == 1);
  }
}

TEST(TortureCheckerTest, AnAcknowledgedEventThatIsCutOffIsLost) {
  Story story = GoodStory();
  const Event gone = story.log.back();
  story.log.pop_back();
  story.life = 2;
  story.AuditAll();
  Checker checker = story.Check();
  ExpectOnly(checker, Fault::kLost, 1);
  const Finding& finding = checker.findings()[0];
  EXPECT_EQ(finding.event, gone);
  EXPECT_EQ(finding.place, (Place{0, 8}));
  EXPECT_EQ(finding.life, 1U);
  EXPECT_EQ(finding.found_life, 2U);
  EXPECT_EQ(finding.text, "acknowledged in life 1; in life 2 the last row is at 7");
}

TEST(TortureCheckerTest, AnAcknowledgedEventWhosePlaceHoldsAnotherIsLost) {
  Story story = GoodStory();
  story.log.pop_back();
  story.life = 2;
  story.Take(EventOf(0, 3));  // the freed offset is given again
  story.AuditAll();
  Checker checker = story.Check();
  ExpectOnly(checker, Fault::kLost, 1);
  EXPECT_EQ(checker.findings()[0].event, EventOf(2, 2));
  EXPECT_NE(checker.findings()[0].text.find("the place holds 0-3"), std::string::npos);
}

TEST(TortureCheckerTest, ALossInTheMiddleIsFound) {
  Story story = GoodStory();
  story.life = 2;
  std::vector<Row> rows = story.Rows(Stream::kSent);
  rows.erase(rows.begin() + 4);
  story.Audit(rows, Stream::kSent);
  Checker checker = story.Check();
  EXPECT_EQ(checker.count(Fault::kLost), 1U);
  EXPECT_EQ(checker.findings()[0].place, (Place{0, 4}));
}

TEST(TortureCheckerTest, AHoleThatNobodyClaimedIsFound) {
  Story story = GoodStory();
  for (Stream stream : {Stream::kCounted}) {
    story.life = 2;
    std::vector<Row> rows = story.Rows(stream);
    rows.erase(rows.begin() + 4);
    story.Audit(rows, stream);
  }
  Checker checker = story.Check();
  EXPECT_EQ(checker.count(Fault::kLost), 1U + 9U);  // and the sent ones, which no audit showed
}

TEST(TortureCheckerTest, ARowThatOnlyAReaderSawAndThatIsGoneWasNotDurable) {
  Story story = GoodStory();
  const Event event = EventOf(1, 3);
  story.Send(event);
  story.See({Stream::kSent, {0, 9}, event, {}});
  story.records.push_back(Unanswered{1, 1, 3});
  story.life = 2;
  story.AuditAll();
  Checker checker = story.Check();
  ExpectOnly(checker, Fault::kNotDurable, 1);
  EXPECT_EQ(checker.findings()[0].text, "seen in life 1; in life 2 the last row is at 8");
}

TEST(TortureCheckerTest, ARowThatOnlyAReaderSawAndThatIsAnotherNowWasNotDurable) {
  Story story = GoodStory();
  const Event event = EventOf(1, 3);
  story.Send(event);
  story.See({Stream::kSent, {0, 9}, event, {}});
  story.life = 2;
  story.Take(EventOf(2, 3));
  story.AuditAll();
  ExpectOnly(story.Check(), Fault::kNotDurable, 1);
}

TEST(TortureCheckerTest, AComputedRowThatChangesWasNotDurable) {
  Story story = GoodStory();
  Row row = story.Rows(Stream::kCounted)[5];
  ++row.numbers.total;
  story.See(row);
  story.life = 2;
  story.AuditAll();
  ExpectOnly(story.Check(), Fault::kNotDurable, 1);
}

TEST(TortureCheckerTest, OneValueAtTwoPlacesIsDuplicated) {
  Story story = GoodStory();
  story.life = 2;
  story.log.push_back(story.log.back());
  story.AuditAll();
  Checker checker = story.Check();
  EXPECT_EQ(checker.count(Fault::kDuplicated), 2U);  // in sent and counted
  EXPECT_EQ(checker.finding_count(), 2U);
  EXPECT_EQ(checker.findings()[0].place, (Place{0, 9}));
  EXPECT_EQ(checker.findings()[0].text, "it is also at sent:0:8");
}

TEST(TortureCheckerTest, ValuesOfAProducerInAnotherOrderAreReordered) {
  Story story;
  for (uint32_t i = 0; i < 4; ++i)
    story.Send(EventOf(0, i));
  story.log = {EventOf(0, 0), EventOf(0, 2), EventOf(0, 1), EventOf(0, 3)};
  story.life = 2;
  story.AuditAll();
  Checker checker = story.Check();
  ExpectOnly(checker, Fault::kReordered, 1);
  EXPECT_EQ(checker.findings()[0].event, EventOf(0, 1));
  EXPECT_EQ(checker.findings()[0].place, (Place{0, 2}));
}

TEST(TortureCheckerTest, RowsThatNobodySentAreInvented) {
  const Event known = EventOf(0, 0);
  Event changed = known;
  ++changed.amount;
  const std::vector<Row> invented = {
      {Stream::kSent, {0, 9}, EventOf(0, 77), {}},  // a number that was not used
      {Stream::kSent, {0, 9}, EventOf(9, 0), {}},   // no such producer
      {Stream::kSent, {0, 0}, changed, {}},         // other bytes
      {Stream::kOnce, {0, 0}, known, {}},           // sent elsewhere
      {Stream::kSent, {-1, 0}, known, {}},          // no such place
      {Stream::kSent, {0, int64_t{1} << 40}, known, {}},
  };
  for (const Row& row : invented) {
    Story story = GoodStory();
    story.See(row);
    story.life = 2;
    story.AuditAll();
    ExpectOnly(story.Check(), Fault::kInvented, 1);
  }
  Story story = GoodStory();
  story.records.push_back(Unreadable{1, Stream::kSent, "{}"});
  story.life = 2;
  story.AuditAll();
  ExpectOnly(story.Check(), Fault::kInvented, 1);
}

TEST(TortureCheckerTest, ComputedRowsThatAreWrongMissingOrTooManyAreFound) {
  const std::vector<std::function<void(std::vector<Row>&)>> faults = {
      [](std::vector<Row>& rows) { ++rows[4].numbers.count; },
      [](std::vector<Row>& rows) { rows[4].numbers.total -= 10; },
      [](std::vector<Row>& rows) { ++rows.back().numbers.running; },
      [](std::vector<Row>& rows) { rows.pop_back(); },
      [](std::vector<Row>& rows) {
        rows.push_back(rows[0]);
        rows.back().place.offset = static_cast<int64_t>(rows.size()) - 1;
      },
  };
  for (Stream broken : {Stream::kCounted, Stream::kOdd}) {
    for (const auto& fault : faults) {
      Story story = GoodStory(12);
      story.life = 2;
      for (Stream stream : {Stream::kSent, Stream::kCounted, Stream::kOdd}) {
        std::vector<Row> rows = story.Rows(stream);
        if (stream == broken) fault(rows);
        story.Audit(rows, stream);
      }
      Checker checker = story.Check();
      EXPECT_EQ(checker.count(Fault::kDerived), 1U);
      EXPECT_EQ(checker.count(Fault::kLost), 0U);
    }
  }
}

TEST(TortureCheckerTest, WhatBecomesKnownWhileAnAuditReadsNeedNotBeInIt) {
  Story story = GoodStory();
  story.life = 2;
  story.records.push_back(AuditBegin{Auditor::kRunner, 2, Stream::kSent, 0, 0});
  for (const Row& row : story.Rows(Stream::kSent))
    story.records.push_back(Sighting{2, row, Auditor::kRunner});
  story.Take(EventOf(0, 3));  // behind the end that the audit had seen already
  story.records.push_back(AuditEnd{Auditor::kRunner, 2, Stream::kSent, 0, 0, 9});
  story.AuditAll();
  EXPECT_EQ(story.Check().finding_count(), 0U);
}

TEST(TortureCheckerTest, AnAcknowledgedEventThatIsNotToBeReadYetIsFound) {
  Story story = GoodStory();
  const Event early = EventOf(0, 3);
  const auto read_eight = [&](Auditor auditor) {
    for (const Row& row : story.Rows(Stream::kSent))
      story.records.push_back(Sighting{1, row, auditor});
  };
  // Two read at the same time: one began before the answer, the other after it.
  story.records.push_back(AuditBegin{Auditor::kRunner, 1, Stream::kSent, 0, 0});
  read_eight(Auditor::kRunner);
  story.Send(early);
  story.Acknowledge(early, 9);
  story.records.push_back(AuditBegin{Auditor::kReader, 1, Stream::kSent, 0, 0});
  read_eight(Auditor::kReader);
  story.records.push_back(AuditEnd{Auditor::kRunner, 1, Stream::kSent, 0, 0, 9});
  EXPECT_EQ(story.Check().count(Fault::kLost), 0U);
  story.records.push_back(AuditEnd{Auditor::kReader, 1, Stream::kSent, 0, 0, 9});
  story.log.push_back(early);
  story.life = 2;
  story.AuditAll();
  Checker checker = story.Check();
  ExpectOnly(checker, Fault::kLost, 1);
  EXPECT_EQ(checker.findings()[0].text, "acknowledged in life 1; in life 1 the last row is at 8");
}

TEST(TortureCheckerTest, RefusalsAndFallsAreFindings) {
  Story story = GoodStory();
  story.records.push_back(Refusal{1, Stream::kSent, "422"});
  story.records.push_back(Downfall{1, "signal 6"});
  story.life = 2;
  story.AuditAll();
  Checker checker = story.Check();
  EXPECT_EQ(checker.count(Fault::kRefused), 1U);
  EXPECT_EQ(checker.count(Fault::kServer), 1U);
  EXPECT_EQ(checker.finding_count(), 2U);
}

TEST(TortureCheckerTest, AFindingGetsTheLsnOfItsPlace) {
  Story story = GoodStory();
  story.life = 2;
  story.log[4] = story.log[3];
  story.AuditAll();
  Checker checker = story.Check();
  ASSERT_GT(checker.finding_count(), 0U);
  const Place place = checker.findings()[0].place.value_or(Place{});
  checker.Locate("once", {0, 0}, 100, 5);
  EXPECT_EQ(checker.findings()[0].lsn, 0U);
  checker.Locate("sent", {0, place.offset}, 1, 7);
  EXPECT_EQ(checker.findings()[0].lsn, 7U);
}

TEST(TortureCheckerTest, ManyFindingsAreCountedAndFewKept) {
  Story story = GoodStory(300);
  story.log.clear();
  story.life = 2;
  story.AuditAll();
  Checker checker = story.Check();
  EXPECT_EQ(checker.count(Fault::kLost), 300U);
  EXPECT_EQ(checker.findings().size(), Checker::kFindingsKept);
}

// A long history with repeats, unanswered requests and lives, in which one fault is planted at a
// place that the seed decides.
class Planted {
 public:
  explicit Planted(uint64_t seed) : random_(seed) {
    for (story_.life = 1; story_.life <= 5; ++story_.life) {
      if (story_.life > 1) story_.AuditAll();
      SendSome();
    }
    story_.AuditAll();
  }

  Story& story() { return story_; }
  uint64_t Below(uint64_t bound) { return random_.Below(bound); }

 private:
  void SendSome() {
    for (uint64_t i = 0; i < 20; ++i) {
      const auto producer = static_cast<uint32_t>(random_.Below(3));
      Event event = EventOf(producer, next_[producer]++);
      event.key = static_cast<int64_t>(random_.Below(3));
      event.at += static_cast<int64_t>(random_.Below(4'000'000));
      const uint64_t kind = random_.Below(10);
      if (kind == 0) {  // unanswered, taken or not, sent again
        story_.Send(event);
        story_.records.push_back(Unanswered{story_.life, producer, event.number});
        story_.Send(event);
        story_.log.push_back(event);
        story_.Acknowledge(event, std::nullopt);
      } else {
        story_.Take(event);
      }
      if (kind == 1) story_.See(story_.Rows(Stream::kSent).back());
      if (kind == 2) story_.See(story_.Rows(Stream::kCounted).back());
    }
  }

  os::SeededRandom random_;
  Story story_;
  std::array<uint32_t, 3> next_{};
};

TEST(TortureCheckerTest, AFaultAnywhereInALongHistoryIsFound) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Planted good(seed);
    EXPECT_EQ(good.story().Check().finding_count(), 0U) << seed;
    Planted planted(seed);
    Story& story = planted.story();
    const size_t at = planted.Below(story.log.size());
    const size_t to = planted.Below(story.log.size());
    switch (seed % 4) {
      case 0:
        story.log.erase(story.log.begin() + static_cast<int64_t>(at));
        break;
      case 1:
        story.log.insert(story.log.begin() + static_cast<int64_t>(at), story.log[to]);
        break;
      case 2:
        ++story.log[at].key;
        break;
      default:
        if (at == to) continue;
        std::swap(story.log[at], story.log[to]);
    }
    story.life = 7;
    story.AuditAll();
    EXPECT_GT(story.Check().finding_count(), 0U) << seed;
  }
}

TEST(DerivedModelTest, AWindowHoldsWhatIsNotYoungerAndNotTooOld) {
  DerivedModel model;
  auto take = [&](int64_t at, int64_t amount) { return model.Take({0, 0, 1, amount, at}); };
  EXPECT_EQ(take(10'000'000, 1).numbers, (Numbers{1, 1, 1}));
  EXPECT_EQ(take(15'000'000, 2).numbers, (Numbers{2, 3, 0}));  // five seconds: both ends are in
  EXPECT_EQ(take(15'000'001, 4).numbers, (Numbers{2, 6, 0}));
  EXPECT_EQ(take(12'000'000, 8).numbers, (Numbers{2, 9, 0}));  // late: only what is older
  EXPECT_EQ(take(16'000'000, 16).numbers, (Numbers{4, 30, 0}));
  EXPECT_EQ(take(16'000'000, 32).numbers, (Numbers{5, 62, 2}));  // the second odd one of the key
  EXPECT_EQ(model.Take({0, 0, 2, 7, 16'000'000}).numbers, (Numbers{1, 7, 1}));
}

}  // namespace
}  // namespace headrace::cli::torture
