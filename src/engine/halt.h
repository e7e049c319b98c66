#pragma once

#include <string>
#include <vector>

#include "catalog/halt.h"
#include "engine/deployment.h"
#include "engine/engine.h"
#include "headrace/result.h"
#include "log/log.h"

namespace headrace::engine {

// Adds to the items marked what is made from them, and what the rows of a marked dead-letter stream
// are refused by: a pipeline, as far as it can be wrong.
void SpreadHalt(const Deployment& deployment, std::vector<bool>& marked);

// Halts the statements among the items marked, at the end of the log. `what` is cut to kWhatMax.
inline constexpr size_t kHaltTextMax = 8 << 10;
catalog::Halt MakeHalt(const Deployment& deployment, const log::Log& log,
                       const std::vector<bool>& marked, std::string what);

// Names the statement and where it was written, the event, and both rows.
Result<std::string> TextOf(const Difference& difference, const Deployment& deployment,
                           const log::Log& log);

// The streams and views that emit no more, and why.
std::vector<HaltedStream> HaltedStreams(const Deployment& deployment);

}  // namespace headrace::engine
