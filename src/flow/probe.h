#pragma once

#include "flow/plan.h"
#include "row/batch.h"

namespace headrace::flow {

// Sees what happens inside of a flow, statement by statement; for explanations. Confined to the
// flow's worker. Rows and values live for the call, those of `working` until its statement is run
// again: what reads the statement can be asked about in between.
class Probe {
 public:
  virtual ~Probe() = default;
  // A SELECT emitted a row: `working` has all slots of the plan, and partition and offset of the
  // row that was read.
  virtual void Selected(const StatementPlan& plan, const row::Row& working,
                        const row::Row& emitted) = 0;
  // A windowed GROUP BY put the row into the group of these keys, in the order of its table.
  virtual void Grouped(const StatementPlan& plan, const row::Row& row, const row::Value* keys) = 0;
  // It emitted the group of these keys.
  virtual void Closed(const StatementPlan& plan, const row::Value* keys,
                      const row::Row& emitted) = 0;
};

}  // namespace headrace::flow
