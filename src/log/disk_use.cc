#include "log/disk_use.h"

#include <algorithm>
#include <utility>

#include "log/manifest.h"

namespace headrace::log {
namespace {

// A segment more than the limit, an eighth of it, may be there, and one that waits for a snapshot.
constexpr double kBeyondLimit = 1.25;

struct Growth {
  uint64_t bytes = 0;
  double bytes_per_second = 0;
};

uint64_t BytesOf(const Manifest::PartitionState& partition) {
  uint64_t bytes = 0;
  for (const SegmentRecord& segment : partition.segments)
    bytes += segment.size;
  return bytes;
}

// A record of the last day takes what a record takes on average.
Result<Growth> Measure(const Log& log, const std::string& topic, int32_t partition,
                       const Manifest::PartitionState& state) {
  Growth growth;
  growth.bytes = BytesOf(state);
  const int64_t start = log.start_offset(topic, partition);
  const int64_t end = log.end_offset(topic, partition);
  const int64_t moved = state.segments.empty() ? start : state.segments.back().end_offset;
  if (moved <= start) return growth;
  HR_ASSIGN(auto first, log.Read(topic, partition, start, 1));
  HR_ASSIGN(auto last, log.Read(topic, partition, end - 1, 1));
  if (first.empty() || last.empty()) return growth;
  const int64_t newest = last.back().max_timestamp_ms;
  const int64_t oldest = std::max(first.front().max_timestamp_ms, newest - kGrowthDayMs);
  if (newest - oldest < kGrowthSpanMinMs) return growth;
  HR_ASSIGN(int64_t from, log.OffsetAt(topic, partition, oldest));
  const double record = static_cast<double>(growth.bytes) / static_cast<double>(moved - start);
  const double records = static_cast<double>(end - std::max(from, start));
  growth.bytes_per_second = record * records * 1000 / static_cast<double>(newest - oldest);
  return growth;
}

void Limit(const TopicConfig& config, TopicUse& use) {
  const auto limit = [&use](double bytes, const char* by) {
    if (use.bytes_most && *use.bytes_most <= bytes) return;
    use.bytes_most = bytes;
    use.limited_by = by;
  };
  if (config.retention_bytes >= 0) {
    limit(static_cast<double>(config.retention_bytes) * config.partitions * kBeyondLimit,
          "retention_bytes");
  }
  if (config.retention_ms >= 0 && use.bytes_per_second > 0) {
    limit(use.bytes_per_second * static_cast<double>(config.retention_ms) / 1000 * kBeyondLimit,
          "retention");
  }
}

}  // namespace

Result<std::vector<TopicUse>> MeasureTopics(os::FileSystem& files, const std::string& directory,
                                            const Log& log) {
  HR_ASSIGN(Manifest manifest, Manifest::Load(files, directory));
  std::vector<TopicUse> uses;
  for (const std::string& topic : log.topics()) {
    TopicUse& use = uses.emplace_back();
    use.topic = topic;
    auto found = manifest.topics.find(topic);
    if (found == manifest.topics.end()) continue;
    for (size_t p = 0; p < found->second.partitions.size(); ++p) {
      HR_ASSIGN(Growth growth,
                Measure(log, topic, static_cast<int32_t>(p), found->second.partitions[p]));
      use.bytes += growth.bytes;
      use.bytes_per_second += growth.bytes_per_second;
    }
    Limit(log.topic_config(topic), use);
  }
  return uses;
}

Result<uint64_t> PartitionBytes(os::FileSystem& files, const std::string& directory, const Log& log,
                                const std::pair<std::string, int32_t>& of) {
  const auto& [topic, partition] = of;
  const int64_t start = log.start_offset(topic, partition);
  const int64_t end = log.end_offset(topic, partition);
  if (end <= start) return uint64_t{0};
  HR_ASSIGN(Manifest manifest, Manifest::Load(files, directory));
  Manifest::PartitionState state;
  auto known = manifest.topics.find(topic);
  if (known != manifest.topics.end())
    state = known->second.partitions.at(static_cast<size_t>(partition));
  const uint64_t bytes = BytesOf(state);
  const int64_t moved =
      state.segments.empty() ? start : std::max(start, state.segments.back().end_offset);
  double each =
      static_cast<double>(bytes) / static_cast<double>(std::max<int64_t>(1, moved - start));
  if (moved == start) {
    HR_ASSIGN(auto first, log.Read(topic, partition, start, 1));
    if (first.empty() || first.front().record_count == 0) return bytes;
    each = static_cast<double>(first.front().bytes.size()) / first.front().record_count;
  }
  const double rest = each * static_cast<double>(std::max<int64_t>(0, end - moved));
  return bytes + static_cast<uint64_t>(rest);
}

DiskForecast Forecast(const std::vector<TopicUse>& topics, uint64_t free_bytes) {
  DiskForecast forecast;
  // When each topic stops growing, ascending; between two of these moments growth is constant.
  std::vector<std::pair<double, const TopicUse*>> stops;
  double rate = 0;
  for (const TopicUse& topic : topics) {
    if (topic.bytes_per_second <= 0) continue;
    const double left = topic.bytes_most ? *topic.bytes_most - static_cast<double>(topic.bytes) : 1;
    if (left <= 0) continue;
    rate += topic.bytes_per_second;
    if (topic.bytes_most) stops.emplace_back(left / topic.bytes_per_second, &topic);
  }
  forecast.bytes_per_second = rate;
  std::sort(stops.begin(), stops.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  double at = 0;
  auto left = static_cast<double>(free_bytes);
  for (const auto& [stop, topic] : stops) {
    const double until = left - rate * (stop - at);
    if (until <= 0) break;
    if (forecast.first_stopped.empty()) {
      forecast.first_stopped = topic->topic;
      forecast.first_limit = topic->limited_by;
      forecast.first_stopped_in_seconds = stop;
    }
    left = until;
    at = stop;
    rate -= topic->bytes_per_second;
  }
  const bool limited = std::all_of(topics.begin(), topics.end(), [](const TopicUse& topic) {
    return topic.bytes_per_second <= 0 || topic.bytes_most.has_value();
  });
  const bool stopped = limited && (stops.empty() || at == stops.back().first);
  if (forecast.bytes_per_second > 0 && !stopped) forecast.full_in_seconds = at + left / rate;
  return forecast;
}

}  // namespace headrace::log
