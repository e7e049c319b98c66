#include "connect/http_caller.h"

#include <chrono>
#include <deque>
#include <iterator>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace headrace::connect {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

Error BrokenCall(const std::string& what, const error_code& code) {
  return Error(ErrorKind::kUnavailable, "HR5032", what + ": " + code.message());
}

// What serves the next call to the same place.
struct Idle {
  std::string host;
  uint16_t port = 0;
  std::unique_ptr<beast::tcp_stream> stream;
};

}  // namespace

// Confined to its thread, but for Post and the queue.
class TcpHttpCaller::Loop {
 public:
  Loop() : work_(asio::make_work_guard(io_)) {}
  ~Loop() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  void Post(os::HttpCall call, Done done) {
    std::call_once(started_, [this] { thread_ = std::thread([this] { io_.run(); }); });
    asio::post(io_, [this, call = std::move(call), done = std::move(done)]() mutable {
      std::make_shared<Exchange>(*this, std::move(call), std::move(done))->Start();
    });
  }

 private:
  // One call from its beginning to its end.
  class Exchange : public std::enable_shared_from_this<Exchange> {
   public:
    Exchange(Loop& loop, os::HttpCall call, Done done)
        : loop_(loop),
          call_(std::move(call)),
          done_(std::move(done)),
          deadline_(std::chrono::steady_clock::now() + std::chrono::milliseconds(call_.timeout_ms)),
          resolver_(loop.io_),
          timer_(loop.io_) {}

    void Start() {
      timer_.expires_at(deadline_);
      timer_.async_wait([self = shared_from_this()](error_code code) {
        if (code) return;
        self->End(Error(ErrorKind::kTimeout, "HR5031",
                        "no answer within " + std::to_string(self->call_.timeout_ms) + " ms"));
      });
      request_ = {http::verb::post, call_.target, 11};
      const bool six = call_.host.find(':') != std::string::npos;
      request_.set(http::field::host,
                   (six ? "[" + call_.host + "]" : call_.host) + ":" + std::to_string(call_.port));
      request_.set(http::field::content_type, "application/json");
      request_.set(http::field::accept, "application/json");
      request_.body() = std::move(call_.body);
      request_.prepare_payload();
      stream_ = loop_.TakeIdle(call_.host, call_.port);
      kept_ = stream_ != nullptr;
      if (kept_) {
        Write();
      } else {
        Connect();
      }
    }

   private:
    void Connect() {
      kept_ = false;
      stream_ = std::make_unique<beast::tcp_stream>(loop_.io_);
      resolver_.async_resolve(
          call_.host, std::to_string(call_.port),
          [self = shared_from_this()](error_code code, const tcp::resolver::results_type& found) {
            if (self->ended_) return;
            if (code) return self->End(BrokenCall("cannot resolve " + self->call_.host, code));
            self->stream_->async_connect(found, [self](error_code failed, const tcp::endpoint&) {
              self->Connected(failed);
            });
          });
    }

    void Connected(error_code code) {
      if (ended_) return;
      if (code) return End(BrokenCall("cannot connect", code));
      error_code ignored;
      stream_->socket().set_option(tcp::no_delay(true), ignored);
      Write();
    }

    void Write() {
      http::async_write(*stream_, request_, [self = shared_from_this()](error_code code, size_t) {
        if (self->ended_) return;
        if (code) return self->Broken(code);
        self->Read();
      });
    }

    void Read() {
      parser_.emplace();
      parser_->body_limit(call_.answer_bytes_max);
      parser_->header_limit(kHeadBytesMax);
      http::async_read(*stream_, buffer_, *parser_,
                       [self = shared_from_this()](error_code code, size_t) {
                         if (self->ended_) return;
                         if (code) return self->Broken(code);
                         self->Finish();
                       });
    }

    void Broken(error_code code) {
      if (code == http::error::body_limit || code == http::error::header_limit) {
        return End(
            Error(ErrorKind::kLimitExceeded, "HR5033",
                  "the answer has more than " + std::to_string(call_.answer_bytes_max) + " bytes"));
      }
      // The other side may have closed it while nobody used it.
      const bool nothing = !parser_ || !parser_->got_some();
      if (!kept_ || !nothing) return End(BrokenCall("the connection broke", code));
      buffer_.clear();
      parser_.reset();
      Connect();
    }

    void Finish() {
      os::HttpReply reply;
      reply.status = static_cast<int>(parser_->get().result_int());
      reply.body = std::move(parser_->get().body());
      if (parser_->get().keep_alive() && buffer_.size() == 0) {
        loop_.Keep({call_.host, call_.port, std::move(stream_)});
      }
      End(std::move(reply));
    }

    void End(Result<os::HttpReply> result) {
      if (std::exchange(ended_, true)) return;
      timer_.cancel();
      resolver_.cancel();
      if (stream_) stream_->close();
      done_(std::move(result));
    }

    Loop& loop_;
    os::HttpCall call_;
    Done done_;
    std::chrono::steady_clock::time_point deadline_;
    tcp::resolver resolver_;
    asio::steady_timer timer_;
    std::unique_ptr<beast::tcp_stream> stream_;
    http::request<http::string_body> request_;
    std::optional<http::response_parser<http::string_body>> parser_;
    beast::flat_buffer buffer_;
    bool kept_ = false;  // the connection was there before
    bool ended_ = false;
  };

  std::unique_ptr<beast::tcp_stream> TakeIdle(const std::string& host, uint16_t port) {
    for (auto idle = idle_.rbegin(); idle != idle_.rend(); ++idle) {
      if (idle->host != host || idle->port != port) continue;
      std::unique_ptr<beast::tcp_stream> stream = std::move(idle->stream);
      idle_.erase(std::next(idle).base());
      return stream;
    }
    return nullptr;
  }

  void Keep(Idle idle) {
    idle_.push_back(std::move(idle));
    if (idle_.size() > kIdleMax) idle_.pop_front();
  }

  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::deque<Idle> idle_;
  std::once_flag started_;
  std::thread thread_;
};

TcpHttpCaller::TcpHttpCaller() : loop_(std::make_unique<Loop>()) {}

TcpHttpCaller::~TcpHttpCaller() = default;

void TcpHttpCaller::Post(os::HttpCall call, Done done) {
  loop_->Post(std::move(call), std::move(done));
}

}  // namespace headrace::connect
