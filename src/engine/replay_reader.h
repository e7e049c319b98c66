#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/frame.h"
#include "flow/graph.h"
#include "flow/remote_answer.h"
#include "log/log.h"
#include "log/record_batch.h"

namespace headrace::engine {

// The rows of a logged batch that is not of a source. Valid as long as the step that holds it.
struct LoggedRows {
  std::vector<std::string_view> values;
  std::vector<uint64_t> hashes;  // of the values
};

// One entry of the log with all that can be done for it before the entries before it were run: it
// is checked and unpacked, the events of an input are decoded, the rows of another batch hashed.
struct ReplayStep {
  log::Entry entry;
  flow::SourceNode* source = nullptr;        // of an input: the graph's
  Frame frame;                               // of an input
  LoggedRows logged;                         // of another batch, when wanted
  std::vector<flow::RemoteAnswer> answers;   // what remote models answered
  std::optional<log::RecordReader> records;  // what the views in `frame` and `logged` point into
};

// Reads the log for a replay on a thread of its own, a bounded number of steps ahead, so that the
// worker has nothing left to do but what depends on order: the flow, and comparing.
//
// Invariant: steps come in the order of the log; an error comes behind the last good step. Threads:
// confined to one caller; the reading thread has decoders of its own and only looks topics up in
// the graph, whose sources must not change meanwhile. Limits: kStepsAhead steps wait, and about
// kEventsAhead events. The log and the graph must outlive it.
class ReplayReader {
 public:
  static constexpr size_t kChunks = 4;
  static constexpr size_t kStepsAhead = 32 * kChunks;
  static constexpr size_t kEventsAhead = 1024 * kChunks;

  struct Range {
    log::Lsn from = 1;
    log::Lsn until = UINT64_MAX;  // the last
  };
  // `rows_wanted`: of batches that are not of a source too.
  ReplayReader(const log::Log& log, flow::Graph& graph, Range range, bool rows_wanted);
  ~ReplayReader();

  // Of a batch of the topic of answers. Errors: HR5330, and those of a damaged batch.
  static Status ReadAnswers(const log::Entry& entry, std::vector<flow::RemoteAnswer>& answers);

  // Null at the end. The step is valid until the next call.
  Result<ReplayStep*> Next();

 private:
  // Steps that change threads together. Kept and filled again, for their memory.
  struct Chunk {
    std::vector<std::unique_ptr<ReplayStep>> steps;
    size_t used = 0;
    std::optional<Error> error;  // behind the steps in use
    bool last = false;
  };

  void Run();
  Status Fill(log::Log::Cursor& cursor, Chunk& chunk);
  Status Prepare(ReplayStep& step);
  void Give(std::unique_ptr<Chunk> chunk);

  // Constant after construction.
  const log::Log& log_;
  flow::Graph& graph_;
  Range range_;
  bool rows_wanted_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Chunk>> ready_;
  std::deque<std::unique_ptr<Chunk>> empty_;
  bool stop_ = false;

  // The reading thread's: what decodes, by the graph's source.
  std::map<flow::SourceNode*, std::unique_ptr<flow::SourceNode>> decoders_;

  // The caller's.
  std::unique_ptr<Chunk> current_;
  size_t given_ = 0;
  std::thread thread_;
};

}  // namespace headrace::engine
