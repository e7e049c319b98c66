// headrace model report: all that is known of a model, as one page.

#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <simdjson.h>

#include "cli/commands.h"
#include "cli/data_commands.h"
#include "cli/label_flags.h"
#include "cli/model_page.h"
#include "cli/workspace.h"
#include "os/file_system.h"

namespace headrace::cli {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Statements whose health the report tells.
std::set<std::string> StatementsOf(const std::string& report) {
  std::set<std::string> statements;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::array health;
  if (parser.parse(report).get(root) != simdjson::SUCCESS ||
      root["health"].get(health) != simdjson::SUCCESS) {
    return statements;
  }
  for (const simdjson::dom::element row : health) {
    std::string_view statement;
    if (row["statement"].get(statement) == simdjson::SUCCESS) statements.emplace(statement);
  }
  return statements;
}

std::string Quoted(std::string_view text, char mark) {
  std::string out(1, mark);
  for (const char c : text) {
    if (c == mark) out += mark;
    out += c;
  }
  return out + mark;
}

Status AddHealth(const engine::Engine& engine, const std::string& model,
                 const std::string& statement, std::vector<HealthPoint>& health) {
  HR_ASSIGN(
      const engine::QueryResult result,
      engine.Query("SELECT window_end, version, kind, feature, psi, p05, p50, p95, null_share "
                   "FROM " +
                   Quoted("__health_" + statement, '"') +
                   " WHERE kind <> 'all' AND model = " + Quoted(model, '\'')));
  for (const std::vector<row::Value>& row : result.rows) {
    const auto number = [&](size_t column) {
      return row[column].null ? kNone : row[column].number;
    };
    HealthPoint& point = health.emplace_back();
    point.statement = statement;
    point.at = static_cast<double>(row[0].integer) / 1e6;
    point.version = row[1].integer;
    point.column = row[2].text() == "score" ? "(score)" : std::string(row[3].text());
    point.psi = number(4);
    point.p05 = number(5);
    point.p50 = number(6);
    point.p95 = number(7);
    point.null_share = number(8);
  }
  return Ok();
}

Result<ModelPageData> Collect(const engine::Engine& engine, const std::string& model,
                              const std::optional<engine::LabelRequest>& labels) {
  ModelPageData data;
  data.name = model;
  HR_ASSIGN(data.report, engine.ModelReport(model, labels));
  for (const std::string& statement : StatementsOf(data.report))
    HR_TRY(AddHealth(engine, model, statement, data.health));
  // Of models that cannot be explained there is none.
  Result<std::string> importance = engine.Importance(model, {}, [](uint64_t) {});
  if (importance.ok()) data.importance = std::move(*importance);
  return data;
}

ExitCode RunReport(const Arguments& arguments, Console& console) {
  Result<std::optional<engine::LabelRequest>> labels = ReadLabels(arguments);
  if (!labels.ok()) return console.FailUsage(labels.error().message(), "model report");
  ExitCode code = ExitCode::kOk;
  const std::unique_ptr<Workspace> workspace = OpenData(arguments, console, "model report", &code);
  if (workspace == nullptr) return code;
  Result<ModelPageData> data = Collect(workspace->engine(), arguments.positionals()[0], *labels);
  if (!data.ok()) return console.Fail(data.error());
  const Result<std::string> page = ModelPage(*data);
  if (!page.ok()) return console.Fail(page.error());
  const std::string* out = arguments.Find("--out");
  if (out == nullptr) {
    console.Out(*page);
    return ExitCode::kOk;
  }
  const std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  const Status written = os::ReplaceFile(*files, *out, *page);
  if (!written.ok()) return console.Fail(written.error());
  console.Note(*out + " is written\n");
  return ExitCode::kOk;
}

}  // namespace

Command ModelReportCommand() {
  Command command = {
      .name = "model report",
      .group = "Models",
      .summary = "write a page of plots: what a model saw, said and decided",
      .positionals = "MODEL",
      .positionals_min = 1,
      .positionals_max = 1,
      .flags = {kDataFlag, {"--out", "FILE", "where the page goes (standard output)"}},
      .more =
          "HTML that needs nothing else and opens offline: versions and what decided when, what "
          "the\nwatch told window by window, importance; with labels ROC, precision, "
          "reliability, and\nmeasures by version, age of the label and the values of a column.\n",
      .run = RunReport};
  AddLabelFlags(command.flags);
  command.flags.push_back(kSegmentFlag);
  return command;
}

}  // namespace headrace::cli
