#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"

namespace headrace::row {

// The elements of a one-dimensional PostgreSQL array text (`{1,NULL,"a b"}`); nullopt is NULL.
using ArrayElements = std::vector<std::optional<std::string>>;

// Errors are PostgreSQL's (HR2001): malformed array literal.
Result<ArrayElements> ParseArray(std::string_view text);

void AppendArray(const ArrayElements& elements, std::string& out);

}  // namespace headrace::row
