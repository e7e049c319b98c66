#pragma once

#include <string>
#include <string_view>

namespace headrace::expr {

// MD5 (RFC 1321) as 32 lower-case hex digits. For the SQL function; not for security.
std::string Md5Hex(std::string_view bytes);

}  // namespace headrace::expr
