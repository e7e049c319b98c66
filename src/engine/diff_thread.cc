#include "engine/diff_thread.h"

namespace headrace::engine {

DiffThread::DiffThread(DecisionDiff& diff) : diff_(diff), current_(std::make_unique<Chunk>()) {
  for (size_t i = 0; i < kChunks; ++i)
    empty_.push_back(std::make_unique<Chunk>());
  thread_ = std::thread([this] { Run(); });
}

DiffThread::~DiffThread() {
  End();
}

Status DiffThread::Take(row::Place cause, const DecisionDiff::Standing& standing,
                        std::string_view json) {
  current_->bytes += json;
  current_->rows.push_back({cause, standing, current_->bytes.size()});
  if (current_->rows.size() == kChunkRows) Give();
  if (!failed_) return Ok();
  const std::lock_guard lock(mutex_);
  return *failure_;
}

void DiffThread::Give() {
  std::unique_lock lock(mutex_);
  ready_.push_back(std::move(current_));
  changed_.notify_all();
  changed_.wait(lock, [&] { return !empty_.empty(); });
  current_ = std::move(empty_.front());
  empty_.pop_front();
}

void DiffThread::End() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Status DiffThread::Finish(uint64_t last_lsn, WhatIfReport* report) {
  Give();
  End();
  if (failure_) return *failure_;
  return diff_.Finish(last_lsn, report);
}

void DiffThread::Run() {
  while (true) {
    std::unique_ptr<Chunk> chunk;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return !ready_.empty() || ended_; });
      if (ready_.empty()) return;
      chunk = std::move(ready_.front());
      ready_.pop_front();
    }
    const Status taken = failed_ ? Ok() : TakeAll(*chunk);
    chunk->bytes.clear();
    chunk->rows.clear();
    const std::lock_guard lock(mutex_);
    if (!taken.ok()) {
      failure_ = taken.error();
      failed_ = true;
    }
    empty_.push_back(std::move(chunk));
    changed_.notify_all();
  }
}

Status DiffThread::TakeAll(const Chunk& chunk) {
  size_t begin = 0;
  for (const Chunk::Row& row : chunk.rows) {
    HR_TRY(diff_.Take(row.cause, row.standing,
                      std::string_view(chunk.bytes).substr(begin, row.end - begin)));
    begin = row.end;
  }
  return Ok();
}

}  // namespace headrace::engine
