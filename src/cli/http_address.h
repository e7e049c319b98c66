#pragma once

#include <string>

#include "headrace/result.h"
#include "serve/http/http_options.h"

namespace headrace::cli {

// Where --http asks to listen, as options of a server that ends on SIGINT and SIGTERM. `text` is
// ADDRESS:PORT or PORT. Error: HR9001.
Result<serve::HttpOptions> ReadHttpAddress(const std::string& text);

}  // namespace headrace::cli
