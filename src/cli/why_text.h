#pragma once

#include <string>
#include <string_view>

namespace headrace::cli {

// The `why` document (JSON) told to people: what came in, what was known, what the model said and
// which rule decided. A document that does not parse is given back as it is.
std::string WhyText(std::string_view document);

}  // namespace headrace::cli
