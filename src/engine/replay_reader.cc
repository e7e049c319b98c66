#include "engine/replay_reader.h"

#include "base/hash.h"

namespace headrace::engine {

ReplayReader::ReplayReader(const log::Log& log, flow::Graph& graph, Range range, bool rows_wanted)
    : log_(log), graph_(graph), range_(range), rows_wanted_(rows_wanted) {
  for (size_t i = 0; i < kChunks; ++i)
    empty_.push_back(std::make_unique<Chunk>());
  thread_ = std::thread([this] { Run(); });
}

ReplayReader::~ReplayReader() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Result<ReplayStep*> ReplayReader::Next() {
  while (true) {
    if (current_ && given_ < current_->used) return current_->steps[given_++].get();
    if (current_ && current_->error) return *current_->error;
    if (current_ && current_->last) return nullptr;
    std::unique_lock lock(mutex_);
    if (current_) {
      empty_.push_back(std::move(current_));
      changed_.notify_all();
    }
    changed_.wait(lock, [&] { return !ready_.empty(); });
    current_ = std::move(ready_.front());
    ready_.pop_front();
    given_ = 0;
  }
}

void ReplayReader::Give(std::unique_ptr<Chunk> chunk) {
  std::lock_guard lock(mutex_);
  ready_.push_back(std::move(chunk));
  changed_.notify_all();
}

void ReplayReader::Run() {
  std::set<std::string> topics = graph_.topics();
  if (graph_.asks()) topics.insert(flow::kRemoteAnswersTopic);
  Result<std::unique_ptr<log::Log::Cursor>> cursor =
      rows_wanted_ ? log_.Scan(range_.from) : log_.Scan(range_.from, std::move(topics));
  while (true) {
    std::unique_ptr<Chunk> chunk;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return !empty_.empty() || stop_; });
      if (stop_) return;
      chunk = std::move(empty_.front());
      empty_.pop_front();
    }
    chunk->used = 0;
    Status filled = cursor.ok() ? Fill(**cursor, *chunk) : Status(cursor.error());
    if (!filled.ok()) chunk->error = filled.error();
    bool ended = chunk->last || chunk->error;
    Give(std::move(chunk));
    if (ended) return;
  }
}

Status ReplayReader::Fill(log::Log::Cursor& cursor, Chunk& chunk) {
  size_t events = 0;
  while (chunk.used < kStepsAhead / kChunks && events < kEventsAhead / kChunks) {
    if (chunk.used == chunk.steps.size()) chunk.steps.push_back(std::make_unique<ReplayStep>());
    ReplayStep& step = *chunk.steps[chunk.used];
    HR_ASSIGN(bool more, cursor.Next(&step.entry));
    chunk.last = !more || step.entry.lsn > range_.until;
    if (chunk.last) return Ok();
    HR_TRY(Prepare(step));
    if (step.source != nullptr) events += step.frame.batch.rows().size();
    ++chunk.used;
  }
  return Ok();
}

Status ReplayReader::ReadAnswers(const log::Entry& entry,
                                 std::vector<flow::RemoteAnswer>& answers) {
  HR_ASSIGN(log::RecordReader reader, log::RecordReader::Open(entry.bytes));
  log::Record record;
  while (true) {
    HR_ASSIGN(bool more, reader.Next(&record));
    if (!more) return Ok();
    HR_ASSIGN(flow::RemoteAnswer answer, flow::RemoteAnswer::Decode(record.value));
    answers.push_back(std::move(answer));
  }
}

Status ReplayReader::Prepare(ReplayStep& step) {
  step.source = nullptr;
  step.logged.values.clear();
  step.logged.hashes.clear();
  step.answers.clear();
  if (step.entry.kind == log::EntryKind::kControl) return Ok();
  if (step.entry.topic == flow::kRemoteAnswersTopic) return ReadAnswers(step.entry, step.answers);
  step.source = graph_.FindSource(step.entry.topic);
  if (step.source == nullptr && !rows_wanted_) return Ok();
  HR_ASSIGN(step.records, log::RecordReader::Open(step.entry.bytes));
  if (step.source != nullptr) {
    std::unique_ptr<flow::SourceNode>& decoder = decoders_[step.source];
    if (!decoder) {
      // The graph outlives this reader: nothing is owned.
      decoder = std::make_unique<flow::SourceNode>(std::shared_ptr<const flow::SourcePlan>(
          std::shared_ptr<const flow::SourcePlan>(), &step.source->plan()));
    }
    return AdmitEntry(*decoder, step.entry, *step.records, step.frame);
  }
  log::Record record;
  while (true) {
    HR_ASSIGN(bool more, step.records->Next(&record));
    if (!more) return Ok();
    step.logged.values.push_back(record.value);
    step.logged.hashes.push_back(base::Hash64(record.value));
  }
}

}  // namespace headrace::engine
