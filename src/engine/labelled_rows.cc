#include "engine/labelled_rows.h"

#include <string>
#include <utility>

namespace headrace::engine {

void LabelledChunk::Clear() {
  arena.Reset();
  values.clear();
  row_times.clear();
  label_times.clear();
  unlabelled = 0;
  read = 0;
  bytes = 0;
}

LabelledRows::LabelledRows(const Job& job)
    : job_(job),
      columns_(job.item.statement->schema.columns.size()),
      decoder_(job.deployment, job.item) {
  for (size_t i = 0; i < kChunks; ++i)
    empty_.push_back(std::make_unique<LabelledChunk>());
  thread_ = std::thread([this] { Run(); });
}

LabelledRows::~LabelledRows() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Result<const LabelledChunk*> LabelledRows::Next() {
  std::unique_lock lock(mutex_);
  if (given_) empty_.push_back(std::move(given_));
  changed_.notify_all();
  changed_.wait(lock, [this] { return !ready_.empty() || ended_; });
  if (ready_.empty()) {
    if (failure_) return *failure_;
    return static_cast<const LabelledChunk*>(nullptr);
  }
  given_ = std::move(ready_.front());
  ready_.pop_front();
  return static_cast<const LabelledChunk*>(given_.get());
}

void LabelledRows::Run() {
  const Status read = ReadAll();
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    if (!read.ok()) failure_ = read.error();
  }
  changed_.notify_all();
}

std::unique_ptr<LabelledChunk> LabelledRows::Exchange(std::unique_ptr<LabelledChunk> full) {
  std::unique_lock lock(mutex_);
  if (full) ready_.push_back(std::move(full));
  changed_.notify_all();
  changed_.wait(lock, [this] { return !empty_.empty() || stopped_; });
  if (stopped_) return nullptr;
  std::unique_ptr<LabelledChunk> chunk = std::move(empty_.front());
  empty_.pop_front();
  chunk->Clear();
  return chunk;
}

Status LabelledRows::ReadAll() {
  HR_ASSIGN(auto cursor, RowCursor::Open(job_.log, job_.item, -1, 0));
  std::unique_ptr<LabelledChunk> chunk = Exchange(nullptr);
  StoredRow stored;
  while (chunk) {
    HR_ASSIGN(bool more, cursor->Next(&stored));
    if (!more) break;
    HR_TRY(Add(stored, *chunk));
    if (chunk->read == kChunkRows || chunk->bytes >= kChunkBytes) {
      chunk = Exchange(std::move(chunk));
    }
  }
  if (!chunk) return Ok();
  const std::lock_guard lock(mutex_);
  ready_.push_back(std::move(chunk));
  return Ok();
}

Status LabelledRows::Add(const StoredRow& stored, LabelledChunk& chunk) {
  ++chunk.read;
  chunk.bytes += stored.value.size();
  const size_t begin = chunk.values.size();
  chunk.values.resize(begin + columns_ + 1);
  row::Value* row = chunk.values.data() + begin;
  HR_TRY(decoder_.DecodeInto(stored, chunk.arena, row));
  const int time_column = job_.item.statement->time_column;
  const bool timed = time_column >= 0 && !row[time_column].null;
  const int64_t time = timed ? row[time_column].integer : INT64_MIN;
  const TrainingSetRequest& asked = job_.request;
  const bool outside =
      timed && ((asked.from && time < *asked.from) || (asked.to && time > *asked.to) ||
                (asked.as_of && time > *asked.as_of));
  const LabelTable::Label* label = outside ? nullptr : job_.labels.Find(KeyOf(stored, row));
  if (label == nullptr) {
    chunk.values.resize(begin);
    chunk.unlabelled += outside ? 0 : 1;
    return Ok();
  }
  row[columns_] = label->value;
  chunk.row_times.push_back(time);
  chunk.label_times.push_back(label->time);
  return Ok();
}

std::string LabelledRows::KeyOf(const StoredRow& stored, const row::Value* row) const {
  if (job_.key >= 0) {
    return LabelKey(row[job_.key], job_.item.statement->schema.columns[size_t(job_.key)].type);
  }
  return job_.request.stream + ":" + std::to_string(stored.partition) + ":" +
         std::to_string(stored.offset);
}

}  // namespace headrace::engine
