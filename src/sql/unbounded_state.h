#pragma once

#include <vector>

#include "sql/ast.h"
#include "sql/diagnostics.h"

namespace headrace::sql {

// What statements keep for ever: state of a key that no passing of time gives up. Warnings, in the
// order of the script; it runs all the same.
//
//   HR1165: a frame UNBOUNDED PRECEDING per key; HR1166: the last rows of each key (ROWS, lag);
//   HR1167: every distinct value
std::vector<Diagnostic> FindUnboundedState(const std::vector<Statement>& statements);

}  // namespace headrace::sql
