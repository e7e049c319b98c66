#pragma once

#include <string>

#include "cli/arguments.h"
#include "headrace/result.h"

namespace headrace::cli {

// The rows of --choices in the data directory --data as CSV, with the IDs in a column `_id`, and,
// if
// --rewards names a stream, the --reward that the first of its rows with the ID in its column --on
// gives; where there is none, the cell is empty. Errors: HR9001 (a flag that is missing), HR9003,
// HR1204 (no such stream), HR3005 (no such column), HR9046 (more than kRowsBytesMax).
Result<std::string> LoggedChoices(const Arguments& arguments);

}  // namespace headrace::cli
