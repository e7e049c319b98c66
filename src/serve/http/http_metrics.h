#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "base/metrics.h"
#include "serve/http/message.h"
#include "serve/http/route.h"

namespace headrace::serve {

// What the front end counts about itself. Label sets are bounded: path templates, known methods,
// statuses, topics that took an event. Confined to the worker thread, except Text, which is
// thread-safe. The registry must outlive it.
class HttpMetrics {
 public:
  HttpMetrics(base::MetricsRegistry& registry, const std::string& version);

  void CountRequest(RouteKind route, Method method, int status, int64_t nanoseconds);
  void CountEvents(const std::string& topic, uint64_t events);
  void RecordDecision(int64_t nanoseconds);
  void SetConnections(size_t count) { connections_.Set(static_cast<double>(count)); }
  // A request that ended before it could be routed, or a connection that was not taken.
  void CountRefused(int status) { CountRequest(RouteKind::kUnknown, Method::kOther, status, 0); }

  // Prometheus text of the whole registry.
  std::string Text();

 private:
  base::MetricsRegistry& registry_;
  base::Gauge& connections_;
  base::Gauge& resident_bytes_;
  base::Histogram& decisions_;
  std::map<std::tuple<RouteKind, Method, int>, base::Counter*> requests_;
  std::map<RouteKind, base::Histogram*> durations_;
  std::map<std::string, base::Counter*> events_;
};

}  // namespace headrace::serve
