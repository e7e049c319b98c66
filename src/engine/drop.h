#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "engine/deployment.h"
#include "headrace/result.h"
#include "log/log.h"

namespace headrace::engine {

// The sum of all controls of the log.
Result<catalog::Catalog> ReadCatalog(const log::Log& log);

// Tells the log where topics begin that were trimmed, or of which something was dropped: after each
// opening, and when a control says so. Errors: kCorruption (HR5300), a topic ends before that.
Status BeginTopics(const catalog::Catalog& catalog, log::Log& log);

// What must go before the object can, each behind those that read it: the statements of which any
// revision reads it, its side output, or is made with it. Rows of former revisions are computed
// again by every replay, so that these count as the newest do.
std::vector<std::string> DependentsOf(const Deployment& deployment, const std::string& name);
// Whether the newest revision of the statement reads the object, or its side output.
bool ReadsNow(const Deployment& deployment, const flow::StatementPlan& plan,
              const std::string& name);

// By what repeats are kept out of the topic, as text to compare; empty: by nothing.
std::string RepeatsOf(const flow::SourcePlan& plan);

// Where the topics that a drop concerns stand now: the text of its control. To be called when the
// group with it is made, in front of which nothing else comes.
void FillDrops(std::vector<catalog::Change>& changes, const Deployment& deployment,
               const log::Log& log);

}  // namespace headrace::engine
