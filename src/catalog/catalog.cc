#include "catalog/catalog.h"

#include <algorithm>
#include <utility>

namespace headrace::catalog {
namespace {

// What a create or a prepare makes.
Object Made(const Change& change, uint64_t lsn) {
  const uint64_t joined = change.kind == ChangeKind::kPrepare ? UINT64_MAX : lsn;
  Object made;
  made.name = change.name;
  made.revisions = {{change.text, change.file, change.line, lsn, joined, UINT64_MAX, lsn}};
  made.watched = change.kind == ChangeKind::kCreateWatched;
  if (!change.sha256.empty()) {
    made.versions.push_back({1, change.sha256, 0, false, ""});
    made.activations.push_back({lsn, 1, ""});
  }
  return made;
}

Status TakeTrained(Object& object, const Change& change) {
  HR_ASSIGN(object.trained, Trained::Decode(change.text));
  return Ok();
}

}  // namespace

const CanaryPeriod* Object::canary() const {
  return canaries.empty() || canaries.back().until_lsn != UINT64_MAX ? nullptr : &canaries.back();
}

std::string_view Object::RoleOf(const ModelVersion& version) const {
  if (activations.back().number == version.number) return "decides";
  if (canary() != nullptr && canary()->number == version.number) return "canary";
  return version.shadow_lsn > 0 ? "shadow" : version.retired ? "retired" : "";
}

const Object* Catalog::Find(const std::string& name) const {
  auto found = std::find_if(objects_.begin(), objects_.end(),
                            [&](const Object& object) { return object.name == name; });
  return found == objects_.end() ? nullptr : &*found;
}

const ModelNotes* Catalog::NotesOf(const std::string& model) const {
  auto found = notes_.find(model);
  return found == notes_.end() ? nullptr : &found->second;
}

Object* Catalog::FindMutable(const std::string& name) {
  auto found = std::find_if(objects_.begin(), objects_.end(),
                            [&](const Object& object) { return object.name == name; });
  return found == objects_.end() ? nullptr : &*found;
}

Status Catalog::Apply(const Change& change, uint64_t lsn) {
  if (change.kind == ChangeKind::kFinishInput) {
    finished_.insert(change.name);
    return Ok();
  }
  if (change.kind == ChangeKind::kLoss) {
    HR_ASSIGN(Loss loss, Loss::Decode(change.text, lsn));
    losses_.push_back(std::move(loss));
    return Ok();
  }
  if (change.kind == ChangeKind::kNote) {
    HR_ASSIGN(NoteList list, NoteList::Decode(change.text));
    notes_[change.name].Apply(list, change.number);
    return Ok();
  }
  if (change.kind == ChangeKind::kHalt) return ApplyHalt(change, lsn);
  if (change.kind == ChangeKind::kDropTopic) return ApplyTopicDrop(change, lsn);
  if (change.kind == ChangeKind::kTrim) return ApplyTrim(change, lsn);
  Object* object = FindMutable(change.name);
  if (change.kind == ChangeKind::kCreate || change.kind == ChangeKind::kCreateWatched ||
      change.kind == ChangeKind::kPrepare) {
    if (object != nullptr) {
      return Error(ErrorKind::kConflict, "HR1201", change.name + " exists already");
    }
    objects_.push_back(Made(change, lsn));
    return Ok();
  }
  if (object == nullptr) {
    return Error(ErrorKind::kNotFound, "HR1202", change.name + " does not exist");
  }
  switch (change.kind) {
    case ChangeKind::kDrop:
      return ApplyDrop(change, lsn);
    case ChangeKind::kAddVersion:
      object->versions.push_back({change.number, change.sha256, 0, false, change.text});
      break;
    case ChangeKind::kActivateVersion:
    case ChangeKind::kShadowVersion:
    case ChangeKind::kRetireVersion:
    case ChangeKind::kCanaryVersion:
      return ApplyToVersion(*object, change, lsn);
    case ChangeKind::kReplace:
      object->revisions.push_back(
          {change.text, change.file, change.line, lsn, lsn, UINT64_MAX, lsn});
      break;
    case ChangeKind::kPrepareReplace:
      if (object->pending) {
        return Error(ErrorKind::kConflict, "HR1216", change.name + " is being replaced already");
      }
      object->pending =
          Revision{change.text, change.file, change.line, UINT64_MAX, UINT64_MAX, UINT64_MAX, lsn};
      break;
    case ChangeKind::kJoin:
      Join(*object, lsn);
      break;
    case ChangeKind::kTrained:
      return TakeTrained(*object, change);
    case ChangeKind::kCreate:
    case ChangeKind::kCreateWatched:
    case ChangeKind::kPrepare:
    case ChangeKind::kFinishInput:
    case ChangeKind::kLoss:
    case ChangeKind::kNote:
    case ChangeKind::kHalt:
    case ChangeKind::kDropTopic:
    case ChangeKind::kTrim:
      break;
  }
  return Ok();
}

void Catalog::Join(Object& object, uint64_t lsn) {
  if (object.pending) {
    object.pending->lsn = lsn;
    object.revisions.push_back(*std::exchange(object.pending, std::nullopt));
  }
  object.revisions.back().joined_lsn = lsn;
}

Status Catalog::ApplyHalt(const Change& change, uint64_t lsn) {
  HR_ASSIGN(Halt halt, Halt::Decode(change.text, lsn));
  for (Object& object : objects_) {
    // The topic of a statement has its name; an object of a name like that can be no source. What
    // is halted already stays so from then on.
    uint64_t& halted = object.revisions.back().halted_lsn;
    if (halt.Holds(object.name)) halted = std::min(halted, lsn);
  }
  halts_.push_back(std::move(halt));
  return Ok();
}

Status Catalog::ApplyDrop(const Change& change, uint64_t lsn) {
  HR_ASSIGN(Drop drop, Drop::Decode(change.text, change.name, lsn));
  std::erase_if(objects_, [&](const Object& object) { return object.name == change.name; });
  finished_.erase(change.name);
  notes_.erase(change.name);
  // What was said of the rows that are gone is not said of those that get their topic.
  for (const auto& [of, unused] : drop.ended) {
    for (Halt& halt : halts_)
      halt.next_offsets.erase(of);
    for (Loss& loss : losses_)
      loss.next_offsets.erase(of);
    for (Drop& before : drops_)
      before.letters.erase(of);
  }
  BeginAt(drop.ended);
  if (!drop.topic.empty()) left_topics_[drop.topic] = drop;
  drops_.push_back(std::move(drop));
  return Ok();
}

Status Catalog::ApplyTopicDrop(const Change& change, uint64_t lsn) {
  HR_ASSIGN(Offsets offsets, DecodeOffsets(change.text));
  BeginAt(offsets);
  left_topics_.erase(change.name);
  dropped_topics_[change.name] = lsn;
  return Ok();
}

Status Catalog::ApplyTrim(const Change& change, uint64_t lsn) {
  HR_ASSIGN(Offsets offsets, DecodeOffsets(change.text));
  for (const auto& [of, offset] : offsets) {
    Trimmed& trimmed = trims_[of];
    if (offset > trimmed.begins) trimmed = {offset, lsn};
  }
  return Ok();
}

void Catalog::BeginAt(const Offsets& offsets) {
  for (const auto& [of, offset] : offsets)
    begins_[of] = std::max(begins_[of], offset);
}

const Drop* Catalog::DropOf(const std::string& name) const {
  auto found = std::find_if(drops_.rbegin(), drops_.rend(),
                            [&](const Drop& drop) { return drop.name == name; });
  return found == drops_.rend() ? nullptr : &*found;
}

Status Catalog::ApplyToVersion(Object& object, const Change& change, uint64_t lsn) {
  auto version = std::find_if(object.versions.begin(), object.versions.end(),
                              [&](const ModelVersion& v) { return v.number == change.number; });
  if (version == object.versions.end()) {
    return Error(ErrorKind::kNotFound, "HR1206",
                 change.name + " has no version " + std::to_string(change.number));
  }
  HR_TRY(ApplyToCanary(object, change, lsn));
  if (change.kind == ChangeKind::kCanaryVersion) {
    version->shadow_lsn = 0;
    version->retired = false;
    return Ok();
  }
  version->shadow_lsn = change.kind == ChangeKind::kShadowVersion ? lsn : 0;
  version->retired = change.kind == ChangeKind::kRetireVersion;
  if (change.kind == ChangeKind::kActivateVersion)
    object.activations.push_back({lsn, change.number, change.text});
  return Ok();
}

// A canary ends when any version begins to decide for all, when its version gets another role, and
// when another canary begins.
Status Catalog::ApplyToCanary(Object& object, const Change& change, uint64_t lsn) {
  const bool of_all =
      change.kind == ChangeKind::kActivateVersion || change.kind == ChangeKind::kCanaryVersion;
  const bool on = object.canary() != nullptr;
  Canary canary;
  if (change.kind == ChangeKind::kCanaryVersion) {
    HR_ASSIGN(canary, Canary::Decode(change.text));
  }
  if (on && (of_all || object.canaries.back().number == change.number)) {
    object.canaries.back().until_lsn = lsn;
  }
  if (canary.percent > 0) object.canaries.push_back({lsn, UINT64_MAX, change.number, canary});
  return Ok();
}

}  // namespace headrace::catalog
