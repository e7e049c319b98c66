#include "base/metrics.h"

#include <algorithm>
#include <bit>
#include <cstdio>

namespace headrace::base {

size_t Histogram::BucketOf(uint64_t nanoseconds) {
  if (nanoseconds < 16) return nanoseconds;
  auto power = static_cast<size_t>(std::bit_width(nanoseconds)) - 5;
  size_t bucket = (power + 1) * 16 + ((nanoseconds >> power) & 15U);
  return std::min(bucket, kBuckets - 1);
}

uint64_t Histogram::UpperBound(size_t bucket) {
  if (bucket < 16) return bucket;
  size_t power = bucket / 16 - 1;
  return ((uint64_t{16} + bucket % 16 + 1) << power) - 1;
}

void Histogram::Record(uint64_t nanoseconds) {
  buckets_[BucketOf(nanoseconds)].fetch_add(1, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(nanoseconds, std::memory_order_relaxed);
  uint64_t seen = max_.load(std::memory_order_relaxed);
  while (seen < nanoseconds && !max_.compare_exchange_weak(seen, nanoseconds)) {
  }
}

uint64_t Histogram::Quantile(double q) const {
  uint64_t total = count();
  if (total == 0) return 0;
  auto rank = static_cast<uint64_t>(q * static_cast<double>(total - 1)) + 1;
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i].load(std::memory_order_relaxed);
    if (seen >= rank) return std::min(UpperBound(i), max());
  }
  return max();
}

uint64_t Histogram::CountAtMost(uint64_t nanoseconds) const {
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets && UpperBound(i) <= nanoseconds; ++i) {
    seen += buckets_[i].load(std::memory_order_relaxed);
  }
  return seen;
}

namespace {

template <typename Map>
auto& FindOrCreate(Map& map, const std::string& labels) {
  auto& slot = map[labels];
  if (!slot) slot = std::make_unique<typename Map::mapped_type::element_type>();
  return *slot;
}

std::string Number(double v) {
  char text[40];
  std::snprintf(text, sizeof text, "%.10g", v);
  return text;
}

std::string Braced(const std::string& labels) {
  return labels.empty() ? "" : "{" + labels + "}";
}

void WriteHistogram(const std::string& name, const std::string& labels, const Histogram& h,
                    std::string& out) {
  static constexpr double kBounds[] = {25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3,
                                       10e-3, 25e-3, 50e-3,  100e-3, 250e-3, 0.5,  1,      5};
  std::string prefix = labels.empty() ? "" : labels + ",";
  for (double bound : kBounds) {
    out += name + "_bucket{" + prefix + "le=\"" + Number(bound) + "\"} " +
           std::to_string(h.CountAtMost(static_cast<uint64_t>(bound * 1e9))) + "\n";
  }
  out += name + "_bucket{" + prefix + "le=\"+Inf\"} " + std::to_string(h.count()) + "\n";
  out += name + "_sum" + Braced(labels) + " " + Number(h.sum_seconds()) + "\n";
  out += name + "_count" + Braced(labels) + " " + std::to_string(h.count()) + "\n";
}

}  // namespace

Counter& MetricsRegistry::GetCounter(const std::string& name, const std::string& help,
                                     const std::string& labels) {
  std::lock_guard lock(mutex_);
  Family& family = families_[name];
  family.help = help;
  return FindOrCreate(family.counters, labels);
}

Gauge& MetricsRegistry::GetGauge(const std::string& name, const std::string& help,
                                 const std::string& labels) {
  std::lock_guard lock(mutex_);
  Family& family = families_[name];
  family.help = help;
  return FindOrCreate(family.gauges, labels);
}

void MetricsRegistry::RetireGauge(const std::string& name, const std::string& labels) {
  std::lock_guard lock(mutex_);
  auto family = families_.find(name);
  if (family == families_.end()) return;
  auto gauge = family->second.gauges.find(labels);
  if (gauge == family->second.gauges.end()) return;
  retired_.push_back(std::move(gauge->second));
  family->second.gauges.erase(gauge);
}

Histogram& MetricsRegistry::GetHistogram(const std::string& name, const std::string& help,
                                         const std::string& labels) {
  std::lock_guard lock(mutex_);
  Family& family = families_[name];
  family.help = help;
  return FindOrCreate(family.histograms, labels);
}

std::string MetricsRegistry::Text() const {
  std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    const char* kind = !family.counters.empty() ? "counter"
                       : family.gauges.empty()  ? "histogram"
                                                : "gauge";
    out += "# HELP " + name + " " + family.help + "\n# TYPE " + name + " " + kind + "\n";
    for (const auto& [labels, counter] : family.counters) {
      out += name + Braced(labels) + " " + std::to_string(counter->value()) + "\n";
    }
    for (const auto& [labels, gauge] : family.gauges) {
      out += name + Braced(labels) + " " + Number(gauge->value()) + "\n";
    }
    for (const auto& [labels, histogram] : family.histograms) {
      WriteHistogram(name, labels, *histogram, out);
    }
  }
  return out;
}

std::string EscapedLabel(std::string_view value) {
  std::string out;
  for (char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace headrace::base
