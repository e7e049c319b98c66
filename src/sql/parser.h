#pragma once

#include <string_view>
#include <vector>

#include "sql/ast.h"
#include "sql/diagnostics.h"

namespace headrace::sql {

// Nesting of expressions and queries beyond this is an error (HR1003), never a stack overflow.
constexpr int kMaxDepth = 200;
// Scripts longer than this are refused (HR1002).
constexpr size_t kMaxScriptBytes = size_t{16} << 20;
// After so many errors the rest of a script is not read.
constexpr size_t kMaxDiagnostics = 100;

// What a script says: the statements that could be read, in order, and every syntax error. After
// an error the parser goes on behind the next semicolon.
struct ParseResult {
  std::vector<Statement> statements;
  std::vector<Diagnostic> errors;

  bool ok() const { return errors.empty(); }
};

// Reads a script. `file` is only copied into the spans. Never fails otherwise than by `errors`,
// whatever the bytes.
ParseResult Parse(std::string_view text, int file);

}  // namespace headrace::sql
