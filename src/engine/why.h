#pragma once

#include <string>
#include <string_view>

#include "engine/deployment.h"
#include "engine/snapshot_store.h"
#include "headrace/result.h"
#include "log/log.h"

namespace headrace::engine {

// Explains one row of a derived stream: replays the log from the newest snapshot before its cause
// up to that through the same statements, with the windows counting their events, and compares the
// row with the logged one. Reads durable data only; any thread. Errors: kNotFound HR4101 for what
// is no row, HR4103 for a row whose cause is no longer held.
Result<std::string> ExplainRow(std::string_view id, const log::Log& log, const SnapshotStore& store,
                               std::shared_ptr<const Deployment> deployment);

struct Fork;
struct WhatIfReport;

// Fills in `why` of the report's sample, of both sides, each in one more replay up to the last of
// them. Errors: those of reading.
Status ExplainSample(const log::Log& log, const SnapshotStore& store, const Deployment& before,
                     const Fork& fork, WhatIfReport& report);

}  // namespace headrace::engine
