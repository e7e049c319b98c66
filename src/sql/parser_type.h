#pragma once

#include "sql/ast_expr.h"
#include "sql/parser_cursor.h"

namespace headrace::sql {

// Whether it is one of the names TypeName lists.
bool IsKnownType(std::string_view name);
// Reads a type: BIGINT, NUMERIC(12,2), TIMESTAMP(3) WITH TIME ZONE, INTERVAL DAY TO SECOND, INT[].
bool ParseTypeName(Cursor& cursor, TypeName& out);
// Whether a type and then a string stand at the cursor: timestamptz '2026-01-01'.
bool AtTypedLiteral(Cursor& cursor);
// Reads that literal; null after a failure.
ExpressionPtr ParseTypedLiteral(Cursor& cursor);

}  // namespace headrace::sql
