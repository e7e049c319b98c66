#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "catalog/change.h"
#include "catalog/model_notes.h"
#include "engine/deployer.h"
#include "headrace/result.h"

namespace headrace::engine {

// What a model registry changes of one model, as one group of the journal: another version, notes,
// or both.
struct ModelEdit {
  std::string model;
  int32_t version = 0;  // what the notes are of; 0: the model. With `file` it is the new one
  // The file of a new version. The first one makes the model, and decides.
  std::optional<std::string> file;
  catalog::NoteList notes;
  // Called once, from EditModel or Complete, when all is durable: the version, or 0.
  std::function<void(Result<int32_t>)> done;
};

inline constexpr size_t kModelNameBytesMax = 255;

struct PlannedEdit {
  std::vector<catalog::Change> changes;
  int32_t version = 0;
};

// Checks an edit and says what to journal. Writes the bytes of a new version to the directory's
// models. Errors: HR1290 the name is taken; HR1291 a name, key or value that cannot be; HR1292 what
// is to go is in use; HR1107 no such model; HR1206 no such version; HR1207; those of a model file.
Result<PlannedEdit> PlanModelEdit(Deployer& deployer, const Deployment& base,
                                  const ModelEdit& edit);

}  // namespace headrace::engine
