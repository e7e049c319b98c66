#pragma once

#include <vector>

#include "sql/ast.h"
#include "sql/diagnostics.h"

namespace headrace::sql {

// HR1235: remote models without a default, so that a question without an answer is NULL, which a
// CASE easily takes for something else. Warnings, in the order of the script.
std::vector<Diagnostic> FindSilentDefaults(const std::vector<Statement>& statements);

}  // namespace headrace::sql
