#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/served_model.h"
#include "serve/http/mlflow_filter.h"

namespace headrace::serve {

// The stage that MLflow calls what a version is for.
std::string_view StageOf(const engine::ServedVersion& version);

// The versions that a registry shows, ascending: those that nobody deleted.
std::vector<const engine::ServedVersion*> ShownVersions(const engine::ServedModel& model);
// The newest of each stage, ascending.
std::vector<const engine::ServedVersion*> LatestVersions(const engine::ServedModel& model);

// MLflow's RegisteredModel and ModelVersion.
void AppendRegisteredModel(const engine::ServedModel& model, std::string& out);
void AppendModelVersion(const engine::ServedModel& model, const engine::ServedVersion& version,
                        std::string& out);
// Where the bytes came from, as the client said; of a version that a statement made, its hash.
std::string SourceOf(const engine::ServedModel& model, const engine::ServedVersion& version);

// The views live as long as `model`.
SearchedItem ItemOf(const engine::ServedModel& model);
SearchedItem ItemOf(const engine::ServedModel& model, const engine::ServedVersion& version);

}  // namespace headrace::serve
