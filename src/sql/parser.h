#pragma once

#include <string_view>
#include <vector>

#include "sql/ast.h"
#include "sql/diagnostics.h"

namespace headrace::sql {

// Nesting of expressions beyond this is an error (HR1003), never a stack overflow. A parenthesis
// counts one, the right side of an operator another.
constexpr int kMaxDepth = 400;
// The same for queries in FROM.
constexpr int kMaxQueryDepth = 32;
// Scripts longer than this are refused (HR1002).
constexpr size_t kMaxScriptBytes = size_t{16} << 20;
// Columns of a stream, options of a WITH, windows of a query, arguments by name: at most so many.
constexpr size_t kMaxListed = 1600;
// After so many errors the rest of a script is not read.
constexpr size_t kMaxDiagnostics = 100;

// What a script says: the statements that could be read, in order, and every syntax error. After
// an error the parser goes on behind the next semicolon.
struct ParseResult {
  std::vector<Statement> statements;
  std::vector<Diagnostic> errors;
  std::vector<std::string> comments;  // behind the last statement
  // What the statements with errors would have made: that these are missing is no news to the user.
  std::vector<std::string> unread_names;

  bool ok() const { return errors.empty(); }
};

// Reads a script. `file` is only copied into the spans. Never fails otherwise than by `errors`,
// whatever the bytes.
ParseResult Parse(std::string_view text, int file);

}  // namespace headrace::sql
