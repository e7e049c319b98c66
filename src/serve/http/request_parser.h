#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "headrace/error.h"
#include "serve/http/http_options.h"
#include "serve/http/message.h"

namespace headrace::serve {

// Reads HTTP/1.x requests from bytes, one after another, within HttpLimits. Never crashes or holds
// more than the limits on hostile bytes. Unsynchronized. Memory is taken with the first byte of a
// request and given back by Reset.
class RequestParser {
 public:
  explicit RequestParser(const HttpLimits& limits);
  ~RequestParser();

  // Takes what it can use of `bytes` and says how much; stops behind one request. What it leaves of
  // an unfinished request must stand in front of the next bytes.
  size_t Feed(std::string_view bytes);

  bool started() const { return message_ != nullptr; }
  bool done() const;
  // Wrong for good: answer with this and close.
  const std::optional<Error>& error() const { return error_; }
  // True once, when the client waits for `100 Continue` before it sends the body.
  bool TakeExpectContinue();
  size_t buffered_bytes() const;

  // Of a request that is done.
  Method method() const;
  std::string_view target() const;
  bool keep_alive() const;
  bool http_1_0() const;
  // The views live until Reset.
  Request TakeRequest();
  void Reset();

 private:
  struct Message;
  void CheckHeader();

  const HttpLimits& limits_;
  std::unique_ptr<Message> message_;
  std::optional<Error> error_;
  bool expects_continue_ = false;
};

}  // namespace headrace::serve
