#include "cli/label_flags.h"

#include <string>

#include "cli/commands.h"
#include "cli/remote.h"
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
  request.JoinOn(arguments.Get("--on", ""));
  HR_ASSIGN(request.as_of, ReadTime(arguments, "--as-of"));
  return std::optional<engine::LabelRequest>(std::move(request));
}

std::string LabelParameters(const engine::LabelRequest& labels) {
  std::string out = "labels=" + PathSegment(labels.labels) +
                    "&on=" + PathSegment(labels.labels_on + "=" + labels.on) +
                    "&label=" + PathSegment(labels.label);
  if (!labels.as_of) return out;
  std::string time;
  row::AppendRfc3339(*labels.as_of, time);
  return out + "&as_of=" + PathSegment(time);
}

void AddLabelFlags(std::vector<Flag>& flags) {
  flags.push_back({"--labels", "STREAM", "where the labels come in"});
  flags.push_back({"--on", "COLUMN", "of both streams; or THEIRS=OURS; `_id` is a row's ID"});
  flags.push_back({"--label", "COLUMN", "of the labels"});
  flags.push_back(
      {"--as-of", "T", "what was known then; later labels and corrections do not count"});
}

}  // namespace headrace::cli
