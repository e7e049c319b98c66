#include "cli/http_address.h"

#include <charconv>

#include "cli/arguments.h"

namespace headrace::cli {

Result<serve::HttpOptions> ReadHttpAddress(const std::string& text) {
  serve::HttpOptions options;
  options.version = HEADRACE_VERSION;
  options.stop_on_signals = true;
  const size_t colon = text.rfind(':');
  const char* digits = text.data() + (colon == std::string::npos ? 0 : colon + 1);
  auto [end, problem] = std::from_chars(digits, text.data() + text.size(), options.port);
  if (problem != std::errc() || end != text.data() + text.size() || colon == 0) {
    return BadUsage("--http takes ADDRESS:PORT, not `" + text + "`");
  }
  if (colon != std::string::npos) options.address = text.substr(0, colon);
  return options;
}

}  // namespace headrace::cli
