#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "log/journal.h"
#include "log/segment.h"

namespace headrace::log {

// What a manifest keeps of a segment.
struct SegmentRecord {
  int64_t base_offset = 0;
  int64_t end_offset = 0;
  uint64_t size = 0;
};

// One ordered part of a topic: segments on disk, then the durable batches that wait in memory to be
// moved there. Thread-safe; moving is done by one thread. `files` must outlive it.
class Partition {
 public:
  // When a segment is full.
  struct SegmentLimits {
    int64_t bytes = 64 << 20;
    int64_t span_ms = -1;  // between its oldest and its newest batch; -1: any
  };
  // Retention removes whole segments: they are small enough for it to be near its limits.
  static SegmentLimits SegmentLimitsOf(const TopicConfig& config);

  Partition(os::FileSystem& files, std::string directory, SegmentLimits limits);

  // Opens what a manifest lists. With `writable`, cuts off what was written behind it.
  Status Open(const std::vector<SegmentRecord>& segments, int64_t start_offset, bool writable);

  // The sequencer's side: the offset the next record gets.
  int64_t next_offset() const { return next_offset_.load(); }
  void Reserve(int64_t records) { next_offset_ += records; }

  // A batch became durable.
  void AddDurable(EntryPtr entry);

  int64_t start_offset() const;
  int64_t end_offset() const;
  // As Log::BeginAt.
  void BeginAt(int64_t offset);
  int64_t begins_at() const;

  // As Log::Read; entries come back without topic and partition.
  Result<std::vector<Entry>> Read(int64_t offset, size_t bytes_max) const;
  Result<int64_t> OffsetAt(int64_t timestamp_ms) const;
  // The offset of the first batch at or behind `lsn`, or the end.
  Result<int64_t> OffsetOfLsn(Lsn lsn) const;

  // The moving thread: Stage writes batches behind the newest segment, Sync makes them durable,
  // Publish lets readers see them there and drops them from memory. After a failure Unstage forgets
  // what was staged since the last Publish, so that it can be staged again.
  // A batch whose offset does not follow, as a salvage has them, begins a segment.
  Status Stage(const Entry& entry, bool compress);
  // Ends the partition at this offset, with an empty segment: what was before it is lost.
  Status SkipTo(int64_t offset);
  Status Sync();
  void Publish();
  void Unstage();
  // As they will be once Publish was called: for the manifest. What begins behind all segments says
  // so when they are moved that far: the journal's entries are counted from there.
  std::vector<SegmentRecord> records() const;
  int64_t moved_start() const;

  // What retention keeps of a partition: whole segments, and the newest unless it is too old and
  // nothing has come behind it.
  struct RetentionLimits {
    int64_t oldest_timestamp_ms = INT64_MIN;
    int64_t bytes = -1;  // -1: any
  };
  struct Expiry {
    Lsn through = 0;              // the last LSN of the segments that are over the limits; 0: none
    Lsn stays_from = UINT64_MAX;  // the first of what is durable and within them, if any
  };
  Expiry ExpiryOf(const RetentionLimits& limits) const;
  // Forgets those of them that hold nothing at or above `floor`, and those that lie below what
  // BeginAt said. Returns their paths; they may be removed once a manifest without them is durable.
  std::vector<std::string> Expire(const RetentionLimits& limits, Lsn floor);
  // Forgets the segments that end at or before `offset`; paths as Expire. The moving thread.
  std::vector<std::string> DropBelow(int64_t offset);

 private:
  struct Range {
    std::shared_ptr<os::File> file;
    uint64_t begin = 0;
    uint64_t end = 0;
    std::string path;
  };

  // How many of the oldest segments are over the limits; mutex_ is held.
  size_t Expired(const RetentionLimits& limits) const;
  bool IsFull(const Segment& segment, const Entry& next) const;
  Status BeginSegment(int64_t base_offset);
  Status FlushStaged();
  Range Locate(int64_t offset) const;
  Status ReadRange(const Range& range, int64_t offset, size_t bytes_max,
                   std::vector<Entry>& entries) const;

  os::FileSystem& files_;
  std::string directory_;
  SegmentLimits limits_;
  std::atomic<int64_t> next_offset_{0};

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Segment>> segments_;
  std::deque<EntryPtr> tail_;
  int64_t start_offset_ = 0;
  int64_t end_offset_ = 0;  // durable
  int64_t begins_at_ = 0;   // start_offset_ is not less
  int64_t moved_end_ = 0;   // of the segments, those that are gone included

  // Confined to the moving thread.
  std::vector<std::shared_ptr<Segment>> staged_;  // segments_ plus what was written since
  std::string buffer_;
  bool dirty_ = false;
};

}  // namespace headrace::log
