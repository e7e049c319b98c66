#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/canary.h"
#include "catalog/change.h"
#include "catalog/drop.h"
#include "catalog/halt.h"
#include "catalog/loss.h"
#include "catalog/model_notes.h"
#include "catalog/trained.h"

namespace headrace::catalog {

struct ModelVersion {
  int32_t number = 1;
  std::string sha256;
  uint64_t shadow_lsn = 0;  // compared from here on; 0: it is not
  bool retired = false;
  std::string text;  // of its own statement, when that declares reasons; version 1: see Revision
};

struct Activation {
  uint64_t lsn = 0;
  int32_t number = 1;
  std::string reason;  // as who did it said; may be empty
};

// A version that decides for a share of the keys, from an LSN until that of what ended it.
struct CanaryPeriod {
  uint64_t lsn = 0;
  uint64_t until_lsn = UINT64_MAX;  // not yet
  int32_t number = 1;
  Canary canary;
};

// One statement that defined an object, from its LSN until that of the next.
struct Revision {
  std::string text;
  std::string file;
  int32_t line = 1;
  uint64_t lsn = 0;
  uint64_t joined_lsn = 0;  // the past that it was computed over ends here; UINT64_MAX: not yet
  uint64_t halted_lsn = UINT64_MAX;  // it emits for earlier causes alone; UINT64_MAX: it is not
  uint64_t made_lsn = 0;  // of the control with its text: names it; before `lsn` if it was prepared
};

// One named object as its statements made it.
struct Object {
  std::string name;
  std::vector<Revision> revisions;      // ascending, at least one
  std::vector<ModelVersion> versions;   // models
  std::vector<Activation> activations;  // models, ascending
  std::vector<CanaryPeriod> canaries;   // models, ascending, one at a time
  bool watched = false;                 // models: as the text says
  Trained trained{};                    // trainers
  // What will replace the latest revision when it is computed: no LSN but that of its text.
  std::optional<Revision> pending;

  const Revision& latest() const { return revisions.back(); }
  // The canary that is on, or null.
  const CanaryPeriod* canary() const;
  // What a version of it is for: "decides", "canary", "shadow", "retired" or "".
  std::string_view RoleOf(const ModelVersion& version) const;
};

// Where a partition begins because somebody said that what was before is to go.
struct Trimmed {
  int64_t begins = 0;
  uint64_t lsn = 0;  // of the control
};

// Every named object, in the order of creation: the sum of all changes in the journal. Value type;
// the engine publishes copies.
class Catalog {
 public:
  // Changes are applied in LSN order. Errors: kConflict, kNotFound, kCorruption; the catalogue is
  // then unchanged.
  Status Apply(const Change& change, uint64_t lsn);
  const Object* Find(const std::string& name) const;
  const std::vector<Object>& objects() const { return objects_; }
  const std::set<std::string>& finished_inputs() const { return finished_; }
  // What salvages left out, by the LSN of their control.
  const std::vector<Loss>& losses() const { return losses_; }
  // By model; a name here need not be that of an object.
  const std::map<std::string, ModelNotes>& notes() const { return notes_; }
  // Null when nothing was said of it.
  const ModelNotes* NotesOf(const std::string& model) const;
  // Ascending; also those whose statements were replaced since.
  const std::vector<Halt>& halts() const { return halts_; }
  // Ascending.
  const std::vector<Drop>& drops() const { return drops_; }
  // Null: no object of the name was ever dropped.
  const Drop* DropOf(const std::string& name) const;
  // Topics with events that were a declared stream's, which was dropped: that drop, by topic.
  const std::map<std::string, Drop>& left_topics() const { return left_topics_; }
  // Where partitions begin of which something was dropped: nothing is computed from what was
  // before.
  const Offsets& begins() const { return begins_; }
  // Where partitions begin that were trimmed. What was computed from the events before stands: the
  // beginning (snapshot_store.h of engine) is behind them.
  const std::map<Offsets::key_type, Trimmed>& trims() const { return trims_; }
  // What is gone because the topic was dropped, by topic: the LSN of that.
  const std::map<std::string, uint64_t>& dropped_topics() const { return dropped_topics_; }
  // An event after the end opens the input again.
  void Reopen(const std::string& stream) { finished_.erase(stream); }

 private:
  Object* FindMutable(const std::string& name);
  static void Join(Object& object, uint64_t lsn);
  Status ApplyHalt(const Change& change, uint64_t lsn);
  Status ApplyDrop(const Change& change, uint64_t lsn);
  Status ApplyTopicDrop(const Change& change, uint64_t lsn);
  Status ApplyTrim(const Change& change, uint64_t lsn);
  void BeginAt(const Offsets& offsets);
  static Status ApplyToVersion(Object& object, const Change& change, uint64_t lsn);
  static Status ApplyToCanary(Object& object, const Change& change, uint64_t lsn);

  std::vector<Object> objects_;
  std::set<std::string> finished_;
  std::vector<Loss> losses_;
  std::map<std::string, ModelNotes> notes_;
  std::vector<Halt> halts_;
  std::vector<Drop> drops_;
  std::map<std::string, Drop> left_topics_;
  Offsets begins_;
  std::map<Offsets::key_type, Trimmed> trims_;
  std::map<std::string, uint64_t> dropped_topics_;
};

}  // namespace headrace::catalog
