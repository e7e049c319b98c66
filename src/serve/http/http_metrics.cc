#include "serve/http/http_metrics.h"

#include <algorithm>
#include <cstdio>
#include <memory>

#include <unistd.h>

#include "base/metric_label.h"

namespace headrace::serve {
namespace {

// Second field of statm, in pages. 0 where there is no /proc.
double ResidentBytes() {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/proc/self/statm", "re"), &std::fclose);
  unsigned long total = 0;
  unsigned long resident = 0;
  if (!file || std::fscanf(file.get(), "%lu %lu", &total, &resident) != 2) return 0;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

uint64_t Positive(int64_t nanoseconds) {
  return static_cast<uint64_t>(std::max<int64_t>(nanoseconds, 0));
}

}  // namespace

HttpMetrics::HttpMetrics(base::MetricsRegistry& registry, const std::string& version)
    : registry_(registry),
      connections_(registry.GetGauge("headrace_http_connections", "Open HTTP connections.")),
      resident_bytes_(registry.GetGauge("process_resident_memory_bytes",
                                        "Resident memory of the process in bytes.")),
      decisions_(registry.GetHistogram("headrace_decision_duration_seconds",
                                       "From a request that asks for its rows to its answer.")) {
  registry
      .GetGauge("headrace_build_info", "1; the version is in the label.",
                "version=\"" + base::EscapedLabel(version) + "\"")
      .Set(1);
}

void HttpMetrics::CountRequest(RouteKind route, Method method, int status, int64_t nanoseconds) {
  base::Counter*& counter = requests_[{route, method, status}];
  if (counter == nullptr) {
    counter = &registry_.GetCounter("headrace_http_requests_total", "HTTP requests answered.",
                                    "code=\"" + std::to_string(status) + "\",method=\"" +
                                        std::string(ToString(method)) + "\",path=\"" +
                                        std::string(PathTemplate(route)) + "\"");
  }
  counter->Add();
  if (route == RouteKind::kUnknown) return;
  base::Histogram*& histogram = durations_[route];
  if (histogram == nullptr) {
    histogram = &registry_.GetHistogram("headrace_http_request_duration_seconds",
                                        "From the last byte of a request to its answer.",
                                        "path=\"" + std::string(PathTemplate(route)) + "\"");
  }
  histogram->Record(Positive(nanoseconds));
}

void HttpMetrics::CountEvents(const std::string& topic, uint64_t events) {
  base::Counter*& counter = events_[topic];
  if (counter == nullptr) {
    counter =
        &registry_.GetCounter("headrace_events_received_total", "Events taken.",
                              "component=\"http\",topic=\"" + base::EscapedLabel(topic) + "\"");
  }
  counter->Add(events);
}

void HttpMetrics::RecordDecision(int64_t nanoseconds) {
  decisions_.Record(Positive(nanoseconds));
}

std::string HttpMetrics::Text() {
  resident_bytes_.Set(ResidentBytes());
  return registry_.Text();
}

}  // namespace headrace::serve
