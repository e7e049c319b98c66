#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "headrace/result.h"

namespace headrace::os {

// A POST of JSON to another program.
struct HttpCall {
  std::string host;
  uint16_t port = 80;
  std::string target;
  std::string body;
  int64_t timeout_ms = 1000;    // from Post until the whole answer is there
  size_t answer_bytes_max = 0;  // of its body
};

struct HttpReply {
  int status = 0;
  std::string body;
};

// The only way out of the program: calls to other programs. Who has none cannot act.
// Implementations are thread-safe.
class HttpCaller {
 public:
  using Done = std::function<void(Result<HttpReply>)>;

  virtual ~HttpCaller() = default;
  // `done` is called once, perhaps on another thread, perhaps before this returns, and never after
  // the caller is gone; it must not block. A redirect is an answer like others. Errors: kTimeout
  // HR5031, kUnavailable HR5032 when there is no connection or it breaks, kLimitExceeded HR5033
  // when the answer is longer than allowed.
  virtual void Post(HttpCall call, Done done) = 0;
};

}  // namespace headrace::os
