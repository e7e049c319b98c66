#include "flow/source_node.h"

#include <algorithm>
#include <iterator>

#include "base/bytes.h"
#include "base/hash.h"
#include "row/text.h"

namespace headrace::flow {
namespace {

Error Damaged() {
  return Error(ErrorKind::kCorruption, "HR4204", "the state of a source does not parse");
}

}  // namespace

SourceNode::SourceNode(std::shared_ptr<const SourcePlan> plan, os::SpillFile* spill)
    : plan_(std::move(plan)),
      partitions_(static_cast<size_t>(plan_->partitions)),
      newest_(static_cast<size_t>(plan_->partitions), INT64_MIN) {
  decoders_.push_back(std::make_unique<schema::JsonDecoder>(plan_->decoded, plan_->json));
  if (!plan_->dedup_slots.empty())
    deduplicator_.emplace(plan_->dedup_within, kDefaultLateness, spill);
}

Status SourceNode::Admit(std::string_view payload, bool padded, int64_t arrival_micros,
                         row::Batch& batch) {
  row::Row& row = batch.Add(static_cast<size_t>(plan_->slots));
  row.payload = payload;
  return Fill(*decoders_[0], padded, arrival_micros, batch.arena(), row);
}

void SourceNode::AdmitAll(std::span<const std::string_view> payloads, bool padded,
                          int64_t arrival_micros, row::Batch& batch, os::WorkerTeam& team,
                          std::vector<std::pair<size_t, Error>>& unfit) {
  while (decoders_.size() < team.size())
    decoders_.push_back(std::make_unique<schema::JsonDecoder>(plan_->decoded, plan_->json));
  const size_t first = batch.rows().size();
  for (std::string_view payload : payloads)
    batch.Add(static_cast<size_t>(plan_->slots)).payload = payload;
  std::vector<std::vector<std::pair<size_t, Error>>> errors(
      os::WorkerTeam::PiecesOf(payloads.size()));
  team.RunRows(payloads.size(), [&](size_t begin, size_t end, size_t worker) {
    for (size_t i = begin; i < end; ++i) {
      Status filled = Fill(*decoders_[worker], padded, arrival_micros, batch.arena(worker),
                           batch.rows()[first + i]);
      if (!filled.ok()) errors[begin / os::WorkerTeam::kPieceRows].emplace_back(i, filled.error());
    }
  });
  for (auto& piece : errors)
    std::move(piece.begin(), piece.end(), std::back_inserter(unfit));
}

Status SourceNode::Fill(schema::JsonDecoder& decoder, bool padded, int64_t arrival_micros,
                        base::Arena& arena, row::Row& row) const {
  row.failed = true;
  HR_TRY(decoder.Decode(row.payload, padded, arena, row.values));
  expr::EvalContext context{arena, std::nullopt};
  for (const Evaluation& evaluation : plan_->computed) {
    row.values[evaluation.slot] = evaluation.expression->Evaluate(row.values, context);
    if (context.error) return std::move(*context.error);
  }
  if (plan_->time_slot >= 0) {
    const row::Value& time = row.values[plan_->time_slot];
    if (!time.null) row.event_time = time.integer;
  }
  HR_TRY(CheckRow(row, arrival_micros));
  row.failed = false;
  return Ok();
}

Status SourceNode::CheckRow(const row::Row& row, int64_t arrival_micros) const {
  for (size_t i = 0; i < plan_->schema.columns.size(); ++i) {
    const row::Column& column = plan_->schema.columns[i];
    if (column.not_null && row.values[plan_->schema_slots[i]].null) {
      return Error(ErrorKind::kInvalidArgument, "HR2205",
                   "column " + column.name + " must not be null")
          .AtPlace("/" + column.name);
    }
  }
  base::Arena arena(1024);
  expr::EvalContext context{arena, std::nullopt};
  for (const SourcePlan::Check& check : plan_->checks) {
    row::Value verdict = check.expression->Evaluate(row.values, context);
    if (context.error) return std::move(*context.error);
    if (!verdict.null && !verdict.boolean) {
      return Error(ErrorKind::kInvalidArgument, "HR2209",
                   "CHECK (" + check.text + ") does not hold");
    }
  }
  if (plan_->time_slot < 0) return Ok();
  const std::string& column = plan_->schema.columns[static_cast<size_t>(plan_->time_slot)].name;
  if (row.values[plan_->time_slot].null) {
    return Error(ErrorKind::kInvalidArgument, "HR2205",
                 "event time " + column + " must not be null")
        .AtPlace("/" + column);
  }
  if (row.event_time > arrival_micros + kFutureMaxMicros) {
    return Error(ErrorKind::kInvalidArgument, "HR2207",
                 "event time " + column + " is further in the future than allowed")
        .AtPlace("/" + column)
        .WithHint("check the producer's clock and the stream's timestamp_unit");
  }
  return Ok();
}

void SourceNode::AppendDedupKey(const row::Row& row, std::string& key) const {
  for (size_t i = 0; i < plan_->dedup_slots.size(); ++i) {
    row::AppendKey(row.values[plan_->dedup_slots[i]], plan_->dedup_types[i], key);
  }
}

void SourceNode::ExpectRepeats(std::span<const row::Row> rows) {
  if (!deduplicator_ || !deduplicator_->spills()) return;
  expected_.resize(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    expected_[i].clear();
    if (!rows[i].failed) AppendDedupKey(rows[i], expected_[i]);
  }
  deduplicator_->Expect(expected_);
}

bool SourceNode::IsRepeat(const row::Row& row) {
  if (!deduplicator_) return false;
  key_.clear();
  AppendDedupKey(row, key_);
  if (deduplicator_->IsRepeat(key_, row.event_time, forgetting_)) return true;
  int64_t& newest = newest_[static_cast<size_t>(PartitionOf(row))];
  newest = std::max(newest, row.event_time);
  int64_t slowest = INT64_MAX;
  for (int64_t time : newest_)
    slowest = std::min(slowest, time == INT64_MIN ? INT64_MAX : time);
  forgetting_ = std::max(forgetting_, slowest - plan_->watermark_delay);
  return false;
}

int32_t SourceNode::PartitionOf(const row::Row& row) const {
  if (plan_->partitions == 1 || row.failed) return 0;
  std::string key;
  for (size_t i = 0; i < plan_->partition_slots.size(); ++i) {
    row::AppendKey(row.values[plan_->partition_slots[i]], plan_->partition_types[i], key);
  }
  return static_cast<int32_t>(base::Hash64(key) % static_cast<uint64_t>(plan_->partitions));
}

void SourceNode::Stamp(row::Batch& batch, const Arrival& arrival,
                       std::vector<WatermarkStep>& steps) {
  CountActivity(arrival);
  for (row::Row& row : batch.rows()) {
    row.watermark = watermark_;
    if (row.failed || plan_->time_slot < 0) continue;
    PartitionTime& partition = partitions_[static_cast<size_t>(row.partition)];
    partition.last_activity = activity_;
    partition.watermark = std::max(partition.watermark, row.event_time - plan_->watermark_delay);
    int64_t combined = CombinedWatermark();
    if (combined > watermark_) {
      watermark_ = combined;
      steps.push_back({row.cause, watermark_, row.event_time});
    }
  }
}

void SourceNode::CountActivity(const Arrival& arrival) {
  if (arrival.bounded) return;
  if (last_arrival_ != INT64_MIN) {
    activity_ += std::clamp<int64_t>(arrival.micros - last_arrival_, 0, kActivityGapMicros);
  }
  last_arrival_ = std::max(last_arrival_, arrival.micros);
}

bool SourceNode::IsIdle(const PartitionTime& partition) const {
  return partitions_.size() > 1 && activity_ - partition.last_activity > kIdleMicros;
}

std::vector<PartitionState> SourceNode::partition_states() const {
  std::vector<PartitionState> states;
  size_t holds = partitions_.size();
  for (const PartitionTime& partition : partitions_) {
    const bool idle = IsIdle(partition);
    const size_t at = states.size();
    states.push_back({partition.watermark, idle, false, activity_ - partition.last_activity});
    const bool first = holds == partitions_.size();
    if (!idle && (first || partition.watermark < states[holds].watermark)) holds = at;
  }
  if (holds < states.size() && plan_->time_slot >= 0) states[holds].holds = true;
  return states;
}

int64_t SourceNode::CombinedWatermark() const {
  if (partitions_.size() == 1) return partitions_[0].watermark;
  int64_t lowest = INT64_MAX;
  for (const PartitionTime& partition : partitions_) {
    if (!IsIdle(partition)) lowest = std::min(lowest, partition.watermark);
  }
  return lowest == INT64_MAX ? INT64_MIN : lowest;
}

WatermarkStep SourceNode::Finish(row::Place at) {
  return {at, INT64_MAX, newest()};
}

int64_t SourceNode::newest() const {
  int64_t last = INT64_MIN;
  for (const PartitionTime& partition : partitions_) {
    if (partition.watermark == INT64_MIN) continue;
    last = std::max(last, partition.watermark + plan_->watermark_delay);
  }
  return last;
}

// Watermark, forgetting, activity, last arrival: i64 each; partitions varint, per partition
// watermark, last activity, newest: i64 each.
void SourceNode::Save(std::string& out) const {
  base::ByteWriter writer(out);
  for (int64_t value : {watermark_, forgetting_, activity_, last_arrival_})
    writer.U64Le(static_cast<uint64_t>(value));
  writer.Varint(partitions_.size());
  for (size_t i = 0; i < partitions_.size(); ++i) {
    writer.U64Le(static_cast<uint64_t>(partitions_[i].watermark));
    writer.U64Le(static_cast<uint64_t>(partitions_[i].last_activity));
    writer.U64Le(static_cast<uint64_t>(newest_[i]));
  }
}

Status SourceNode::LoadTime(base::ByteReader& reader) {
  for (int64_t* value : {&watermark_, &forgetting_, &activity_, &last_arrival_})
    *value = static_cast<int64_t>(reader.U64Le());
  const bool good = reader.Varint() == partitions_.size();
  for (size_t i = 0; i < partitions_.size() && good; ++i) {
    partitions_[i].watermark = static_cast<int64_t>(reader.U64Le());
    partitions_[i].last_activity = static_cast<int64_t>(reader.U64Le());
    newest_[i] = static_cast<int64_t>(reader.U64Le());
  }
  return good && reader.ok() ? Ok() : Status(Damaged());
}

Status SourceNode::Load(std::string_view bytes) {
  base::ByteReader reader(bytes);
  HR_TRY(LoadTime(reader));
  return reader.remaining() == 0 ? Ok() : Status(Damaged());
}

Status SourceNode::LoadWhole(std::string_view bytes) {
  base::ByteReader reader(bytes);
  HR_TRY(LoadTime(reader));
  const std::string_view remembered = reader.String();
  const bool good =
      reader.ok() && reader.remaining() == 0 && remembered.empty() == !deduplicator_.has_value();
  if (!good) return Damaged();
  return deduplicator_ ? deduplicator_->Load(remembered) : Ok();
}

}  // namespace headrace::flow
