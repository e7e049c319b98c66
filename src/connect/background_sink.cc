#include "connect/background_sink.h"

#include <algorithm>
#include <utility>

namespace headrace::connect {
namespace {

constexpr size_t kSpareBuffers = 24;

}  // namespace

BackgroundSink::BackgroundSink(std::unique_ptr<FileSink> sink)
    : sink_(std::move(sink)), thread_([this] { Run(); }) {}

BackgroundSink::~BackgroundSink() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  work_.notify_one();
  thread_.join();
}

Status BackgroundSink::Append(std::string bytes, uint64_t rows) {
  std::unique_lock lock(mutex_);
  done_.wait(lock, [&] { return waiting_bytes_ < kQueueBytes || failure_; });
  if (failure_) return *failure_;
  waiting_bytes_ += bytes.size();
  waiting_.push_back({std::move(bytes), rows});
  work_.notify_one();
  return Ok();
}

Status BackgroundSink::Flush(bool durable) {
  std::unique_lock lock(mutex_);
  wish_ = std::max(wish_, durable ? Wish::kDurable : Wish::kFlush);
  uint64_t mine = ++asked_;
  work_.notify_one();
  done_.wait(lock, [&] { return fulfilled_ >= mine || failure_; });
  return failure_ ? Status(*failure_) : Ok();
}

void BackgroundSink::Checkpoint() {
  std::lock_guard lock(mutex_);
  wish_ = Wish::kDurable;
  ++asked_;
  work_.notify_one();
}

std::string BackgroundSink::Buffer() {
  std::lock_guard lock(mutex_);
  if (buffers_.empty()) return {};
  std::string buffer = std::move(buffers_.front());
  buffers_.pop_front();
  return buffer;
}

void BackgroundSink::Run() {
  std::deque<Piece> pieces;
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [&] { return !waiting_.empty() || wish_ != Wish::kNone || closed_; });
    if (waiting_.empty() && wish_ == Wish::kNone) return;
    pieces.swap(waiting_);
    Wish wish = std::exchange(wish_, Wish::kNone);
    uint64_t asked = asked_;
    lock.unlock();
    Status written = Write(pieces, wish);
    lock.lock();
    for (Piece& piece : pieces) {
      waiting_bytes_ -= piece.bytes.size();
      piece.bytes.clear();
      if (buffers_.size() < kSpareBuffers) buffers_.push_back(std::move(piece.bytes));
    }
    pieces.clear();
    if (!written.ok()) failure_ = written.error();
    fulfilled_ = asked;
    done_.notify_all();
    if (failure_) return;
  }
}

Status BackgroundSink::Write(const std::deque<Piece>& pieces, Wish wish) {
  for (const Piece& piece : pieces)
    HR_TRY(sink_->Append(piece.bytes, piece.rows));
  return wish == Wish::kNone ? Ok() : sink_->Flush(wish == Wish::kDurable);
}

}  // namespace headrace::connect
