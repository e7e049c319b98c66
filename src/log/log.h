#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "headrace/result.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace headrace::log {

// Position of one frame in the journal, from 1, dense over the life of a data directory.
using Lsn = uint64_t;

enum class EntryKind : uint8_t {
  kBatch = 1,    // a Kafka RecordBatch of one topic partition
  kControl = 2,  // DDL, model activation, source position, idle/finished partition: opaque bytes
};

// What Append takes and what readers give back. For a batch, `bytes` is a whole Kafka RecordBatch
// v2 whose base offset the log sets; `note` is opaque to the log and stored beside it (arrival
// time, source position, causes of derived rows).
struct Entry {
  EntryKind kind = EntryKind::kBatch;
  std::string topic;  // kBatch
  int32_t partition = 0;
  int32_t record_count = 0;       // of the batch: set by who appends, and by readers
  int64_t max_timestamp_ms = -1;  // of the batch: set by Append, given by readers
  std::string note;
  std::string bytes;
  Lsn lsn = 0;              // set by Append, given by readers
  int64_t base_offset = 0;  // set by Append, given by readers
};

struct TopicConfig {
  int32_t partitions = 1;
  int64_t retention_ms = -1;     // -1: keep
  int64_t retention_bytes = -1;  // per partition; -1: keep
  int64_t segment_bytes = 64 << 20;
};

struct LogOptions {
  uint64_t journal_file_bytes = 16 << 20;  // 1 MiB .. 1 GiB; each file is written with zeros once
  uint64_t pending_bytes_max = 4 << 20;    // Append waits beyond this (back pressure)
  bool compress = true;    // lz4: large batches before they are journalled, small ones when moved
  bool read_only = false;  // open without cutting or moving
  // With read_only: another process may be writing. What is opened is then a moment of it, or an
  // error (kCorruption, kNotFound) when it moved on too fast; opening again helps.
  bool beside_writer = false;
};

// What Open found and did.
struct RecoveryReport {
  uint64_t torn_bytes_cut = 0;  // behind the last whole group
  Lsn last_lsn = 0;
  std::string text;  // one line for people; empty when there is nothing to say
};

// Who flushes a group: the journal's thread, or whoever appends it.
enum class FlushedBy : uint8_t { kThread, kCaller };

// One data directory's journal and topics.
//
// Invariants: LSNs are dense; offsets of a partition are dense; where a salvage left something out
// (salvage.h) both have gaps, which readers pass over; readers see only durable entries; what is
// durable is a prefix of the order of Append. Threads: Append and CreateTopic come from one
// thread (the sequencer); readers and the rest are thread-safe. Two threads of its own: one flushes
// groups, one moves durable batches to segments and frees journal files. A failed flush is final:
// every later Append fails with kUnavailable, reads go on. kNoSpace fails the Append and is
// recovered from without a restart.
class Log {
 public:
  // Creates the directory when missing. Errors: kCorruption (names file and offset; nothing was
  // changed), kIo, kConflict when another process holds the directory's lock.
  static Result<std::unique_ptr<Log>> Open(os::FileSystem& files, os::Clock& clock,
                                           base::MetricsRegistry& metrics, std::string directory,
                                           LogOptions options);
  virtual ~Log() = default;

  virtual const RecoveryReport& recovery() const = 0;

  virtual Status CreateTopic(const std::string& name, TopicConfig config) = 0;
  // Gives a topic other limits, and more partitions if it says so; it keeps those that it has.
  // Durable when it returns.
  virtual Status ChangeTopic(const std::string& name, TopicConfig config) = 0;
  virtual bool HasTopic(const std::string& name) const = 0;
  virtual std::vector<std::string> topics() const = 0;
  virtual TopicConfig topic_config(const std::string& name) const = 0;

  // Appends all entries as one atomic group: sets their LSNs and base offsets, hands the bytes to
  // the journal thread and returns before they are durable. Never splits or reorders a group.
  // kCaller: the caller would only wait for it, so a small group is flushed by its thread, when
  // nothing else waits; the durable callback then comes from within.
  virtual Status Append(std::vector<Entry>& group, FlushedBy by) = 0;
  Status Append(std::vector<Entry>& group) { return Append(group, FlushedBy::kThread); }
  // False when Append would wait now: the disk does not keep up. The durable callback comes when
  // there may be room again. For whoever appends.
  virtual bool has_room() const { return true; }
  virtual Lsn last_lsn() const = 0;
  virtual Lsn durable_lsn() const = 0;
  // Blocks until everything up to `lsn` is durable, or the journal failed (kUnavailable).
  virtual Status WaitDurable(Lsn lsn) = 0;
  // Groups wait for disk space: who waits for them now may wait for long.
  virtual bool no_space() const = 0;
  // Called on a thread of the log each time durable_lsn() moved, the journal failed, or there is
  // room again. Set once, before the first Append; must not block.
  virtual void SetDurableCallback(std::function<void()> callback) = 0;
  // The final error of the journal, or null.
  virtual const Error* failure() const = 0;

  virtual int64_t start_offset(const std::string& topic, int32_t partition) const = 0;
  // One behind the last durable record.
  virtual int64_t end_offset(const std::string& topic, int32_t partition) const = 0;
  // One behind the last appended record, durable or not.
  virtual int64_t next_offset(const std::string& topic, int32_t partition) const = 0;

  // Moves the beginning of a partition to `offset`, which is not behind next_offset, and never
  // back: readers see no record below it, and segments that lie below go with the next retention,
  // whatever its floor. The log does not keep that by itself: whoever opens it says so again.
  virtual void BeginAt(const std::string& topic, int32_t partition, int64_t offset) = 0;
  // What BeginAt said; 0: nothing.
  virtual int64_t begins_at(const std::string& topic, int32_t partition) const = 0;

  // Durable batches of one partition from the one that holds `offset` on, at least one when there
  // is any, then until `bytes_max`; when it is lost, from the next one on. kNotFound below
  // start_offset; empty at the end.
  virtual Result<std::vector<Entry>> Read(const std::string& topic, int32_t partition,
                                          int64_t offset, size_t bytes_max) const = 0;
  // The first offset whose record timestamp is at or after `timestamp_ms`, or -1.
  virtual Result<int64_t> OffsetAt(const std::string& topic, int32_t partition,
                                   int64_t timestamp_ms) const = 0;

  // Everything durable, in LSN order, controls included, from `from` on. Independent of the log's
  // own progress except that it ends at what is durable when Next is called.
  class Cursor {
   public:
    virtual ~Cursor() = default;
    // False at the present end.
    virtual Result<bool> Next(Entry* entry) = 0;
  };
  virtual Result<std::unique_ptr<Cursor>> Scan(Lsn from) const = 0;
  // The same of these topics and the controls alone.
  virtual Result<std::unique_ptr<Cursor>> Scan(Lsn from, std::set<std::string> topics) const = 0;

  // Only the control entries, in LSN order.
  virtual Result<std::unique_ptr<Cursor>> ScanControls() const = 0;

  // Whether any topic has a limit.
  virtual bool HasRetention() const = 0;
  // What retention would remove if the floor allowed it.
  struct Expiry {
    Lsn through = 0;              // the last LSN that would go; 0: nothing
    Lsn idle_through = 0;         // the same of partitions of which nothing would be left
    Lsn stays_from = UINT64_MAX;  // the first that would stay, of topics that have a limit
  };
  virtual Expiry Expired() const = 0;
  // Retention may remove what lies below `floor`, and no batch at or above it. At first that is 0:
  // nothing goes, because state is built from what the log holds. Whoever can do without events up
  // to an LSN (a durable snapshot covers them) moves it there; it never moves back.
  virtual void SetRetentionFloor(Lsn floor) = 0;
  // Runs retention once: segments below the floor that are over the limits of their topic go, the
  // newest stays unless it is too old and nothing has come since. The log does it by itself every
  // minute. Nothing else does.
  virtual Status ApplyRetention() = 0;
  // Moves what is durable and only in the journal to segments, as the log does by itself when it is
  // much.
  virtual Status MoveDurable() = 0;
  // Flushes, moves everything to segments, stops the threads. Idempotent.
  virtual Status Close() = 0;
};

// Checks every byte of a directory without changing it. Each finding names file and offset.
struct VerifyReport {
  uint64_t files = 0;
  uint64_t bytes = 0;   // of segments, and of the entries that are only in the journal
  uint64_t frames = 0;  // entries that are only in the journal
  uint64_t batches = 0;
  uint64_t records = 0;
  std::vector<Error> findings;
};
Result<VerifyReport> Verify(os::FileSystem& files, const std::string& directory);

}  // namespace headrace::log
