#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "os/clock.h"
#include "serve/http/http_api.h"
#include "serve/http/http_metrics.h"
#include "serve/http/http_options.h"
#include "serve/http/message.h"
#include "serve/http/request_parser.h"
#include "serve/http/route.h"

namespace headrace::serve {

class Connection;

// What the connections of one server share. Confined to the worker thread.
struct ConnectionHost {
  HttpApi& api;
  HttpMetrics& metrics;
  const HttpLimits& limits;
  const os::Clock& clock;
  std::vector<char> scratch;  // every read lands here first: an idle connection holds no buffer
  size_t buffered_bytes = 0;  // in parsers and leftovers of all connections
  bool stopping = false;
  std::string date{};  // for the Date field; at most a second old
  // Connections with something to write, each once. They go on when the engine is not in the middle
  // of a call (writing leads to reading the next request) and answers of one leave in one write.
  std::vector<std::shared_ptr<Connection>> ready{};
  std::list<std::shared_ptr<Connection>> connections{};
};

// One client's socket: requests in, answers out in the order of the requests.
//
// Posts of events are pipelined (up to pipeline_max are with the engine at once); any other request
// waits until all before it are answered and holds up those behind it, so that a client reads what
// it wrote. All socket calls are non-blocking; waiting is for readiness only. Confined to the
// worker thread. Lives in ConnectionHost::connections until it is closed.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(boost::asio::ip::tcp::socket socket, ConnectionHost& host);

  // `position` is where the host keeps it.
  void Start(std::list<std::shared_ptr<Connection>>::iterator position);
  // Answers with the error before any request was read, and closes.
  void Refuse(const Error& error);
  // Closes at once when nothing is asked, else after the answers.
  void BeginStop();
  void CheckDeadline(int64_t now);
  // Writes what was gathered.
  void Flush();
  void Close();

 private:
  enum class Phase : uint8_t { kOpen, kLingering, kClosed };
  enum class Wait : uint8_t { kNothing, kIdle, kRequest, kWrite, kLinger };

  // One request taken, until its answer is written.
  struct Slot {
    uint64_t sequence = 0;
    int64_t start = 0;
    RouteKind route = RouteKind::kUnknown;
    Method method = Method::kOther;
    bool keep_alive = true;
    bool chunked = true;  // how a long answer is framed; else it ends with the connection
    bool barrier = true;
    bool ready = false;  // `head` and `body` can be written
    std::string head{};
    std::string body{};
    std::shared_ptr<BodySource> source{};

    size_t size() const { return head.size() + body.size(); }
  };

  void OnReadable();
  void Drive(std::string_view fresh);
  bool ParseOne(std::string_view* view);
  void Dispatch(Result<Route> route);
  void FailRequest(const Error& error);
  void SendContinue();
  void Respond(uint64_t sequence, Response response);
  void FillHead(Slot& slot, const Response& response);
  void TakePiece(uint64_t sequence, BodySource::Piece piece);
  bool WriteReady();
  size_t Gather(std::span<boost::asio::const_buffer> buffers) const;
  bool Advance(size_t written);
  bool FinishFront();
  void BeginClose();
  bool Reading() const;
  bool CanParse() const;
  bool WantsRead() const;
  void Arm();
  void Account();
  void UpdateDeadline();

  boost::asio::ip::tcp::socket socket_;
  ConnectionHost& host_;
  std::list<std::shared_ptr<Connection>>::iterator position_{};
  RequestParser parser_;
  std::string in_;           // bytes behind what the parser took
  std::vector<Slot> slots_;  // in the order of the requests
  uint64_t next_sequence_ = 0;
  uint64_t bytes_written_ = 0;
  size_t front_written_ = 0;  // of slots_.front()
  size_t accounted_ = 0;
  int64_t deadline_ = 0;
  uint64_t deadline_mark_ = 0;
  Wait wait_ = Wait::kNothing;
  Phase phase_ = Phase::kOpen;
  bool driving_ = false;
  bool gathered_ = false;  // stands in ConnectionHost::ready
  bool held_ = false;      // the parser holds a whole request that waits for those before it
  bool last_ = false;      // no request is taken any more
  bool lingering_ = false;
  bool eof_ = false;
  bool read_armed_ = false;
  bool write_armed_ = false;
  bool write_blocked_ = false;
};

}  // namespace headrace::serve
