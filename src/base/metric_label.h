#pragma once

#include <string>
#include <string_view>

namespace headrace::base {

// A value as it stands between the quotes of a label: `stream="` + EscapedLabel(name) + `"`.
std::string EscapedLabel(std::string_view value);

}  // namespace headrace::base
