#pragma once

#include <cstddef>
#include <string>

#include "cli/arguments.h"
#include "headrace/result.h"
#include "learn/off_policy.h"

namespace headrace::cli {

// What another policy would have earned on logged choices.
struct OffPolicyReport {
  learn::OffPolicy estimates{0};
  size_t arms = 0;
  size_t learned_rows = 0;  // rows in front that the target learned from, and that do not count
  bool robust = false;      // whether the target's probability of every arm is known
};

// Reads choices, from --input, a CSV, or from a data directory (logged_choices.h): --arm,
// --propensity, --reward, --features; judges --target.
// Errors: HR3005 (the rows), HR3045, HR3046, HR308x (the target), HR9001 (a flag).
Result<OffPolicyReport> EvaluateOffPolicy(const Arguments& arguments);

}  // namespace headrace::cli
