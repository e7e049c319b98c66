#pragma once

#include <vector>

#include "sql/ast_statement.h"
#include "sql/parser_cursor.h"

namespace headrace::sql {

// Reads the parenthesis behind WITH: (topic = 'payments', kafka.group = g, precision(d7) = '1
// min').
bool ParseOptions(Cursor& cursor, std::vector<Option>& out);

}  // namespace headrace::sql
