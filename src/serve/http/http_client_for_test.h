#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace headrace::serve {

struct ClientResponse {
  int status = 0;  // 0: the server closed without an answer
  std::string head;
  std::string body;
};

// A blocking HTTP client that does what it is told, right or wrong. Gives up after 20 s of silence,
// so that a test fails rather than hangs.
class HttpClient {
 public:
  explicit HttpClient(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    timeval limit{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient() { ::close(socket_); }

  bool connected() const { return connected_; }
  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
  }
  void FinishSending() { ::shutdown(socket_, SHUT_WR); }

  ClientResponse Get(const std::string& target, const std::string& fields = "") {
    Send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n");
    return Read();
  }
  ClientResponse Post(const std::string& target, const std::string& body,
                      const std::string& fields = "") {
    Send(PostText(target, body, fields));
    return Read();
  }
  static std::string PostText(const std::string& target, const std::string& body,
                              const std::string& fields = "") {
    return "POST " + target +
           " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n" + fields + "\r\n" + body;
  }

  // The next answer, whole, with its chunks put together.
  ClientResponse Read(bool has_body = true) {
    ClientResponse response;
    response.head = ReadThrough("\r\n\r\n");
    if (response.head.size() < 12) return response;
    response.status = std::atoi(response.head.c_str() + 9);
    if (!has_body) return response;
    size_t length = response.head.find("Content-Length: ");
    if (length != std::string::npos) {
      response.body = ReadBytes(std::strtoul(response.head.c_str() + length + 16, nullptr, 10));
    } else if (response.head.find("chunked") != std::string::npos) {
      for (std::string chunk = ReadChunk(); !chunk.empty(); chunk = ReadChunk()) {
        response.body += chunk;
      }
    }
    return response;
  }
  // Empty: the last one.
  std::string ReadChunk() {
    size_t size = std::strtoul(ReadThrough("\r\n").c_str(), nullptr, 16);
    std::string chunk = ReadBytes(size);
    ReadThrough("\r\n");
    return chunk;
  }
  std::string ReadThrough(std::string_view mark) {
    size_t at = 0;
    while ((at = in_.find(mark)) == std::string::npos) {
      if (!Fill()) return {};
    }
    return Take(at + mark.size());
  }
  std::string ReadBytes(size_t count) {
    while (in_.size() < count && Fill()) {
    }
    return Take(std::min(count, in_.size()));
  }
  // True when something can be read at once.
  bool HasAnswer() const {
    char byte = 0;
    return !in_.empty() || ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  }
  // True when the server has closed and nothing was left to read.
  bool AtEnd() { return in_.empty() && !Fill(); }

 private:
  bool Fill() {
    char buffer[16 << 10];
    ssize_t n = ::recv(socket_, buffer, sizeof buffer, 0);
    if (n > 0) in_.append(buffer, static_cast<size_t>(n));
    return n > 0;
  }
  std::string Take(size_t count) {
    std::string taken = in_.substr(0, count);
    in_.erase(0, count);
    return taken;
  }

  int socket_;
  bool connected_ = false;
  std::string in_;
};

}  // namespace headrace::serve
