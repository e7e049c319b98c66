#include "engine/frame_note.h"

#include <random>

#include <gtest/gtest.h>

#include "catalog/change.h"

namespace headrace::engine {
namespace {

TEST(InputNote, SaysWhatItWasTold) {
  for (int64_t arrival : {int64_t{0}, INT64_MIN, INT64_MAX, int64_t{1'700'000'000'000'000}}) {
    InputNote note{arrival, "payments.csv.gz", UINT64_MAX, 77};
    Result<InputNote> back = InputNote::Decode(note.Encode());
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(arrival, back->arrival_micros);
    EXPECT_EQ("payments.csv.gz", back->source);
    EXPECT_EQ(UINT64_MAX, back->source_bytes);
    EXPECT_EQ(77U, back->source_events);
    EXPECT_FALSE(back->bounded);
    note.bounded = true;
    EXPECT_TRUE(InputNote::Decode(note.Encode())->bounded);
  }
}

TEST(InputNote, OfARequestIsTheArrivalAlone) {
  InputNote note;
  note.arrival_micros = 5;
  note.source_bytes = 9;
  std::string bytes = note.Encode();
  EXPECT_EQ((std::string{1, 10, 0}), bytes);
  EXPECT_EQ(0U, InputNote::Decode(bytes)->source_bytes);
}

TEST(InputNote, RefusesEveryTruncationAndWhatFollows) {
  std::string bytes = InputNote{12345678, "a.jsonl", 300, 20}.Encode();
  for (size_t n = 0; n < bytes.size(); ++n)
    EXPECT_EQ("HR5302", InputNote::Decode(bytes.substr(0, n)).error().code()) << n;
  EXPECT_FALSE(InputNote::Decode(bytes + '\0').ok());
  bytes[0] = 2;
  EXPECT_FALSE(InputNote::Decode(bytes).ok());
}

std::vector<row::Place> RandomCauses(std::mt19937_64& random, size_t count) {
  std::vector<row::Place> causes;
  row::Place place{random() % 1000, 0};
  while (causes.size() < count) {
    if (random() % 4 == 0)
      place = {place.lsn + random() % 300, static_cast<uint32_t>(random() % 9)};
    causes.push_back(place);
    if (random() % 5 > 0) ++place.index;  // several rows of one cause, too
  }
  return causes;
}

TEST(Causes, ComeBackInOrder) {
  std::mt19937_64 random(1);
  CauseEncoder encoder;
  for (size_t count = 0; count < 300; count += 7) {
    std::vector<row::Place> causes = RandomCauses(random, count);
    for (row::Place cause : causes)
      encoder.Add(cause);
    Result<std::vector<row::Place>> back = DecodeCauses(encoder.Finish(), count);
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(causes, *back);
  }
}

TEST(Causes, OfOneFrameOneAfterTheOtherTakeAFewBytes) {
  CauseEncoder encoder;
  for (uint32_t i = 0; i < 256; ++i)
    encoder.Add({100, i});
  EXPECT_EQ(5U, encoder.Finish().size());
}

TEST(Causes, OfAnotherNumberOfRowsAreRefused) {
  CauseEncoder encoder;
  for (uint32_t i = 0; i < 10; ++i)
    encoder.Add({3, i * 2});
  std::string note = encoder.Finish();
  EXPECT_TRUE(DecodeCauses(note, 10).ok());
  EXPECT_FALSE(DecodeCauses(note, 9).ok());
  EXPECT_FALSE(DecodeCauses(note, 11).ok());
  for (size_t n = 0; n < note.size(); ++n)
    EXPECT_EQ("HR5302", DecodeCauses(note.substr(0, n), 10).error().code()) << n;
}

std::string Bytes(std::initializer_list<int> bytes) {
  std::string text;
  for (int byte : bytes)
    text += static_cast<char>(byte);
  return text;
}

// docs/internals/notes.md and controls.md show these.
TEST(Notes, AreTheBytesOfTheirDescription) {
  InputNote note{1'700'000'000'000'000, "p.jsonl", 20480, 256};
  EXPECT_EQ(Bytes({0x01, 0x80, 0x80, 0xf2, 0x81, 0x83, 0x89, 0x85, 0x06, 0x07, 0x70,
                   0x2e, 0x6a, 0x73, 0x6f, 0x6e, 0x6c, 0x80, 0xa0, 0x01, 0x80, 0x02}),
            note.Encode());
  CauseEncoder encoder;
  for (uint32_t i = 0; i < 256; ++i)
    encoder.Add({100, i});
  encoder.Add({101, 3});
  encoder.Add({101, 4});
  EXPECT_EQ(Bytes({0x02, 0x64, 0x00, 0x80, 0x02, 0x01, 0x03, 0x02}), encoder.Finish());
  catalog::Change change;
  change.kind = catalog::ChangeKind::kActivateVersion;
  change.name = "fraud";
  change.number = 2;
  EXPECT_EQ(Bytes({1, 4, 5, 'f', 'r', 'a', 'u', 'd', 0, 0, 2, 0, 4}), change.Encode());
}

TEST(Notes, OfHostileBytesAreRefusedWithoutHarm) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 24, '\0');
    for (char& byte : bytes)
      byte = static_cast<char>(random() % 3 == 0 ? 0xff : random());
    if (!bytes.empty()) bytes[0] = static_cast<char>(1 + random() % 2);
    Result<InputNote> note = InputNote::Decode(bytes);
    if (note.ok()) {
      EXPECT_LE(note->source.size(), bytes.size());
    }
    Result<std::vector<row::Place>> causes = DecodeCauses(bytes, 5);
    if (causes.ok()) {
      EXPECT_EQ(5U, causes->size());
    }
  }
}

TEST(Controls, ComeBackAsTheyWereWhateverTheirKind) {
  for (int kind : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 18}) {
    catalog::Change change;
    change.kind = static_cast<catalog::ChangeKind>(kind);
    change.name = "\"Odd \xc3\xa9\"";
    change.text = std::string("CREATE\0STREAM", 13);
    change.file = "a/b.sql";
    change.line = 16 << 20;
    change.sha256 = std::string(64, 'f');
    change.number = -1;
    std::string bytes = change.Encode();
    Result<catalog::Change> back = catalog::Change::Decode(bytes);
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(bytes, back->Encode());
    EXPECT_EQ(change.text, back->text);
    EXPECT_EQ(change.number, back->number);
    for (size_t n = 0; n < bytes.size(); ++n)
      EXPECT_FALSE(catalog::Change::Decode(bytes.substr(0, n)).ok());
    EXPECT_FALSE(catalog::Change::Decode(bytes + "x").ok());
  }
}

TEST(Controls, OfALaterVersionOrAnUnknownKindAreRefused) {
  std::string bytes = catalog::Change{}.Encode();
  for (int other : {0, 2, 255}) {
    std::string changed = bytes;
    changed[0] = static_cast<char>(other);
    EXPECT_EQ("HR5301", catalog::Change::Decode(changed).error().code());
  }
  catalog::Change far;
  far.line = 1 << 30;
  EXPECT_EQ("HR5301", catalog::Change::Decode(far.Encode()).error().code());
  for (int other : {0, 12, 255}) {
    std::string changed = bytes;
    changed[1] = static_cast<char>(other);
    EXPECT_EQ("HR5301", catalog::Change::Decode(changed).error().code());
  }
}

}  // namespace
}  // namespace headrace::engine
