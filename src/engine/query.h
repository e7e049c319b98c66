#pragma once

#include <memory>

#include "engine/deployment.h"
#include "engine/engine.h"
#include "log/log.h"
#include "sql/query_plan.h"

namespace headrace::engine {

// Rows that a query may hold while it sorts; a query over it fails with kLimitExceeded.
inline constexpr size_t kQueryRowsMax = 5'000'000;

// Answers one SELECT, SHOW, DESCRIBE or EXPLAIN over what is durable.
Result<QueryResult> RunQuery(std::string_view text, const log::Log& log,
                             const Deployment& deployment);

// Scans the plan's input and computes its result. Rows come in the order of their causes unless the
// query sorts; groups in the order of their keys.
Result<QueryResult> RunPlan(const sql::QueryPlan& plan, const log::Log& log,
                            const Deployment& deployment);

}  // namespace headrace::engine
