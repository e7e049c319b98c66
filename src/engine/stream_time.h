#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "engine/deployment.h"
#include "flow/source_node.h"
#include "headrace/result.h"
#include "log/log.h"
#include "os/file_system.h"

namespace headrace::engine {

// How far the time of a stream is, and which of its partitions keeps it there.
struct StreamTime {
  std::string stream;
  bool finished = false;             // its input has ended: nothing is held back
  std::optional<int64_t> watermark;  // none before every partition that is not idle has an event
  std::vector<flow::PartitionState> partitions;
};

// Of the stream that reads the topic, as of the end of the log: what is behind the newest snapshot
// is run again. Nothing when the topic is no declared stream's. Errors as those of LoadPast.
Result<std::optional<StreamTime>> ReadStreamTime(os::FileSystem& files,
                                                 const std::string& data_directory,
                                                 const log::Log& log,
                                                 std::shared_ptr<const Deployment> deployment,
                                                 const std::string& topic);

// The same as metrics, while events come. Confined to the worker; the registry must outlive it.
class TimeMetrics {
 public:
  explicit TimeMetrics(base::MetricsRegistry& metrics) : metrics_(metrics) {}
  // Behind a group of the source's events that came then.
  void Note(const flow::SourceNode& source, int64_t arrival_micros);
  // The stream is no more.
  void Forget(const std::string& stream);

 private:
  struct Gauges {
    base::Gauge* delay = nullptr;
    base::Gauge* idle = nullptr;
    base::Gauge* holding = nullptr;
  };

  base::MetricsRegistry& metrics_;
  std::map<std::string, Gauges> gauges_;  // by stream
};

}  // namespace headrace::engine
