#include "catalog/model_notes.h"

#include "base/bytes.h"

namespace headrace::catalog {
namespace {

constexpr uint8_t kFormatVersion = 1;

bool IsKind(uint8_t kind) {
  return kind >= static_cast<uint8_t>(ModelNote::Kind::kRegister) &&
         kind <= static_cast<uint8_t>(ModelNote::Kind::kUnregister);
}

void ApplyToVersion(const ModelNote& note, VersionNotes& version) {
  using enum ModelNote::Kind;
  switch (note.kind) {
    case kDescription:
      version.description = note.value;
      break;
    case kSetTag:
      version.tags[note.key] = note.value;
      break;
    case kDropTag:
      version.tags.erase(note.key);
      break;
    case kSource:
      version.source = note.value;
      break;
    case kRunId:
      version.run_id = note.value;
      break;
    case kRunLink:
      version.run_link = note.value;
      break;
    case kHide:
      version.hidden = true;
      break;
    case kRegister:
    case kSetAlias:
    case kDropAlias:
    case kUnregister:
      break;
  }
}

}  // namespace

std::string NoteList::Encode() const {
  std::string out;
  base::ByteWriter w(out);
  w.U8(kFormatVersion);
  w.Zigzag(time_ms);
  w.Varint(notes.size());
  for (const ModelNote& note : notes) {
    w.U8(static_cast<uint8_t>(note.kind));
    w.String(note.key);
    w.String(note.value);
  }
  return out;
}

Result<NoteList> NoteList::Decode(std::string_view text) {
  base::ByteReader r(text);
  NoteList list;
  const uint8_t version = r.U8();
  list.time_ms = r.Zigzag();
  const uint64_t count = r.Varint();
  bool good = version == kFormatVersion && count <= kNotesMax;
  for (uint64_t i = 0; good && i < count; ++i) {
    const uint8_t kind = r.U8();
    ModelNote note;
    note.key = std::string(r.String());
    note.value = std::string(r.String());
    good = r.ok() && IsKind(kind) && note.key.size() <= kNoteKeyBytesMax &&
           note.value.size() <= kNoteValueBytesMax;
    note.kind = static_cast<ModelNote::Kind>(kind);
    list.notes.push_back(std::move(note));
  }
  if (!good || !r.ok() || r.remaining() != 0) {
    return Error(ErrorKind::kCorruption, "HR5390",
                 "the notes of a model are damaged or of a newer version")
        .WithHint("run `headrace log verify`");
  }
  return list;
}

void ModelNotes::Apply(const NoteList& list, int32_t version) {
  using enum ModelNote::Kind;
  for (const ModelNote& note : list.notes) {
    if (note.kind == kSetAlias && version > 0) aliases[note.key] = version;
    if (note.kind == kDropAlias) aliases.erase(note.key);
    if (note.kind == kHide)
      std::erase_if(aliases, [&](const auto& a) { return a.second == version; });
    if (version > 0) continue;
    if (note.kind == kRegister) {
      registered = true;
      created_ms = list.time_ms;
    }
    if (note.kind == kUnregister) *this = {};
    if (note.kind == kDescription) description = note.value;
    if (note.kind == kSetTag) tags[note.key] = note.value;
    if (note.kind == kDropTag) tags.erase(note.key);
  }
  if (version == 0) {
    updated_ms = list.time_ms;
    return;
  }
  VersionNotes& of = versions[version];
  for (const ModelNote& note : list.notes) {
    ApplyToVersion(note, of);
    if (note.kind == kSource) of.created_ms = updated_ms = list.time_ms;
    if (note.kind != kSetAlias && note.kind != kDropAlias) of.updated_ms = list.time_ms;
  }
}

}  // namespace headrace::catalog
