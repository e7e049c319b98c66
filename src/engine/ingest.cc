// The write path of LocalEngine: requests and file chunks through the flow into journal groups.

#include <algorithm>
#include <span>

#include "catalog/change.h"
#include "engine/local_engine.h"
#include "engine/replay.h"
#include "row/text.h"

namespace headrace::engine {

// The rows that requests of one group want back, found by the place of their cause.
struct LocalEngine::Wanted {
  uint64_t first_lsn = 0;                  // of lane 0
  std::vector<std::vector<size_t>> owner;  // by lane, by row index: index into replies
  std::vector<std::string> streams;        // by reply: the stream it wants, or empty
  std::vector<IngestReply>* replies = nullptr;

  void Take(const std::string& stream, const TappedRow& row) {
    if (row.cause.lsn < first_lsn || row.cause.lsn - first_lsn >= owner.size()) return;
    size_t reply = owner[row.cause.lsn - first_lsn][row.cause.index];
    if (streams[reply] != stream) return;
    std::string json = "{\"_id\":\"" + stream + ":" + std::to_string(row.partition) + ":" +
                       std::to_string(row.offset) + "\"";
    if (row.value.size() > 2) json += ",";
    json += row.value.substr(1);
    (*replies)[reply].rows.push_back(std::move(json));
  }
};

void LocalEngine::Submit(IngestRequest request) {
  std::optional<Error> refusal;
  if (closed_ || log_->failure() != nullptr) {
    refusal = Error(ErrorKind::kUnavailable, "HR5001", "the journal takes no more events")
                  .WithHint(log_->failure() != nullptr ? log_->failure()->ToString()
                                                       : "the program is stopping");
  } else if (unappended_ || (deploying_ && deploying_->finishing && log_->no_space())) {
    refusal = Error(ErrorKind::kNoSpace, "HR5002", "no space left for the journal")
                  .WithHint("free disk space; events are taken again without a restart");
  } else if (graph_->FindSource(request.topic) == nullptr) {
    refusal = Error(ErrorKind::kNotFound, "HR1203", "no stream reads topic " + request.topic)
                  .WithHint("CREATE STREAM ... WITH (topic = '" + request.topic + "') first");
  } else if (!request.return_stream.empty() &&
             deployment_->Find(request.return_stream) == nullptr) {
    refusal = Error(ErrorKind::kNotFound, "HR1204", "no stream " + request.return_stream);
  } else if (!request.return_stream.empty() &&
             !deployment_->Find(request.return_stream)->joined()) {
    refusal = Error(ErrorKind::kUnavailable, "HR5005",
                    request.return_stream + " is still being computed over the past")
                  .WithHint("it answers as soon as its deployment is done");
  } else if (queued_events_ + request.payloads.size() > options_.pending_events_max) {
    refusal = Error(ErrorKind::kLimitExceeded, "HR5003", "too many events are waiting")
                  .WithHint("send again after a second");
  }
  if (refusal) {
    IngestReply reply;
    reply.error = std::move(refusal);
    request.done(std::move(reply));
    return;
  }
  queued_events_ += request.payloads.size();
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
  if (unappended_ && !AppendGroup().ok()) return false;
  StepSnapshot();
  const bool deploys = StepDeployment();
  if (unappended_ || (deploying_ && deploying_->finishing)) return false;
  if (queue_.empty() || closed_) return deploys;
  const std::string topic = queue_.front().topic;
  flow::SourceNode& source = *graph_->FindSource(topic);
  BeginGroup(source, clock_.NowMicros());
  std::vector<IngestRequest> taken;
  std::vector<IngestReply> replies;
  Wanted wanted;
  size_t events = 0;
  while (!queue_.empty() && queue_.front().topic == topic && events < options_.batch_events_max) {
    taken.push_back(std::move(queue_.front()));
    queue_.pop_front();
    events += taken.back().payloads.size();
    queued_events_ -= taken.back().payloads.size();
    replies.emplace_back();
    AdmitRequest(taken.back(), source, replies.back(), wanted.owner, replies.size() - 1);
  }
  wanted.replies = &replies;
  for (const IngestRequest& request : taken) {
    wanted.streams.push_back(request.return_stream);
    if (request.return_stream.empty()) continue;
    const std::string& stream = request.return_stream;
    group_->SetTap(stream, [&wanted, stream](const TappedRow& row) { wanted.Take(stream, row); });
  }
  wanted.first_lsn = NextLsn(0);
  RunLanes(source);
  for (const IngestRequest& request : taken) {
    if (!request.return_stream.empty()) group_->SetTap(request.return_stream, nullptr);
  }
  log::Lsn lsn = NextLsn(0) + entries_.size() - 1;
  // With nobody else to serve meanwhile, the answer is there two changes of thread sooner.
  const bool idle = options_.worker_flushes && queue_.empty();
  Status appended = AppendGroup(idle ? log::FlushedBy::kCaller : log::FlushedBy::kThread);
  // A group that waits for disk space is in the state already and will be written: its answer waits
  // with it. Only a journal that failed for good refuses what was taken.
  bool refused = !appended.ok() && !unappended_;
  for (size_t i = 0; i < taken.size(); ++i) {
    if (refused) {
      replies[i] = IngestReply{};
      replies[i].error = appended.error();
    }
    waiting_.push_back({refused ? 0 : lsn, std::move(replies[i]), std::move(taken[i].done)});
  }
  if (refused || lsn <= log_->durable_lsn()) Complete();
  return deploys || !queue_.empty();
}

void LocalEngine::AdmitRequest(IngestRequest& request, flow::SourceNode& source, IngestReply& reply,
                               std::vector<std::vector<size_t>>& owner, size_t index) {
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
    owner.resize(lane_partitions_.size());
    owner[lane].push_back(index);
    int32_t partition = lane_partitions_[lane];
    int64_t offset =
        log_->next_offset(request.topic, partition) + placed_[static_cast<size_t>(partition)] - 1;
    bool continues = !reply.placed.empty() && reply.placed.back().partition == partition;
    if (continues) {
      ++reply.placed.back().count;
    } else {
      reply.placed.push_back({partition, offset, 1});
    }
  }
}

void LocalEngine::RunLanes(flow::SourceNode& source) {
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
  if (spill_) spill_->KeepWithin();
  CountTotals();
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

void LocalEngine::Complete() {
  const Error* failure = log_->failure();
  log::Lsn durable = log_->durable_lsn();
  while (!waiting_.empty()) {
    Waiting& front = waiting_.front();
    if (front.lsn > durable) {
      if (failure == nullptr) break;
      front.reply = IngestReply{};
      front.reply.error = *failure;
    }
    Waiting answered = std::move(front);
    waiting_.pop_front();
    answered.done(std::move(answered.reply));
  }
  AnswerDeployed();
}

Result<log::Lsn> LocalEngine::Ingest(const BulkChunk& chunk) {
  if (unappended_) HR_TRY(AppendGroup());
  StepDeployment();
  HR_TRY(Settle());
  flow::SourceNode& source = *graph_->FindSource(chunk.topic);
  BeginGroup(source, clock_.NowMicros());
  admitted_.note.bounded = chunk.bounded;
  admitted_.note.source = chunk.source;
  admitted_.note.source_bytes = chunk.source_bytes;
  admitted_.note.source_events = chunk.source_events;
  std::span payloads(*chunk.payloads);
  source.AdmitAll(payloads.subspan(chunk.begin, chunk.end - chunk.begin), true,
                  admitted_.note.arrival_micros, admitted_.batch, team_, admitted_.refused);
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
  positions_[{chunk.topic, chunk.source}] = {chunk.source_bytes, chunk.source_events};
  HR_TRY(AppendGroup());
  StepSnapshot();
  return log_->last_lsn();
}

int64_t LocalEngine::EventsIn(const Deployed& item) const {
  int64_t events = 0;
  for (int32_t p = 0; p < item.partitions; ++p)
    events += log_->next_offset(item.topic(), p);
  return events;
}

Status LocalEngine::FinishInput(const std::string& stream) {
  auto deployment = this->deployment();
  const Deployed* item = deployment->Find(stream);
  HR_CHECK(item != nullptr && item->source != nullptr);
  auto known = finished_.find(stream);
  if (known != finished_.end() && known->second == EventsIn(*item)) return Ok();
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
  HR_TRY(AppendGroup());
  finished_[stream] = EventsIn(*item);
  return log_->WaitDurable(log_->last_lsn());
}

}  // namespace headrace::engine
