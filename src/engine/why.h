#pragma once

#include <string>
#include <string_view>

#include "engine/deployment.h"
#include "headrace/result.h"
#include "log/log.h"

namespace headrace::engine {

// Explains one row of a derived stream: replays the log up to its cause through the same
// statements, with the windows counting their events, and compares the row with the logged one.
// Reads durable data only; any thread.
Result<std::string> ExplainRow(std::string_view id, const log::Log& log,
                               std::shared_ptr<const Deployment> deployment);

}  // namespace headrace::engine
