#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "connect/file_source.h"

namespace headrace::connect {

// Writes to a sink from a thread of its own, so that the worker does not pay for the kernel's copy
// of every output byte. Bytes are written in the order in which they were given. Confined to one
// caller; the sink belongs to the thread until Close. At most kQueueBytes wait: then Append blocks,
// as a slow disk or a full pipe should make it. A failure of the sink is final: every later call
// returns it, and nothing more is written.
class BackgroundSink {
 public:
  static constexpr size_t kQueueBytes = 4 << 20;

  explicit BackgroundSink(std::unique_ptr<FileSink> sink);
  // Hands what waits to the sink; what was not flushed may be missing in the file.
  ~BackgroundSink();

  Status Append(std::string bytes, uint64_t rows);
  // Returns when all that was given is in the file; with `durable` also synced and checkpointed.
  Status Flush(bool durable);
  // Asks for a durable flush and goes on.
  void Checkpoint();
  // An emptied buffer to fill again, so that the steady state allocates nothing.
  std::string Buffer();

 private:
  struct Piece {
    std::string bytes;
    uint64_t rows = 0;
  };
  // What a flush must do: nothing, hand the buffer to the system, or make it durable too.
  enum class Wish { kNone, kFlush, kDurable };

  void Run();
  Status Write(const std::deque<Piece>& pieces, Wish wish);

  std::unique_ptr<FileSink> sink_;
  std::mutex mutex_;
  std::condition_variable work_;  // something waits, or a wish, or the end
  std::condition_variable done_;  // the queue is shorter, or the wish is fulfilled
  std::deque<Piece> waiting_;
  std::deque<std::string> buffers_;
  size_t waiting_bytes_ = 0;
  Wish wish_ = Wish::kNone;
  uint64_t asked_ = 0;      // flushes asked for
  uint64_t fulfilled_ = 0;  // and done: all that had been given before them is in the file
  bool closed_ = false;
  std::optional<Error> failure_;
  std::thread thread_;
};

}  // namespace headrace::connect
