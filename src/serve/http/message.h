#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace headrace::serve {

enum class Method { kGet, kHead, kPost, kPatch, kDelete, kOther };

std::string_view ToString(Method method);

struct Header {
  std::string_view name;
  std::string_view value;
};

// The value of the first field of that name, in any case; empty when there is none.
std::string_view FindHeader(std::span<const Header> headers, std::string_view name);
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

// One request as the parser saw it. The views live until the parser is reset; `body` may be moved
// from.
struct Request {
  Method method = Method::kGet;
  std::string_view target;
  std::span<const Header> headers;
  std::string body;
};

// Gives the rest of an answer piece by piece. Confined to the worker thread.
class BodySource {
 public:
  struct Piece {
    std::string bytes;
    bool last = false;
    bool failed = false;  // the answer cannot be completed: the connection is cut
  };
  virtual ~BodySource() = default;
  // Calls `give` once, later or at once. Not called again before that.
  virtual void Next(std::function<void(Piece)> give) = 0;
  // Nobody listens any more, or the server stops. A waiting Next is answered with a last piece.
  virtual void Cancel() = 0;
};

inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kProblemJson = "application/problem+json";
inline constexpr std::string_view kJsonLines = "application/x-ndjson";
inline constexpr std::string_view kOctets = "application/octet-stream";
inline constexpr std::string_view kEventStream = "text/event-stream";
inline constexpr std::string_view kPrometheusText = "text/plain; version=0.0.4; charset=utf-8";

struct Response {
  int status = 200;
  std::string_view content_type = kJson;  // of static storage
  std::string body;
  int retry_after_seconds = 0;  // 0: no Retry-After
  std::string_view allow{};     // 405 only; of static storage
  int64_t json_bytes = -1;      // of a body of JSON and binary tensors; -1: it is no such
  bool repeated = false;        // an earlier answer, given again for the same Idempotency-Key
  // When set, `body` is the first piece and the rest comes from here, in chunks.
  std::shared_ptr<BodySource> source{};
};

// Called exactly once for a request, on the worker thread.
using Answer = std::function<void(Response)>;

// Runs what would block the worker thread.
class QueryRunner {
 public:
  virtual ~QueryRunner() = default;
  // Runs `work` on a query thread, then `then` on the worker thread. False, and nothing is run,
  // when too many wait already.
  virtual bool Run(std::function<void()> work, std::function<void()> then) = 0;
};

// Runs `work` so and answers with what it gives, or 503.
void AnswerFrom(QueryRunner& runner, std::function<Response()> work, Answer answer);

}  // namespace headrace::serve
