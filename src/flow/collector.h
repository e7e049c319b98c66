#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "flow/plan.h"
#include "os/worker_team.h"
#include "row/batch.h"

namespace headrace::flow {

// Why a row went to the dead letters of the topic it was read from.
struct Refusal {
  std::string_view code;
  std::string_view reason;
  std::string_view pointer;           // JSON pointer, may be empty
  const StatementPlan* by = nullptr;  // the statement that refused it; null: the source
  bool late = false;                  // for nothing but its time
};

// Takes what operators emit. Calls come in the order of causes for each stream; calls for different
// streams interleave by batch, so whoever writes several streams into one topic (dead letters) must
// order them by cause. Confined to the flow's worker.
class Collector {
 public:
  virtual ~Collector() = default;
  // A row of `statement`'s output schema. Values live until the flow's next batch. Sets the offset
  // that the row has in its own stream.
  virtual void Emit(const StatementPlan& statement, row::Row& row) = 0;
  // Emits every row of the batch, in order; the team may help.
  virtual void EmitAll(const StatementPlan& statement, row::Batch& batch, os::WorkerTeam&) {
    for (row::Row& row : batch.rows())
      Emit(statement, row);
  }
  // `stream` is the name of the stream whose row was refused; `row` is that stream's row. Called at
  // most once per row.
  virtual void Refuse(const std::string& stream, const row::Row& row, const Refusal& refusal) = 0;
  // A row that is later than its statement allows: counted whatever the policy does with it. `row`
  // is of the statement's input.
  virtual void TakeLate(const StatementPlan& statement, const row::Row& row) = 0;
};

// Counts the row as late and refuses it as the statement's policy says.
void RefuseLate(const StatementPlan& plan, row::Row& row, Collector& collector);

// A watermark that advanced just behind the event at `at`.
struct WatermarkStep {
  row::Place at;
  int64_t watermark = 0;
  int64_t event_time = 0;  // of the event that moved it; at an input's end the newest, or INT64_MIN
};

}  // namespace headrace::flow
