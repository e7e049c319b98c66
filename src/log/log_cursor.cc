#include "log/log_cursor.h"

#include <algorithm>

namespace headrace::log {
namespace {

constexpr size_t kReadBytes = 1 << 20;

}  // namespace

Result<std::unique_ptr<LogCursor>> LogCursor::Open(const LocalLog& log, Lsn from, Topics topics) {
  std::unique_ptr<LogCursor> cursor(new LogCursor(log));
  cursor->topics_ = std::move(topics);
  cursor->from_ = from;
  HR_TRY(cursor->AddLane("", 0, log.controls_.get(), from));
  HR_TRY(cursor->Refill());
  return cursor;
}

Status LogCursor::AddLane(const std::string& topic, int32_t index, const Partition* partition,
                          Lsn from) {
  Lane lane{topic, index, partition, 0, {}};
  HR_ASSIGN(lane.next_offset, partition->OffsetOfLsn(from));
  lanes_.push_back(std::move(lane));
  return Ok();
}

// Topics may have been created since: their lanes are added.
Status LogCursor::FindLanes(Lsn from) {
  if (topics_ && topics_->empty()) return Ok();
  std::shared_lock lock(log_.topics_mutex_);
  for (const auto& [name, topic] : log_.topics_) {
    bool known = std::any_of(lanes_.begin(), lanes_.end(),
                             [&](const Lane& lane) { return lane.topic == name; });
    if (known || (topics_ && !topics_->contains(name))) continue;
    for (size_t p = 0; p < topic.partitions.size(); ++p) {
      HR_TRY(AddLane(name, static_cast<int32_t>(p), topic.partitions[p].get(), from));
    }
  }
  return Ok();
}

Status LogCursor::Refill() {
  bound_ = log_.durable_lsn();
  HR_TRY(FindLanes(from_));
  for (Lane& lane : lanes_) {
    if (!lane.entries.empty()) continue;
    const int64_t end = lane.partition->end_offset();
    HR_ASSIGN(auto entries, lane.partition->Read(lane.next_offset, kReadBytes));
    // Offsets at the end may be lost: there is nothing to wait for.
    if (entries.empty()) lane.next_offset = std::max(lane.next_offset, end);
    for (Entry& entry : entries) {
      lane.next_offset = entry.base_offset + entry.record_count;
      entry.kind = lane.topic.empty() ? EntryKind::kControl : EntryKind::kBatch;
      entry.topic = lane.topic;
      entry.partition = lane.index;
      lane.entries.push_back(std::move(entry));
    }
  }
  return Ok();
}

Result<bool> LogCursor::Next(Entry* entry) {
  Lane* first = nullptr;
  bool dry = false;  // some lane may have more than it has loaded
  for (Lane& lane : lanes_) {
    if (lane.entries.empty()) {
      dry = dry || lane.next_offset < lane.partition->end_offset();
    } else if (first == nullptr || lane.entries.front().lsn < first->entries.front().lsn) {
      first = &lane;
    }
  }
  bool beyond = first == nullptr || first->entries.front().lsn > bound_;
  if (dry || beyond) {
    bool moved = log_.durable_lsn() > bound_;
    if (!dry && !moved) return false;
    HR_TRY(Refill());
    return Next(entry);
  }
  *entry = std::move(first->entries.front());
  first->entries.pop_front();
  return true;
}

Result<std::unique_ptr<Log::Cursor>> LocalLog::Scan(Lsn from) const {
  HR_ASSIGN(auto cursor, LogCursor::Open(*this, from, {}));
  return std::unique_ptr<Cursor>(std::move(cursor));
}

Result<std::unique_ptr<Log::Cursor>> LocalLog::Scan(Lsn from, std::set<std::string> topics) const {
  HR_ASSIGN(auto cursor, LogCursor::Open(*this, from, std::move(topics)));
  return std::unique_ptr<Cursor>(std::move(cursor));
}

Result<std::unique_ptr<Log::Cursor>> LocalLog::ScanControls() const {
  HR_ASSIGN(auto cursor, LogCursor::Open(*this, 1, std::set<std::string>{}));
  return std::unique_ptr<Cursor>(std::move(cursor));
}

}  // namespace headrace::log
