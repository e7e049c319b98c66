#include "learn/frequency_sketch.h"

#include <algorithm>
#include <utility>

#include "headrace/check.h"

namespace headrace::learn {
namespace {

bool MoreFrequent(const FrequencySketch::Counter& a, const FrequencySketch::Counter& b) {
  return a.count != b.count ? a.count > b.count : a.hash < b.hash;
}

}  // namespace

FrequencySketch::FrequencySketch(int32_t counters) : counters_(counters) {
  HR_CHECK(counters >= 1 && counters <= kCountersMax);
}

void FrequencySketch::Swap(size_t a, size_t b) {
  std::swap(heap_[a], heap_[b]);
  places_[heap_[a].hash] = static_cast<uint32_t>(a);
  places_[heap_[b].hash] = static_cast<uint32_t>(b);
}

void FrequencySketch::Rise(size_t at) {
  while (true) {
    size_t least = at;
    for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < heap_.size(); ++child) {
      if (heap_[child].count < heap_[least].count) least = child;
    }
    if (least == at) return;
    Swap(at, least);
    at = least;
  }
}

uint64_t FrequencySketch::Add(uint64_t hash) {
  ++count_;
  const auto found = places_.find(hash);
  if (found != places_.end()) {
    const size_t at = found->second;
    const uint64_t count = ++heap_[at].count;
    Rise(at);
    return count;
  }
  if (heap_.size() < counters()) {
    size_t at = heap_.size();
    heap_.push_back({hash, 1, 0});
    places_[hash] = static_cast<uint32_t>(at);
    for (; at > 0 && heap_[(at - 1) / 2].count > heap_[at].count; at = (at - 1) / 2)
      Swap(at, (at - 1) / 2);
    return 1;
  }
  // It takes the place of the rarest, and may have come as often.
  const uint64_t rarest = heap_[0].count;
  places_.erase(heap_[0].hash);
  heap_[0] = {hash, rarest + 1, rarest};
  places_[hash] = 0;
  Rise(0);
  return rarest + 1;
}

void FrequencySketch::Merge(const FrequencySketch& other) {
  HR_CHECK(counters_ == other.counters_);
  std::vector<Counter> all = heap_;
  for (Counter& counter : all) {
    const auto there = other.places_.find(counter.hash);
    const bool kept = there != other.places_.end();
    counter.count += kept ? other.heap_[there->second].count : other.Unseen();
    counter.too_high += kept ? other.heap_[there->second].too_high : other.Unseen();
  }
  for (const Counter& counter : other.heap_) {
    if (places_.contains(counter.hash)) continue;
    all.push_back({counter.hash, counter.count + Unseen(), counter.too_high + Unseen()});
  }
  std::sort(all.begin(), all.end(), MoreFrequent);
  if (all.size() > counters()) all.resize(counters());
  std::reverse(all.begin(), all.end());  // ascending is a heap
  heap_ = std::move(all);
  places_.clear();
  for (size_t at = 0; at < heap_.size(); ++at)
    places_[heap_[at].hash] = static_cast<uint32_t>(at);
  count_ += other.count_;
}

std::vector<FrequencySketch::Counter> FrequencySketch::Counters() const {
  std::vector<Counter> all = heap_;
  std::sort(all.begin(), all.end(), MoreFrequent);
  return all;
}

// The heap as it is: where equal counts stand decides which of them goes first.
void FrequencySketch::Save(base::ByteWriter& writer) const {
  writer.Varint(count_);
  writer.Varint(heap_.size());
  for (const Counter& counter : heap_) {
    writer.U64Le(counter.hash);
    writer.Varint(counter.count);
    writer.Varint(counter.too_high);
  }
}

bool FrequencySketch::Load(base::ByteReader& reader) {
  heap_.clear();
  places_.clear();
  count_ = reader.Varint();
  const uint64_t size = reader.Varint();
  if (!reader.ok() || size > counters() || size > reader.remaining()) return false;
  for (uint64_t at = 0; at < size; ++at) {
    Counter counter;
    counter.hash = reader.U64Le();
    counter.count = reader.Varint();
    counter.too_high = reader.Varint();
    const bool heap = at == 0 || heap_[(at - 1) / 2].count <= counter.count;
    if (!heap || !places_.emplace(counter.hash, static_cast<uint32_t>(at)).second) return false;
    heap_.push_back(counter);
  }
  return reader.ok();
}

}  // namespace headrace::learn
