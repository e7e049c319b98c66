#pragma once

#include <cstdint>

namespace headrace::expr {

// Simple case mappings of code points beyond ASCII; a code point without one maps to itself.
uint32_t MapToUpper(uint32_t code);
uint32_t MapToLower(uint32_t code);

}  // namespace headrace::expr
