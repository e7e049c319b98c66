#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/snapshot_manifest.h"
#include "flow/graph.h"
#include "headrace/result.h"
#include "os/file_system.h"

namespace headrace::engine {

// The snapshots of a data directory: page files that are only appended to, and a manifest each that
// says which pages are of it, from which file. A snapshot counts when its manifest is there, and
// that is written last. The newest two stay, the beginning, and where retention will want another
// one a few between them at about even distances; page files that none of them names are removed.
//
// The beginning is the snapshot that stands for what retention has removed, or may: whatever is
// computed from the past starts there. None: from the first entry of the log. It may lack
// statements that were deployed later; the snapshots behind it hold all there are, because whoever
// deploys one calls Forget before the next is written.
//
// Writing: Begin, Append, Commit, in this order; a failure leaves the snapshots that were there,
// and the next one must be whole. Confined to one thread at a time. `files` must outlive it.
class SnapshotStore {
 public:
  SnapshotStore(os::FileSystem& files, const std::string& data_directory);

  // The LSNs of the snapshots, newest first.
  std::vector<uint64_t> List() const;
  // kNotFound, kCorruption.
  Result<SnapshotManifest> Read(uint64_t lsn) const;
  using TakePage = std::function<Status(uint32_t block, uint32_t number, std::string_view bytes)>;
  // Every page once, checked. kCorruption names file and offset.
  Status ReadPages(const SnapshotManifest& manifest, const TakePage& take) const;

  // The LSN of the beginning; 0: none. kCorruption (HR5407).
  Result<uint64_t> Beginning() const;
  // The newest sound snapshot up to `lsn` becomes the beginning, when it is behind the present one.
  // Returns which is.
  Result<uint64_t> MoveBeginning(uint64_t lsn);
  // Whether older ones stay, to become the beginning.
  void KeepOlder(bool keep) { keep_older_ = keep; }
  // The snapshot becomes the beginning, in place of one whose name is damaged.
  Status WriteBeginning(uint64_t lsn) const;
  // Removes all but the beginning: they are of other statements.
  Status Forget();
  // Removes those behind the LSN: they are damaged, or of another log.
  Status ForgetBehind(uint64_t lsn);

  // Whether each of its pages is what was written. kCorruption.
  Status CheckPages(const SnapshotManifest& manifest) const;
  // One snapshot, into another directory: what is of it there already is not copied again. The
  // copy is checked. It is no beginning yet, and leaves what is there as it was.
  Status CopySnapshot(const SnapshotManifest& manifest, const SnapshotStore& to) const;
  // Removes what does not stay; best effort.
  void RemoveOld() const;

  // What is damaged, of all snapshots.
  std::vector<Error> Verify() const;

  // `base`: the snapshot whose pages stay unless they are appended anew; null for a whole one.
  Status Begin(uint64_t lsn, std::string head, const SnapshotManifest* base);
  Status Append(const std::vector<flow::BlockPage>& pages);
  // Makes it durable and removes what it makes useless. Returns what it consists of.
  Result<SnapshotManifest> Commit();
  // Takes back what was begun.
  void Abandon();

 private:
  std::string ManifestPath(uint64_t lsn) const;
  std::string PagesPath(uint64_t lsn) const;
  std::string BeginningPath() const;
  // Of `snapshots`, newest first, those that stay.
  std::vector<uint64_t> Kept(const std::vector<uint64_t>& snapshots, uint64_t beginning) const;
  Status AppendPage(SnapshotManifest::PageId id, std::string_view bytes);
  Status Flush();
  // Pages of files that are mostly of the past are written anew, so that these can go.
  Status Gather();
  enum class Present { kStays, kReplaced };
  Status CopyPages(const std::set<uint64_t>& page_files, const SnapshotStore& to,
                   Present present) const;

  os::FileSystem& files_;
  std::string directory_;
  SnapshotManifest next_;
  std::unique_ptr<os::File> file_;
  bool keep_older_ = false;
  std::string buffer_;     // not yet written
  uint64_t position_ = 0;  // where it goes
};

}  // namespace headrace::engine
