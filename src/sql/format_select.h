#pragma once

#include <string>
#include <vector>

#include "sql/ast_statement.h"

namespace headrace::sql {

// A clause a line, or all on one line.
std::string WriteSelect(const Select& select, bool lines);
// WITH (key = value, ...).
std::string WriteOptions(const std::vector<Option>& options);

}  // namespace headrace::sql
