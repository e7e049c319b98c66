#pragma once

#include <string_view>

namespace headrace::expr {

// PostgreSQL's order of jsonb: null < string < number < boolean < array < object; larger arrays and
// objects are larger; numbers by value (1.0 equals 1.00). The arguments are canonical text.
int CompareJsonb(std::string_view a, std::string_view b);

}  // namespace headrace::expr
