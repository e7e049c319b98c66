#pragma once

#include <functional>
#include <string>

#include "engine/what_if.h"

namespace headrace::engine {

// What a model's inputs weighed in its scores, day by day: the mean of the absolute contributions
// of each, over all rows of the first statement that asks it, with the version that decided. Days
// are UTC, of event times. The rows are run again, so it takes as long as that and TreeSHAP of
// each. At most kImportanceDays pairs of day and version are told apart; rows of others are counted
// in `left_out`.
//
// {"model", "stream", "days": [{"day", "version", "rows", "importance": {feature: value}}],
//  "unexplained", "left_out"}. Errors: HR1107, HR1204 when nothing asks the model, those of
// RunWhatIf.
Result<std::string> ModelImportance(const WhatIfMeans& means, const std::string& model,
                                    WhatIfRequest range,
                                    const std::function<void(uint64_t events)>& progress);

inline constexpr size_t kImportanceDays = 10'000;

}  // namespace headrace::engine
