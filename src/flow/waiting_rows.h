#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "flow/collector.h"
#include "flow/plan.h"
#include "headrace/result.h"
#include "os/spill_file.h"
#include "row/batch.h"
#include "state/row_queue.h"

namespace headrace::flow {

// The rows of a statement that emits on watermark, until no older one can come: those older than
// watermark - lateness are released, by event time, then arrival; at the input's end all are.
//
// Behind a release stands the bound: what is older comes too late, and is refused. So all rows of
// one event time are released together. A released row has the cause that released it, keeps the
// place of its own event beside, and as its watermark the bound before: the time of the stream of
// released rows runs `lateness` behind. A row waits encoded: its bytes and about a hundred more, in
// memory or in the spill file. Confined.
class WaitingRows {
 public:
  // At most about so many rows are released together; all of one event time always are.
  static constexpr size_t kReleaseRows = 4096;

  // Takes rows as they are released, with the steps before them: of the time of released rows. The
  // last call has the steps behind them, and perhaps no rows.
  using Release = std::function<void(row::Batch& rows, const std::vector<WatermarkStep>& steps)>;

  // The spill file, if any, must outlive it.
  explicit WaitingRows(std::shared_ptr<const StatementPlan> plan, os::SpillFile* spill = nullptr);

  // Takes rows and watermark steps merged by place, a row before the step it causes. Tells the
  // collector of rows that are too late.
  void Run(row::Batch& input, const std::vector<WatermarkStep>& steps, Collector& collector,
           const Release& release);

  // Goes on under the plan of the same statement at other LSNs.
  void Redate(std::shared_ptr<const StatementPlan> plan) { plan_ = std::move(plan); }
  size_t bytes() const { return rows_.bytes(); }

  // For snapshots: the rows go page by page, here is the rest, the bound. Load: kCorruption.
  void Save(std::string& out) const;
  Status Load(std::string_view bytes);
  state::PagedState& paged() { return rows_; }
  // What a program of before that saved: bound i64; event times varint, per event time, ascending:
  // since the one before zigzag, its rows string (each as Keep writes it).
  Status LoadWhole(std::string_view bytes);

 private:
  bool TakesLate(row::Row& row, Collector& collector) const;
  void Keep(const row::Row& row);
  void Pass(const WatermarkStep& step, const Release& release);
  // Adds the rows to `batch`, their bytes to its arena. False when they are damaged.
  bool Restore(std::string_view rows, int64_t event_time, const WatermarkStep& step,
               row::Batch& batch) const;
  bool RestoreOne(base::ByteReader& reader, row::Batch& batch) const;
  bool Parses(std::string_view rows, int64_t event_time);
  const std::vector<int>& ColumnsOf(bool payload) const { return payload ? read_ : all_; }

  std::shared_ptr<const StatementPlan> plan_;
  std::vector<int> read_;  // the columns of the input that the statement reads
  std::vector<int> all_;   // all of them: a derived row that is refused is written as a whole
  state::RowQueue rows_;
  int64_t bound_ = INT64_MIN;
  std::string row_;  // the one that is being encoded
  row::Batch released_;
  row::Batch looked_at_;               // whether what is loaded are rows
  std::vector<WatermarkStep> passed_;  // those that are before the rows to be released next
};

}  // namespace headrace::flow
