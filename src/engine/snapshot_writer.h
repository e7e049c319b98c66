#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "engine/snapshot_store.h"
#include "engine/trim.h"
#include "log/log.h"
#include "os/clock.h"

namespace headrace::engine {

// What a trim comes to, and whether a snapshot stands for what it takes.
struct TrimCover {
  TrimPlan plan;
  bool stands = false;
};

// Writes snapshots on a thread of its own: the worker hands over what it took of the state, and
// goes on. At most kQueueBytes wait; the worker asks `has_room` before it takes more. A failure (a
// full disk, say) gives that snapshot up, and the next one is a whole one; events do not notice.
// What retention wants to remove goes as soon as a snapshot stands for it.
// Confined to the worker, with one thread. `store`'s files and the log must outlive it.
class SnapshotWriter {
 public:
  static constexpr size_t kQueueBytes = 16 << 20;
  // `base`: the snapshot that the state was loaded from, if any. `rested`, which may be null, is
  // called by the thread when nothing is being written any more; it must not block.
  SnapshotWriter(SnapshotStore store, const os::Clock& clock, base::MetricsRegistry& metrics,
                 log::Log& log, std::optional<SnapshotManifest> base, std::function<void()> rested);
  // Gives up what is not finished.
  ~SnapshotWriter();

  // The next snapshot: must everything be handed over, or what has changed?
  bool needs_whole() const;
  bool has_room() const;
  // How many are written, and what the newest consists of.
  struct Written {
    uint64_t count = 0;
    uint64_t bytes = 0;
  };
  Written written() const;
  // A snapshot is begun, or being written.
  bool busy() const;
  // `whole`: its pages are all there are; otherwise those that are not appended stay as they were.
  void Begin(uint64_t lsn, std::string head, bool whole);
  void Append(std::vector<flow::BlockPage> pages);
  void Finish();
  // Other statements take over: gives up what was begun and forgets what was taken of the former,
  // but for the beginning. That is done or failed when Wait returns, and is tried again before the
  // next one, which must be whole.
  void Forget();
  // Retention is due without a snapshot: nothing has come. It fails as if it had not been asked
  // for.
  void RetainNow();
  // Finds out what is to go, and makes the oldest snapshot the beginning that stands for it, if
  // there is one. Nothing is being written.
  void Cover(TrimRequest request);
  // What the last Cover gave, once.
  std::optional<Result<TrimCover>> TakeCover();
  // What was trimmed goes from the disk. It fails as if it had not been asked for.
  void RemoveTrimmed();
  // Returns when nothing is being written any more; says how the last one went.
  Status Wait();

 private:
  enum class Step { kBegin, kPages, kFinish, kForget, kRetain, kCover, kRemove };
  struct Work {
    Step step = Step::kPages;
    uint64_t lsn = 0;
    std::string head;
    bool whole = false;
    std::vector<flow::BlockPage> pages;
    size_t bytes = 0;
    TrimRequest trim{};
  };

  void Push(Work work);
  void Run();
  Status Do(Work& work, uint64_t lsn);
  Status Forgotten();
  Status Commit(uint64_t lsn);
  Status Retain();
  Status RetainIdle();
  Result<TrimCover> Covered(const TrimRequest& request);
  Status Remove();

  // Constant after construction.
  const os::Clock& clock_;
  log::Log& log_;
  std::function<void()> rested_;
  base::Counter& written_bytes_;
  base::Counter& failures_;
  base::Gauge& last_lsn_;
  base::Histogram& seconds_;

  // Confined to the thread.
  SnapshotStore store_;
  std::optional<SnapshotManifest> base_;
  int64_t began_nanos_ = 0;
  bool forget_due_ = false;

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> queue_;
  size_t queue_bytes_ = 0;
  bool busy_ = false;    // from Begin until it is written or given up
  bool whole_ = true;    // the next one must be
  bool broken_ = false;  // the present one has failed: the rest of it is thrown away
  bool stop_ = false;
  std::optional<Error> failure_;  // of the last one
  Written written_;
  std::optional<Result<TrimCover>> cover_;
  std::thread thread_;
};

}  // namespace headrace::engine
