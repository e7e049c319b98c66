#include "flow/window_node.h"

#include <algorithm>

#include "base/bytes.h"

namespace headrace::flow {
namespace {

// The start of the last window that holds `time`, both counted from the windows' offset.
int64_t LastStart(const WindowPlan& window, int64_t time) {
  return time - ((time % window.slide) + window.slide) % window.slide;
}

}  // namespace

WindowNode::WindowNode(std::shared_ptr<const StatementPlan> plan, os::SpillFile* spill)
    : plan_(std::move(plan)),
      table_(state::GroupTable::Make(plan_->window->table, spill)),
      slots_(static_cast<size_t>(plan_->window->slots)),
      group_(plan_->window->table.key_slots.size() + plan_->window->table.aggregates.size()) {}

void WindowNode::Run(row::Batch& input, const std::vector<WatermarkStep>& steps,
                     Collector& collector, const Release& release) {
  emitted_.Clear();
  passed_.clear();
  arena_.Reset();
  size_t next = 0;
  for (row::Row& row : input.rows()) {
    for (; next < steps.size() && steps[next].at < row.cause; ++next) {
      Close(steps[next], collector, release);
    }
    if (row.failed || row.cause.lsn < plan_->start_lsn || row.event_time < plan_->start_time) {
      continue;
    }
    if (IsLate(row)) {
      RefuseLate(*plan_, row, collector);
    } else {
      AddRow(row, collector);
    }
  }
  for (; next < steps.size(); ++next)
    Close(steps[next], collector, release);
  release(emitted_, passed_);
}

bool WindowNode::IsLate(const row::Row& row) const {
  return row.event_time < finished_ || plan_->IsTooLate(row.event_time, row.watermark);
}

void WindowNode::AddRow(row::Row& row, Collector& collector) {
  const WindowPlan& window = *plan_->window;
  expr::EvalContext context{arena_, std::nullopt};
  std::copy_n(row.values, static_cast<size_t>(window.window_start_slot), slots_.begin());
  if (window.where) {
    row::Value verdict = window.where->Evaluate(slots_.data(), context);
    if (context.error) return Refuse(row, *context.error, collector);
    if (verdict.null || !verdict.boolean) return;
  }
  int64_t time = row.event_time - window.offset;
  for (int64_t start = LastStart(window, time); start > time - window.size; start -= window.slide) {
    slots_[static_cast<size_t>(window.window_start_slot)] =
        row::Value::Integer(start + window.offset);
    slots_[static_cast<size_t>(window.window_end_slot)] =
        row::Value::Integer(start + window.size + window.offset);
    for (const Evaluation& evaluation : window.evaluations) {
      slots_[static_cast<size_t>(evaluation.slot)] =
          evaluation.expression->Evaluate(slots_.data(), context);
      if (context.error) return Refuse(row, *context.error, collector);
    }
    Status added = table_->Add(slots_.data());
    if (!added.ok()) return Refuse(row, added.error(), collector);
    if (probe_ != nullptr) TellGrouped(row);
  }
}

void WindowNode::TellGrouped(const row::Row& row) {
  probed_keys_.clear();
  for (int slot : plan_->window->table.key_slots)
    probed_keys_.push_back(slots_[static_cast<size_t>(slot)]);
  probe_->Grouped(*plan_, row, probed_keys_.data());
}

void WindowNode::Refuse(row::Row& row, const Error& error, Collector& collector) const {
  if (row.dead_lettered) return;
  row.dead_lettered = true;
  collector.Refuse(plan_->window->input, row,
                   {error.code(), error.message(), error.place(), plan_.get()});
}

void WindowNode::Close(const WatermarkStep& step, Collector& collector, const Release& release) {
  const bool ended = step.watermark == INT64_MAX;
  if (ended && step.event_time != INT64_MIN) CloseAll(step.event_time);
  int64_t bound = ended ? INT64_MAX : step.watermark - plan_->lateness;
  Status closed =
      table_->EmitUpTo(bound, arena_, [&](const row::Value* keys, const row::Value* aggregates) {
        EmitGroup(keys, aggregates, step, collector);
        if (emitted_.rows().size() < kReleaseRows) return;
        release(emitted_, passed_);
        emitted_.Clear();
        passed_.clear();
        arena_.Reset();
      });
  HR_CHECK(closed.ok());
  passed_.push_back(step);
}

void WindowNode::CloseAll(int64_t last_event_time) {
  const WindowPlan& window = *plan_->window;
  int64_t last = LastStart(window, last_event_time - window.offset) + window.size + window.offset;
  finished_ = std::max(finished_, last);
}

void WindowNode::EmitGroup(const row::Value* keys, const row::Value* aggregates,
                           const WatermarkStep& step, Collector& collector) {
  const WindowPlan& window = *plan_->window;
  size_t key_count = window.table.key_slots.size();
  std::copy_n(keys, key_count, group_.begin());
  std::copy_n(aggregates, window.table.aggregates.size(),
              group_.begin() + static_cast<ptrdiff_t>(key_count));
  expr::EvalContext context{emitted_.arena(), std::nullopt};
  row::Row row;
  row.cause = step.at;
  row.event_time = keys[0].integer - 1;
  // Its window is behind the watermark by design: no reader must call it late.
  row.watermark = INT64_MIN;
  row.values = group_.data();
  if (window.having) {
    row::Value verdict = window.having->Evaluate(group_.data(), context);
    if (context.error || verdict.null || !verdict.boolean) return;
  }
  row::Row& to = emitted_.Add(window.outputs.size());
  row::Value* values = to.values;
  to = row;
  to.values = values;
  for (size_t i = 0; i < window.outputs.size(); ++i) {
    values[i] = window.outputs[i]->Evaluate(group_.data(), context);
    if (context.error) {  // an error of a closed window has no event to blame: the cell is NULL
      values[i] = row::Value::Null();
      context.error.reset();
    }
  }
  collector.Emit(*plan_, to);
  if (probe_ != nullptr) probe_->Closed(*plan_, group_.data(), to);
}

// Finished i64.
void WindowNode::Save(std::string& out) const {
  base::ByteWriter(out).U64Le(static_cast<uint64_t>(finished_));
}

Status WindowNode::Load(std::string_view bytes) {
  base::ByteReader reader(bytes);
  finished_ = static_cast<int64_t>(reader.U64Le());
  if (reader.ok() && reader.remaining() == 0) return Ok();
  return Error(ErrorKind::kCorruption, "HR4202", "group state: its end does not parse");
}

Status WindowNode::LoadWhole(std::string_view bytes) {
  base::ByteReader reader(bytes);
  finished_ = static_cast<int64_t>(reader.U64Le());
  return table_->Load(reader.Bytes(reader.remaining()));
}

}  // namespace headrace::flow
