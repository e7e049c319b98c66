#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace headrace::engine {

// Where in the text of `EXPLAIN DIFF statement[; statement]...` the script begins; nothing when the
// text is not that.
std::optional<size_t> ScriptToPlan(std::string_view sql);

// As EXPLAIN DIFF and `headrace plan` show it: a row for each object, and behind it one for each
// window aggregate.
QueryResult TableOf(const std::vector<PlannedChange>& changes);

}  // namespace headrace::engine
