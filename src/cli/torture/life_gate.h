#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

namespace headrace::cli::torture {

// A start of the server that answers.
struct Life {
  uint32_t number = 0;
  uint16_t port = 0;
  int64_t pause = 0;  // milliseconds that a producer thinks between requests
};

// Where clients wait between the lives of the server. Nobody is inside when a life begins, so what
// a client records belongs to one life. Thread-safe.
class LifeGate {
 public:
  // --- clients ---
  // Waits for a life younger than `last`; nothing when there will be none.
  std::optional<Life> Enter(uint32_t last);
  void Leave();
  // Waits a little, as long as the life goes on; false when it is over.
  bool Pause(int64_t milliseconds);

  // --- whoever runs the lives ---
  void Open(const Life& life);
  // The server is gone: waits until every client has noticed.
  void Close();
  // No more lives.
  void End();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  // All guarded by mutex_.
  Life life_{};
  bool open_ = false;
  bool ended_ = false;
  int inside_ = 0;
};

}  // namespace headrace::cli::torture
