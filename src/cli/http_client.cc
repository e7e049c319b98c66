#include "cli/http_client.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <system_error>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace headrace::cli {
namespace {

constexpr size_t kLineMax = 64 << 10;

Error Broken(std::string_view what) {
  const ErrorKind kind = errno == EAGAIN ? ErrorKind::kTimeout : ErrorKind::kUnavailable;
  return Error(kind, "HR9021", std::string(what) + ": " + std::generic_category().message(errno));
}

Error Malformed(std::string_view what) {
  return Error(ErrorKind::kUnavailable, "HR9021", "the answer is no HTTP: " + std::string(what));
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

template <typename Number>
bool ReadNumber(std::string_view text, int base, Number* number) {
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), *number, base);
  return problem == std::errc() && end == text.data() + text.size();
}

}  // namespace

void HttpClient::Disconnect() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  in_.clear();
}

Status HttpClient::Connect() {
  if (socket_ >= 0) return Ok();
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host_.c_str(), std::to_string(port_).c_str(), &wanted, &found) != 0) {
    return Error(ErrorKind::kUnavailable, "HR9021", "no address is known of " + host_);
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
  socket_ = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return Broken("socket");
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval patience{kPatienceSeconds, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(socket_, found->ai_addr, found->ai_addrlen) == 0) return Ok();
  Error refused = Broken("connect to " + host_ + ":" + std::to_string(port_));
  Disconnect();
  return refused;
}

Status HttpClient::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return Broken("send");
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return Ok();
}

Status HttpClient::Fill() {
  char buffer[16 << 10];
  while (true) {
    const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Broken("receive");
    if (got == 0) {
      return Error(ErrorKind::kUnavailable, "HR9021", "the server closed the connection");
    }
    in_.append(buffer, static_cast<size_t>(got));
    return Ok();
  }
}

Result<std::string> HttpClient::ReadLine() {
  size_t end = 0;
  while ((end = in_.find("\r\n")) == std::string::npos) {
    if (in_.size() > kLineMax) return Malformed("a line without end");
    HR_TRY(Fill());
  }
  std::string line = in_.substr(0, end);
  in_.erase(0, end + 2);
  return line;
}

Status HttpClient::ReadBody(size_t size, const Take& take) {
  while (size > 0 && !stopped_) {
    if (in_.empty()) HR_TRY(Fill());
    const size_t piece = std::min(size, in_.size());
    if (!take(std::string_view(in_).substr(0, piece))) stopped_ = true;
    in_.erase(0, piece);
    size -= piece;
  }
  return Ok();
}

Status HttpClient::ReadChunks(const Take& take) {
  while (!stopped_) {
    HR_ASSIGN(std::string head, ReadLine());
    size_t size = 0;
    if (!ReadNumber(std::string_view(head).substr(0, head.find(';')), 16, &size)) {
      return Malformed("size of a chunk");
    }
    HR_TRY(ReadBody(size, take));
    if (stopped_) break;
    HR_ASSIGN(std::string end, ReadLine());
    if (!end.empty()) return Malformed("end of a chunk");
    if (size == 0) break;
  }
  return Ok();
}

Result<int> HttpClient::Receive(const Take& take) {
  HR_ASSIGN(std::string first, ReadLine());
  int status = 0;
  if (first.size() < 12 || !ReadNumber(std::string_view(first).substr(9, 3), 10, &status)) {
    return Malformed("first line");
  }
  bool chunked = false;
  bool close = false;
  size_t length = 0;
  while (true) {
    HR_ASSIGN(std::string line, ReadLine());
    if (line.empty()) break;
    const std::string field = Lower(line);
    constexpr std::string_view kLength = "content-length: ";
    if (field.starts_with(kLength)) {
      if (!ReadNumber(std::string_view(field).substr(kLength.size()), 10, &length)) {
        return Malformed("length");
      }
    }
    chunked |= field == "transfer-encoding: chunked";
    close |= field == "connection: close";
  }
  HR_TRY(chunked ? ReadChunks(take) : ReadBody(length, take));
  if (close || stopped_) Disconnect();
  return status;
}

Result<int> HttpClient::Exchange(const std::string& request, const Take& take) {
  stopped_ = false;
  Status sent = Connect();
  if (sent.ok()) sent = Write(request);
  if (!sent.ok()) {
    Disconnect();
    return std::move(sent).error();
  }
  Result<int> status = Receive(take);
  if (!status.ok()) Disconnect();
  return status;
}

std::string HttpClient::Head(std::string_view method, const std::string& target) const {
  return std::string(method) + " " + target + " HTTP/1.1\r\nHost: " + host_ + ":" +
         std::to_string(port_) + "\r\n";
}

Result<HttpAnswer> HttpClient::Ask(const std::string& request) {
  HttpAnswer answer;
  HR_ASSIGN(answer.status, Exchange(request, [&](std::string_view piece) {
              answer.body += piece;
              return true;
            }));
  return answer;
}

Result<HttpAnswer> HttpClient::Get(const std::string& target) {
  return Ask(Head("GET", target) + "\r\n");
}

Result<HttpAnswer> HttpClient::Delete(const std::string& target) {
  return Ask(Head("DELETE", target) + "\r\n");
}

Result<HttpAnswer> HttpClient::Post(const std::string& target, std::string_view type,
                                    std::string_view body) {
  std::string request = Head("POST", target) + "Content-Type: ";
  request += type;
  request += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  request += body;
  return Ask(request);
}

Status HttpClient::Follow(const std::string& target,
                          const std::function<bool(std::string_view)>& line) {
  std::string text;
  HR_ASSIGN(int status, Exchange(Head("GET", target) + "\r\n", [&](std::string_view piece) {
              text += piece;
              size_t begin = 0;
              for (size_t end = 0; (end = text.find('\n', begin)) != std::string::npos;
                   begin = end + 1) {
                if (!line(std::string_view(text).substr(begin, end - begin))) return false;
              }
              text.erase(0, begin);
              return true;
            }));
  if (status == 200) return Ok();
  return Error(ErrorKind::kUnavailable, "HR9021", "status " + std::to_string(status) + ": " + text);
}

}  // namespace headrace::cli
