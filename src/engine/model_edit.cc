#include "engine/model_edit.h"

#include <algorithm>

#include "engine/served_model.h"
#include "expr/quote.h"
#include "sql/format.h"

namespace headrace::engine {
namespace {

using catalog::Change;
using catalog::ChangeKind;
using catalog::ModelNote;

bool Has(const ModelEdit& edit, ModelNote::Kind kind) {
  return std::any_of(edit.notes.notes.begin(), edit.notes.notes.end(),
                     [&](const ModelNote& note) { return note.kind == kind; });
}

Error Unfit(std::string message) {
  return Error(ErrorKind::kInvalidArgument, "HR1291", std::move(message));
}

Status CheckName(const std::string& name) {
  const bool odd = std::any_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '/' || c == ':';
  });
  if (!name.empty() && name.size() <= kModelNameBytesMax && !odd) return Ok();
  return Unfit("a model's name has 1 to " + std::to_string(kModelNameBytesMax) +
               " bytes, and no slash, colon or control character");
}

Status CheckNotes(const catalog::NoteList& list) {
  using enum ModelNote::Kind;
  if (list.notes.size() > catalog::kNotesMax) {
    return Unfit("more than " + std::to_string(catalog::kNotesMax) + " notes at once");
  }
  for (const ModelNote& note : list.notes) {
    const bool keyed = note.kind == kSetTag || note.kind == kSetAlias;
    if ((keyed && note.key.empty()) || note.key.size() > catalog::kNoteKeyBytesMax) {
      return Unfit("the name of a tag or alias has 1 to " +
                   std::to_string(catalog::kNoteKeyBytesMax) + " bytes");
    }
    if (note.value.size() > catalog::kNoteValueBytesMax) {
      return Unfit("a tag or description has " + std::to_string(catalog::kNoteValueBytesMax) +
                   " bytes at most");
    }
  }
  return Ok();
}

Change NotesChange(const ModelEdit& edit, int32_t version) {
  Change change;
  change.kind = ChangeKind::kNote;
  change.name = edit.model;
  change.number = version;
  change.text = edit.notes.Encode();
  return change;
}

// CREATE MODEL as somebody would have written it.
std::string StatementOf(const ModelEdit& edit) {
  std::string text = "CREATE MODEL " + sql::FormatName(edit.model) + " WITH (path = ";
  expr::AppendQuotedLiteral(*edit.file, text);
  return text + ")";
}

Result<PlannedEdit> PlanVersion(Deployer& deployer, const ServedModel& known,
                                const ModelEdit& edit) {
  HR_ASSIGN(auto loaded, deployer.TakeModelFile(*edit.file));
  Change change;
  change.name = edit.model;
  change.sha256 = loaded->info().sha256;
  PlannedEdit planned;
  planned.version = static_cast<int32_t>(known.versions.size()) + 1;
  if (known.versions.empty()) {
    change.kind = ChangeKind::kCreateWatched;
    change.text = StatementOf(edit);
    change.file = "registry";
  } else {
    if (!model::Exchangeable(known.versions.front().model->info(), loaded->info())) {
      return Error(ErrorKind::kInvalidArgument, "HR1207",
                   "the version takes other inputs or gives other outputs than version 1")
          .WithHint("register it under another name");
    }
    change.kind = ChangeKind::kAddVersion;
    change.number = planned.version;
  }
  planned.changes = {std::move(change), NotesChange(edit, planned.version)};
  return planned;
}

// Takes a version out of sight. Its bytes stay: they explain what it decided.
Result<PlannedEdit> PlanHide(const ServedModel& known, const ModelEdit& edit) {
  const ServedVersion& version = *known.Find(edit.version);
  if (version.role == "decides") {
    return Error(ErrorKind::kConflict, "HR1292",
                 "version " + std::to_string(edit.version) + " of `" + edit.model +
                     "` is the one that decides")
        .WithHint("ALTER MODEL … ACTIVATE VERSION another one first");
  }
  PlannedEdit planned;
  planned.version = edit.version;
  if (version.role != "retired") {
    Change retire;
    retire.kind = ChangeKind::kRetireVersion;
    retire.name = edit.model;
    retire.number = edit.version;
    planned.changes.push_back(std::move(retire));
  }
  planned.changes.push_back(NotesChange(edit, edit.version));
  return planned;
}

Result<PlannedEdit> PlanRegistration(const Deployment& base, const ModelEdit& edit) {
  HR_TRY(CheckName(edit.model));
  if (ServedModelOf(base, edit.model) || base.Find(edit.model) != nullptr) {
    return Error(ErrorKind::kAlreadyExists, "HR1290", "`" + edit.model + "` exists already");
  }
  return PlannedEdit{{NotesChange(edit, 0)}, 0};
}

}  // namespace

Result<PlannedEdit> PlanModelEdit(Deployer& deployer, const Deployment& base,
                                  const ModelEdit& edit) {
  HR_TRY(CheckNotes(edit.notes));
  if (Has(edit, ModelNote::Kind::kRegister)) return PlanRegistration(base, edit);
  std::optional<ServedModel> known = ServedModelOf(base, edit.model);
  if (!known) {
    return Error(ErrorKind::kNotFound, "HR1107", "unknown model `" + edit.model + "`");
  }
  if (Has(edit, ModelNote::Kind::kUnregister) && !known->versions.empty()) {
    return Error(ErrorKind::kConflict, "HR1292",
                 "model `" + edit.model + "` has versions, which explain what they decided")
        .WithHint("a model without versions can be deleted; a version that does not decide, too");
  }
  if (edit.file) {
    if (known->versions.empty() && base.Find(edit.model) != nullptr) {
      return Error(ErrorKind::kAlreadyExists, "HR1290",
                   "`" + edit.model + "` is a stream or view by now");
    }
    return PlanVersion(deployer, *known, edit);
  }
  if (edit.version != 0) {
    auto notes = known->notes.versions.find(edit.version);
    const bool hidden = notes != known->notes.versions.end() && notes->second.hidden;
    if (hidden || known->Find(edit.version) == nullptr) {
      return Error(ErrorKind::kNotFound, "HR1206",
                   "model `" + edit.model + "` has no version " + std::to_string(edit.version));
    }
  }
  if (Has(edit, ModelNote::Kind::kHide)) return PlanHide(*known, edit);
  return PlannedEdit{{NotesChange(edit, edit.version)}, edit.version};
}

}  // namespace headrace::engine
