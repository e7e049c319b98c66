#include "cli/logged_choices.h"

#include <functional>
#include <map>
#include <vector>

#include <simdjson.h>

#include "cli/model_file.h"
#include "cli/workspace.h"

namespace headrace::cli {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

std::string CellOf(element value) {
  if (value.is_null()) return "";
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return simdjson::minify(value);
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (char c : text)
    quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

// Every row of the stream, in the order of causes. Rows are the program's own JSON.
Status ForEachRow(engine::Engine& engine, const std::string& stream,
                  const std::function<Status(const object&)>& take) {
  engine::RowPosition next;
  engine::RowRange range;
  range.limit = 10'000;
  range.with_ids = true;
  range.next = &next;
  simdjson::dom::parser parser;
  while (true) {
    HR_ASSIGN(const std::string rows, engine.ReadRows(stream, range));
    if (rows.empty()) return Ok();
    for (size_t at = 0; at < rows.size();) {
      const size_t end = rows.find('\n', at);
      object row;
      const bool good = parser.parse(rows.data() + at, end - at).get(row) == simdjson::SUCCESS;
      HR_CHECK(good);
      HR_TRY(take(row));
      at = end + 1;
    }
    range.from = next.from;
  }
}

Result<std::string> ColumnOf(const object& row, const std::string& stream,
                             const std::string& column) {
  element value;
  if (row[column].get(value) == simdjson::SUCCESS) return CellOf(value);
  return Error(ErrorKind::kCorruption, "HR3005", "`" + stream + "` has no column `" + column + "`");
}

Result<std::string> NeededFlag(const Arguments& arguments, std::string_view flag) {
  if (const std::string* value = arguments.Find(flag)) return *value;
  return Error(ErrorKind::kInvalidArgument, "HR9001", std::string(flag) + " is missing");
}

// By ID as it stands in a cell: the first reward.
Result<std::map<std::string, std::string>> RewardsOf(engine::Engine& engine,
                                                     const Arguments& arguments) {
  std::map<std::string, std::string> rewards;
  const std::string* stream = arguments.Find("--rewards");
  if (stream == nullptr) return rewards;
  HR_ASSIGN(const std::string on, NeededFlag(arguments, "--on"));
  const std::string reward = arguments.Get("--reward", "reward");
  HR_TRY(ForEachRow(engine, *stream, [&](const object& row) -> Status {
    HR_ASSIGN(std::string id, ColumnOf(row, *stream, on));
    HR_ASSIGN(std::string value, ColumnOf(row, *stream, reward));
    rewards.try_emplace(std::move(id), std::move(value));
    return Ok();
  }));
  return rewards;
}

}  // namespace

Result<std::string> LoggedChoices(const Arguments& arguments) {
  HR_ASSIGN(const std::string stream, NeededFlag(arguments, "--choices"));
  WorkspaceOptions options;
  options.directory = arguments.Get("--data", "");
  options.read_only = true;
  HR_ASSIGN(const std::unique_ptr<Workspace> workspace, Workspace::Open(options));
  HR_ASSIGN(const auto rewards, RewardsOf(workspace->engine(), arguments));
  const bool joined = arguments.Has("--rewards");
  std::string csv;
  HR_TRY(ForEachRow(workspace->engine(), stream, [&](const object& row) -> Status {
    std::string header;
    std::string line;
    for (const auto field : row) {
      header += (header.empty() ? "" : ",") + std::string(field.key);
      line += (line.empty() ? "" : ",") + CellOf(field.value);
    }
    if (joined) {
      HR_ASSIGN(const std::string id, ColumnOf(row, stream, "_id"));
      const auto reward = rewards.find(id);
      header += "," + arguments.Get("--reward", "reward");
      line += "," + (reward == rewards.end() ? "" : reward->second);
    }
    if (csv.empty()) csv = header + "\n";
    csv += line + "\n";
    if (csv.size() <= kRowsBytesMax) return Ok();
    return Error(ErrorKind::kLimitExceeded, "HR9046", "`" + stream + "` is too long to be judged")
        .WithHint("write a part of it to a file, and give that with --input");
  }));
  return csv;
}

}  // namespace headrace::cli
