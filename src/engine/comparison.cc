#include "engine/comparison.h"

#include <algorithm>

#include "base/hash.h"

namespace headrace::engine {
namespace {

constexpr size_t kSampleMax = 10;

}  // namespace

Comparison::Comparison(std::shared_ptr<const Deployment> deployment, const log::Log& log, Keep keep,
                       Beyond beyond)
    : Emission(std::move(deployment)), keep_(keep), beyond_(std::move(beyond)) {
  for (const Deployed& item : this->deployment().items) {
    auto& lanes = lanes_.emplace_back();
    skipped_.push_back(false);
    lanes.resize(static_cast<size_t>(item.partitions));
    if (item.models || item.source) continue;
    for (int32_t p = 0; p < item.partitions; ++p) {
      lanes[static_cast<size_t>(p)].logged_end = log.end_offset(item.topic(), p);
    }
  }
}

void Comparison::Restrict(const std::vector<std::string>& streams) {
  if (streams.empty()) return;
  for (size_t i = 0; i < skipped_.size(); ++i) {
    const std::string& name = deployment().items[i].name;
    skipped_[i] = std::find(streams.begin(), streams.end(), name) == streams.end();
  }
}

std::string Comparison::Kept(std::string_view value) const {
  if (keep_ == Keep::kRows) return std::string(value);
  uint64_t hash = base::Hash64(value);
  return {reinterpret_cast<const char*>(&hash), sizeof hash};
}

int64_t Comparison::OnRow(size_t stream, const EmittedRow& row) {
  Lane& lane = lanes_[stream][static_cast<size_t>(row.partition)];
  int64_t offset = lane.next_offset++;
  if (skipped_[stream]) return offset;
  if (offset < lane.logged_end) {
    lane.waiting.push_back(Kept(row.value));
  } else if (beyond_) {
    beyond_(stream, row);
  } else {
    Differ(stream, row.partition, offset, "", std::string(row.value));
  }
  return offset;
}

Status Comparison::Logged(const log::Entry& entry) {
  const Deployed* item = deployment().FindByTopic(entry.topic);
  if (item == nullptr || item->source) return Ok();
  auto stream = static_cast<size_t>(item - deployment().items.data());
  if (skipped_[stream]) return Ok();
  Lane& lane = lanes_[stream][static_cast<size_t>(entry.partition)];
  HR_ASSIGN(auto reader, log::RecordReader::Open(entry.bytes));
  log::Record record;
  while (true) {
    HR_ASSIGN(bool more, reader.Next(&record));
    if (!more) return Ok();
    int64_t offset = lane.next_offset - static_cast<int64_t>(lane.waiting.size());
    if (record.offset < offset) continue;
    ++compared_;
    if (lane.waiting.empty()) {
      Differ(stream, entry.partition, record.offset, std::string(record.value), "");
      ++lane.next_offset;
      continue;
    }
    if (lane.waiting.front() != Kept(record.value)) {
      Differ(stream, entry.partition, record.offset, std::string(record.value),
             keep_ == Keep::kRows ? lane.waiting.front() : "(another row)");
    }
    lane.waiting.pop_front();
  }
}

void Comparison::Finish() {
  for (size_t stream = 0; stream < lanes_.size(); ++stream) {
    for (size_t p = 0; p < lanes_[stream].size(); ++p) {
      Lane& lane = lanes_[stream][p];
      int64_t offset = lane.next_offset - static_cast<int64_t>(lane.waiting.size());
      for (const std::string& row : lane.waiting) {
        Differ(stream, static_cast<int32_t>(p), offset++, "",
               keep_ == Keep::kRows ? row : "(a row)");
      }
      // Logged rows that were never recomputed at all are found by Logged; their count is not.
      lane.waiting.clear();
    }
  }
}

void Comparison::Differ(size_t stream, int32_t partition, int64_t offset, std::string logged,
                        std::string recomputed) {
  ++differences_;
  if (sample_.size() >= kSampleMax) return;
  std::string id = deployment().items[stream].name + ":" + std::to_string(partition) + ":" +
                   std::to_string(offset);
  sample_.push_back({std::move(id), std::move(logged), std::move(recomputed)});
}

}  // namespace headrace::engine
