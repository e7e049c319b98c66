#include "engine/latest_rows.h"

#include <algorithm>
#include <utility>

#include "row/text.h"

namespace headrace::engine {
namespace {

constexpr uint64_t kSlotBytes = 160;  // of the table, about, beside key and row

int TimeColumn(const Deployed& item) {
  if (item.statement) return item.statement->time_column;
  if (!item.source) return -1;
  const std::vector<int>& slots = item.source->schema_slots;
  auto found = std::find(slots.begin(), slots.end(), item.source->time_slot);
  return found == slots.end() ? -1 : static_cast<int>(found - slots.begin());
}

}  // namespace

LatestRows::LatestRows(std::shared_ptr<const Deployment> deployment, const Deployed& item,
                       std::vector<size_t> entity)
    : deployment_(std::move(deployment)),
      item_(item),
      entity_(std::move(entity)),
      schema_(deployment_->SchemaOf(item)),
      time_column_(TimeColumn(item)),
      decoder_(*deployment_, item),
      next_(static_cast<size_t>(item.partitions), 0) {}

bool LatestRows::IsOf(const Deployed& item, const std::vector<size_t>& entity) const {
  return item.name == item_.name && item.source == item_.source &&
         item.statement == item_.statement && entity == entity_;
}

Result<bool> LatestRows::CatchUp(const log::Log& log, size_t rows_max, uint64_t bytes_max) {
  const std::string topic = item_.topic();
  size_t taken = 0;
  for (size_t p = 0; p < next_.size(); ++p) {
    const auto partition = static_cast<int32_t>(p);
    if (next_[p] >= log.end_offset(topic, partition)) continue;
    HR_ASSIGN(auto cursor, RowCursor::Open(log, item_, partition, next_[p]));
    StoredRow stored;
    while (true) {
      if (taken == rows_max || bytes_ > bytes_max) return false;
      HR_ASSIGN(bool more, cursor->Next(&stored));
      if (!more) break;
      ++taken;
      HR_TRY(Take(stored));
      next_[p] = stored.offset + 1;
    }
  }
  return true;
}

Status LatestRows::Take(const StoredRow& stored) {
  row::Value* values = nullptr;
  HR_ASSIGN(bool fits, decoder_.Decode(stored, &values));
  if (!fits) return Ok();  // it stands in the dead letters
  key_.clear();
  for (size_t column : entity_) {
    if (values[column].null) return Ok();  // of nobody
    row::AppendKey(values[column], schema_.columns[column].type, key_);
  }
  auto [at, added] = rows_.try_emplace(key_);
  Kept& kept = at->second;
  if (!added && stored.cause < kept.cause) return Ok();
  if (added) bytes_ += key_.size() + kSlotBytes;
  bytes_ += stored.value.size();
  bytes_ -= kept.value.size();
  kept.value.assign(stored.value);
  kept.cause = stored.cause;
  kept.arrival_micros = stored.arrival_micros;
  kept.offset = stored.offset;
  kept.partition = stored.partition;
  return Ok();
}

Result<std::optional<LatestRows::Found>> LatestRows::Find(const log::Log& log,
                                                          const std::string& key) {
  auto at = rows_.find(key);
  if (at == rows_.end()) return std::optional<Found>();
  const Kept& kept = at->second;
  if (kept.offset < log.start_offset(item_.topic(), kept.partition)) {
    bytes_ -= key.size() + kSlotBytes + kept.value.size();
    rows_.erase(at);
    return std::optional<Found>();
  }
  StoredRow stored;
  stored.partition = kept.partition;
  stored.offset = kept.offset;
  stored.cause = kept.cause;
  stored.arrival_micros = kept.arrival_micros;
  stored.value = kept.value;
  row::Value* values = nullptr;
  HR_ASSIGN(bool fits, decoder_.Decode(stored, &values));
  if (!fits) return std::optional<Found>();
  Found found;
  found.values = values;
  if (time_column_ >= 0) {
    const row::Value& time = values[static_cast<size_t>(time_column_)];
    found.time = time.null ? 0 : time.integer;
  }
  return std::optional<Found>(found);
}

}  // namespace headrace::engine
