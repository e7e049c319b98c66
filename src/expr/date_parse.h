#pragma once

#include <cstdint>
#include <string_view>

#include "headrace/result.h"

namespace headrace::expr {

// Reads a date and time by a template, as to_date and to_timestamp do. Microseconds since 1970.
Result<int64_t> ParseByPattern(std::string_view text, std::string_view pattern);

}  // namespace headrace::expr
