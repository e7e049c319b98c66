#pragma once

#include <string_view>

#include "document/document.h"

namespace headrace::document {

// How numbers with a fraction or an exponent are rounded. XGBoost's numbers are single precision:
// rounding the text once to float and once to double can differ in the last bit.
enum class NumberWidth { kFloat32, kFloat64 };

// Parses one JSON text (RFC 8259, and the words NaN, Infinity and -Infinity that XGBoost writes).
// Refused: bad UTF-8, a key twice in an object, anything behind the document, numbers too large for
// the width, nesting beyond kDepthMax. Errors: HR3002, HR3004, with the byte.
Result<Value> ParseJson(std::string_view bytes, NumberWidth width);

}  // namespace headrace::document
