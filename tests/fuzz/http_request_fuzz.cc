// Requests as a hostile client sends them: the parser, in pieces of any size, and the route. The
// first byte chooses the size of the pieces, which must not change the requests understood. When
// bytes are refused may depend on it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "headrace/check.h"
#include "serve/http/http_options.h"
#include "serve/http/request_parser.h"
#include "serve/http/route.h"

namespace {

// What a connection would have understood, as text.
std::string Understood(std::string_view bytes, size_t piece) {
  using namespace headrace::serve;
  HttpLimits limits;
  limits.header_bytes_max = 512;
  limits.header_fields_max = 8;
  limits.body_bytes_max = 256;
  RequestParser parser(limits);
  std::string seen;
  std::string in;
  while (!bytes.empty()) {
    size_t n = std::min(piece, bytes.size());
    in.append(bytes.substr(0, n));
    bytes.remove_prefix(n);
    for (size_t used = 1; used > 0 && !in.empty();) {
      used = parser.Feed(in);
      HR_CHECK(used <= in.size());
      in.erase(0, used);
      if (parser.error()) return seen;
      HR_CHECK(parser.buffered_bytes() <= limits.body_bytes_max);
      if (!parser.done()) continue;
      auto route = ParseRoute(parser.target());
      Request request = parser.TakeRequest();
      seen += "|" + std::string(ToString(request.method)) + request.body;
      seen += route.ok() ? std::string(PathTemplate(route->kind)) : route.error().code();
      parser.Reset();
      used = 1;
    }
    HR_CHECK(in.size() <= limits.header_bytes_max + piece);
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string pieces = Understood(bytes, size_t{data[0]} + 1);
  std::string whole = Understood(bytes, bytes.size() + 1);
  HR_CHECK(pieces.starts_with(whole) || whole.starts_with(pieces));
  return 0;
}
