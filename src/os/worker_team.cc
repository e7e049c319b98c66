#include "os/worker_team.h"

#include <algorithm>

namespace headrace::os {

WorkerTeam::WorkerTeam(size_t workers) {
  const size_t others = std::clamp<size_t>(workers, 1, kWorkersMax) - 1;
  for (size_t worker = 1; worker <= others; ++worker)
    threads_.emplace_back([this, worker] { Work(worker); });
}

WorkerTeam::~WorkerTeam() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  begun_.notify_all();
  for (std::thread& thread : threads_)
    thread.join();
}

void WorkerTeam::TakePieces(const Piece& piece, size_t pieces, size_t worker) {
  while (true) {
    const size_t taken = next_.fetch_add(1, std::memory_order_relaxed);
    if (taken >= pieces) return;
    piece(taken, worker);
  }
}

void WorkerTeam::Run(size_t pieces, const Piece& piece) {
  if (threads_.empty() || pieces < 2) {
    for (size_t i = 0; i < pieces; ++i)
      piece(i, 0);
    return;
  }
  {
    std::lock_guard lock(mutex_);
    next_.store(0, std::memory_order_relaxed);
    piece_ = &piece;
    pieces_ = pieces;
    ++job_;
  }
  begun_.notify_all();
  TakePieces(piece, pieces, 0);
  std::unique_lock lock(mutex_);
  piece_ = nullptr;
  left_.wait(lock, [this] { return joined_ == 0; });
}

void WorkerTeam::RunRows(size_t count, const Rows& rows) {
  Run(PiecesOf(count), [&](size_t piece, size_t worker) {
    const size_t begin = piece * kPieceRows;
    rows(begin, std::min(count, begin + kPieceRows), worker);
  });
}

void WorkerTeam::Work(size_t worker) {
  uint64_t done = 0;
  std::unique_lock lock(mutex_);
  while (true) {
    begun_.wait(lock, [&] { return ended_ || (piece_ != nullptr && job_ != done); });
    if (ended_) return;
    done = job_;
    const Piece& piece = *piece_;
    const size_t pieces = pieces_;
    ++joined_;
    lock.unlock();
    TakePieces(piece, pieces, worker);
    lock.lock();
    if (--joined_ == 0) left_.notify_one();
  }
}

}  // namespace headrace::os
