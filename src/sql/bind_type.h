#pragma once

#include "expr/expr.h"
#include "headrace/result.h"
#include "sql/ast_expr.h"

namespace headrace::sql {

// What a cast to the type does. Knows more types than columns can have: smallint, real, varchar(n),
// char(n), times of less than microseconds, parts of intervals, arrays of narrower integers. An
// error (HR1113) when the engine has none that behaves the same.
Result<expr::CastTarget> ToCastTarget(const TypeName& type);

}  // namespace headrace::sql
