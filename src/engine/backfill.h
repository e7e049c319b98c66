#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "engine/deployment.h"
#include "engine/snapshot_store.h"
#include "flow/graph.h"
#include "log/log.h"

namespace headrace::engine {

// The part of a deployment that the newest revisions of `names` are made from: they, and the
// statements and sources before them. What is replaced is in it only if one of them reads it.
std::shared_ptr<const Deployment> PartFor(const Deployment& whole,
                                          const std::vector<std::string>& names);

// Computes statements over the past beside live traffic: a graph of its own runs what the log holds
// on a thread of its own, round after round, until it has nearly come to the end of the log. The
// worker hands on the rows of new statements meanwhile, a chunk now and then, and when the end is
// near it fixes that and takes the nodes over.
//
// Invariant: what is computed is a function of the log alone; only how far it is depends on time.
// Threads: the constructor, the destructor and all methods belong to the worker; the thread has
// the graph until the state is kDone or kFailed. Limits: kChunksMax chunks of about kChunkBytes
// wait. The log, the spill file and whatever `wake` needs must outlive it.
class Backfill {
 public:
  static constexpr size_t kChunkBytes = 64 << 10;
  static constexpr size_t kChunksMax = 16;
  // So near to the end the worker may wait for the rest; after so many rounds it does so anyway,
  // because events come as fast as they are run.
  static constexpr log::Lsn kNearLsns = 256;
  static constexpr size_t kRoundsMax = 64;

  struct Job {
    std::shared_ptr<const Deployment> part;
    // New statements: their rows are wanted. Those that the log holds, which must be durable, are
    // compared.
    std::vector<std::string> emitting;
    flow::ModelLookup models;  // called by the thread
    os::SpillFile* spill = nullptr;
    std::function<void()> wake;  // called by the thread when the worker has something to do
  };
  // Rows, as they will be logged.
  struct Chunk {
    std::vector<log::Entry> entries;
    size_t rows = 0;
  };
  enum class State { kBehind, kNear, kDone, kFailed };

  Backfill(const log::Log& log, SnapshotStore store, Job job, base::Counter& events);
  // Gives up what is not done.
  ~Backfill();

  State state() const;
  std::optional<Chunk> TakeChunk();
  // Near the end but not asked to finish: runs what has come since.
  void GoOn();
  // Everything up to `lsn` is durable, and no event follows: kDone when that is run.
  void FinishAt(log::Lsn lsn);
  // Returns when there is a chunk, or the state is not kBehind (behind FinishAt: kDone, kFailed).
  void Wait();
  uint64_t events() const;

  // When kFailed.
  const Error& failure() const { return *failure_; }
  // Because it computed rows otherwise than they were logged when it was computed before.
  bool differs() const;
  // When kDone.
  flow::Graph& graph() { return *graph_; }
  const Deployment& part() const { return *job_.part; }
  // What each statement refused of the past, for a group that it joins the others with: its name
  // and its LSN, in their order. Once.
  std::vector<log::Entry> Letters(const std::vector<std::pair<std::string, log::Lsn>>& joins);

 private:
  class Rows;

  void Run();
  Status Compute();
  Status RunUpTo(log::Lsn from, log::Lsn until);
  // What to run next; nothing when all is done or given up.
  std::optional<log::Lsn> NextEnd(log::Lsn at, size_t round);
  Status HandOver(size_t at_least);

  // Constant after construction.
  const log::Log& log_;
  SnapshotStore store_;
  Job job_;
  base::Counter& events_metric_;

  // The thread's, then the worker's.
  std::unique_ptr<flow::Graph> graph_;
  std::unique_ptr<Rows> rows_;
  std::optional<Error> failure_;

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Chunk> chunks_;
  State state_ = State::kBehind;
  std::optional<log::Lsn> end_;
  bool go_on_ = false;
  bool stop_ = false;
  uint64_t events_ = 0;
  std::thread thread_;
};

}  // namespace headrace::engine
