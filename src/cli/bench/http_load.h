#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "headrace/result.h"
#include "os/clock.h"

namespace headrace::cli {

struct LoadOptions {
  uint16_t port = 0;   // on 127.0.0.1
  std::string target;  // path and query of the POST
  uint64_t requests_per_second = 1000;
  uint64_t warm_requests = 0;  // at the beginning, sent and not counted
  uint64_t requests = 0;
  std::function<std::string()> body;  // of the next request
};

struct LoadResult {
  std::vector<double> micros;  // sorted; from the intended send time to the whole answer
  uint64_t refused = 0;        // answers other than 200
};

// Sends requests at their intended times whether answers come or not (an open loop), over
// keep-alive connections, on the caller's thread. Errors: kIo HR9009 when the server cannot be
// reached or breaks a connection.
Result<LoadResult> RunHttpLoad(const os::Clock& clock, const LoadOptions& options);

}  // namespace headrace::cli
