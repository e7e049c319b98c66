#pragma once

#include <string>
#include <vector>

#include "engine/deployer.h"
#include "log/log.h"

namespace headrace::engine {

// What a script comes to, by which it is deployed at once or beside live traffic.

// Whether the change makes a statement, or makes one anew.
bool IsOfStatement(const catalog::Change& change, const Draft& draft);
// Versions of models alone, and what they do.
bool OnlyModels(const Draft& draft);
bool OnlyDrops(const Draft& draft);
bool AnyDrop(const Draft& draft);
bool NoStatements(const Draft& draft);
// A declared stream over events that were taken for another: they have to be run for it.
bool TakesOverEvents(const Draft& draft, const log::Log& log);
// Whether it makes a statement, and replaces it in the same breath: of the two only the latter is
// ever seen.
bool MakesTwice(const Draft& draft);
// Policies are state of the live graph, which a statement cannot bring along from another one.
bool UsesPolicies(const Draft& draft);

// Adds the statement and, behind it, its side outputs: they are computed and join together.
void AddWithSides(const Deployment& deployment, const std::string& name,
                  std::vector<std::string>& names);

}  // namespace headrace::engine
