// The write path of LocalEngine: requests and file chunks through the flow into journal groups.

#include <algorithm>
#include <span>

#include "catalog/change.h"
#include "engine/local_engine.h"
#include "engine/replay.h"
#include "engine/taken.h"
#include "engine/training_steps.h"
#include "row/text.h"

namespace headrace::engine {

namespace {

constexpr int64_t kSlowFlushNanos = 50'000'000;  // a flush by the worker, which serves nobody then
constexpr int64_t kSlowFlushPauseNanos = 1'000'000'000;

// What a waiting request takes of memory, about.
uint64_t BytesOf(const IngestRequest& request) {
  uint64_t bytes = sizeof(request);
  for (const std::string& payload : request.payloads)
    bytes += sizeof(std::string) + payload.size();
  return bytes;
}

// How many events the stream's topic holds, over all partitions.
int64_t EventsIn(const log::Log& log, const Deployed& item) {
  int64_t events = 0;
  for (int32_t p = 0; p < item.partitions; ++p)
    events += log.next_offset(item.topic(), p);
  return events;
}

}  // namespace

std::optional<Error> LocalEngine::RefuseNow(uint64_t bytes) {
  if (std::optional<Error> full = MemoryFull()) return full;
  // What is alone too much is taken alone.
  if (queue_.empty() || queued_bytes_ + bytes <= options_.pending_bytes_max) return std::nullopt;
  return TooManyWait();
}

void LocalEngine::KeepWithinMemory() {
  if (memory_) memory_->KeepWithin();
}

std::optional<Error> LocalEngine::MemoryFull() {
  std::optional<Error> full = memory_ ? memory_->Full() : std::nullopt;
  if (full) overload_refusals_.Add();
  return full;
}

Error LocalEngine::TooManyWait() {
  overload_refusals_.Add();
  return Error(ErrorKind::kLimitExceeded, "HR5003",
               "too much is waiting already: " + std::to_string(queued_events_) + " events, " +
                   std::to_string(queued_bytes_) + " bytes")
      .WithHint("nothing of the request was taken; send it again after a second");
}

void LocalEngine::CountQueued(int64_t events, int64_t bytes) {
  queued_events_ += static_cast<size_t>(events);
  queued_bytes_ += static_cast<uint64_t>(bytes);
  auto share = [](uint64_t part, uint64_t whole) {
    return static_cast<double>(part) / static_cast<double>(std::max<uint64_t>(whole, 1));
  };
  backpressure_.Set(std::max(share(queued_events_, options_.pending_events_max),
                             share(queued_bytes_, options_.pending_bytes_max)));
}

void LocalEngine::Submit(IngestRequest request) {
  std::optional<Error> refusal;
  if (closed_ || log_->failure() != nullptr) {
    refusal = Error(ErrorKind::kUnavailable, "HR5001", "the journal takes no more events")
                  .WithHint(log_->failure() != nullptr ? log_->failure()->ToString()
                                                       : "the program is stopping");
  } else if (unappended_ || (deploying_ && deploying_->finishing && log_->no_space())) {
    refusal = Error(ErrorKind::kNoSpace, "HR5002", "no space left for the journal")
                  .WithHint("free disk space; events are taken again without a restart");
  } else if (request.topic.starts_with(kTrainingPrefix)) {
    refusal = Error(ErrorKind::kInvalidArgument, "HR1263",
                    "topic " + request.topic + " tells of trainings: it takes no events")
                  .WithHint("read it like any stream");
  } else if (graph_->FindSource(request.topic) == nullptr) {
    refusal = Error(ErrorKind::kNotFound, "HR1203", "no stream reads topic " + request.topic)
                  .WithHint("CREATE STREAM ... WITH (topic = '" + request.topic + "') first");
  } else if (!request.return_stream.empty() &&
             deployment_->Find(request.return_stream) == nullptr) {
    refusal = Error(ErrorKind::kNotFound, "HR1204", "no stream " + request.return_stream);
  } else if (!request.return_stream.empty() &&
             !deployment_->Find(request.return_stream)->joined()) {
    refusal = Error(ErrorKind::kUnavailable, "HR5010",
                    request.return_stream + " is still being computed over the past")
                  .WithHint("it answers as soon as its deployment is done");
  } else if (!request.return_stream.empty() && deployment_->Find(request.return_stream)->halted()) {
    refusal = Error(ErrorKind::kUnavailable, "HR5075",
                    request.return_stream + " is halted: it could not be computed as it was logged")
                  .WithHint("GET /readyz says why; CREATE OR REPLACE begins it anew");
  } else if (queued_events_ + request.payloads.size() > options_.pending_events_max) {
    refusal = TooManyWait();
  } else {
    refusal = RefuseNow(BytesOf(request));
  }
  if (refusal) {
    IngestReply reply;
    reply.error = std::move(refusal);
    request.done(std::move(reply));
    return;
  }
  CountQueued(std::ssize(request.payloads), static_cast<int64_t>(BytesOf(request)));
  queue_.push_back(std::move(request));
}

void LocalEngine::BeginGroup(const flow::SourceNode& source, int64_t arrival_micros) {
  admitted_.Clear();
  admitted_.note = {};
  admitted_.note.arrival_micros = arrival_micros;
  lane_partitions_.clear();
  placed_.assign(static_cast<size_t>(source.plan().partitions), 0);
  entries_.clear();
}

size_t LocalEngine::Place(flow::SourceNode& source, const row::Row& row,
                          std::optional<Error> error) {
  int32_t partition = source.PartitionOf(row);
  if (lane_partitions_.empty() || lane_partitions_.back() != partition) {
    lane_partitions_.push_back(partition);
    if (lanes_.size() < lane_partitions_.size()) lanes_.emplace_back();
    lanes_[lane_partitions_.size() - 1].Clear();
  }
  Frame& lane = lanes_[lane_partitions_.size() - 1];
  if (error) lane.refused.emplace_back(lane.batch.rows().size(), std::move(*error));
  lane.batch.rows().push_back(row);
  ++placed_[static_cast<size_t>(partition)];
  return lane_partitions_.size() - 1;
}

bool LocalEngine::Pump() {
  const bool has_work = unappended_ || !queue_.empty() || deploying_ || !scripts_.empty() ||
                        !trims_.empty() || asker_->has_answers() ||
                        (trainers_ && trainers_->has_outcome());
  if (has_work && !MayAppend()) return false;
  if (unappended_ && !AppendGroup().ok()) return false;
  StepSnapshot();
  const bool trims = StepTrim();
  const bool deploys = StepDeployment() || trims;
  if (unappended_ || (deploying_ && deploying_->finishing)) return false;
  const bool trained = StepTraining();
  if (unappended_) return false;
  const bool answered = (!closed_ && TakeAnswers()) || trained;
  if (unappended_) return false;
  if (closed_ || !FindQueued()) return deploys || answered || SnapshotGoesOn();
  flow::SourceNode& source = *graph_->FindSource(queue_.front().topic);
  BeginGroup(source, clock_.NowMicros());
  std::vector<Taken> taken;
  Wanted wanted;
  TakeQueued(source, taken, wanted);
  wanted.first_lsn = NextLsn(0);
  RunLanes(source);
  for (const Taken& one : taken) {
    if (!one.request.return_stream.empty()) group_->SetTap(one.request.return_stream, nullptr);
  }
  KeepAnswers(taken);
  TakeAsks(wanted);
  log::Lsn lsn = NextLsn(0) + entries_.size() - 1;
  Status appended = AppendRequests();
  // A group that waits for disk space is in the state already and will be written: its answer waits
  // with it. Only a journal that failed for good refuses what was taken.
  bool refused = !appended.ok() && !unappended_;
  for (Taken& one : taken) {
    if (refused) {
      one.reply = IngestReply{};
      one.reply.error = appended.error();
      one.answer = -1;
    }
    if (one.asking && !refused) {
      one.asking->reply = std::move(one.reply);
      one.asking->rows = std::move(one.rows);
      one.asking->done = std::move(one.request.done);
      continue;
    }
    if (one.answer >= 0 && asking_.Follow(one.key, one.request.done)) continue;
    waiting_.push_back(
        {refused ? 0 : lsn, std::move(one.reply), std::move(one.request.done), one.answer});
  }
  if (refused || lsn <= log_->durable_lsn()) Complete();
  return deploys || !queue_.empty();
}

// Admits the requests of one topic that have come, as many as a group takes.
void LocalEngine::TakeQueued(flow::SourceNode& source, std::vector<Taken>& taken, Wanted& wanted) {
  size_t events = 0;
  uint64_t bytes = 0;
  while (!queue_.empty() && queue_.front().topic == source.plan().topic &&
         events < options_.batch_events_max && bytes < options_.batch_bytes_max) {
    IngestRequest& request = taken.emplace_back(Taken{std::move(queue_.front()), {}}).request;
    queue_.pop_front();
    events += request.payloads.size();
    bytes += BytesOf(request);
    CountQueued(-std::ssize(request.payloads), -static_cast<int64_t>(BytesOf(request)));
    AdmitRequest(taken.back(), source, wanted, taken.size() - 1);
  }
  wanted.taken = &taken;
  for (const Taken& one : taken) {
    const std::string& stream = one.request.return_stream;
    if (stream.empty()) continue;
    group_->SetTap(stream, [&wanted, stream](const TappedRow& row) { wanted.Take(stream, row); });
  }
}

void LocalEngine::AdmitRequest(Taken& taken, flow::SourceNode& source, Wanted& wanted,
                               size_t index) {
  if (IsAnswered(taken)) return;
  const IngestRequest& request = taken.request;
  IngestReply& reply = taken.reply;
  std::vector<row::Row>& rows = admitted_.batch.rows();
  size_t first = rows.size();
  std::vector<std::optional<Error>> errors(request.payloads.size());
  for (size_t i = 0; i < request.payloads.size(); ++i) {
    Status admitted =
        source.Admit(request.payloads[i], false, admitted_.note.arrival_micros, admitted_.batch);
    if (admitted.ok()) continue;
    errors[i] = admitted.error();
    if (request.reject_bad) reply.rejected.push_back({i, admitted.error()});
  }
  if (request.atomic && !reply.rejected.empty()) return;
  if (!ClaimAnswer(taken)) return;
  source.ExpectRepeats(std::span(rows).subspan(first));
  for (size_t i = 0; i < request.payloads.size(); ++i) {
    const row::Row& row = rows[first + i];
    if (errors[i] && request.reject_bad) continue;
    ++reply.accepted;
    if (!errors[i] && source.IsRepeat(row)) {
      ++totals_.repeats;
      repeats_.Add();
      continue;
    }
    size_t lane = Place(source, row, std::move(errors[i]));
    wanted.owner.resize(lane_partitions_.size());
    wanted.owner[lane].push_back(index);
    int32_t partition = lane_partitions_[lane];
    AddPlace(
        reply.placed, partition,
        log_->next_offset(request.topic, partition) + placed_[static_cast<size_t>(partition)] - 1);
  }
}

bool LocalEngine::IsAnswered(Taken& taken) const {
  const IngestRequest& request = taken.request;
  if (request.idempotency_key.empty()) return false;
  taken.key = KeyOf(request.topic, request.idempotency_key);
  const KeptAnswers::Kept* kept = answers_.Find(taken.key, admitted_.note.arrival_micros);
  if (kept == nullptr) return false;
  if (kept->fingerprint == request.fingerprint) {
    taken.answer = kept->offset;
  } else {
    taken.reply.error =
        Error(ErrorKind::kConflict, "HR5004", "another request was sent with this Idempotency-Key")
            .WithHint("a key is for one request and its repetitions: take a new one");
  }
  return true;
}

bool LocalEngine::ClaimAnswer(Taken& taken) {
  const IngestRequest& request = taken.request;
  if (request.idempotency_key.empty()) return true;
  std::vector<Rejection>& rejected = taken.reply.rejected;
  // Of nothing taken nothing is kept: it may be mended and sent with the same key.
  if (rejected.size() == request.payloads.size()) return true;
  Status claimed = Ok();
  if (BytesOf(rejected) > KeptAnswers::kRejectedBytesMax) {
    claimed = Error(ErrorKind::kInvalidArgument, "HR5006",
                    std::to_string(rejected.size()) +
                        " events are unfit: too many for a request with an Idempotency-Key")
                  .WithHint("nothing was taken; mend them or send fewer in a request");
  } else {
    claimed = answers_.Claim(taken.key, request.fingerprint, admitted_.note.arrival_micros);
  }
  taken.claimed = claimed.ok();
  if (claimed.ok()) return true;
  taken.reply = IngestReply{};
  taken.reply.error = claimed.error();
  return false;
}

// Into the group of what they tell of.
void LocalEngine::KeepAnswers(const std::vector<Taken>& taken) {
  for (const Taken& one : taken) {
    if (!one.claimed) continue;
    Answer answer;
    answer.key = one.key;
    answer.fingerprint = one.request.fingerprint;
    answer.accepted = one.reply.accepted;
    answer.placed = one.reply.placed;
    answer.rejected = one.reply.rejected;
    answer.return_stream = one.request.return_stream;
    answer.rows = one.rows;
    answers_.Add(answer, admitted_.note.arrival_micros);
  }
  answers_.TakeEntry(entries_);
}

IngestReply LocalEngine::ReplyOf(int64_t answer) const {
  IngestReply reply;
  Result<Answer> kept = answers_.Read(answer);
  if (!kept.ok()) {
    reply.error = kept.error();
    return reply;
  }
  if (!kept->return_stream.empty()) {
    const Deployed* item = deployment_->Find(kept->return_stream);
    if (item == nullptr) {
      reply.error = Error(ErrorKind::kNotFound, "HR5005",
                          "the answer had rows of " + kept->return_stream + ", which was dropped")
                        .WithHint("the events of the request were taken then");
      return reply;
    }
    Result<std::vector<std::string>> rows = answers_.ReadRows(*kept, item->topic());
    if (!rows.ok()) {
      reply.error = rows.error();
      return reply;
    }
    reply.rows = std::move(rows).value();
  }
  reply.accepted = kept->accepted;
  reply.placed = std::move(kept->placed);
  reply.rejected = std::move(kept->rejected);
  reply.repeated = true;
  answered_again_.Add();
  return reply;
}

void LocalEngine::RunLanes(flow::SourceNode& source) {
  const int64_t start = clock_.MonotonicNanoseconds();
  const uint64_t events_before = totals_.events;
  const std::string& topic = source.plan().topic;
  std::vector<int64_t> offsets(placed_.size());
  for (size_t p = 0; p < offsets.size(); ++p)
    offsets[p] = log_->next_offset(topic, static_cast<int32_t>(p));
  for (size_t lane = 0; lane < lane_partitions_.size(); ++lane) {
    Frame& frame = lanes_[lane];
    frame.note = admitted_.note;
    int32_t partition = lane_partitions_[lane];
    int64_t& offset = offsets[static_cast<size_t>(partition)];
    PlaceRows(frame, NextLsn(lane), partition, offset);
    offset += static_cast<int64_t>(frame.batch.rows().size());
    builder_.Begin(frame.note.arrival_micros / 1000);
    for (const row::Row& row : frame.batch.rows()) {
      log::Record record;
      record.timestamp_ms = frame.note.arrival_micros / 1000;
      record.value = row.payload;
      builder_.Add(record);
    }
    log::Entry& entry = entries_.emplace_back();
    entry.topic = topic;
    entry.partition = partition;
    entry.record_count = builder_.count();
    entry.note = frame.note.Encode();
    entry.bytes = builder_.Finish();
    totals_.events += frame.batch.rows().size();
    received_.Add(frame.batch.rows().size());
  }
  for (size_t lane = 0; lane < lane_partitions_.size(); ++lane)
    RunFrame(*graph_, source, lanes_[lane], *group_);
  group_->TakeEntries(entries_);
  KeepWithinMemory();
  CountTotals();
  times_.Note(source, admitted_.note.arrival_micros);
  estimate_.Ran(totals_.events - events_before, clock_.MonotonicNanoseconds() - start);
}

void LocalEngine::CountTotals() {
  dead_.Add(group_->dead() - counted_.dead);
  late_.Add(group_->late() - counted_.late);
  emitted_.Add(group_->rows() - counted_.rows);
  totals_.dead += group_->dead() - counted_.dead;
  totals_.late += group_->late() - counted_.late;
  totals_.rows += group_->rows() - counted_.rows;
  counted_.dead = group_->dead();
  counted_.late = group_->late();
  counted_.rows = group_->rows();
}

Status LocalEngine::AppendGroup(log::FlushedBy by) {
  if (entries_.empty()) return Ok();
  Status appended = log_->Append(entries_, by);
  unappended_ = !appended.ok() && appended.error().kind() == ErrorKind::kNoSpace;
  if (!appended.ok()) return appended;
  entries_.clear();
  return Ok();
}

Status LocalEngine::AppendRequests() {
  const int64_t start = clock_.MonotonicNanoseconds();
  // With nobody else to serve meanwhile, the answer is there two changes of thread sooner. A disk
  // that was slow a moment ago may be so again, and would hold up whoever comes meanwhile.
  const bool idle = options_.worker_flushes && queue_.empty() && start >= caller_flushes_from_;
  Status appended = AppendGroup(idle ? log::FlushedBy::kCaller : log::FlushedBy::kThread);
  const int64_t end = clock_.MonotonicNanoseconds();
  if (idle && end - start >= kSlowFlushNanos) caller_flushes_from_ = end + kSlowFlushPauseNanos;
  return appended;
}

void LocalEngine::Complete() {
  const Error* failure = log_->failure();
  log::Lsn durable = log_->durable_lsn();
  while (!waiting_.empty()) {
    WaitingReply& front = waiting_.front();
    if (front.lsn > durable) {
      if (failure == nullptr) break;
      front.reply = IngestReply{};
      front.reply.error = *failure;
      front.answer = -1;
    }
    WaitingReply answered = std::move(front);
    waiting_.pop_front();
    if (answered.answer >= 0) answered.reply = ReplyOf(answered.answer);
    answered.done(std::move(answered.reply));
  }
  AnswerDeployed();
  if (failure == nullptr && !closed_) asker_->Send(durable);
}

Result<log::Lsn> LocalEngine::Ingest(const BulkChunk& chunk) {
  if (unappended_) HR_TRY(AppendGroup());
  StepDeployment();
  HR_TRY(Settle());
  StepTraining();
  if (unappended_) HR_TRY(AppendGroup());
  if (std::optional<Error> full = MemoryFull()) return *full;
  flow::SourceNode& source = *graph_->FindSource(chunk.topic);
  HR_TRY(StepAsks());
  while (graph_->HoldsBack(source)) {
    HR_TRY(log_->WaitDurable(log_->last_lsn()));
    AwaitAnswer();
    HR_TRY(StepAsks());
  }
  BeginGroup(source, clock_.NowMicros());
  admitted_.note.bounded = chunk.bounded;
  admitted_.note.source = chunk.source;
  admitted_.note.source_bytes = chunk.source_bytes;
  admitted_.note.source_events = chunk.source_events;
  std::span payloads(*chunk.payloads);
  source.AdmitAll(payloads.subspan(chunk.begin, chunk.end - chunk.begin), true,
                  admitted_.note.arrival_micros, admitted_.batch, team_, admitted_.refused);
  source.ExpectRepeats(admitted_.batch.rows());
  auto refused = admitted_.refused.begin();
  for (const row::Row& row : admitted_.batch.rows()) {
    if (row.failed) {
      Place(source, row, std::move((refused++)->second));
    } else if (source.IsRepeat(row)) {
      ++totals_.repeats;
      repeats_.Add();
    } else {
      Place(source, row, std::nullopt);
    }
  }
  RunLanes(source);
  TakeAsks(Wanted{});
  positions_[{chunk.topic, chunk.source}] = {chunk.source_bytes, chunk.source_events};
  HR_TRY(AppendGroup());
  StepSnapshot();
  return log_->last_lsn();
}

Status LocalEngine::FinishInput(const std::string& stream) {
  auto deployment = this->deployment();
  const Deployed* item = deployment->Find(stream);
  HR_CHECK(item != nullptr && item->source != nullptr);
  auto known = finished_.find(stream);
  if (known != finished_.end() && known->second == EventsIn(*log_, *item)) return Ok();
  HR_TRY(Settle());
  catalog::Change change;
  change.kind = catalog::ChangeKind::kFinishInput;
  change.name = stream;
  change.text = item->topic();
  entries_.clear();
  log::Entry& entry = entries_.emplace_back();
  entry.kind = log::EntryKind::kControl;
  entry.bytes = change.Encode();
  graph_->Finish(*graph_->FindSource(item->topic()), {log_->last_lsn() + 1, 0}, *group_);
  group_->FinishFrame();
  group_->TakeEntries(entries_);
  CountTotals();
  TakeAsks(Wanted{});
  HR_TRY(AppendGroup());
  finished_[stream] = EventsIn(*log_, *item);
  return log_->WaitDurable(log_->last_lsn());
}

}  // namespace headrace::engine
