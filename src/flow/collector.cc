#include "flow/collector.h"

namespace headrace::flow {

void RefuseLate(const StatementPlan& plan, row::Row& row, Collector& collector) {
  collector.TakeLate(plan, row);
  if (plan.late_policy != LatePolicy::kDeadLetter || row.dead_lettered) return;
  row.dead_lettered = true;
  collector.Refuse(
      plan.input(), row,
      {"HR2208", "later than the allowed lateness behind the watermark", "", &plan, true});
}

}  // namespace headrace::flow
