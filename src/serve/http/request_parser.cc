#include "serve/http/request_parser.h"

#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "headrace/check.h"
#include "serve/http/problem.h"

namespace headrace::serve {
namespace {

namespace http = boost::beast::http;

constexpr size_t kLastChunkBytes = 5;  // "0\r\n\r\n"

std::string_view View(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

Error ErrorOf(const boost::beast::error_code& code, const HttpLimits& limits) {
  if (code == http::error::header_limit) {
    return Error(ErrorKind::kInvalidArgument, kHeaderTooLarge,
                 "the header is larger than " + std::to_string(limits.header_bytes_max) + " bytes");
  }
  if (code == http::error::body_limit) {
    return Error(ErrorKind::kInvalidArgument, kBodyTooLarge,
                 "the body is larger than " + std::to_string(limits.body_bytes_max) + " bytes")
        .WithHint("send the events in several requests");
  }
  return Error(ErrorKind::kInvalidArgument, kMalformedRequest,
               "malformed HTTP request: " + code.message());
}

Method MethodOf(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return Method::kGet;
    case http::verb::head:
      return Method::kHead;
    case http::verb::post:
      return Method::kPost;
    case http::verb::patch:
      return Method::kPatch;
    case http::verb::delete_:
      return Method::kDelete;
    default:
      return Method::kOther;
  }
}

}  // namespace

struct RequestParser::Message {
  http::request_parser<http::string_body> parser;
  std::vector<Header> headers;
};

RequestParser::RequestParser(const HttpLimits& limits) : limits_(limits) {}

RequestParser::~RequestParser() = default;

size_t RequestParser::Feed(std::string_view bytes) {
  if (error_ || bytes.empty() || done()) return 0;
  if (!message_) {
    message_ = std::make_unique<Message>();
    message_->parser.header_limit(static_cast<uint32_t>(limits_.header_bytes_max));
    message_->parser.body_limit(limits_.body_bytes_max);
    message_->parser.eager(false);
  }
  auto& parser = message_->parser;
  size_t used = 0;
  while (!parser.is_done() && !error_) {
    const bool in_header = !parser.is_header_done();
    // Beast asserts that it is not asked again with less than the shortest last chunk. A chunked
    // body that is not over has at least that much before it.
    if (!in_header && parser.chunked() && bytes.size() - used < kLastChunkBytes) break;
    boost::beast::error_code code;
    size_t n = parser.put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), code);
    used += n;
    if (code == http::error::need_more) break;
    if (code) {
      error_ = ErrorOf(code, limits_);
      break;
    }
    if (in_header && parser.is_header_done()) {
      CheckHeader();
      parser.eager(true);
    }
    if (used == bytes.size() || (n == 0 && !in_header)) break;
  }
  // Beast limits headers and data, but not what stands between chunks.
  if (!error_ && !parser.is_done() && bytes.size() - used > limits_.header_bytes_max) {
    error_ = Error(ErrorKind::kInvalidArgument, kHeaderTooLarge,
                   "a chunk extension or trailer is larger than " +
                       std::to_string(limits_.header_bytes_max) + " bytes");
  }
  return used;
}

void RequestParser::CheckHeader() {
  const auto& message = message_->parser.get();
  size_t fields = 0;
  for (auto it = message.begin(); it != message.end(); ++it)
    ++fields;
  if (fields > limits_.header_fields_max) {
    error_ = Error(ErrorKind::kInvalidArgument, kHeaderTooLarge,
                   "more than " + std::to_string(limits_.header_fields_max) + " header fields");
  } else if (message.version() >= 11 && message.count(http::field::host) != 1) {
    error_ = Error(ErrorKind::kInvalidArgument, kMalformedRequest,
                   "an HTTP/1.1 request must have one Host field");
  }
  auto expect = message.find(http::field::expect);
  expects_continue_ = expect != message.end() && !message_->parser.is_done() &&
                      EqualsIgnoringCase(View(expect->value()), "100-continue");
}

bool RequestParser::done() const {
  return message_ && message_->parser.is_done() && !error_;
}

bool RequestParser::TakeExpectContinue() {
  return std::exchange(expects_continue_, false);
}

size_t RequestParser::buffered_bytes() const {
  return message_ ? message_->parser.get().body().size() : 0;
}

Method RequestParser::method() const {
  return MethodOf(message_->parser.get().method());
}

std::string_view RequestParser::target() const {
  return View(message_->parser.get().target());
}

bool RequestParser::keep_alive() const {
  return message_->parser.keep_alive();
}

bool RequestParser::http_1_0() const {
  return message_->parser.get().version() < 11;
}

Request RequestParser::TakeRequest() {
  HR_CHECK(done());
  auto& message = message_->parser.get();
  for (const auto& field : message) {
    message_->headers.push_back({View(field.name_string()), View(field.value())});
  }
  Request request;
  request.method = MethodOf(message.method());
  request.target = View(message.target());
  request.headers = message_->headers;
  request.body = std::move(message.body());
  return request;
}

void RequestParser::Reset() {
  message_.reset();
  error_.reset();
  expects_continue_ = false;
}

}  // namespace headrace::serve
