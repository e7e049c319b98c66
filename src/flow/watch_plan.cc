#include "flow/watch_plan.h"

namespace headrace::flow {

const row::Schema& HealthSchema() {
  using enum row::TypeKind;
  constexpr row::Type kMoment{kTimestampTz, 0, 0};
  constexpr row::Type kWord{kText, 0, 0};
  constexpr row::Type kWhole{kBigint, 0, 0};
  constexpr row::Type kNumber{kDouble, 0, 0};
  static const row::Schema kSchema = {{{"ts", kMoment, true},
                                       {"window_start", kMoment, true},
                                       {"window_end", kMoment, true},
                                       {"model", kWord, true},
                                       {"version", kWhole, true},
                                       {"kind", kWord, true},
                                       {"feature", kWord, false},
                                       {"scored", kWhole, true},
                                       {"sampled", kWhole, true},
                                       {"null_share", kNumber, false},
                                       {"least", kNumber, false},
                                       {"p05", kNumber, false},
                                       {"p50", kNumber, false},
                                       {"p95", kNumber, false},
                                       {"most", kNumber, false},
                                       {"mean", kNumber, false},
                                       {"distinct_values", kNumber, false},
                                       {"freshness", kNumber, false},
                                       {"out_of_range", kNumber, false},
                                       {"psi", kNumber, false},
                                       {"ks", kNumber, false},
                                       {"js", kNumber, false},
                                       {"wasserstein", kNumber, false},
                                       {"baseline", kWord, false},
                                       {"alarm", kWord, false},
                                       {"crossed", {kBoolean, 0, 0}, true}}};
  return kSchema;
}

}  // namespace headrace::flow
