#pragma once

#include <string_view>

#include "document/document.h"

namespace headrace::document {

// Parses one UBJSON document (draft 12, as XGBoost writes it: big-endian numbers, arrays optimized
// with type and count). A count is believed only as far as the bytes that are there. Refused as in
// JSON: bad UTF-8, repeated keys, trailing bytes, nesting beyond kDepthMax. Errors: HR3002, HR3004,
// with the byte.
Result<Value> ParseUbjson(std::string_view bytes);

}  // namespace headrace::document
