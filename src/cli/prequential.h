#pragma once

#include "cli/arguments.h"
#include "headrace/result.h"
#include "train/evaluate.h"

namespace headrace::cli {

// `model evaluate --prequential KIND`: each row of --input is guessed, then learned, in order, its
// label --delay rows later (learn/prequential.h). Options of the learner are --set NAME=VALUE.
// --label must have been given. Errors: HR3005 (the rows), HR308x (the learner), HR9001 (the
// arguments).
Result<train::Evaluation> EvaluatePrequentially(const Arguments& arguments);

}  // namespace headrace::cli
