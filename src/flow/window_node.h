#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "flow/collector.h"
#include "flow/plan.h"
#include "flow/probe.h"
#include "row/batch.h"
#include "state/group_table.h"

namespace headrace::flow {

// Runs SELECT ... FROM TUMBLE|HOP(...) GROUP BY: adds rows to their windows and emits a window's
// groups, ordered by window end and key, at the event that moves the watermark past its end.
// Confined.
class WindowNode {
 public:
  // At most so many rows are emitted together.
  static constexpr size_t kReleaseRows = 4096;

  // Takes rows as they are emitted, with the steps before them. The last call has the steps behind
  // them, and perhaps no rows.
  using Release = std::function<void(row::Batch& rows, const std::vector<WatermarkStep>& steps)>;

  // The spill file, if any, must outlive it.
  explicit WindowNode(std::shared_ptr<const StatementPlan> plan, os::SpillFile* spill = nullptr);

  // Takes rows and watermark steps merged by place, a row before the step it causes.
  void Run(row::Batch& input, const std::vector<WatermarkStep>& steps, Collector& collector,
           const Release& release);
  // Goes on under the plan of the same statement at other LSNs.
  void Redate(std::shared_ptr<const StatementPlan> plan) { plan_ = std::move(plan); }
  void SetProbe(Probe* probe) { probe_ = probe; }
  size_t state_bytes() const { return table_->bytes(); }

  // For snapshots: the open windows go page by page, here is the rest. Load: kCorruption.
  void Save(std::string& out) const;
  Status Load(std::string_view bytes);
  state::PagedState& paged() { return *table_; }
  // What a program of before that saved: finished i64, then the group table as a whole.
  Status LoadWhole(std::string_view bytes);

 private:
  bool IsLate(const row::Row& row) const;
  void CloseAll(int64_t last_event_time);
  void AddRow(row::Row& row, Collector& collector);
  void Close(const WatermarkStep& step, Collector& collector, const Release& release);
  void EmitGroup(const row::Value* keys, const row::Value* aggregates, const WatermarkStep& step,
                 Collector& collector);
  void TellGrouped(const row::Row& row);
  void Refuse(row::Row& row, const Error& error, Collector& collector) const;

  std::shared_ptr<const StatementPlan> plan_;
  std::unique_ptr<state::GroupTable> table_;
  std::vector<row::Value> slots_;
  std::vector<row::Value> group_;
  base::Arena arena_;
  row::Batch emitted_;
  std::vector<WatermarkStep> passed_;  // those that are before the rows to be emitted next
  Probe* probe_ = nullptr;
  std::vector<row::Value> probed_keys_;
  // When the input ended every window that had begun was closed: events before the last one's end
  // came too late for theirs.
  int64_t finished_ = INT64_MIN;
};

}  // namespace headrace::flow
