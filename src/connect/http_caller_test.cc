#include "connect/http_caller.h"

#include <future>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace headrace::connect {
namespace {

// Takes one connection after the other on a port of its own and gives each request the next of its
// answers; an empty one closes the connection, "hang" never comes.
class Server {
 public:
  explicit Server(std::vector<std::string> answers) : answers_(std::move(answers)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(0, ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address));
    EXPECT_EQ(0, ::listen(listener_, 8));
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~Server() {
    ::shutdown(listener_, SHUT_RDWR);
    stop_.set_value();
    thread_.join();
    ::close(listener_);
  }
  uint16_t port() const { return port_; }
  const std::vector<std::string>& requests() const { return requests_; }
  size_t connections() const { return connections_; }

 private:
  void Run() {
    size_t next = 0;
    while (next < answers_.size()) {
      const int socket = ::accept(listener_, nullptr, nullptr);
      if (socket < 0) return;
      ++connections_;
      while (next < answers_.size()) {
        std::string request;
        if (!Read(socket, request)) break;
        requests_.push_back(request);
        const std::string& answer = answers_[next++];
        if (answer == "hang") stop_.get_future().wait();
        if (answer.empty() || answer == "hang") break;
        EXPECT_EQ(ssize_t(answer.size()),
                  ::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL));
      }
      ::close(socket);
    }
  }
  static bool Read(int socket, std::string& request) {
    char buffer[4096];
    while (request.find("\r\n\r\n{}") == std::string::npos) {
      const ssize_t got = ::recv(socket, buffer, sizeof buffer, 0);
      if (got <= 0) return false;
      request.append(buffer, static_cast<size_t>(got));
    }
    return true;
  }

  std::vector<std::string> answers_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::vector<std::string> requests_;
  size_t connections_ = 0;
  std::promise<void> stop_;
  std::thread thread_;
};

std::string Answer(const std::string& body, const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

Result<os::HttpReply> Post(TcpHttpCaller& caller, uint16_t port, int64_t timeout_ms = 60'000) {
  std::promise<Result<os::HttpReply>> got;
  os::HttpCall call;
  call.host = "127.0.0.1";
  call.port = port;
  call.target = "/v2/models/m/infer";
  call.body = "{}";
  call.timeout_ms = timeout_ms;
  call.answer_bytes_max = 100;
  caller.Post(std::move(call),
              [&](Result<os::HttpReply> reply) { got.set_value(std::move(reply)); });
  return got.get_future().get();
}

std::string CodeOf(const Result<os::HttpReply>& reply) {
  return reply.ok() ? std::to_string(reply->status) + " " + reply->body : reply.error().code();
}

TEST(TcpHttpCaller, AsksOverOneConnection) {
  Server server({Answer("one"), Answer("two", "404 Not Found")});
  TcpHttpCaller caller;
  EXPECT_EQ("200 one", CodeOf(Post(caller, server.port())));
  EXPECT_EQ("404 two", CodeOf(Post(caller, server.port())));
  EXPECT_EQ(1U, server.connections());
  ASSERT_EQ(2U, server.requests().size());
  EXPECT_EQ(0U, server.requests()[0].find("POST /v2/models/m/infer HTTP/1.1\r\n"));
  EXPECT_NE(std::string::npos, server.requests()[0].find("Host: 127.0.0.1:"));
}

TEST(TcpHttpCaller, ReplacesAConnectionThatWasClosedMeanwhile) {
  Server server({Answer("one"), "", Answer("two")});
  TcpHttpCaller caller;
  EXPECT_EQ("200 one", CodeOf(Post(caller, server.port())));
  EXPECT_EQ("200 two", CodeOf(Post(caller, server.port())));
  EXPECT_EQ(2U, server.connections());
}

TEST(TcpHttpCaller, TellsWhatWentWrong) {
  TcpHttpCaller caller;
  {
    Server server({"hang"});
    EXPECT_EQ("HR5031", CodeOf(Post(caller, server.port(), 50)));
  }
  {
    Server server({""});
    EXPECT_EQ("HR5032", CodeOf(Post(caller, server.port())));
  }
  {
    Server server({Answer(std::string(101, 'x'))});
    EXPECT_EQ("HR5033", CodeOf(Post(caller, server.port())));
  }
  {
    Server server({"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "hang"});
    EXPECT_EQ("HR5031", CodeOf(Post(caller, server.port(), 50)));
  }
  {
    Server server({"SSH-2.0-x\r\n\r\n"});
    EXPECT_EQ("HR5032", CodeOf(Post(caller, server.port())));
  }
  uint16_t port = 0;
  {
    port = Server({}).port();
  }
  EXPECT_EQ("HR5032", CodeOf(Post(caller, port)));
}

TEST(TcpHttpCaller, FollowsNoRedirect) {
  Server server(
      {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"});
  TcpHttpCaller caller;
  EXPECT_EQ("302 ", CodeOf(Post(caller, server.port())));
}

TEST(TcpHttpCaller, EndsWhileACallIsUnderWay) {
  Server server({"hang"});
  bool told = false;
  {
    TcpHttpCaller caller;
    os::HttpCall call;
    call.host = "127.0.0.1";
    call.port = server.port();
    call.target = "/";
    call.body = "{}";
    call.timeout_ms = 60'000;
    caller.Post(std::move(call), [&](const Result<os::HttpReply>&) { told = true; });
  }
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace headrace::connect
