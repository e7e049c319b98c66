#pragma once

// The syntax tree of Headrace's SQL, as the parser leaves it: names unresolved, types as written.
#include "sql/ast_expr.h"       // IWYU pragma: export
#include "sql/ast_statement.h"  // IWYU pragma: export
