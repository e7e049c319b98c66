#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "headrace/result.h"

namespace headrace::cli {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// One keep-alive connection to a server, connected when it is needed and anew after an error.
// Knows of HTTP what `headrace serve` answers: bodies with a length, and chunked ones. Blocks, for
// kPatienceSeconds without a byte at most. Confined.
class HttpClient {
 public:
  static constexpr int64_t kPatienceSeconds = 60;

  explicit HttpClient(uint16_t port, std::string host = "127.0.0.1")
      : host_(std::move(host)), port_(port) {}
  ~HttpClient() { Disconnect(); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Errors: kUnavailable HR9021, the connection broke or could not be made; kTimeout HR9021.
  Result<HttpAnswer> Get(const std::string& target);
  Result<HttpAnswer> Post(const std::string& target, std::string_view type, std::string_view body);
  Result<HttpAnswer> Delete(const std::string& target);
  // Hands over each line of an answer that goes on, until it ends or `line` says false. Another
  // status than 200 is an error.
  Status Follow(const std::string& target, const std::function<bool(std::string_view)>& line);

 private:
  using Take = std::function<bool(std::string_view piece)>;

  Status Connect();
  void Disconnect();
  Status Write(std::string_view bytes);
  // More bytes into in_. An end of the connection is an error.
  Status Fill();
  Result<std::string> ReadLine();  // without its CRLF
  Status ReadBody(size_t size, const Take& take);
  Status ReadChunks(const Take& take);
  // The head and the body of an answer.
  Result<int> Receive(const Take& take);
  Result<HttpAnswer> Ask(const std::string& request);
  Result<int> Exchange(const std::string& request, const Take& take);

  // The head of a request up to the fields that are its own.
  std::string Head(std::string_view method, const std::string& target) const;

  std::string host_;
  uint16_t port_;
  int socket_ = -1;
  std::string in_;
  bool stopped_ = false;  // `take` wants no more
};

}  // namespace headrace::cli
