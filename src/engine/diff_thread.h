#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/decision_diff.h"

namespace headrace::engine {

// Joins the rows of a fork with those in the log on a thread of its own, behind the replay that
// makes them: reading and comparing the logged rows costs that no time.
//
// Threads: Take and Finish are confined to one caller; the diff is the thread's until Finish.
// Lifetime: the diff must outlive it. Limits: kChunks chunks of kChunkRows rows wait; then Take
// does.
class DiffThread {
 public:
  static constexpr size_t kChunks = 4;
  static constexpr size_t kChunkRows = 1024;

  explicit DiffThread(DecisionDiff& diff);
  ~DiffThread();

  // Rows come in the order of their causes. The bytes are copied. Error: the first of the thread.
  Status Take(row::Place cause, const DecisionDiff::Standing& standing, std::string_view json);
  // Everything up to the LSN was run. As DecisionDiff::Finish.
  Status Finish(uint64_t last_lsn, WhatIfReport* report);

 private:
  struct Chunk {
    struct Row {
      row::Place cause;
      DecisionDiff::Standing standing;
      size_t end = 0;  // in `bytes`
    };
    std::string bytes;
    std::vector<Row> rows;
  };

  void Run();
  Status TakeAll(const Chunk& chunk);
  void Give();
  void End();

  DecisionDiff& diff_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Chunk>> ready_;
  std::deque<std::unique_ptr<Chunk>> empty_;
  bool ended_ = false;
  std::optional<Error> failure_;

  std::atomic<bool> failed_{false};
  std::unique_ptr<Chunk> current_;  // the caller's
  std::thread thread_;
};

}  // namespace headrace::engine
