#include "cli/http_client.h"

#include <string>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace headrace::cli {
namespace {

// Takes one connection on a free port and writes `answer` a few bytes at a time, after the request
// has come; then closes.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    void* generic = &address;
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listening_, static_cast<sockaddr*>(generic), size), 0);
    EXPECT_EQ(::listen(listening_, 1), 0);
    EXPECT_EQ(::getsockname(listening_, static_cast<sockaddr*>(generic), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answer = std::move(answer)] { Serve(answer); });
  }
  ~OneAnswer() {
    thread_.join();
    ::close(listening_);
  }
  uint16_t port() const { return port_; }
  const std::string& request() const { return request_; }

 private:
  void Serve(const std::string& answer) {
    const int socket = ::accept(listening_, nullptr, nullptr);
    char buffer[4096];
    const ssize_t got = ::recv(socket, buffer, sizeof buffer, 0);
    if (got > 0) request_.assign(buffer, static_cast<size_t>(got));
    for (size_t at = 0; at < answer.size(); at += 3)
      ::send(socket, answer.data() + at, std::min<size_t>(3, answer.size() - at), MSG_NOSIGNAL);
    ::close(socket);
  }

  int listening_;
  uint16_t port_ = 0;
  std::string request_;
  std::thread thread_;
};

TEST(HttpClientTest, ABodyWithALengthIsRead) {
  OneAnswer server("HTTP/1.1 422 Unprocessable\r\nContent-Length: 5\r\nX: y\r\n\r\nhello");
  HttpClient http(server.port());
  Result<HttpAnswer> answer = http.Post("/a?b", "application/json", "[]");
  ASSERT_TRUE(answer.ok()) << answer.error().ToString();
  EXPECT_EQ(answer->status, 422);
  EXPECT_EQ(answer->body, "hello");
  EXPECT_FALSE(http.Get("/").ok());  // one connection was all
}

TEST(HttpClientTest, AChunkedBodyIsRead) {
  OneAnswer server(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel\nl\r\n0a;x\r\no, world\n!\r\n"
      "0\r\n\r\n");
  HttpClient http(server.port());
  Result<HttpAnswer> answer = http.Get("/rows");
  ASSERT_TRUE(answer.ok()) << answer.error().ToString();
  EXPECT_EQ(answer->body, "hel\nlo, world\n!");
}

TEST(HttpClientTest, LinesAreHandedOverUntilTheServerIsGone) {
  OneAnswer server(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\none\ntwo\n\r\n4\r\nthr");
  HttpClient http(server.port());
  std::vector<std::string> lines;
  Status followed = http.Follow("/rows", [&](std::string_view line) {
    lines.emplace_back(line);
    return true;
  });
  EXPECT_FALSE(followed.ok());
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two"}));  // a part of a line is no line
}

TEST(HttpClientTest, FollowingEndsWhenTheReaderHasEnough) {
  OneAnswer server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\none\ntwo\n\r\n");
  HttpClient http(server.port());
  Status followed = http.Follow("/rows", [](std::string_view) { return false; });
  EXPECT_TRUE(followed.ok());
}

TEST(HttpClientTest, WhatIsCutOffOrNoHttpIsAnError) {
  for (const char* text :
       {"", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "HTTP/1.1 200 OK\r\nContent-Len",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n"}) {
    OneAnswer server(text);
    HttpClient http(server.port());
    Result<HttpAnswer> answer = http.Get("/");
    ASSERT_FALSE(answer.ok()) << text;
    EXPECT_EQ(answer.error().code(), "HR9021");
  }
}

}  // namespace
}  // namespace headrace::cli
