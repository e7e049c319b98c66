#pragma once

#include <string>
#include <string_view>

#include "base/arena.h"
#include "row/value.h"

namespace headrace::expr {

// to_char of a number: 9 0 . , D G FM S MI PL PR $ (L) and literals. False for the patterns that
// are not supported (RN, TH, V, EEEE).
bool FormatNumber(const row::Value& number, std::string_view pattern, base::Arena& arena,
                  std::string& out);

}  // namespace headrace::expr
