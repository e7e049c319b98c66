#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "log/journal.h"
#include "log/log.h"
#include "log/manifest.h"
#include "log/partition.h"

namespace headrace::log {

// The Log on one directory: a journal, and segments that it is moved to. See log.h.
//
// An entry is appended, becomes durable on the journal thread (from then on readers see it, in
// memory), and is moved to a segment by the moving thread, which then frees journal files. Locks
// are taken in the order topics_mutex_, a partition's, state_mutex_.
class LocalLog final : public Log {
 public:
  LocalLog(os::FileSystem& files, os::Clock& clock, base::MetricsRegistry& metrics,
           std::string directory, LogOptions options);
  ~LocalLog() override;

  Status Recover();

  const RecoveryReport& recovery() const override { return report_; }
  Status CreateTopic(const std::string& name, TopicConfig config) override;
  Status ChangeTopic(const std::string& name, TopicConfig config) override;
  bool HasTopic(const std::string& name) const override;
  std::vector<std::string> topics() const override;
  TopicConfig topic_config(const std::string& name) const override;
  using Log::Append;
  Status Append(std::vector<Entry>& group, FlushedBy by) override;
  bool has_room() const override;
  Lsn last_lsn() const override { return last_lsn_.load(); }
  Lsn durable_lsn() const override { return durable_lsn_.load(); }
  Status WaitDurable(Lsn lsn) override;
  bool no_space() const override { return journal_.no_space(); }
  void SetDurableCallback(std::function<void()> callback) override;
  const Error* failure() const override { return journal_.failure(); }
  int64_t start_offset(const std::string& topic, int32_t partition) const override;
  int64_t end_offset(const std::string& topic, int32_t partition) const override;
  int64_t next_offset(const std::string& topic, int32_t partition) const override;
  void BeginAt(const std::string& topic, int32_t partition, int64_t offset) override;
  int64_t begins_at(const std::string& topic, int32_t partition) const override;
  Result<std::vector<Entry>> Read(const std::string& topic, int32_t partition, int64_t offset,
                                  size_t bytes_max) const override;
  Result<int64_t> OffsetAt(const std::string& topic, int32_t partition,
                           int64_t timestamp_ms) const override;
  Result<std::unique_ptr<Cursor>> Scan(Lsn from) const override;
  Result<std::unique_ptr<Cursor>> Scan(Lsn from, std::set<std::string> topics) const override;
  Result<std::unique_ptr<Cursor>> ScanControls() const override;
  bool HasRetention() const override;
  Expiry Expired() const override;
  void SetRetentionFloor(Lsn floor) override;
  Status ApplyRetention() override;
  Status MoveDurable() override;
  Status Close() override;

 private:
  friend class LogCursor;
  struct Topic {
    TopicConfig config;
    std::vector<std::unique_ptr<Partition>> partitions;
  };

  Status TakeLock();
  Status OpenTopics(const Manifest& manifest);
  Status TakeRecovered(JournalContents contents);
  Error NoSpace() const;
  Topic& AddTopic(const std::string& name, const TopicConfig& config);
  Partition* FindPartition(const std::string& topic, int32_t partition) const;
  void OnDurable(std::vector<Group>&& groups);
  void MoveLoop();
  // They are in segments: the journal need not hold them, and there is room for others.
  void TakeMoved(const std::vector<EntryPtr>& entries);
  void RetainNowAndThen();
  Partition::RetentionLimits RetentionOf(const TopicConfig& config) const;
  Status Move(const std::vector<EntryPtr>& entries);
  Status Stage(const std::vector<EntryPtr>& entries);
  Status PublishStaged();
  Status WriteManifest(Lsn moved);

  os::FileSystem& files_;
  os::Clock& clock_;
  std::string directory_;
  LogOptions options_;
  base::Counter& segment_bytes_;
  base::Gauge& unmoved_gauge_;
  RecoveryReport report_;
  std::unique_ptr<os::File> lock_;
  Journal journal_;

  mutable std::shared_mutex topics_mutex_;
  std::map<std::string, Topic> topics_;
  std::unique_ptr<Partition> controls_;

  std::atomic<Lsn> last_lsn_{0};     // written by the sequencer
  std::atomic<Lsn> durable_lsn_{0};  // written by the journal thread
  std::atomic<Lsn> retention_floor_{0};

  mutable std::mutex state_mutex_;
  std::condition_variable durable_;
  std::condition_variable unmoved_changed_;
  std::deque<EntryPtr> unmoved_;  // durable, ascending LSN
  uint64_t unmoved_bytes_ = 0;
  std::optional<Error> move_failure_;  // of the last try, until one succeeds
  bool stop_ = false;
  bool closed_ = false;
  std::function<void()> callback_;

  std::mutex moving_mutex_;  // Move and retention exclude each other
  // Confined to whoever holds moving_mutex_.
  Lsn moved_lsn_ = 0;
  std::set<Partition*> staged_;  // with flushed batches up to moved_lsn_ that no manifest lists
  int64_t retained_ns_ = 0;      // when retention ran last; confined to mover_
  std::thread mover_;
};

}  // namespace headrace::log
