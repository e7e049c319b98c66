#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::base {

// A number that only grows. Thread-safe.
class Counter {
 public:
  void Add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// A number that goes up and down. Thread-safe.
class Gauge {
 public:
  void Set(double v) { value_.store(v, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// Durations in log-linear buckets: 16 per power of two of nanoseconds, so a quantile is at most
// 6.25 % off. Thread-safe; quantiles read while others record may be off by those records.
class Histogram {
 public:
  void Record(uint64_t nanoseconds);
  uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  double sum_seconds() const { return double(sum_.load(std::memory_order_relaxed)) * 1e-9; }
  // Nanoseconds below which a share `q` of the records lies; 0 when there is none.
  uint64_t Quantile(double q) const;
  uint64_t max() const { return max_.load(std::memory_order_relaxed); }
  // Records at or below `nanoseconds` (Prometheus cumulative buckets).
  uint64_t CountAtMost(uint64_t nanoseconds) const;

 private:
  static constexpr size_t kBuckets = 16 * 48;
  static size_t BucketOf(uint64_t nanoseconds);
  static uint64_t UpperBound(size_t bucket);

  std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
  std::atomic<uint64_t> count_{0};
  std::atomic<uint64_t> sum_{0};
  std::atomic<uint64_t> max_{0};
};

// Owns every metric of one process and writes them as Prometheus text. Names are
// `headrace_..._total|seconds|bytes`; `labels` is the text between braces, already escaped, as in
// `stream="payments"`. The same name and labels give the same object. Thread-safe; objects live as
// long as the registry.
class MetricsRegistry {
 public:
  Counter& GetCounter(const std::string& name, const std::string& help,
                      const std::string& labels = "");
  Gauge& GetGauge(const std::string& name, const std::string& help, const std::string& labels = "");
  Histogram& GetHistogram(const std::string& name, const std::string& help,
                          const std::string& labels = "");

  // What it measured is no more: it is not written any longer, and lives as long as the registry.
  void RetireGauge(const std::string& name, const std::string& labels);

  // Prometheus text exposition format 0.0.4.
  std::string Text() const;

 private:
  struct Family {
    std::string help;
    std::map<std::string, std::unique_ptr<Counter>> counters;
    std::map<std::string, std::unique_ptr<Gauge>> gauges;
    std::map<std::string, std::unique_ptr<Histogram>> histograms;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Family> families_;
  std::vector<std::unique_ptr<Gauge>> retired_;
};

}  // namespace headrace::base
