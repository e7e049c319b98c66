#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "headrace/result.h"
#include "log/log.h"
#include "os/file_system.h"

namespace headrace::log {

// What a topic takes of the disk, and how that grows. Value type.
struct TopicUse {
  std::string topic;
  uint64_t bytes = 0;  // of its segments
  // By the times of its records: the arrival of events, the event time of computed rows. 0: nothing
  // tells, because what it holds spans less than kGrowthSpanMin.
  double bytes_per_second = 0;
  // What its limits let it have, about; absent: any. `limited_by` is "retention" or
  // "retention_bytes".
  std::optional<double> bytes_most;
  std::string limited_by;
};

// Growth is measured over the last day of a topic, or all that it holds, from so much on.
inline constexpr int64_t kGrowthDayMs = 86'400'000;
inline constexpr int64_t kGrowthSpanMinMs = 600'000;

// Of every topic. The log is one of this directory. Errors: those of reading.
Result<std::vector<TopicUse>> MeasureTopics(os::FileSystem& files, const std::string& directory,
                                            const Log& log);

// What the durable records of a topic's partition take, as segments hold them; those that are only
// in the journal yet as the others do, or else as the first of them. Errors: those of reading.
Result<uint64_t> PartitionBytes(os::FileSystem& files, const std::string& directory, const Log& log,
                                const std::pair<std::string, int32_t>& of);

// When the disk is full, if what comes goes on as it did. Value type.
struct DiskForecast {
  double bytes_per_second = 0;            // of all topics, now
  std::optional<double> full_in_seconds;  // absent: never, or nothing grows
  // The first topic that its limit stops, before the disk is full, and when. Topics that are
  // stopped already do not count.
  std::string first_stopped;
  std::string first_limit;
  double first_stopped_in_seconds = 0;
};
DiskForecast Forecast(const std::vector<TopicUse>& topics, uint64_t free_bytes);

}  // namespace headrace::log
