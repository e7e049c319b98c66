#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "engine/label_table.h"
#include "headrace/result.h"

namespace headrace::cli {

// A time of a flag, in microseconds; nothing when the flag is not given. Error: HR9001.
Result<std::optional<int64_t>> ReadTime(const Arguments& arguments, std::string_view flag);

// --labels STREAM --on COLUMN --label COLUMN [--as-of T]; nothing when none is given. Error: HR9001
// when some are missing.
Result<std::optional<engine::LabelRequest>> ReadLabels(const Arguments& arguments);
// The same as parameters of a URL.
std::string LabelParameters(const engine::LabelRequest& labels);
void AddLabelFlags(std::vector<Flag>& flags);
// Of commands that measure by the values of a column, too.
inline constexpr Flag kSegmentFlag = {"--segment", "COLUMN",
                                      "measure by its values, too; of the labelled stream"};

}  // namespace headrace::cli
