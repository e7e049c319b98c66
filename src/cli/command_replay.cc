#include <algorithm>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/data_commands.h"
#include "cli/label_flags.h"
#include "cli/progress.h"
#include "cli/replay_artefact.h"
#include "cli/replay_report.h"
#include "cli/workspace.h"
#include "connect/file_source.h"

namespace headrace::cli {
namespace {

constexpr auto kChangedRows = static_cast<int64_t>(engine::kChangedSample);

Result<std::optional<engine::Moment>> ReadMoment(const Arguments& arguments,
                                                 std::string_view flag) {
  const std::string* text = arguments.Find(flag);
  if (text == nullptr) return std::optional<engine::Moment>{};
  HR_ASSIGN(engine::Moment moment, engine::Moment::Parse(*text));
  return std::optional<engine::Moment>(moment);
}

Result<engine::WhatIfRequest> ReadRequest(const Arguments& arguments, os::FileSystem& files) {
  engine::WhatIfRequest request;
  if (arguments.positionals().empty()) return BadUsage("a script or a stream is meant");
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
  request.why = arguments.Has("--why");
  HR_ASSIGN(request.labels, ReadLabels(arguments));
  for (std::string_view flag : {"--decision", "--sum", "--by", "--why", "--labels", "--sample"}) {
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

// What is to be run: as the words say, or as it was saved.
Result<ReplayArtefact> ReadReplay(const Arguments& arguments, os::FileSystem& files) {
  ReplayArtefact replay;
  const std::string* again = arguments.Find("--again");
  if (again == nullptr) {
    HR_ASSIGN(replay.request, ReadRequest(arguments, files));
    replay.from = arguments.Get("--from", "");
    replay.to = arguments.Get("--to", "");
    return replay;
  }
  for (std::string_view flag : {"--set", "--stream", "--from", "--to", "--diff", "--save", "--why",
                                "--decision", "--sum", "--by", "--labels"}) {
    if (arguments.Has(flag)) return BadUsage(std::string(flag) + " is what was saved");
  }
  if (!arguments.positionals().empty()) return BadUsage("--again DIR says what is run");
  return LoadReplay(files, *again);
}

// Keeps the replay up to the LSN that it reached: run again it sees the same events.
Status Save(const Arguments& arguments, os::FileSystem& files, ReplayArtefact replay,
            const engine::WhatIfReport& report) {
  const std::string* directory = arguments.Find("--save");
  if (directory == nullptr) return Ok();
  if (replay.to.empty()) replay.to = std::to_string(report.last_lsn);
  replay.result = ReportDigest(report, replay.request.compare);
  return SaveReplay(files, *directory, replay);
}

Result<engine::WhatIfReport> Replay(Workspace& workspace, const Arguments& arguments,
                                    const engine::WhatIfRequest& request, Console& console,
                                    double* seconds) {
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

// False: what was saved says otherwise.
bool Tell(const Arguments& arguments, Console& console, const ReplayArtefact& replay,
          engine::WhatIfReport report, double seconds) {
  const bool compared = replay.request.compare;
  const bool again = arguments.Has("--again");
  const bool same = !again || ReportDigest(report, compared) == replay.result;
  if (const auto shown = arguments.Integer("--sample", kChangedRows, 0, kChangedRows); shown.ok()) {
    report.sample.resize(std::min(report.sample.size(), static_cast<size_t>(*shown)));
  }
  if (arguments.Has("--json")) {
    console.Out(ReplayJson(report, compared, seconds));
  } else if (compared) {
    console.Out(ReplayText(report));
  }
  RunSummary summary;
  summary.events = report.events;
  summary.rows = report.rows;
  summary.seconds = seconds;
  if (again) {
    console.Note(same
                     ? "the same as when it was saved\n"
                     : "DIFFERENT from when it was saved: the program, a file of the script or the "
                       "log is another\n");
  }
  console.Note(SummaryLine(summary));
  return same;
}

ExitCode RunReplay(const Arguments& arguments, Console& console) {
  const std::string* directory = arguments.Find("--data");
  if (directory == nullptr) return console.FailUsage("--data DIR is missing", "replay");
  Result<WorkspaceOptions> options = ReadWorkspace(arguments);
  if (!options.ok()) return console.FailUsage(options.error().message(), "replay");
  options->read_only = true;
  Result<int64_t> sample = arguments.Integer("--sample", kChangedRows, 0, kChangedRows);
  if (!sample.ok()) return console.FailUsage(sample.error().message(), "replay");
  Result<std::unique_ptr<Workspace>> workspace = Workspace::Open(*options);
  if (!workspace.ok()) return console.Fail(workspace.error());
  Result<ReplayArtefact> replay = ReadReplay(arguments, (*workspace)->files());
  if (!replay.ok()) return console.Fail(replay.error());
  double seconds = 0;
  Result<engine::WhatIfReport> report =
      Replay(**workspace, arguments, replay->request, console, &seconds);
  if (!report.ok()) return console.Fail(report.error());
  const Status saved = Save(arguments, (*workspace)->files(), *replay, *report);
  if (!saved.ok()) return console.Fail(saved.error());
  return Tell(arguments, console, *replay, *std::move(report), seconds) ? ExitCode::kOk
                                                                        : ExitCode::kFailed;
}

}  // namespace

Command ReplayCommand() {
  Command command = {
      .name = "replay",
      .group = "Explain and prove",
      .summary = "run the log again with another statement or model, and compare",
      .positionals = "[FILE.sql|STREAM]",
      .positionals_min = 0,
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
                {"--sample", "N", "show so many of the changed rows (10)"},
                {"--why", "", "explain the sample of changed rows, on both sides"},
                {"--save", "DIR", "keep what was asked and what came out"},
                {"--again", "DIR", "run what was kept again; exit 1 when something else comes out"},
                kWorkersFlag,
                {"--json", "", "the report as one JSON document"}},
      .more =
          "  headrace replay decisions --set fraud=new.lgb.txt --diff --data DIR\n"
          "  headrace replay stricter.sql --diff --sum amount --data DIR\n"
          "  headrace replay decisions --from 2026-01-01T00:00:00Z --output d.csv --data DIR\n\n"
          "The log is only read. A statement of the script takes the place of that of its "
          "name;\nwhat reads it is computed over it. With --diff and --labels decisions are "
          "counted "
          "against labels.\n",
      .run = RunReplay};
  AddLabelFlags(command.flags);
  return command;
}

}  // namespace headrace::cli
