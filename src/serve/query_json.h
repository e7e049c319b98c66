#pragma once

#include <string>

#include "engine/engine.h"

namespace headrace::serve {

// The answer of a query as the contract writes it, on one line and without a line end:
// {"columns":[{"name":"n","type":"bigint"}],"rows":[[1]]}. Cells are row JSON. Thread-safe.
std::string QueryJson(const engine::QueryResult& result);

}  // namespace headrace::serve
