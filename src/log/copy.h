#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "headrace/result.h"
#include "log/log.h"
#include "log/manifest.h"
#include "log/partition.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace headrace::log {

struct CopyReport {
  Lsn from_lsn = 0;      // what the copy held before
  Lsn last_lsn = 0;      // what it holds now
  uint64_t entries = 0;  // that were copied
  uint64_t bytes = 0;    // of these
};

// A copy of a log in a directory of its own, which is one itself: segments with the LSNs, offsets,
// gaps and bytes of the original, a manifest, and a journal that is sealed. It is made and carried
// on in one step, the manifest: stopped at any moment it holds what it held, or what it was to
// hold. The first time it is refused until it is whole (HR5208), and begun again.
//
// Called in this order: Open, Append, DropOld. Confined; holds the lock of the directory. `files`
// and `from` must outlive it; `from` may be a log that is written to.
class LogCopy {
 public:
  // Errors: kConflict HR5214 when the directory holds another log, HR5260 when retention took what
  // lies between it and `from`, HR7005 when a program has it; those of reading and writing.
  static Result<std::unique_ptr<LogCopy>> Open(os::FileSystem& files, os::Clock& clock,
                                               const Log& from, std::string directory);

  // Nothing was in the directory.
  bool fresh() const { return fresh_; }
  // What it held when it was opened.
  Lsn held_lsn() const { return manifest_.moved_lsn; }

  // Takes what `from` holds beyond it: everything that is durable when this is called.
  Result<CopyReport> Append();
  // Drops what `from` no longer holds, as whole segments.
  Status DropOld();

 private:
  using PartitionKey = std::pair<std::string, int32_t>;  // topic "": controls

  LogCopy(os::FileSystem& files, const Log& from, std::string directory)
      : files_(files), from_(from), directory_(std::move(directory)) {}
  Status Prepare(os::Clock& clock);
  // What an older program left in a journal goes to segments.
  Status EmptyJournal(os::Clock& clock);
  Status SealJournal(os::Clock& clock);
  // Removes what an unfinished copy left.
  Status Clear();
  Status OpenPartitions();
  Status CheckBeginning() const;
  Status CheckPartition(const PartitionKey& key, const Partition& partition) const;
  Status AppendBatches(const PartitionKey& key, Lsn last);
  Status AppendControls(Lsn last);
  Status Take(Partition& partition, const Entry& entry);
  Status WriteManifest();
  // Removes files of the partition that the manifest does not list.
  Status Sweep(const PartitionKey& key, const Partition& partition);
  std::string DirectoryOf(const PartitionKey& key) const;

  os::FileSystem& files_;
  const Log& from_;
  const std::string directory_;
  std::unique_ptr<os::File> lock_;
  bool fresh_ = false;
  Manifest manifest_;
  std::map<PartitionKey, std::unique_ptr<Partition>> partitions_;
  CopyReport report_;
};

}  // namespace headrace::log
