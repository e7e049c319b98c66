#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "learn/running_mean.h"

namespace headrace::learn {

// How often values came, for those that came often: Space-Saving over 64-bit hashes. Metwally,
// Agrawal and El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data Streams",
// ICDT 2005.
//
// Keeps `counters` values, 40 bytes each. A count is never too low and at most n / counters too
// high, where n is how many values came; every value with more than n / counters of them is kept.
// Merging keeps that bound for the sum (Agarwal et al., "Mergeable Summaries", PODS 2012). State is
// a function of the values added. Confined.
class FrequencySketch {
 public:
  static constexpr int32_t kCountersMax = 1'000'000;

  struct Counter {
    uint64_t hash = 0;
    uint64_t count = 0;
    uint64_t too_high = 0;  // by so much at most

    bool operator==(const Counter&) const = default;
  };

  explicit FrequencySketch(int32_t counters);

  // How often the value has come, this time included.
  uint64_t Add(uint64_t hash);
  // Of as many counters.
  void Merge(const FrequencySketch& other);

  uint64_t count() const { return count_; }
  // The most frequent first; of equal counts the smaller hash.
  std::vector<Counter> Counters() const;

  size_t memory() const { return heap_.capacity() * sizeof(Counter) + places_.size() * 16; }
  // Without the number of counters. Load: false for bytes that Save did not write.
  void Save(base::ByteWriter& writer) const;
  bool Load(base::ByteReader& reader);

 private:
  size_t counters() const { return static_cast<size_t>(counters_); }
  void Rise(size_t at);  // the count at this place has grown
  void Swap(size_t a, size_t b);
  // What a value that is not kept may have come.
  uint64_t Unseen() const { return heap_.size() < counters() ? 0 : heap_[0].count; }

  int32_t counters_;
  std::vector<Counter> heap_;  // the smallest count first
  std::unordered_map<uint64_t, uint32_t> places_;
  uint64_t count_ = 0;
};

}  // namespace headrace::learn
