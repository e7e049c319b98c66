#pragma once

#include <memory>

#include "os/http_caller.h"

namespace headrace::connect {

// Calls over HTTP/1.1 and TCP, from one thread of its own, which begins with the first call.
// Connections are kept for the next call to the same host and port; a kept one that turns out to be
// closed is replaced once, since asking a model twice does no harm. No redirect is followed, and
// nothing but 127.0.0.1-style literals and names of the system's resolver is looked up.
// Thread-safe. Limits: kIdleMax connections are kept, kHeadBytesMax for the head of an answer.
class TcpHttpCaller final : public os::HttpCaller {
 public:
  static constexpr size_t kIdleMax = 64;
  static constexpr size_t kHeadBytesMax = 16 << 10;

  TcpHttpCaller();
  // Calls that are under way end without a word.
  ~TcpHttpCaller() override;

  void Post(os::HttpCall call, Done done) override;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace headrace::connect
