#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"
#include "log/log.h"
#include "log/partition.h"
#include "os/file_system.h"

namespace headrace::log {

// What is in segments: every topic with its segments, and the LSN up to which the journal has been
// moved there. Replaced as a whole, checksummed. docs/internals/segments.md.
struct Manifest {
  struct PartitionState {
    int64_t start_offset = 0;
    std::vector<SegmentRecord> segments;
  };
  struct TopicState {
    TopicConfig config;
    std::vector<PartitionState> partitions;
  };

  Lsn moved_lsn = 0;
  PartitionState controls;
  std::map<std::string, TopicState> topics;

  std::string Encode() const;
  static Result<Manifest> Decode(std::string_view bytes);

  // An empty manifest when there is none yet.
  static Result<Manifest> Load(os::FileSystem& files, const std::string& directory);
};

std::string ManifestPath(const std::string& directory);
// Where a topic's partition keeps its segments. Bytes that a file name cannot hold are escaped.
std::string PartitionDirectory(const std::string& directory, const std::string& topic,
                               int32_t partition);
// The topic of a folder in `topics/`; empty when none has that name.
std::string TopicOfFolder(std::string_view folder);
std::string ControlsDirectory(const std::string& directory);
std::string JournalDirectory(const std::string& directory);

}  // namespace headrace::log
