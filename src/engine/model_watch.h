#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/deployment.h"

namespace headrace::engine {

// The stream that takes what is told of the models that a statement asks: of this prefix and the
// statement's name.
inline constexpr std::string_view kHealthPrefix = "__health_";
// The newest rows of all of them, as SQL reads it.
inline constexpr std::string_view kModelHealth = "__model_health";
std::string HealthName(const std::string& statement);

// The plan with a watch of each model it asks for a score, where the model is watched. Whether a
// statement has a health stream is fixed when it is created, and stays when it takes the place of
// `before` (null: of none).
StatementPtr WithWatch(StatementPtr plan, const Deployment& deployment, const Deployed* before);

// Its health stream as an item of its own; the plan has one.
Deployed HealthOf(const flow::StatementPlan& of, uint64_t lsn);

// How the CREATE MODEL of the journal says that a model is watched; nothing: it is not. Error:
// HR5303 for a text that does not plan any more.
Result<std::optional<flow::WatchOptions>> WatchOf(std::string_view text);

}  // namespace headrace::engine
