#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "expr/function.h"

namespace headrace::expr {

// Every entry of that name, of all tables.
std::vector<const FunctionEntry*> FindEntries(std::string_view name);

// The overload PostgreSQL would choose for arguments of these types (its rules for functions and,
// with `is_operator`, for operators); null when none or several fit.
const FunctionEntry* ChooseOverload(const std::vector<const FunctionEntry*>& candidates,
                                    const std::vector<Type>& types, bool is_operator);

// The parameter that argument `i` meets.
Type ParameterAt(const FunctionEntry& entry, size_t i);

}  // namespace headrace::expr
