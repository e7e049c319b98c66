// headrace model importance: what a model's inputs weighed, day by day.

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <simdjson.h>

#include "cli/commands.h"
#include "cli/data_commands.h"
#include "cli/listing.h"
#include "cli/progress.h"
#include "cli/workspace.h"

namespace headrace::cli {
namespace {

using simdjson::dom::element;

std::string Short(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", number);
  return text;
}

// A line a day and version, a column an input.
std::string ImportanceText(const std::string& document) {
  simdjson::dom::parser parser;
  element root;
  simdjson::dom::array days;
  if (parser.parse(document).get(root) != simdjson::SUCCESS ||
      root["days"].get(days) != simdjson::SUCCESS) {
    return document + "\n";
  }
  std::vector<std::string> columns = {"day", "version", "rows"};
  std::vector<std::vector<Cell>> lines;
  for (const element day : days) {
    const bool first = lines.empty();
    simdjson::dom::object importance;
    std::string_view name;
    int64_t version = 0;
    int64_t rows = 0;
    if (day["importance"].get(importance) != simdjson::SUCCESS ||
        day["day"].get(name) != simdjson::SUCCESS ||
        day["version"].get(version) != simdjson::SUCCESS ||
        day["rows"].get(rows) != simdjson::SUCCESS) {
      return document + "\n";
    }
    std::vector<Cell> cells = {Cell::Text(name), Cell::Number(version), Cell::Number(rows)};
    for (const auto& [feature, value] : importance) {
      if (first) columns.emplace_back(feature);
      double number = 0;
      const bool known = value.get(number) == simdjson::SUCCESS;
      cells.push_back({known ? Short(number) : "", Cell::Kind::kNumber});
    }
    lines.push_back(std::move(cells));
  }
  Listing listing(std::move(columns));
  for (std::vector<Cell>& cells : lines)
    listing.Add(std::move(cells));
  return listing.Table();
}

Result<engine::WhatIfRequest> ReadRange(const Arguments& arguments) {
  engine::WhatIfRequest range;
  range.stream = arguments.Get("--stream", "");
  if (const std::string* from = arguments.Find("--from")) {
    HR_ASSIGN(range.from, engine::Moment::Parse(*from));
  }
  if (const std::string* to = arguments.Find("--to")) {
    HR_ASSIGN(range.to, engine::Moment::Parse(*to));
  }
  return range;
}

ExitCode RunImportance(const Arguments& arguments, Console& console) {
  ExitCode code = ExitCode::kOk;
  std::unique_ptr<Workspace> workspace = OpenData(arguments, console, "model importance", &code);
  if (workspace == nullptr) return code;
  Result<engine::WhatIfRequest> range = ReadRange(arguments);
  if (!range.ok()) return console.Fail(range.error());
  Progress progress(console, workspace->clock());
  Result<std::string> document = workspace->engine().Importance(
      arguments.positionals()[0], *range, [&](uint64_t events) { progress.Update(events, 0); });
  progress.Clear();
  if (!document.ok()) return console.Fail(document.error());
  console.Out(arguments.Has("--json") ? *document + "\n" : ImportanceText(*document));
  return ExitCode::kOk;
}

}  // namespace

Command ModelImportanceCommand() {
  return {
      .name = "model importance",
      .group = "Models",
      .summary = "show what a model's inputs weighed in its scores, day by day",
      .positionals = "MODEL",
      .positionals_min = 1,
      .positionals_max = 1,
      .flags = {kDataFlag,
                {"--stream", "NAME", "whose rows (of the first statement that asks the model)"},
                {"--from", "T|LSN", "leave out rows of earlier events"},
                {"--to", "T|LSN", "leave out rows of later events"},
                {"--json", "", "one JSON document"}},
      .more = "The mean of the absolute contributions to the raw score. The rows are run again.\n",
      .run = RunImportance};
}

}  // namespace headrace::cli
