#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/deployer.h"
#include "sql/ast_statement.h"
#include "sql/diagnostics.h"

namespace headrace::engine {

// A script's draft while it is planned, statement by statement: the deployment as it grows, and the
// changes that make it. Confined; the sources must outlive it.
struct GrowingDraft {
  GrowingDraft(const sql::SourceMap& of, std::string name, Deployment base)
      : sources(of), file(std::move(name)), deployment(std::move(base)) {}

  // True when the name is free; otherwise the statement is known already or a conflict.
  bool NameIsFree(const sql::Statement& statement, const sql::Identifier& name, bool if_not_exists);
  // A change with the statement's text and place.
  catalog::Change Creation(const sql::Statement& statement, const std::string& name) const;
  // Statements behind it see the change, too.
  void Record(catalog::Change change);

  const sql::SourceMap& sources;
  std::string file;
  Deployment deployment;
  std::vector<sql::Diagnostic> diagnostics;
  Draft draft;  // its deployment is still empty
};

}  // namespace headrace::engine
