#pragma once

#include <string>
#include <string_view>

#include "sql/ast.h"
#include "sql/parser.h"

namespace headrace::sql {

// The statement in canonical spelling: keywords in upper case, functions in lower case, names
// quoted only where they must be, a clause a line, comments in front kept. Without the semicolon.
// Parsing the text gives the same tree, and formatting that gives the same text.
std::string Format(const Statement& statement);
// The whole script: each statement with its semicolon and comments, an empty line between two. A
// statement with comments inside is kept as `text` has it. `script` is what Parse made of `text`,
// without errors.
std::string FormatScript(const ParseResult& script, std::string_view text);
// One line, with as few parentheses as precedence allows.
std::string Format(const Expression& expression);
// One line: "PARTITION BY card ORDER BY ts RANGE BETWEEN ...".
std::string Format(const WindowSpec& window);
// One line.
std::string Format(const Select& select);
// The name as it must be written: quoted when folding or a keyword would change it.
std::string FormatName(const std::string& name);

}  // namespace headrace::sql
