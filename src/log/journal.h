#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "log/frame.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace headrace::log {

using EntryPtr = std::shared_ptr<const Entry>;

// Something on its way into the journal: an entry, or the creation of a topic.
struct Outgoing {
  EntryPtr entry;             // null: a topic
  std::string topic_payload;  // EncodeTopic
  Lsn lsn = 0;
};
using Group = std::vector<Outgoing>;

// Everything a scan of the journal found behind `moved_lsn`.
struct JournalContents {
  struct Topic {
    std::string name;
    TopicConfig config;
  };
  std::vector<Topic> topics;
  std::vector<EntryPtr> entries;  // ascending LSN
  Lsn last_lsn = 0;
  uint64_t torn_bytes = 0;
};

// The write-ahead journal: one total order of groups in prewritten, recycled files.
//
// A group is atomic: its frames are followed by a frame that counts them, and a scan cuts back to
// the last whole group. One thread collects whatever groups wait, packs large batches, writes them
// in pieces of at most kWriteBytes, flushes once and publishes; it never waits for more. A failed
// flush is final. When the disk is full the groups wait, and writing goes on when there is space.
// A caller that would only wait may write its group itself. The next file is written with zeros
// piece by piece while there is nothing else to do, so that no group waits for a whole one.
// Limits: pending_bytes_max of groups wait, as many are on their way. Threads: Append from one
// thread; the rest is thread-safe. Format: docs/internals/journal.md.
class Journal {
 public:
  struct Options {
    uint64_t file_bytes = 64 << 20;
    uint64_t pending_bytes_max = 4 << 20;
    bool compress = true;
  };
  using Durable = std::function<void(std::vector<Group>&&)>;

  Journal(os::FileSystem& files, os::Clock& clock, base::MetricsRegistry& metrics,
          std::string directory, Options options);
  ~Journal();

  // Scans the files and returns what stands behind `moved`. A torn tail is passed over: writing
  // goes on in another file. Changes nothing on disk. kCorruption names file and offset.
  Result<JournalContents> Recover(Lsn moved);
  // Makes durable what Recover found, and starts writing behind it. `durable` gets groups on the
  // journal thread, in order, once they are durable; it also is called with nothing when the
  // journal failed.
  Status Start(Durable durable);
  // Flushes what waits and stops the thread. Idempotent.
  void Stop();

  // `here`: whoever appends has nothing else to do until the group is durable. When nothing else
  // waits the caller's thread then writes and flushes it, which spares two changes of thread.
  Status Append(Group group, uint64_t bytes, bool here);
  // False when Append would wait for those before it.
  bool has_room() const;
  // True while groups wait for disk space: whoever appends then should wait, too.
  bool no_space() const { return no_space_.load(); }
  const Error* failure() const;

  // Files that hold nothing behind `lsn` may be recycled.
  void Free(Lsn lsn);

 private:
  struct JournalFile {
    FileHeader header;
    std::string path;
    uint64_t size = 0;
    Lsn last_lsn = 0;
  };

  void Run();
  // Writes and flushes the group here if the next file need not be begun; false otherwise. Needs
  // writing_, and gives it back.
  bool WriteHere(std::vector<Group>& groups, uint64_t bytes);
  void Fail(const Error& error);
  // Writes a piece of the file that will be needed next.
  void PrepareSpare(uint64_t size);
  void Pack(std::vector<Group>& groups) const;
  Status Write(std::vector<Group>& groups);
  Status WriteGroup(const Group& group);
  Status WriteBuffer();
  Status Flush();
  Status Roll(uint64_t at_least);
  Status MakeFile(const std::string& path, uint64_t size);
  Status ScanFile(const std::string& path, const FileHeader& header, Lsn moved,
                  JournalContents& contents);
  uint64_t NextSize() const;

  // Constant after construction.
  os::FileSystem& files_;
  os::Clock& clock_;
  std::string directory_;
  Options options_;
  base::Histogram& flush_seconds_;
  base::Counter& flushed_bytes_;
  base::Gauge& no_space_gauge_;
  Durable durable_;

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable room_;
  std::vector<Group> waiting_;
  uint64_t waiting_bytes_ = 0;
  bool writing_ = false;     // somebody has the members below
  uint64_t spare_size_ = 0;  // of a file that will be needed soon and is not there; 0: none
  bool stop_ = false;
  std::unique_ptr<Error> failure_;
  std::deque<std::string> recycled_;  // files free for another use
  std::map<uint64_t, JournalFile> files_by_sequence_;

  // Confined to whoever set writing_: the journal thread, or Append (Recover before they start).
  std::unique_ptr<os::File> file_;
  FileHeader current_;
  uint64_t size_ = 0;      // of file_
  uint64_t position_ = 0;  // where the next group goes
  uint32_t crc_ = 0;
  std::string buffer_;      // framed, not yet written
  uint64_t unflushed_ = 0;  // bytes before position_ that are written, not yet flushed
  bool sealed_ = false;     // the present flush is framed up to its kFlushEnd
  size_t framed_ = 0;       // groups of the present write that are framed or flushed
  std::string payload_;
  Lsn buffered_lsn_ = 0;
  uint64_t flush_ = 0;  // number of the last flush

  // The journal thread's: the next file while it is written, between groups.
  std::unique_ptr<os::File> spare_;
  uint64_t spare_position_ = 0;

  std::atomic<bool> no_space_{false};
  std::atomic<bool> failed_{false};
  std::thread thread_;
};

}  // namespace headrace::log
