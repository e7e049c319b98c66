#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/metrics.h"
#include "engine/engine.h"
#include "headrace/result.h"
#include "os/clock.h"
#include "serve/http/http_options.h"

namespace headrace::serve {

// The HTTP front end, and with it the worker loop of the engine: whoever calls Run lends its thread
// to sockets and engine alike, so a decision changes threads only for the flush.
//
// Threads: Run is the engine's worker thread; RequestStop, Recovered and port are thread-safe;
// queries run on threads of its own. Lifetime: engine, metrics and clock outlive it; one server per
// engine (it sets the wake callback). Limits: HttpLimits.
class HttpServer {
 public:
  // Listens. Raises the soft limit of open files as far as the limits need and the system allows.
  // An engine that recovers yet is left alone: until Recovered only health and metrics are
  // answered. Errors: HR8015 (address in use, malformed, or beyond loopback without saying so).
  static Result<std::unique_ptr<HttpServer>> Start(engine::Engine& engine,
                                                   base::MetricsRegistry& metrics,
                                                   const os::Clock& clock, HttpOptions options);
  virtual ~HttpServer() = default;

  virtual uint16_t port() const = 0;
  // Serves until RequestStop or, when asked for, a signal. Then takes no connection any more,
  // answers what is in flight (at most HttpLimits::stop_ms) and returns.
  virtual void Run() = 0;
  virtual void RequestStop() = 0;
  // The engine has recovered, and is this server's from now on: `then`, which may be null, is
  // called on its thread first. Once. Thread-safe.
  virtual void Recovered(std::function<void()> then) = 0;
};

}  // namespace headrace::serve
