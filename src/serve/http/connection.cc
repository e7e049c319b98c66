#include "serve/http/connection.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include <boost/asio/error.hpp>

#include "serve/http/problem.h"

namespace headrace::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr size_t kKeptCapacity = 4 << 10;  // of `in_`, while it is empty
constexpr size_t kGatherMax = 32;          // buffers of one write
constexpr int64_t kNanosPerMilli = 1'000'000;

void FrameChunk(BodySource::Piece& piece, std::string& head) {
  if (!piece.bytes.empty()) {
    char size[24];
    std::snprintf(size, sizeof size, "%zx\r\n", piece.bytes.size());
    head += size;
    piece.bytes += "\r\n";
  }
  if (piece.last) piece.bytes += "0\r\n\r\n";
}

}  // namespace

Connection::Connection(tcp::socket socket, ConnectionHost& host)
    : socket_(std::move(socket)), host_(host), parser_(host.limits) {}

void Connection::Start(std::list<std::shared_ptr<Connection>>::iterator position) {
  position_ = position;
  UpdateDeadline();
  Arm();
}

void Connection::Refuse(const Error& error) {
  FailRequest(error);
  Drive({});
}

// --- reading -------------------------------------------------------------------------------------

void Connection::OnReadable() {
  error_code code;
  size_t n = socket_.read_some(asio::buffer(host_.scratch), code);
  if (code == asio::error::would_block || code == asio::error::interrupted) return Arm();
  if (code && code != asio::error::eof) return Close();
  if (phase_ == Phase::kLingering) return code ? Close() : Arm();
  if (code) {
    eof_ = true;
    if (slots_.empty() || slots_.front().source) return Close();
    return Drive({});
  }
  Drive({host_.scratch.data(), n});
}

bool Connection::CanParse() const {
  return phase_ == Phase::kOpen && !last_ && !held_ && slots_.size() < host_.limits.pipeline_max &&
         (slots_.empty() || !slots_.back().barrier);
}

// Does all that can be done now: takes requests, writes answers, until both are stuck.
void Connection::Drive(std::string_view fresh) {
  if (driving_ || phase_ == Phase::kClosed) return;
  auto self = shared_from_this();
  driving_ = true;
  const bool own = !in_.empty();
  if (own) in_.append(fresh);
  std::string_view view = own ? std::string_view(in_) : fresh;
  do {
    while (ParseOne(&view)) {
    }
  } while (WriteReady());
  driving_ = false;
  if (phase_ == Phase::kClosed) return;
  if (own) {
    in_.erase(0, in_.size() - view.size());
  } else {
    in_.assign(view);
  }
  if (in_.empty() && in_.capacity() > kKeptCapacity) std::string().swap(in_);
  if (phase_ == Phase::kOpen && slots_.empty() && !held_ &&
      (eof_ || (host_.stopping && !Reading()))) {
    BeginClose();
  }
  Account();
  UpdateDeadline();
  Arm();
}

// True when a request was taken: there may be more behind it.
bool Connection::ParseOne(std::string_view* view) {
  if (held_) {
    if (!slots_.empty() || phase_ != Phase::kOpen) return false;
    held_ = false;
    Dispatch(ParseRoute(parser_.target()));
    return true;
  }
  if (last_) *view = {};
  if (!CanParse() || view->empty()) return false;
  view->remove_prefix(parser_.Feed(*view));
  if (parser_.error()) {
    Error error = *parser_.error();
    *view = {};
    FailRequest(error);
    return false;
  }
  if (parser_.TakeExpectContinue()) SendContinue();
  if (!parser_.done()) return false;
  Result<Route> route = ParseRoute(parser_.target());
  const bool posts = parser_.method() == Method::kPost;
  if (!slots_.empty() && !(posts && route.ok() && route->kind == RouteKind::kEvents)) {
    held_ = true;
    return false;
  }
  Dispatch(std::move(route));
  return true;
}

void Connection::Dispatch(Result<Route> route) {
  Request request = parser_.TakeRequest();
  Slot slot;
  slot.sequence = next_sequence_++;
  slot.start = host_.clock.MonotonicNanoseconds();
  slot.route = route.ok() ? route->kind : RouteKind::kUnknown;
  slot.method = request.method;
  slot.chunked = !parser_.http_1_0();
  slot.keep_alive = slot.chunked && parser_.keep_alive() && !host_.stopping;
  slot.barrier = slot.route != RouteKind::kEvents || slot.method != Method::kPost;
  last_ = !slot.keep_alive;
  const uint64_t sequence = slot.sequence;
  slots_.push_back(std::move(slot));
  if (!route.ok()) {
    Respond(sequence, Problem(route.error()));
  } else {
    host_.api.Handle(*route, std::move(request),
                     [weak = weak_from_this(), sequence](Response response) {
                       if (auto self = weak.lock()) self->Respond(sequence, std::move(response));
                     });
  }
  parser_.Reset();
}

// What cannot be understood ends the connection: where the next request would begin is unknown.
void Connection::FailRequest(const Error& error) {
  parser_.Reset();
  in_.clear();
  held_ = false;
  last_ = true;
  lingering_ = true;
  Slot slot;
  slot.sequence = next_sequence_++;
  slot.keep_alive = false;
  slot.ready = true;
  Response response = Problem(error);
  host_.metrics.CountRefused(response.status);
  FillHead(slot, response);
  slot.body = std::move(response.body);
  slots_.push_back(std::move(slot));
}

// Only when nothing else is under way: a client that pipelines sends its body anyway.
void Connection::SendContinue() {
  if (!slots_.empty()) return;
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  error_code code;
  size_t n = socket_.write_some(asio::buffer(kContinue), code);
  if (!code && n < kContinue.size()) Close();  // a half-written line cannot be taken back
}

// --- answering -----------------------------------------------------------------------------------

void Connection::Respond(uint64_t sequence, Response response) {
  if (phase_ != Phase::kOpen || slots_.empty() || sequence < slots_.front().sequence) return;
  Slot& slot = slots_[sequence - slots_.front().sequence];
  if (host_.stopping && &slot == &slots_.back() && !held_ && !Reading()) {
    slot.keep_alive = false;
    last_ = true;
  }
  if (slot.method == Method::kHead && response.source) {
    std::exchange(response.source, nullptr)->Cancel();
  }
  if (response.source && !slot.chunked) slot.keep_alive = false;
  FillHead(slot, response);
  slot.body = std::move(response.body);
  if (slot.method == Method::kHead) slot.body.clear();
  if (response.source && slot.chunked) {
    BodySource::Piece first{std::move(slot.body), false, false};
    FrameChunk(first, slot.head);
    slot.body = std::move(first.bytes);
  }
  slot.source = std::move(response.source);
  slot.ready = true;
  host_.metrics.CountRequest(slot.route, slot.method, response.status,
                             host_.clock.MonotonicNanoseconds() - slot.start);
  if (driving_ || std::exchange(gathered_, true)) return;
  host_.ready.push_back(shared_from_this());
}

void Connection::Flush() {
  gathered_ = false;
  Drive({});
}

void Connection::FillHead(Slot& slot, const Response& response) {
  std::string& head = slot.head;
  head.reserve(256);
  head = "HTTP/1.1 ";
  head += std::to_string(response.status);
  head += ' ';
  head += ReasonOf(response.status);
  head += "\r\nDate: ";
  head += host_.date;
  head += "\r\nContent-Type: ";
  head += response.content_type;
  if (!response.source) {
    head += "\r\nContent-Length: ";
    head += std::to_string(response.body.size());
  } else {
    head += "\r\nCache-Control: no-store";
    if (slot.chunked) head += "\r\nTransfer-Encoding: chunked";
  }
  if (response.retry_after_seconds > 0) {
    head += "\r\nRetry-After: ";
    head += std::to_string(response.retry_after_seconds);
  }
  if (!response.allow.empty()) {
    head += "\r\nAllow: ";
    head += response.allow;
  }
  if (response.json_bytes >= 0) {
    head += "\r\nInference-Header-Content-Length: ";
    head += std::to_string(response.json_bytes);
  }
  if (response.repeated) head += "\r\nIdempotent-Replayed: true";
  head += "\r\nX-Content-Type-Options: nosniff";
  if (!slot.keep_alive) head += "\r\nConnection: close";
  head += "\r\n\r\n";
}

void Connection::TakePiece(uint64_t sequence, BodySource::Piece piece) {
  if (phase_ != Phase::kOpen || slots_.empty() || slots_.front().sequence != sequence) return;
  if (piece.failed) return Close();
  Slot& slot = slots_.front();
  slot.head.clear();
  if (slot.chunked) FrameChunk(piece, slot.head);
  slot.body = std::move(piece.bytes);
  if (piece.last) slot.source = nullptr;
  slot.ready = true;
  Drive({});
}

size_t Connection::Gather(std::span<asio::const_buffer> buffers) const {
  size_t count = 0;
  size_t skip = front_written_;
  for (const Slot& slot : slots_) {
    if (!slot.ready || count + 2 > buffers.size()) break;
    for (const std::string* part : {&slot.head, &slot.body}) {
      size_t skipped = std::min(skip, part->size());
      skip -= skipped;
      if (skipped < part->size()) {
        buffers[count++] = asio::buffer(part->data() + skipped, part->size() - skipped);
      }
    }
    if (slot.source || !slot.keep_alive) break;
  }
  return count;
}

// Writes answers as far as the socket takes them. True when a whole answer has gone.
bool Connection::WriteReady() {
  bool popped = false;
  while (phase_ == Phase::kOpen && !write_blocked_ && !slots_.empty() && slots_.front().ready) {
    std::array<asio::const_buffer, kGatherMax> buffers;
    size_t count = Gather(buffers);
    size_t n = 0;
    if (count > 0) {
      error_code code;
      n = socket_.write_some(std::span<const asio::const_buffer>(buffers.data(), count), code);
      if (code == asio::error::would_block) {
        write_blocked_ = true;
        break;
      }
      if (code) {
        Close();
        return false;
      }
    }
    bytes_written_ += n;
    popped = Advance(n) || popped;
  }
  return popped;
}

bool Connection::Advance(size_t written) {
  bool popped = false;
  front_written_ += written;
  while (phase_ == Phase::kOpen && !slots_.empty() && slots_.front().ready &&
         front_written_ >= slots_.front().size()) {
    front_written_ -= slots_.front().size();
    popped = FinishFront() || popped;
  }
  return popped;
}

// The front slot is written: ask for its next piece, or be done with it. True for the latter.
bool Connection::FinishFront() {
  Slot& slot = slots_.front();
  if (slot.source) {
    slot.ready = false;
    auto source = slot.source;
    source->Next([weak = weak_from_this(), sequence = slot.sequence](BodySource::Piece piece) {
      if (auto self = weak.lock()) self->TakePiece(sequence, std::move(piece));
    });
    return false;
  }
  const bool keep_alive = slot.keep_alive;
  slots_.erase(slots_.begin());
  if (!keep_alive) BeginClose();
  return true;
}

// --- ending --------------------------------------------------------------------------------------

// A client that was refused may still be sending. Closing with its bytes unread would reset the
// connection and take the answer away from it, so its bytes are read and dropped for a while.
void Connection::BeginClose() {
  if (!lingering_ || eof_) return Close();
  error_code code;
  socket_.shutdown(tcp::socket::shutdown_send, code);
  if (code) return Close();
  phase_ = Phase::kLingering;
}

void Connection::Close() {
  if (phase_ == Phase::kClosed) return;
  auto self = shared_from_this();
  phase_ = Phase::kClosed;
  error_code ignored;
  socket_.close(ignored);
  host_.buffered_bytes -= std::exchange(accounted_, 0);
  std::vector<Slot> slots = std::move(slots_);
  slots_.clear();
  for (Slot& slot : slots) {
    if (slot.source) slot.source->Cancel();
  }
  host_.connections.erase(position_);
}

void Connection::BeginStop() {
  if (phase_ == Phase::kOpen && slots_.empty() && !held_ && !Reading()) Close();
}

// --- waiting -------------------------------------------------------------------------------------

// A part of a request is here.
bool Connection::Reading() const {
  return (parser_.started() && !parser_.done()) || (!in_.empty() && CanParse());
}

bool Connection::WantsRead() const {
  if (eof_ || phase_ == Phase::kClosed) return false;
  if (phase_ == Phase::kLingering || CanParse()) return true;
  // While an answer goes on and on, the end of its reader must be seen.
  return !slots_.empty() && slots_.front().source && in_.size() < host_.limits.header_bytes_max;
}

void Connection::Arm() {
  if (!read_armed_ && WantsRead()) {
    read_armed_ = true;
    socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code code) {
      self->read_armed_ = false;
      if (!code && self->phase_ != Phase::kClosed) self->OnReadable();
    });
  }
  if (!write_armed_ && write_blocked_ && phase_ == Phase::kOpen) {
    write_armed_ = true;
    socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](error_code code) {
      self->write_armed_ = false;
      self->write_blocked_ = false;
      if (!code) self->Drive({});
    });
  }
}

void Connection::Account() {
  if (phase_ == Phase::kClosed) return;
  size_t now = parser_.buffered_bytes() + in_.size();
  host_.buffered_bytes += now;
  host_.buffered_bytes -= std::exchange(accounted_, now);
  if (host_.buffered_bytes > host_.limits.bodies_bytes_max && now > 0 && !last_) {
    FailRequest(Error(ErrorKind::kUnavailable, kTooBusy, "too much is being received at once"));
    WriteReady();
  }
}

void Connection::UpdateDeadline() {
  if (phase_ == Phase::kClosed) return;
  Wait wait = Wait::kNothing;
  int64_t limit_ms = 0;
  uint64_t mark = next_sequence_;
  if (phase_ == Phase::kLingering) {
    wait = Wait::kLinger;
    limit_ms = host_.limits.linger_ms;
  } else if (write_blocked_) {
    wait = Wait::kWrite;
    limit_ms = host_.limits.write_ms;
    mark = bytes_written_;
  } else if (!last_ && Reading()) {
    wait = Wait::kRequest;
    limit_ms = host_.limits.read_ms;
  } else if (slots_.empty()) {
    wait = Wait::kIdle;
    limit_ms = host_.limits.idle_ms;
  }
  if (wait == wait_ && mark == deadline_mark_) return;
  wait_ = wait;
  deadline_mark_ = mark;
  deadline_ = wait == Wait::kNothing
                  ? INT64_MAX
                  : host_.clock.MonotonicNanoseconds() + limit_ms * kNanosPerMilli;
}

void Connection::CheckDeadline(int64_t now) {
  if (phase_ == Phase::kClosed || now < deadline_) return;
  if (wait_ != Wait::kRequest) return Close();
  FailRequest(Error(ErrorKind::kTimeout, kRequestTimeout, "the request did not arrive in time")
                  .WithHint("it has " + std::to_string(host_.limits.read_ms) + " ms"));
  Drive({});
}

}  // namespace headrace::serve
