#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace headrace::os {

// A fixed number of threads that do one job together, the caller among them.
//
// A job is cut into pieces that need nothing from each other; who does which piece, and when, is
// left to chance, so pieces may write only what no other piece reads. The caller starts at once and
// never waits for a thread that has not begun: one that the system keeps from running delays
// nobody. Run is confined to one thread at a time.
class WorkerTeam {
 public:
  static constexpr size_t kWorkersMax = 16;
  static constexpr size_t kPieceRows = 64;
  // `worker` is below size(); no two pieces run at the same time with the same one.
  using Piece = std::function<void(size_t piece, size_t worker)>;
  // Rows [begin, end): a piece, whose number is begin / kPieceRows.
  using Rows = std::function<void(size_t begin, size_t end, size_t worker)>;

  // `workers` is clamped to [1, kWorkersMax]; one starts no thread.
  explicit WorkerTeam(size_t workers);
  ~WorkerTeam();
  WorkerTeam(const WorkerTeam&) = delete;
  WorkerTeam& operator=(const WorkerTeam&) = delete;

  size_t size() const { return threads_.size() + 1; }
  // Runs `piece` for every number below `pieces`; all are done when it returns.
  void Run(size_t pieces, const Piece& piece);
  // Runs `rows` for all below `count`, in pieces of kPieceRows.
  void RunRows(size_t count, const Rows& rows);
  static size_t PiecesOf(size_t rows) { return (rows + kPieceRows - 1) / kPieceRows; }

 private:
  void Work(size_t worker);
  void TakePieces(const Piece& piece, size_t pieces, size_t worker);

  std::mutex mutex_;
  std::condition_variable begun_;
  std::condition_variable left_;
  // Guarded by mutex_.
  const Piece* piece_ = nullptr;  // null: no job, or none that one could still join
  size_t pieces_ = 0;
  uint64_t job_ = 0;
  size_t joined_ = 0;  // threads in the job
  bool ended_ = false;

  std::atomic<size_t> next_{0};
  std::vector<std::thread> threads_;
};

}  // namespace headrace::os
