#include "flow/waiting_rows.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "state/value_bytes.h"

namespace headrace::flow {
namespace {

constexpr uint8_t kHasPayload = 1;
constexpr uint8_t kDeadLettered = 2;

Error Damaged() {
  return Error(ErrorKind::kCorruption, "HR4207", "the rows that wait do not parse");
}

int64_t Minus(int64_t time, int64_t lateness) {
  return time < INT64_MIN + lateness ? INT64_MIN : time - lateness;
}

}  // namespace

WaitingRows::WaitingRows(std::shared_ptr<const StatementPlan> plan, os::SpillFile* spill)
    : plan_(std::move(plan)),
      all_(plan_->input_schema.columns.size()),
      rows_(spill, [this](std::string_view rows, int64_t time) { return Parses(rows, time); }) {
  std::iota(all_.begin(), all_.end(), 0);
  read_ = plan_->select->copied_columns;
  if (plan_->select->where) plan_->select->where->CollectSlots(read_);
  std::sort(read_.begin(), read_.end());
  read_.erase(std::unique(read_.begin(), read_.end()), read_.end());
}

void WaitingRows::Run(row::Batch& input, const std::vector<WatermarkStep>& steps,
                      Collector& collector, const Release& release) {
  released_.Clear();
  passed_.clear();
  size_t next = 0;
  for (row::Row& row : input.rows()) {
    for (; next < steps.size() && steps[next].at < row.cause; ++next)
      Pass(steps[next], release);
    if (row.failed || row.cause.lsn < plan_->start_lsn || row.event_time < plan_->start_time) {
      continue;
    }
    if (TakesLate(row, collector)) Keep(row);
  }
  for (; next < steps.size(); ++next)
    Pass(steps[next], release);
  release(released_, passed_);
}

bool WaitingRows::TakesLate(row::Row& row, Collector& collector) const {
  if (row.event_time >= bound_ && !plan_->IsTooLate(row.event_time, row.watermark)) return true;
  RefuseLate(*plan_, row, collector);
  return false;
}

// Its own event: LSN varint, index varint; partition varint, offset zigzag, flags u8, payload
// string if the flags say so, then the columns as SaveValue writes them.
void WaitingRows::Keep(const row::Row& row) {
  row_.clear();
  base::ByteWriter writer(row_);
  const row::Place event = row.event();
  writer.Varint(event.lsn);
  writer.Varint(event.index);
  writer.Varint(static_cast<uint32_t>(row.partition));
  writer.Zigzag(row.offset);
  const bool payload = row.payload.data() != nullptr;
  writer.U8(
      static_cast<uint8_t>((payload ? kHasPayload : 0) | (row.dead_lettered ? kDeadLettered : 0)));
  if (payload) writer.String(row.payload);
  for (int column : ColumnsOf(payload)) {
    const row::Type type = plan_->input_schema.columns[static_cast<size_t>(column)].type;
    state::SaveValue(row.values[column], type, writer);
  }
  rows_.Add(row.event_time, row_);
}

void WaitingRows::Pass(const WatermarkStep& step, const Release& release) {
  const bool ended = step.watermark == INT64_MAX;
  const int64_t bound = ended ? INT64_MAX : Minus(step.watermark, plan_->lateness);
  int64_t behind = ended ? bound_ : bound;
  while (!rows_.empty() && (ended || rows_.oldest() < bound)) {
    if (released_.rows().size() >= kReleaseRows) {
      release(released_, passed_);
      released_.Clear();
      passed_.clear();
    }
    const int64_t oldest = rows_.oldest();
    rows_.TakeOldest(
        [&](std::string_view rows) { HR_CHECK(Restore(rows, oldest, step, released_)); });
    if (ended) behind = oldest + 1;
  }
  bound_ = std::max(bound_, behind);
  passed_.push_back({step.at, bound, step.event_time});
}

bool WaitingRows::Restore(std::string_view rows, int64_t event_time, const WatermarkStep& step,
                          row::Batch& batch) const {
  base::ByteReader reader(batch.arena().Copy(rows));
  while (reader.ok() && reader.remaining() > 0) {
    if (!RestoreOne(reader, batch)) return false;
    row::Row& row = batch.rows().back();
    row.cause = step.at;
    row.event_time = event_time;
    row.watermark = bound_;
  }
  return reader.ok();
}

bool WaitingRows::RestoreOne(base::ByteReader& reader, row::Batch& batch) const {
  row::Row& row = batch.Add(all_.size());
  row.waited.lsn = reader.Varint();
  row.waited.index = static_cast<uint32_t>(reader.Varint());
  row.partition = static_cast<int32_t>(reader.Varint());
  row.offset = reader.Zigzag();
  const uint8_t flags = reader.U8();
  const bool payload = (flags & kHasPayload) != 0;
  row.dead_lettered = (flags & kDeadLettered) != 0;
  if (payload) row.payload = reader.String();
  for (int column : ColumnsOf(payload)) {
    const row::Type type = plan_->input_schema.columns[static_cast<size_t>(column)].type;
    if (!state::ReadValue(type, reader, &row.values[column])) return false;
  }
  return reader.ok() && flags <= (kHasPayload | kDeadLettered);
}

bool WaitingRows::Parses(std::string_view rows, int64_t event_time) {
  looked_at_.Clear();
  return Restore(rows, event_time, {}, looked_at_);
}

// Bound i64.
void WaitingRows::Save(std::string& out) const {
  base::ByteWriter(out).U64Le(static_cast<uint64_t>(bound_));
}

Status WaitingRows::Load(std::string_view bytes) {
  base::ByteReader reader(bytes);
  bound_ = static_cast<int64_t>(reader.U64Le());
  return reader.ok() && reader.remaining() == 0 ? Ok() : Status(Damaged());
}

Status WaitingRows::LoadWhole(std::string_view bytes) {
  base::ByteReader reader(bytes);
  bound_ = static_cast<int64_t>(reader.U64Le());
  uint64_t time = 0;
  bool first = true;
  int64_t before = 0;
  for (uint64_t i = reader.Varint(); i > 0 && reader.ok(); --i) {
    time += static_cast<uint64_t>(reader.Zigzag());
    const auto event_time = static_cast<int64_t>(time);
    const std::string_view rows = reader.String();
    const bool ascends = std::exchange(first, false) || event_time > before;
    if (!ascends || rows.empty() || !Parses(rows, event_time)) return Damaged();
    before = event_time;
    rows_.Add(event_time, rows);
  }
  return reader.ok() && reader.remaining() == 0 ? Ok() : Status(Damaged());
}

}  // namespace headrace::flow
