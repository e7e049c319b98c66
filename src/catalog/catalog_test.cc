#include "catalog/catalog.h"

#include <gtest/gtest.h>

namespace headrace::catalog {
namespace {

Change Create(const std::string& name, const std::string& sha = "") {
  Change change;
  change.name = name;
  change.text = "CREATE " + name;
  change.file = "app.sql";
  change.line = 7;
  change.sha256 = sha;
  return change;
}

TEST(ChangeTest, RoundTripsAndRefusesEveryTruncation) {
  std::string bytes = Create("fraud", "abcd").Encode();
  Result<Change> change = Change::Decode(bytes);
  ASSERT_TRUE(change.ok());
  EXPECT_EQ(change->text, "CREATE fraud");
  EXPECT_EQ(change->line, 7);
  for (size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_FALSE(Change::Decode(std::string_view(bytes).substr(0, n)).ok()) << n;
  }
}

TEST(CatalogTest, KeepsTheOrderOfCreationAndTheHistoryOfActivations) {
  Catalog catalog;
  ASSERT_TRUE(catalog.Apply(Create("payments"), 1).ok());
  ASSERT_TRUE(catalog.Apply(Create("fraud", "aa"), 2).ok());
  EXPECT_EQ(catalog.Apply(Create("fraud", "aa"), 3).error().kind(), ErrorKind::kConflict);
  Change version;
  version.kind = ChangeKind::kAddVersion;
  version.name = "fraud";
  version.sha256 = "bb";
  version.number = 2;
  ASSERT_TRUE(catalog.Apply(version, 4).ok());
  version.kind = ChangeKind::kActivateVersion;
  ASSERT_TRUE(catalog.Apply(version, 5).ok());
  const Object* fraud = catalog.Find("fraud");
  ASSERT_NE(fraud, nullptr);
  EXPECT_EQ(fraud->versions.size(), 2U);
  EXPECT_EQ(fraud->activations.back().lsn, 5U);
  Change drop;
  drop.kind = ChangeKind::kDrop;
  drop.name = "payments";
  ASSERT_TRUE(catalog.Apply(drop, 6).ok());
  EXPECT_EQ(catalog.Find("payments"), nullptr);
  EXPECT_EQ(catalog.Apply(drop, 7).error().kind(), ErrorKind::kNotFound);
}

Change OfVersion(ChangeKind kind, int32_t number, const Canary& canary = {}) {
  Change change;
  change.kind = kind;
  change.name = "fraud";
  change.number = number;
  if (kind == ChangeKind::kCanaryVersion) change.text = canary.Encode();
  return change;
}

TEST(CatalogTest, ACanaryEndsWithItsVersionsRoleOrWhenAnotherVersionDecides) {
  Catalog catalog;
  ASSERT_TRUE(catalog.Apply(Create("fraud", "aa"), 1).ok());
  for (int32_t number : {2, 3}) {
    Change version = OfVersion(ChangeKind::kAddVersion, number);
    version.sha256 = "b" + std::to_string(number);
    ASSERT_TRUE(catalog.Apply(version, 2).ok());
  }
  const auto apply = [&](const Change& change, uint64_t lsn) {
    ASSERT_TRUE(catalog.Apply(change, lsn).ok());
  };
  const Object& fraud = catalog.objects().front();
  apply(OfVersion(ChangeKind::kCanaryVersion, 2, {10, "salt", ""}), 4);
  ASSERT_NE(fraud.canary(), nullptr);
  EXPECT_EQ(fraud.RoleOf(fraud.versions[1]), "canary");
  apply(OfVersion(ChangeKind::kCanaryVersion, 2, {25, "salt", ""}), 5);
  EXPECT_EQ(fraud.canaries.front().until_lsn, 5U);
  EXPECT_EQ(fraud.canary()->canary.percent, 25);
  apply(OfVersion(ChangeKind::kShadowVersion, 3), 6);
  EXPECT_NE(fraud.canary(), nullptr) << "another version's role";
  apply(OfVersion(ChangeKind::kRetireVersion, 2), 7);
  EXPECT_EQ(fraud.canary(), nullptr);
  EXPECT_EQ(fraud.RoleOf(fraud.versions[1]), "retired");
  apply(OfVersion(ChangeKind::kCanaryVersion, 3, {1, "", "card"}), 8);
  EXPECT_EQ(fraud.RoleOf(fraud.versions[2]), "canary") << "and no shadow any more";
  apply(OfVersion(ChangeKind::kActivateVersion, 3), 9);
  EXPECT_EQ(fraud.canary(), nullptr);
  apply(OfVersion(ChangeKind::kCanaryVersion, 1, {5, "", ""}), 10);
  apply(OfVersion(ChangeKind::kCanaryVersion, 1, {0, "", ""}), 11);
  EXPECT_EQ(fraud.canary(), nullptr);
  EXPECT_EQ(fraud.canaries.size(), 4U);
}

TEST(CatalogTest, ACanaryRoundTripsAndEveryTruncationIsRefused) {
  const std::string bytes = Canary{10, "salt", "card"}.Encode();
  Result<Canary> canary = Canary::Decode(bytes);
  ASSERT_TRUE(canary.ok());
  EXPECT_EQ(canary->percent, 10);
  EXPECT_EQ(canary->salt, "salt");
  EXPECT_EQ(canary->key, "card");
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(Canary::Decode(bytes.substr(0, size)).error().code(), "HR5301") << size;
  }
  EXPECT_EQ(Canary::Decode(Canary{101, "", ""}.Encode()).error().code(), "HR5301");
}

TEST(CatalogTest, RemembersWhatASalvageLeftOut) {
  Loss loss;
  loss.lsn = 9;
  loss.lost_from = 4;
  loss.next_offsets = {{{"payments", 0}, 12}, {{"payments", 1}, 0}};
  Change change;
  change.kind = ChangeKind::kLoss;
  change.text = loss.Encode();
  Catalog catalog;
  ASSERT_TRUE(catalog.Apply(change, 9).ok());
  ASSERT_EQ(catalog.losses().size(), 1U);
  const Loss& known = catalog.losses().front();
  EXPECT_EQ(known.next_offsets, loss.next_offsets);
  EXPECT_FALSE(known.Hides(3));
  EXPECT_TRUE(known.Hides(4));
  EXPECT_TRUE(known.Hides(8));
  EXPECT_FALSE(known.Hides(9));
  for (size_t size = 0; size < change.text.size(); ++size) {
    EXPECT_EQ(Loss::Decode(change.text.substr(0, size), 9).error().code(), "HR5301") << size;
  }
  EXPECT_EQ(Loss::Decode(change.text + "x", 9).error().code(), "HR5301");
  EXPECT_EQ(Loss::Decode(change.text, 3).error().code(), "HR5301") << "lost behind its own end";
}

TEST(Catalog, AHaltEndsTheStatementsWhoseTopicsItNamesUntilTheyAreReplaced) {
  Catalog catalog;
  Change create;
  for (const char* name : {"s", "a", "b"}) {
    create.name = name;
    ASSERT_TRUE(catalog.Apply(create, 5).ok());
  }
  Halt halt;
  halt.what = "a:0:3 differs";
  halt.next_offsets = {{{"a", 0}, 4}, {{"a", 1}, 0}, {{"s.dead", 0}, 2}};
  Change change;
  change.kind = ChangeKind::kHalt;
  change.name = "a";
  change.text = halt.Encode();
  const Result<Change> decoded = Change::Decode(change.Encode());
  ASSERT_TRUE(decoded.ok());
  ASSERT_TRUE(catalog.Apply(*decoded, 9).ok());
  EXPECT_EQ(catalog.Find("a")->latest().halted_lsn, 9U);
  EXPECT_EQ(catalog.Find("b")->latest().halted_lsn, UINT64_MAX);
  EXPECT_EQ(catalog.Find("s")->latest().halted_lsn, UINT64_MAX);
  EXPECT_EQ(catalog.halts().front().what, "a:0:3 differs");
  EXPECT_EQ(catalog.halts().front().next_offsets, halt.next_offsets);
  ASSERT_TRUE(catalog.Apply(*decoded, 10).ok());
  EXPECT_EQ(catalog.Find("a")->latest().halted_lsn, 9U);
  Change replace;
  replace.kind = ChangeKind::kReplace;
  replace.name = "a";
  ASSERT_TRUE(catalog.Apply(replace, 12).ok());
  EXPECT_EQ(catalog.Find("a")->revisions.front().halted_lsn, 9U);
  EXPECT_EQ(catalog.Find("a")->latest().halted_lsn, UINT64_MAX);
  for (size_t size = 0; size < change.text.size(); ++size)
    EXPECT_EQ(Halt::Decode(change.text.substr(0, size), 9).error().code(), "HR5301") << size;
  EXPECT_EQ(Halt::Decode(change.text + "x", 9).error().code(), "HR5301");
}

TEST(Catalog, ADropFreesTheNameAndSaysWhereItsTopicsGoOn) {
  Catalog catalog;
  Change create;
  create.name = "a";
  ASSERT_TRUE(catalog.Apply(create, 5).ok());
  Halt halt;
  halt.next_offsets = {{{"a", 0}, 4}, {{"s.dead", 0}, 2}};
  Change halting;
  halting.kind = ChangeKind::kHalt;
  halting.name = "a";
  halting.text = halt.Encode();
  ASSERT_TRUE(catalog.Apply(halting, 6).ok());
  Drop drop;
  drop.ended = {{{"a", 0}, 7}, {{"a.dead", 0}, 0}};
  drop.letters = {{{"s.dead", 0}, 3}};
  drop.topic = "events";
  drop.partitions = 2;
  drop.repeats = "id text within 5 us";
  Change change;
  change.kind = ChangeKind::kDrop;
  change.name = "a";
  change.text = drop.Encode();
  const Result<Change> decoded = Change::Decode(change.Encode());
  ASSERT_TRUE(decoded.ok());
  ASSERT_TRUE(catalog.Apply(*decoded, 9).ok());
  EXPECT_EQ(catalog.Find("a"), nullptr);
  EXPECT_EQ(catalog.begins(), drop.ended);
  EXPECT_EQ(catalog.DropOf("a")->lsn, 9U);
  EXPECT_EQ(catalog.DropOf("a")->letters, drop.letters);
  EXPECT_EQ(catalog.left_topics().at("events").repeats, drop.repeats);
  // A halt of what is gone is none of what gets the name.
  EXPECT_EQ(catalog.halts().front().next_offsets, (Offsets{{{"s.dead", 0}, 2}}));
  EXPECT_EQ(catalog.Apply(*decoded, 10).error().code(), "HR1202");
  ASSERT_TRUE(catalog.Apply(create, 11).ok());
  EXPECT_EQ(catalog.Find("a")->latest().halted_lsn, UINT64_MAX);
  Change topic;
  topic.kind = ChangeKind::kDropTopic;
  topic.name = "events";
  topic.text = EncodeOffsets({{{"events", 1}, 12}});
  ASSERT_TRUE(catalog.Apply(topic, 12).ok());
  EXPECT_TRUE(catalog.left_topics().empty());
  EXPECT_EQ(catalog.begins().at({"events", 1}), 12);
  EXPECT_EQ(catalog.dropped_topics().at("events"), 12U);
  Change trim;
  trim.kind = ChangeKind::kTrim;
  trim.name = "events";
  trim.text = EncodeOffsets({{{"events", 1}, 20}});
  ASSERT_TRUE(catalog.Apply(Change::Decode(trim.Encode()).value(), 13).ok());
  trim.text = EncodeOffsets({{{"events", 0}, 3}, {{"events", 1}, 15}});
  ASSERT_TRUE(catalog.Apply(trim, 14).ok());
  // Never back; and what is computed still needs what was before.
  EXPECT_EQ(catalog.trims().at({"events", 1}).begins, 20);
  EXPECT_EQ(catalog.trims().at({"events", 1}).lsn, 13U);
  EXPECT_EQ(catalog.trims().at({"events", 0}).begins, 3);
  EXPECT_EQ(catalog.begins().at({"events", 1}), 12);
  trim.text += "x";
  EXPECT_EQ(catalog.Apply(trim, 15).error().code(), "HR5301");
  for (size_t size = 1; size < change.text.size(); ++size)
    EXPECT_EQ(Drop::Decode(change.text.substr(0, size), "a", 9).error().code(), "HR5301") << size;
  EXPECT_EQ(Drop::Decode(change.text + "x", "a", 9).error().code(), "HR5301");
  for (size_t size = 0; size < topic.text.size(); ++size)
    EXPECT_EQ(DecodeOffsets(topic.text.substr(0, size)).error().code(), "HR5301") << size;
}

// The bytes that docs/internals/controls.md shows.
TEST(Catalog, ATrainerKeepsWhatItsLastTriggerKnew) {
  Trained trained;
  trained.run = 1;
  trained.lsn = 7;
  trained.newest = 1'000'000'000;
  trained.version = 2;
  const std::string bytes = trained.Encode();
  EXPECT_EQ(std::string("\x01\x07\x00\x80\xa8\xd6\xb9\x07\x00\x04\x00\x00\x00\x01\x00", 15), bytes);

  trained.drifting = true;
  trained.gate_version = 3;
  trained.gate_time = -5;
  trained.gate_from = 1 << 20;
  trained.offsets[{"s", 1}] = 17;
  Catalog catalog;
  Change create;
  create.name = "again";
  ASSERT_TRUE(catalog.Apply(create, 3).ok());
  Change answered;
  answered.kind = ChangeKind::kTrained;
  answered.name = "again";
  answered.text = trained.Encode();
  const Result<Change> decoded = Change::Decode(answered.Encode());
  ASSERT_TRUE(decoded.ok());
  ASSERT_TRUE(catalog.Apply(*decoded, 9).ok());
  EXPECT_EQ(answered.text, catalog.Find("again")->trained.Encode());
  EXPECT_EQ(-5, catalog.Find("again")->trained.gate_time);
  EXPECT_EQ(17, catalog.Find("again")->trained.offsets.at({"s", 1}));
  for (size_t size = 0; size < answered.text.size(); ++size)
    EXPECT_EQ("HR5301", Trained::Decode(answered.text.substr(0, size)).error().code()) << size;
  EXPECT_EQ("HR5301", Trained::Decode(answered.text + "x").error().code());
  answered.name = "nobody";
  EXPECT_FALSE(catalog.Apply(answered, 10).ok());
}

}  // namespace
}  // namespace headrace::catalog
