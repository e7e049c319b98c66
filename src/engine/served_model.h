#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/model_notes.h"
#include "engine/deployment.h"
#include "model/model.h"

namespace headrace::engine {

struct ServedVersion {
  int32_t number = 1;
  std::string sha256;
  std::string role;  // "decides", "shadow", "retired" or ""
  std::shared_ptr<const model::Model> model;
};

// A model as a protocol for models shows it. Value type.
struct ServedModel {
  std::string name;
  std::vector<ServedVersion> versions;  // ascending; none of a name that is merely registered
  int32_t deciding = 0;                 // the version that decides now; 0: there is none
  catalog::ModelNotes notes;

  // Null when there is no such version; 0 asks for the one that decides.
  const ServedVersion* Find(int32_t number) const;
};

// Nothing when neither a statement nor a registry knows the name.
std::optional<ServedModel> ServedModelOf(const Deployment& deployment, const std::string& name);
// All of them, by name.
std::vector<ServedModel> ServedModels(const Deployment& deployment);

}  // namespace headrace::engine
