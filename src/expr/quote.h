#pragma once

#include <string>
#include <string_view>

namespace headrace::expr {

// An SQL identifier, in double quotes when it needs them.
void AppendQuotedIdentifier(std::string_view name, std::string& out);
// An SQL string literal; E'...' when it has backslashes.
void AppendQuotedLiteral(std::string_view text, std::string& out);

}  // namespace headrace::expr
