#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/data_commands.h"
#include "cli/progress.h"
#include "cli/replay_report.h"
#include "cli/workspace.h"
#include "connect/file_source.h"

namespace headrace::cli {
namespace {

Result<std::optional<engine::Moment>> ReadMoment(const Arguments& arguments,
                                                 std::string_view flag) {
  const std::string* text = arguments.Find(flag);
  if (text == nullptr) return std::optional<engine::Moment>{};
  HR_ASSIGN(engine::Moment moment, engine::Moment::Parse(*text));
  return std::optional<engine::Moment>(moment);
}

Result<engine::WhatIfRequest> ReadRequest(const Arguments& arguments, os::FileSystem& files) {
  engine::WhatIfRequest request;
  const std::string& what = arguments.positionals()[0];
  if (what == "-" || what.ends_with(".sql")) {
    HR_ASSIGN(request.fork.script, ReadInput(files, what));
    request.fork.file = what;
    request.stream = arguments.Get("--stream", "");
  } else {
    request.stream = what;
    if (arguments.Has("--stream")) return BadUsage("--stream goes with a script");
  }
  HR_ASSIGN(request.fork.models, arguments.Pairs("--set"));
  HR_ASSIGN(request.from, ReadMoment(arguments, "--from"));
  HR_ASSIGN(request.to, ReadMoment(arguments, "--to"));
  request.csv = arguments.Get("--output", "").ends_with(".csv");
  request.compare = arguments.Has("--diff");
  request.decisions = arguments.All("--decision");
  request.sum = arguments.Get("--sum", "");
  request.by = arguments.Get("--by", "");
  for (std::string_view flag : {"--decision", "--sum", "--by"}) {
    if (arguments.Has(flag) && !request.compare) {
      return BadUsage(std::string(flag) + " goes with --diff");
    }
  }
  return request;
}

// Rows go to --output, or to standard output when nothing else is asked for.
class RowTaker {
 public:
  static Result<std::unique_ptr<RowTaker>> Open(const Arguments& arguments, os::FileSystem& files,
                                                Console& console) {
    auto taker = std::make_unique<RowTaker>(console);
    const std::string* path = arguments.Find("--output");
    const bool report_only = arguments.Has("--diff") || arguments.Has("--json");
    taker->to_console_ = path == nullptr ? !report_only : *path == "-";
    if (path == nullptr || *path == "-") return taker;
    HR_ASSIGN(taker->file_, connect::FileSink::Open(files, *path, ""));
    return taker;
  }
  explicit RowTaker(Console& console) : console_(console) {}

  Status Take(std::string_view bytes) {
    if (file_) return file_->Append(bytes, 0);
    if (to_console_) console_.Out(bytes);
    return Ok();
  }
  Status Finish() { return file_ ? file_->Flush(true) : Ok(); }

 private:
  Console& console_;
  bool to_console_ = false;
  std::unique_ptr<connect::FileSink> file_;
};

Result<engine::WhatIfReport> Replay(Workspace& workspace, const Arguments& arguments,
                                    Console& console, double* seconds) {
  HR_ASSIGN(engine::WhatIfRequest request, ReadRequest(arguments, workspace.files()));
  HR_ASSIGN(auto taker, RowTaker::Open(arguments, workspace.files(), console));
  Progress progress(console, workspace.clock());
  Result<engine::WhatIfReport> report = workspace.engine().WhatIf(
      request, [&](std::string_view bytes) { return taker->Take(bytes); },
      [&](uint64_t events) { progress.Update(events, 0); });
  progress.Clear();
  *seconds = progress.seconds();
  if (report.ok()) HR_TRY(taker->Finish());
  return report;
}

ExitCode RunReplay(const Arguments& arguments, Console& console) {
  const std::string* directory = arguments.Find("--data");
  if (directory == nullptr) return console.FailUsage("--data DIR is missing", "replay");
  Result<WorkspaceOptions> options = ReadWorkspace(arguments);
  if (!options.ok()) return console.FailUsage(options.error().message(), "replay");
  options->read_only = true;
  Result<std::unique_ptr<Workspace>> workspace = Workspace::Open(*options);
  if (!workspace.ok()) return console.Fail(workspace.error());
  double seconds = 0;
  Result<engine::WhatIfReport> report = Replay(**workspace, arguments, console, &seconds);
  if (!report.ok()) return console.Fail(report.error());
  const bool compared = arguments.Has("--diff");
  if (arguments.Has("--json")) {
    console.Out(ReplayJson(*report, compared, seconds));
  } else if (compared) {
    console.Out(ReplayText(*report));
  }
  RunSummary summary;
  summary.events = report->events;
  summary.rows = report->rows;
  summary.seconds = seconds;
  console.Note(SummaryLine(summary));
  return ExitCode::kOk;
}

}  // namespace

Command ReplayCommand() {
  return {
      .name = "replay",
      .group = "Explain and prove",
      .summary = "run the log again with another statement or model, and compare",
      .positionals = "FILE.sql|STREAM",
      .positionals_min = 1,
      .positionals_max = 1,
      .flags = {kDataFlag,
                {"--set", "MODEL=VERSION|FILE", "this model decides from the first event on", true},
                {"--stream", "NAME", "of a script: whose rows (those of its last statement)"},
                {"--from", "T|LSN", "leave out rows of earlier events"},
                {"--to", "T|LSN", "leave out rows of later events"},
                {"--output", "FILE", "the rows, as JSON lines or .csv; `-` is standard output"},
                {"--diff", "", "say what changed against the rows in the log"},
                {"--decision", "COLUMN", "what is compared (`decision`, or what CASE makes)", true},
                {"--sum", "COLUMN", "add it up over the rows that flipped"},
                {"--by", "COLUMN", "tell flips apart by its values"},
                kWorkersFlag,
                {"--json", "", "the report as one JSON document"}},
      .more =
          "  headrace replay decisions --set fraud=new.lgb.txt --diff --data DIR\n"
          "  headrace replay stricter.sql --diff --sum amount --data DIR\n"
          "  headrace replay decisions --from 2026-01-01T00:00:00Z --output d.csv --data DIR\n\n"
          "The log is only read. A statement of the script takes the place of that of its "
          "name;\nwhat reads it is computed over it.\n",
      .run = RunReplay};
}

}  // namespace headrace::cli
