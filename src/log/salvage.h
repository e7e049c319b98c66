#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "headrace/result.h"
#include "log/damage.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace headrace::log {

// What of a damaged directory is whole, and what is not. Value type.
struct SalvageReport {
  struct Offsets {  // [from, to) of a topic partition is lost
    std::string topic;
    int32_t partition = 0;
    int64_t from = 0;
    int64_t to = 0;
    Lsn after_lsn = 0;   // of the batch before; 0: none
    Lsn before_lsn = 0;  // of the batch behind; 0: none
  };
  struct Lsns {
    Lsn first = 0;
    Lsn last = 0;
  };
  struct Controls {
    uint64_t count = 0;
    Lsn after_lsn = 0;
    Lsn before_lsn = 0;
  };

  std::vector<Damage> damage;      // of files; what it hit may be whole elsewhere
  std::vector<Offsets> offsets;    // by topic and partition, ascending
  std::vector<Controls> controls;  // ascending
  // Entries that only the journal had: of a topic partition, where `offsets` may have them too, or
  // a control. Ascending.
  std::vector<Lsns> lsns;
  // Only without a manifest: entries that are nowhere, lost or removed by retention.
  uint64_t unaccounted = 0;
  std::vector<std::string> guessed;  // topics whose partitions were counted from the files

  // A write that a crash cut off, left out as at every start.
  std::string torn_path;
  uint64_t torn_from = 0;
  uint64_t torn_bytes = 0;

  Lsn last_lsn = 0;
  uint64_t batches = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;  // of the batches

  // Nothing is lost, whatever was damaged.
  bool complete() const {
    return offsets.empty() && controls.empty() && lsns.empty() && unaccounted == 0;
  }
};

class DamagedLog;

// Takes what is whole out of a damaged directory and makes a new one of it. LSNs and offsets stay;
// what is lost is a gap in them. Segments and journal are used together: what is damaged here and
// whole there is not lost.
//
// Called in this order: Open, then any of controls, LeaveOut, Suggest, BeginAt; WriteTopics;
// Finish. Until Finish is done the new directory is refused by whoever opens it. Never writes into
// the source. Confined. Limit: the journal and one segment are in memory. `files` must outlive it.
class Salvage {
 public:
  // Errors: kNotFound HR5209, kConflict when a program has the directory.
  static Result<std::unique_ptr<Salvage>> Open(os::FileSystem& files, const std::string& directory);
  ~Salvage();

  // The controls that are whole, by LSN.
  const std::map<Lsn, Entry>& controls() const { return controls_; }
  void LeaveOut(Lsn control) { controls_.erase(control); }
  // What the topic is, when nothing in the log tells.
  void Suggest(const std::string& topic, const TopicConfig& config);
  // What lies below was dropped and is not missed; the partition does not end before it.
  void BeginAt(const std::string& topic, int32_t partition, int64_t offset) {
    begins_[{topic, partition}] = offset;
  }

  // Errors: kConflict HR5216 when `directory` is not empty or lies in the source.
  Status WriteTopics(const std::string& directory);
  // Complete when the topics are written.
  const SalvageReport& report() const { return report_; }
  const std::map<std::string, TopicConfig>& topics() const { return topics_; }
  // Of a partition in the new directory, when the topics are written.
  int64_t end_offset(const std::string& topic, int32_t partition) const;

  // Writes the controls that are left and `more` behind everything; then the directory is one.
  Status Finish(const os::Clock& clock, const std::vector<std::string>& more);

 private:
  class Lane;

  Salvage(os::FileSystem& files, std::unique_ptr<DamagedLog> from);
  void CountControls();
  Status CheckTarget(const std::string& directory) const;
  Status WriteLane(const std::string& topic, int32_t partition, const TopicConfig& config);
  void NoteJournalLosses();
  void Found(const Entry& entry);
  void CountLosses();
  Status WriteJournal(const os::Clock& clock, Lsn first_lsn) const;

  os::FileSystem& files_;
  std::unique_ptr<DamagedLog> from_;
  std::string to_;
  std::map<std::string, TopicConfig> topics_;
  std::set<std::string> guessed_;
  std::map<std::pair<std::string, int32_t>, int64_t> begins_;
  std::map<Lsn, Entry> controls_;
  std::vector<SalvageReport::Lsns> suspects_;   // entries that only the journal may have had
  std::set<Lsn> found_;                         // of these, in segments
  std::vector<SalvageReport::Offsets> fronts_;  // may be lost, or removed by retention
  std::unique_ptr<struct Manifest> manifest_;   // of the new directory
  SalvageReport report_;
};

}  // namespace headrace::log
