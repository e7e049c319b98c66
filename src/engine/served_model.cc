#include "engine/served_model.h"

#include <set>

namespace headrace::engine {

const ServedVersion* ServedModel::Find(int32_t number) const {
  const int32_t wanted = number == 0 ? deciding : number;
  for (const ServedVersion& version : versions) {
    if (version.number == wanted) return &version;
  }
  return nullptr;
}

std::optional<ServedModel> ServedModelOf(const Deployment& deployment, const std::string& name) {
  const Deployed* item = deployment.Find(name);
  const catalog::Object* object = deployment.catalog.Find(name);
  const catalog::ModelNotes* notes = deployment.catalog.NotesOf(name);
  const bool deployed = item != nullptr && item->models && object != nullptr;
  if (!deployed && (notes == nullptr || !notes->registered)) return std::nullopt;
  ServedModel served;
  served.name = name;
  if (notes != nullptr) served.notes = *notes;
  if (!deployed) return served;
  served.deciding = object->activations.back().number;
  for (const catalog::ModelVersion& version : object->versions) {
    served.versions.push_back({version.number, version.sha256, std::string(object->RoleOf(version)),
                               item->models->versions[static_cast<size_t>(version.number) - 1]});
  }
  return served;
}

std::vector<ServedModel> ServedModels(const Deployment& deployment) {
  std::set<std::string> names;
  for (const Deployed& item : deployment.items) {
    if (item.models) names.insert(item.name);
  }
  for (const auto& [name, notes] : deployment.catalog.notes())
    names.insert(name);
  std::vector<ServedModel> models;
  for (const std::string& name : names) {
    if (auto served = ServedModelOf(deployment, name)) models.push_back(std::move(*served));
  }
  return models;
}

}  // namespace headrace::engine
