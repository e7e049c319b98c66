#include "engine/group_builder.h"

namespace headrace::engine {
namespace {

// Kafka counts milliseconds; times before 1970 and the open end are clamped.
int64_t Milliseconds(int64_t micros) {
  return micros < 0 ? 0 : micros / 1000;
}

}  // namespace

GroupBuilder::GroupBuilder(std::shared_ptr<const Deployment> deployment, const log::Log& log,
                           HealthMetrics* health)
    : Emission(std::move(deployment)), log_(log), health_(health) {
  for (const Deployed& item : this->deployment().items) {
    StreamOutput& output = outputs_.emplace_back();
    output.partitions.resize(static_cast<size_t>(item.partitions));
    if (item.statement && item.statement->of_health) output.health_of = item.statement->side_of;
  }
}

void GroupBuilder::SetTap(const std::string& stream, Tap tap) {
  const Deployed* item = deployment().Find(stream);
  HR_CHECK(item != nullptr);
  outputs_[static_cast<size_t>(item - deployment().items.data())].tap = std::move(tap);
}

int64_t GroupBuilder::OnRow(size_t stream, const EmittedRow& row) {
  StreamOutput& output = outputs_[stream];
  PartitionOutput& partition = output.partitions[static_cast<size_t>(row.partition)];
  log::Record record;
  record.timestamp_ms = Milliseconds(row.event_time);
  record.value = row.value;
  if (row.headers != nullptr) record.headers = *row.headers;
  if (partition.builder.count() == 0) {
    partition.builder.Begin(record.timestamp_ms);
    partition.next_offset = log_.next_offset(deployment().items[stream].topic(), row.partition);
    output.touched = true;
  }
  partition.builder.Add(record);
  partition.causes.Add(row.cause);
  bytes_ += row.value.size();
  if (health_ != nullptr && !output.health_of.empty()) {
    health_->Take({output.health_of, std::string(row.value)});
  }
  int64_t offset = partition.next_offset++;
  if (output.tap) output.tap({row.partition, offset, row.cause, row.value, row.headers});
  return offset;
}

void GroupBuilder::TakeEntries(std::vector<log::Entry>& group) {
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (!outputs_[i].touched) continue;
    outputs_[i].touched = false;
    for (size_t p = 0; p < outputs_[i].partitions.size(); ++p) {
      PartitionOutput& partition = outputs_[i].partitions[p];
      if (partition.builder.count() == 0) continue;
      log::Entry& entry = group.emplace_back();
      entry.topic = deployment().items[i].topic();
      entry.partition = static_cast<int32_t>(p);
      entry.record_count = partition.builder.count();
      entry.note = partition.causes.Finish();
      entry.bytes = partition.builder.Finish();
    }
  }
  bytes_ = 0;
}

}  // namespace headrace::engine
