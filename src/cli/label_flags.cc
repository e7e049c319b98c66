#include "cli/label_flags.h"

#include <string>

#include "cli/commands.h"
#include "row/datetime_text.h"
#include "row/text.h"

namespace headrace::cli {

Result<std::optional<int64_t>> ReadTime(const Arguments& arguments, std::string_view flag) {
  const std::string* text = arguments.Find(flag);
  if (text == nullptr) return std::optional<int64_t>{};
  int64_t micros = 0;
  if (row::ParseRfc3339(*text, &micros)) return std::optional<int64_t>(micros);
  return BadUsage(std::string(flag) + " " + *text +
                  ": a time such as 2026-01-31T23:59:59Z is meant");
}

Result<std::optional<engine::LabelRequest>> ReadLabels(const Arguments& arguments) {
  const bool any = arguments.Has("--labels") || arguments.Has("--on") || arguments.Has("--label") ||
                   arguments.Has("--as-of");
  if (!any) return std::optional<engine::LabelRequest>{};
  for (std::string_view flag : {"--labels", "--on", "--label"}) {
    if (!arguments.Has(flag)) return BadUsage(std::string(flag) + " is missing");
  }
  engine::LabelRequest request;
  request.labels = arguments.Get("--labels", "");
  request.label = arguments.Get("--label", "");
  request.segment = arguments.Get("--segment", "");
  const std::string on = arguments.Get("--on", "");
  const size_t equals = on.find('=');
  request.labels_on = on.substr(0, equals);
  request.on = equals == std::string::npos ? on : on.substr(equals + 1);
  HR_ASSIGN(request.as_of, ReadTime(arguments, "--as-of"));
  return std::optional<engine::LabelRequest>(std::move(request));
}

void AddLabelFlags(std::vector<Flag>& flags) {
  flags.push_back({"--labels", "STREAM", "where the labels come in"});
  flags.push_back({"--on", "COLUMN", "of both streams; or THEIRS=OURS; `_id` is a row's ID"});
  flags.push_back({"--label", "COLUMN", "of the labels"});
  flags.push_back(
      {"--as-of", "T", "what was known then; later labels and corrections do not count"});
}

}  // namespace headrace::cli
