#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/arena.h"
#include "engine/deployment.h"
#include "engine/label_table.h"
#include "engine/row_cursor.h"
#include "engine/row_decoder.h"
#include "engine/training_set.h"

namespace headrace::engine {

// Rows of a stream with their labels, in the order of their causes.
struct LabelledChunk {
  base::Arena arena;               // owns the bytes of the values
  std::vector<row::Value> values;  // row-major; the label is the last of each row
  std::vector<int64_t> row_times;  // INT64_MIN: it has none
  std::vector<int64_t> label_times;
  uint64_t unlabelled = 0;  // rows that were left out for want of a label
  size_t read = 0;          // rows, whatever became of them
  size_t bytes = 0;         // of these

  size_t rows() const { return row_times.size(); }
  void Clear();
};

// Reads, decodes and joins the rows that a training set asks for, on a thread of its own, while the
// caller writes those before. Next is confined to one caller. Lifetime: everything given must
// outlive it; a chunk is the caller's until the next call. Limits: kChunks chunks of kChunkRows
// rows, or of fewer whose bytes are kChunkBytes.
class LabelledRows {
 public:
  static constexpr size_t kChunks = 4;
  static constexpr size_t kChunkRows = 1024;
  static constexpr size_t kChunkBytes = 4 << 20;

  // `key` is the column that labels are looked up by; -1: the row's ID.
  struct Job {
    const log::Log& log;
    const Deployment& deployment;
    const Deployed& item;
    const LabelTable& labels;
    const TrainingSetRequest& request;
    int key = -1;
  };
  explicit LabelledRows(const Job& job);
  ~LabelledRows();
  LabelledRows(const LabelledRows&) = delete;
  LabelledRows& operator=(const LabelledRows&) = delete;

  // Null: there are no more. Errors: those of reading.
  Result<const LabelledChunk*> Next();

 private:
  void Run();
  Status ReadAll();
  Status Add(const StoredRow& stored, LabelledChunk& chunk);
  std::string KeyOf(const StoredRow& stored, const row::Value* row) const;
  // Hands the chunk on and gives an empty one; null: nobody wants more.
  std::unique_ptr<LabelledChunk> Exchange(std::unique_ptr<LabelledChunk> full);

  Job job_;
  size_t columns_;
  RowDecoder decoder_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<LabelledChunk>> ready_;
  std::deque<std::unique_ptr<LabelledChunk>> empty_;
  bool ended_ = false;    // nothing more is read
  bool stopped_ = false;  // nothing more is wanted
  std::optional<Error> failure_;

  std::unique_ptr<LabelledChunk> given_;  // the caller's
  std::thread thread_;
};

}  // namespace headrace::engine
