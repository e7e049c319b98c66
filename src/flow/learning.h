#pragma once

#include <vector>

#include "flow/plan.h"
#include "state/running_function.h"

namespace headrace::flow {

// LEARN as a function with a memory: of a row's inputs and label it answers what the learner would
// have said, then the learner takes the row in. A NULL label only asks, as do inputs that are all
// missing where there are no labels; inputs that are NULL, NaN or beyond 1e150 in size are missing.
// The slots are left to the planner.
//
// `types`: of the inputs as they are given, then of the label if there is one.
state::RunningCall MakeLearnCall(const LearnerPlan& plan, std::vector<row::Type> types);

}  // namespace headrace::flow
