#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"

namespace headrace::catalog {

// One thing that a registry says of a model or of a version of it, beside its bytes.
struct ModelNote {
  enum class Kind : uint8_t {
    kRegister = 1,     // the model is known by this name, with or without versions
    kDescription = 2,  // `value`
    kSetTag = 3,       // `key` is `value`
    kDropTag = 4,      // `key`
    kSetAlias = 5,     // `key` stands for the version
    kDropAlias = 6,    // `key`
    kSource = 7,       // of a version: where its bytes came from, as its maker said
    kRunId = 8,        // of a version: the run that made it
    kRunLink = 9,      // of a version
    kHide = 10,        // a version: registries show it no more
    kUnregister = 11,  // a model without versions
  };
  Kind kind = Kind::kDescription;
  std::string key;
  std::string value;
};

// Notes that were made together: the text of a control of kind 18. Value type.
struct NoteList {
  int64_t time_ms = 0;  // when, by the clock of who made them
  std::vector<ModelNote> notes;

  // The format is in docs/internals/controls.md. Error: HR5390.
  std::string Encode() const;
  static Result<NoteList> Decode(std::string_view text);
};

inline constexpr size_t kNotesMax = 256;  // in one list
inline constexpr size_t kNoteKeyBytesMax = 1024;
inline constexpr size_t kNoteValueBytesMax = 64 << 10;

struct VersionNotes {
  int64_t created_ms = 0;  // 0: a statement made it, which says no time
  int64_t updated_ms = 0;
  std::string description;
  std::string source;
  std::string run_id;
  std::string run_link;
  std::map<std::string, std::string> tags;
  bool hidden = false;
};

// The sum of all notes of one model. Value type.
struct ModelNotes {
  bool registered = false;
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  std::string description;
  std::map<std::string, std::string> tags;
  std::map<std::string, int32_t> aliases;
  std::map<int32_t, VersionNotes> versions;  // those of which something was said

  // `version` 0: the notes are of the model. Those that mean nothing for what they are of are left
  // out.
  void Apply(const NoteList& list, int32_t version);
};

}  // namespace headrace::catalog
