#pragma once

#include <string>

#include "engine/engine.h"

namespace headrace::cli {

// What a training set is made of, as one JSON document: where its rows and labels come from, how
// many there are, what each column is like, and what looks like leakage.
std::string DataCard(const engine::Engine& engine, const engine::TrainingSetRequest& request,
                     const engine::TrainingSetReport& report);

}  // namespace headrace::cli
