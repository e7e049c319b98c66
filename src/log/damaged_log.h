#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "headrace/result.h"
#include "log/damage.h"
#include "log/damaged_journal.h"
#include "log/log.h"
#include "log/manifest.h"
#include "os/file_system.h"

namespace headrace::log {

// A directory that may be damaged, as its files show it: manifest, journal and segments, each read
// past what is not whole. Changes nothing in it. Confined. Limit: the journal and one segment are
// in memory. `files` must outlive it.
class DamagedLog {
 public:
  // Errors: kNotFound HR5209, kConflict when a program has the directory.
  static Result<std::unique_ptr<DamagedLog>> Open(os::FileSystem& files, std::string directory);

  const std::string& directory() const { return directory_; }
  // False: what should be there is only known from what is.
  bool manifest_known() const { return manifest_known_; }
  const Manifest& manifest() const { return manifest_; }
  const JournalFinds& journal() const { return journal_; }
  const std::map<std::string, TopicConfig>& topics() const { return topics_; }
  // Topics of which no manifest and no frame tells the configuration.
  const std::set<std::string>& guessed() const { return guessed_; }
  // In segments, by LSN; an offset of -1 where only the journal has it.
  const std::map<Lsn, Entry>& controls() const { return controls_; }
  // Known of a partition's segments; empty when the manifest is not, or does not name it.
  Manifest::PartitionState StateOf(const std::string& topic, int32_t partition) const;

  // Every whole batch of a partition once, ascending, with topic and partition; offsets have gaps
  // where some are lost. A failure of `take` ends it.
  using Take = std::function<Status(Entry)>;
  Status ReadPartition(const std::string& topic, int32_t partition, const Take& take);

  // So far: reading partitions finds more.
  const std::vector<Damage>& damage() const { return damage_; }

 private:
  struct SegmentFile {
    std::string path;
    uint64_t listed = 0;  // durable bytes by the manifest; 0: it does not know the file
    int64_t listed_end = 0;
  };
  using Segments = std::map<int64_t, SegmentFile>;  // by base offset

  DamagedLog(os::FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}
  Status TakeLock();
  Status LoadManifest();
  Status LoadJournal();
  Status FindTopics();
  void AddTopic(const std::string& name, int32_t partitions);
  Status FindControls();
  Result<bool> HasSegments() const;
  Result<Segments> SegmentsIn(const std::string& directory,
                              const Manifest::PartitionState& state) const;
  Status ReadSegment(int64_t base_offset, const SegmentFile& segment, const Take& take);
  std::vector<uint64_t> KnownPlaces(int64_t base_offset, const SegmentFile& segment,
                                    uint64_t size) const;

  os::FileSystem& files_;
  const std::string directory_;
  std::unique_ptr<os::File> lock_;
  bool manifest_known_ = true;
  Manifest manifest_;
  JournalFinds journal_;
  std::map<std::pair<std::string, int32_t>, std::vector<EntryPtr>> journalled_;  // by partition
  std::map<std::string, TopicConfig> topics_;
  std::set<std::string> guessed_;
  std::map<Lsn, Entry> controls_;
  std::vector<Damage> damage_;
};

}  // namespace headrace::log
