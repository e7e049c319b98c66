#include "serve/http/http_server.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <ctime>
#include <exception>
#include <mutex>
#include <string>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <sys/resource.h>

#include "serve/http/connection.h"
#include "serve/http/http_api.h"
#include "serve/http/http_metrics.h"
#include "serve/http/problem.h"

namespace headrace::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr size_t kScratchBytes = 64 << 10;
constexpr int kHandlersPerTurn = 256;  // then the engine has its turn
constexpr size_t kRefusedMax = 64;     // connections beyond the limit that are told so
constexpr rlim_t kOtherFiles = 256;    // journal, segments, models
constexpr int64_t kBeatNanos = 15'000'000'000;
constexpr int64_t kNanosPerMilli = 1'000'000;

Error CannotListen(const HttpOptions& options, const std::string& why) {
  return Error(
      ErrorKind::kInvalidArgument, kCannotListen,
      "cannot listen on " + options.address + ":" + std::to_string(options.port) + ": " + why);
}

Result<tcp::endpoint> EndpointOf(const HttpOptions& options) {
  error_code code;
  auto address =
      asio::ip::make_address(options.address == "localhost" ? "127.0.0.1" : options.address, code);
  if (code) return CannotListen(options, "not an IP address");
  if (!address.is_loopback() && !options.dangerously_listen_beyond_loopback) {
    return CannotListen(options, "it is reachable from other machines")
        .WithHint(
            "listen on loopback (127.0.0.1) behind a proxy with TLS and authentication, or say "
            "--dangerously-listen-beyond-loopback");
  }
  return tcp::endpoint(address, options.port);
}

// Best effort: with too few files, accepting pauses until some are closed.
void RaiseFileLimit(size_t connections) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  rlim_t wanted = std::min(files.rlim_max, static_cast<rlim_t>(connections) + kOtherFiles);
  if (files.rlim_cur >= wanted) return;
  files.rlim_cur = wanted;
  setrlimit(RLIMIT_NOFILE, &files);
}

// As HTTP writes dates: `Tue, 24 Nov 2026 02:44:33 GMT`.
std::string HttpDate(int64_t micros) {
  const std::time_t seconds = micros / 1'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

// Between the journal thread, which knocks, and the loop, which may be gone by then.
struct WakeGate {
  std::mutex mutex;
  asio::io_context* io = nullptr;  // null once the server is gone
  std::atomic<bool> knocked{false};
};

class Server final : public HttpServer, private QueryRunner {
 public:
  Server(engine::Engine& engine, base::MetricsRegistry& metrics, const os::Clock& clock,
         HttpOptions options)
      : engine_(engine),
        clock_(clock),
        options_(std::move(options)),
        metrics_(metrics, options_.version),
        api_(engine, *this, metrics_, clock, options_.limits,
             {!options_.dangerously_listen_beyond_loopback, options_.models_directory}),
        host_{api_, metrics_, options_.limits, clock, std::vector<char>(kScratchBytes)} {}
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() override;

  Status Listen();
  uint16_t port() const override { return port_; }
  void Run() override;
  void RequestStop() override;
  void Recovered(std::function<void()> then) override;

 private:
  bool Run(std::function<void()> work, std::function<void()> then) override;
  void ConnectWake();
  void Flush();
  void AcceptNext();
  void Accept(tcp::socket socket);
  void Tick();
  void BeginStop();
  bool finished() const;

  engine::Engine& engine_;
  const os::Clock& clock_;
  HttpOptions options_;
  HttpMetrics metrics_;
  HttpApi api_;
  ConnectionHost host_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer tick_{io_};
  asio::signal_set signals_{io_};
  asio::thread_pool queries_{options_.limits.query_threads};
  std::shared_ptr<WakeGate> wake_ = std::make_shared<WakeGate>();
  size_t queries_pending_ = 0;
  int64_t stop_deadline_ = 0;
  int64_t next_beat_ = 0;
  uint16_t port_ = 0;
  bool accepting_ = false;
};

Server::~Server() {
  {
    std::lock_guard lock(wake_->mutex);
    wake_->io = nullptr;
  }
  queries_.stop();
  queries_.join();
  while (!host_.connections.empty())
    host_.connections.front()->Close();
}

Status Server::Listen() {
  HR_ASSIGN(tcp::endpoint endpoint, EndpointOf(options_));
  error_code code;
  acceptor_.open(endpoint.protocol(), code);
  if (!code) acceptor_.set_option(tcp::acceptor::reuse_address(true), code);
  if (!code) acceptor_.bind(endpoint, code);
  if (!code) acceptor_.listen(asio::socket_base::max_listen_connections, code);
  if (code) {
    return CannotListen(options_, code.message()).WithHint("choose another port with --http");
  }
  port_ = acceptor_.local_endpoint(code).port();
  RaiseFileLimit(options_.limits.connections_max);
  if (options_.stop_on_signals) {
    signals_.add(SIGINT);
    signals_.add(SIGTERM);
    signals_.async_wait([this](error_code failed, int) {
      if (!failed) BeginStop();
    });
  }
  if (api_.has_engine()) ConnectWake();
  AcceptNext();
  Tick();
  return Ok();
}

// At most one knock is on its way at any time.
void Server::ConnectWake() {
  wake_->io = &io_;
  engine_.SetWakeCallback([this, gate = wake_] {
    if (gate->knocked.exchange(true)) return;
    std::lock_guard lock(gate->mutex);
    if (gate->io == nullptr) return;
    asio::post(*gate->io, [this, gate] {
      gate->knocked = false;
      engine_.Complete();
      api_.NotifyFollowers();
    });
  });
}

void Server::Flush() {
  while (!host_.ready.empty()) {
    for (auto& connection : std::exchange(host_.ready, {}))
      connection->Flush();
  }
}

void Server::AcceptNext() {
  accepting_ = true;
  acceptor_.async_accept([this](error_code code, tcp::socket socket) {
    accepting_ = false;
    if (code == asio::error::operation_aborted) return;
    if (!code) Accept(std::move(socket));
    // Out of files or memory: the next tick tries again.
    const bool exhausted = code == asio::error::no_descriptors || code == asio::error::no_memory ||
                           code == asio::error::no_buffer_space;
    if (!exhausted && acceptor_.is_open()) AcceptNext();
  });
}

void Server::Accept(tcp::socket socket) {
  const size_t open = host_.connections.size();
  const size_t most = options_.limits.connections_max;
  if (open >= most + kRefusedMax) return metrics_.CountRefused(503);
  error_code code;
  socket.non_blocking(true, code);
  if (code) return;
  socket.set_option(tcp::no_delay(true), code);
  auto connection = std::make_shared<Connection>(std::move(socket), host_);
  host_.connections.push_front(connection);
  connection->Start(host_.connections.begin());
  metrics_.SetConnections(host_.connections.size());
  if (open >= most) {
    connection->Refuse(Error(ErrorKind::kUnavailable, kTooBusy,
                             "more than " + std::to_string(most) + " connections are open"));
  }
}

// The one timer: deadlines of all connections, and accepting again after a lack of files.
void Server::Tick() {
  host_.date = HttpDate(clock_.NowMicros());
  const HttpLimits& limits = options_.limits;
  int64_t shortest =
      std::min({limits.read_ms, limits.idle_ms, limits.write_ms, limits.linger_ms, limits.stop_ms});
  tick_.expires_after(std::chrono::milliseconds(std::clamp<int64_t>(shortest / 4, 5, 1000)));
  tick_.async_wait([this](error_code code) {
    if (code) return;
    const int64_t now = clock_.MonotonicNanoseconds();
    for (auto it = host_.connections.begin(); it != host_.connections.end();) {
      auto connection = *it++;
      connection->CheckDeadline(now);
    }
    metrics_.SetConnections(host_.connections.size());
    if (now >= next_beat_) {
      next_beat_ = now + kBeatNanos;
      api_.BeatFollowers();
    }
    if (!accepting_ && acceptor_.is_open()) AcceptNext();
    Tick();
  });
}

void Server::Run() {
  auto work = asio::make_work_guard(io_);
  bool more = false;
  while (!finished()) {
    if (!more) io_.run_one();
    Flush();
    for (int i = 0; i < kHandlersPerTurn && io_.poll_one() > 0; ++i)
      Flush();
    more = api_.has_engine() && engine_.Pump();
    Flush();
  }
}

bool Server::finished() const {
  if (!host_.stopping) return false;
  if (clock_.MonotonicNanoseconds() >= stop_deadline_) return true;
  const bool answered = !api_.has_engine() || engine_.in_flight() == 0;
  return host_.connections.empty() && answered && queries_pending_ == 0;
}

void Server::RequestStop() {
  asio::post(io_, [this] { BeginStop(); });
}

void Server::BeginStop() {
  if (host_.stopping) return;
  host_.stopping = true;
  stop_deadline_ = clock_.MonotonicNanoseconds() + options_.limits.stop_ms * kNanosPerMilli;
  error_code ignored;
  acceptor_.close(ignored);
  api_.StopFollowers();
  if (api_.has_engine()) {
    engine_.StopDeployments();
  } else {
    engine_.StopRecovery();
  }
  for (auto it = host_.connections.begin(); it != host_.connections.end();) {
    auto connection = *it++;
    connection->BeginStop();
  }
}

void Server::Recovered(std::function<void()> then) {
  asio::post(io_, [this, then = std::move(then)] {
    if (host_.stopping) return;
    ConnectWake();
    if (then) then();
    api_.TakeEngine();
  });
}

bool Server::Run(std::function<void()> work, std::function<void()> then) {
  if (queries_pending_ >= options_.limits.queries_max) return false;
  ++queries_pending_;
  asio::post(queries_, [this, work = std::move(work), then = std::move(then)]() mutable {
    work();
    asio::post(io_, [this, then = std::move(then)] {
      --queries_pending_;
      then();
    });
  });
  return true;
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Start(engine::Engine& engine,
                                                      base::MetricsRegistry& metrics,
                                                      const os::Clock& clock, HttpOptions options) {
  // Asio's constructors throw when the system has no descriptors or threads left.
  try {
    auto server = std::make_unique<Server>(engine, metrics, clock, options);
    HR_TRY(server->Listen());
    return std::unique_ptr<HttpServer>(std::move(server));
  } catch (const std::exception& failure) {
    return CannotListen(options, failure.what());
  }
}

}  // namespace headrace::serve
