#pragma once

#include <string>
#include <string_view>

#include "headrace/result.h"
#include "row/value.h"

namespace headrace::row {

// PostgreSQL's output of double precision and real: shortest digits that read back to the same
// bits, scientific outside [1e-4, 1e15) (real: 1e6).
void AppendDouble(double number, std::string& out);
void AppendReal(double number, std::string& out);

// PostgreSQL's input of numbers: blanks around, NaN and Infinity where the type has them.
Result<Value> ParseInteger(std::string_view text, Type type);
Result<Value> ParseDouble(std::string_view text, Type type);
Result<Value> ParseNumeric(std::string_view text, Type type);

std::string_view TrimSpace(std::string_view text);
Error InvalidSyntax(std::string_view text, Type type);

}  // namespace headrace::row
