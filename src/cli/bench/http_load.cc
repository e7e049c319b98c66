#include "cli/bench/http_load.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <deque>
#include <string_view>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace headrace::cli {
namespace {

constexpr size_t kConnections = 128;
constexpr int64_t kSecond = 1'000'000'000;

Error Failure(std::string_view what) {
  return Error(ErrorKind::kIo, "HR9009",
               std::string(what) + ": " + std::generic_category().message(errno));
}

struct Connection {
  int socket = -1;
  bool busy = false;
  int64_t due = 0;
  bool counted = false;
  std::string answer;
};

// The size of the whole answer once its head has come, or 0.
size_t AnswerSize(std::string_view text) {
  const size_t head = text.find("\r\n\r\n");
  if (head == std::string_view::npos) return 0;
  constexpr std::string_view kName = "content-length:";
  for (size_t at = 0; at < head;) {
    const size_t end = text.find("\r\n", at);
    std::string line(text.substr(at, end - at));
    std::transform(line.begin(), line.end(), line.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (line.starts_with(kName)) {
      size_t digits = line.find_first_not_of(' ', kName.size());
      size_t length = 0;
      std::from_chars(line.data() + std::min(digits, line.size()), line.data() + line.size(),
                      length);
      return head + 4 + length;
    }
    at = end + 2;
  }
  return head + 4;
}

class Loader {
 public:
  Loader(const os::Clock& clock, const LoadOptions& options)
      : clock_(clock), options_(options), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
  ~Loader() {
    for (const Connection& connection : connections_) {
      if (connection.socket >= 0) ::close(connection.socket);
    }
    ::close(epoll_);
  }
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  Result<LoadResult> Run() {
    HR_TRY(Connect());
    const uint64_t total = options_.warm_requests + options_.requests;
    start_ = clock_.MonotonicNanoseconds();
    while (done_ < total) {
      while (sent_ < total && !idle_.empty() && Due(sent_) <= clock_.MonotonicNanoseconds()) {
        HR_TRY(Send());
      }
      HR_TRY(Receive(sent_ < total && !idle_.empty() ? Due(sent_) : INT64_MAX));
    }
    std::sort(result_.micros.begin(), result_.micros.end());
    return std::move(result_);
  }

 private:
  int64_t Due(uint64_t request) const {
    return start_ +
           static_cast<int64_t>(request * uint64_t{kSecond} / options_.requests_per_second);
  }

  Status Connect() {
    connections_.resize(kConnections);
    for (size_t i = 0; i < kConnections; ++i) {
      const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      connections_[i].socket = socket;
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(options_.port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      const void* generic = &address;
      if (::connect(socket, static_cast<const sockaddr*>(generic), sizeof address) != 0) {
        return Failure("connect");
      }
      const int on = 1;
      ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0) return Failure("epoll");
      idle_.push_back(i);
    }
    return Ok();
  }

  Status Send() {
    Connection& connection = connections_[idle_.front()];
    idle_.pop_front();
    const std::string body = options_.body();
    std::string request = "POST " + options_.target +
                          " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                          "Content-Length: " +
                          std::to_string(body.size()) + "\r\n\r\n" + body;
    connection.due = Due(sent_);
    connection.counted = sent_ >= options_.warm_requests;
    connection.busy = true;
    connection.answer.clear();
    ++sent_;
    if (::send(connection.socket, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
      return Failure("send");
    }
    return Ok();
  }

  Status Receive(int64_t until) {
    epoll_event events[64];
    const int64_t left = until == INT64_MAX ? kSecond : until - clock_.MonotonicNanoseconds();
    const timespec timeout{std::max<int64_t>(left, 0) / kSecond,
                           std::max<int64_t>(left, 0) % kSecond};
    const int ready = ::epoll_pwait2(epoll_, events, 64, &timeout, nullptr);
    if (ready < 0 && errno != EINTR) return Failure("epoll");
    for (int i = 0; i < ready; ++i)
      HR_TRY(ReceiveOn(events[i].data.u64));
    return Ok();
  }

  Status ReceiveOn(size_t index) {
    Connection& connection = connections_[index];
    char buffer[16 << 10];
    const ssize_t got = ::recv(connection.socket, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return Ok();
    if (got <= 0) return Failure("the server closed a connection");
    connection.answer.append(buffer, static_cast<size_t>(got));
    const size_t size = AnswerSize(connection.answer);
    if (size == 0 || connection.answer.size() < size) return Ok();
    const int64_t spent = clock_.MonotonicNanoseconds() - connection.due;
    if (connection.counted) result_.micros.push_back(static_cast<double>(spent) * 1e-3);
    if (connection.answer.find(" 200 ") > 12) ++result_.refused;
    connection.busy = false;
    idle_.push_back(index);
    ++done_;
    return Ok();
  }

  const os::Clock& clock_;
  const LoadOptions& options_;
  int epoll_;
  int64_t start_ = 0;
  uint64_t sent_ = 0;
  uint64_t done_ = 0;
  std::vector<Connection> connections_;
  std::deque<size_t> idle_;
  LoadResult result_;
};

}  // namespace

Result<LoadResult> RunHttpLoad(const os::Clock& clock, const LoadOptions& options) {
  return Loader(clock, options).Run();
}

}  // namespace headrace::cli
