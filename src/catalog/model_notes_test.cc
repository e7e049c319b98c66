#include "catalog/model_notes.h"

#include <random>

#include <gtest/gtest.h>

#include "catalog/catalog.h"

namespace headrace::catalog {
namespace {

using Kind = ModelNote::Kind;

// docs/internals/controls.md shows it.
TEST(ModelNotes, AreTheBytesOfTheirDescription) {
  NoteList list{2000, {{Kind::kSetAlias, "next", ""}}};
  EXPECT_EQ(std::string("\x01\xa0\x1f\x01\x05\x04next\x00", 11), list.Encode());
}

TEST(ModelNotes, ComeBackAndAreRefusedWhenDamaged) {
  NoteList list{-5, {}};
  for (uint8_t kind = 1; kind <= 11; ++kind)
    list.notes.push_back({static_cast<Kind>(kind), "key", std::string("va\0lue", 6)});
  const std::string bytes = list.Encode();
  Result<NoteList> back = NoteList::Decode(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(bytes, back->Encode());
  EXPECT_EQ(-5, back->time_ms);
  for (size_t n = 0; n < bytes.size(); ++n)
    EXPECT_EQ("HR5390", NoteList::Decode(bytes.substr(0, n)).error().code()) << n;
  EXPECT_FALSE(NoteList::Decode(bytes + "x").ok());
  NoteList many;
  many.notes.resize(kNotesMax + 1);
  EXPECT_FALSE(NoteList::Decode(many.Encode()).ok());
  NoteList large{0, {{Kind::kSetTag, "k", std::string(kNoteValueBytesMax + 1, 'x')}}};
  EXPECT_FALSE(NoteList::Decode(large.Encode()).ok());
}

TEST(ModelNotes, OfHostileBytesAreRefusedWithoutHarm) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 24, '\0');
    for (char& byte : bytes)
      byte = static_cast<char>(random() % 3 == 0 ? 0xff : random() % 12);
    if (!bytes.empty()) bytes[0] = 1;
    Result<NoteList> list = NoteList::Decode(bytes);
    if (!list.ok()) continue;
    ModelNotes notes;
    notes.Apply(*list, static_cast<int32_t>(random() % 2));
    EXPECT_LE(notes.tags.size(), bytes.size());
  }
}

TEST(ModelNotes, OfANameThatIsNoObjectAreKept) {
  Catalog catalog;
  Change change;
  change.kind = ChangeKind::kNote;
  change.name = "m";
  change.number = 0;
  change.text = NoteList{7, {{Kind::kRegister, "", ""}, {Kind::kSetTag, "a", "b"}}}.Encode();
  ASSERT_TRUE(catalog.Apply(change, 1).ok());
  EXPECT_EQ(nullptr, catalog.Find("m"));
  ASSERT_NE(nullptr, catalog.NotesOf("m"));
  EXPECT_EQ(7, catalog.NotesOf("m")->created_ms);
  EXPECT_EQ("b", catalog.NotesOf("m")->tags.at("a"));
  change.text = "x";
  EXPECT_EQ("HR5390", catalog.Apply(change, 2).error().code());
}

}  // namespace
}  // namespace headrace::catalog
