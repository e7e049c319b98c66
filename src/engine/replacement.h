#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/deployment.h"

namespace headrace::engine {

// Whether two texts of CREATE make the same: OR REPLACE, spelling and layout do not count.
bool SameDefinition(std::string_view one, std::string_view other);

// Why `next` cannot take the place of `known`; nothing when it can. Rows of all revisions stand in
// one topic, so a column keeps its type for good, and what reads the stream keeps its columns.
std::optional<std::string> ReasonAgainst(const Deployment& deployment, const Deployed& known,
                                         const flow::StatementPlan& next);

}  // namespace headrace::engine
