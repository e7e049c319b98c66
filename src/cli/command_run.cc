#include <chrono>
#include <set>
#include <string>
#include <thread>

#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/signal_watch.h"
#include "cli/workspace.h"
#include "engine/bulk_run.h"
#include "engine/local_engine.h"

namespace headrace::cli {
namespace {

// A team shares out the events of a file's chunk: so many that waking it does not count.
constexpr size_t kTeamChunkEvents = 2048;
constexpr auto kFollowPause = std::chrono::milliseconds(20);

// Deploys every script; nothing runs when one of them is wrong.
Status Deploy(Workspace& workspace, const std::vector<std::string>& scripts) {
  for (const std::string& path : scripts) {
    HR_ASSIGN(std::string text, ReadInput(workspace.files(), path));
    HR_TRY(workspace.engine().Execute(text, path));
  }
  return Ok();
}

Result<engine::RunOptions> ReadOptions(const Arguments& arguments) {
  if (arguments.Has("--once") && arguments.Has("--follow")) {
    return BadUsage("--once and --follow exclude each other");
  }
  engine::RunOptions options;
  HR_ASSIGN(options.inputs, arguments.Pairs("--input"));
  HR_ASSIGN(options.outputs, arguments.Pairs("--output"));
  std::set<std::string> written;
  for (const auto& [stream, path] : options.outputs) {
    if (!written.insert(stream).second) {
      return BadUsage("--output names the stream " + stream + " twice: a stream has one output");
    }
  }
  options.follow = arguments.Has("--follow");
  options.idle = [] { std::this_thread::sleep_for(kFollowPause); };
  return options;
}

Result<RunSummary> RunIn(Workspace& workspace, const Arguments& arguments,
                         engine::RunOptions options, Console& console) {
  HR_TRY(Deploy(workspace, arguments.positionals()));
  Progress progress(console, workspace.clock());
  options.progress = [&](uint64_t events, double share) { progress.Update(events, share); };
  // Engine::Open makes no other.
  auto& engine = static_cast<engine::LocalEngine&>(workspace.engine());
  Result<engine::RunTotals> totals = engine::RunInputs(
      engine, workspace.files(), options, workspace.is_temporary() ? "" : workspace.directory());
  progress.Clear();
  if (!totals.ok()) return std::move(totals).error();
  const double seconds = progress.seconds();
  HR_TRY(workspace.Close());
  return RunSummary{totals->events, totals->rows, totals->dead, totals->late, seconds};
}

ExitCode RunRun(const Arguments& arguments, Console& console) {
  SignalWatch signals;
  Result<engine::RunOptions> options = ReadOptions(arguments);
  if (!options.ok()) return console.FailUsage(options.error().message(), "run");
  options->stop = &signals.stop();
  Result<WorkspaceOptions> where = ReadWorkspace(arguments);
  if (!where.ok()) return console.FailUsage(where.error().message(), "run");
  if (where->workers > 1) options->chunk_events = kTeamChunkEvents;
  Result<std::unique_ptr<Workspace>> workspace = Workspace::Open(*where, console);
  if (!workspace.ok()) return console.Fail(workspace.error());
  if ((*workspace)->is_temporary()) {
    signals.BeforeExit([path = (*workspace)->directory()] { RemoveDirectory(path); });
  }
  Result<RunSummary> summary = RunIn(**workspace, arguments, *std::move(options), console);
  if (!summary.ok()) return console.Fail(summary.error());
  const bool strict = arguments.Has("--strict") && summary->dead > 0;
  if (strict) {
    console.Note("error HR9006: " + std::to_string(summary->dead) +
                 " events went to the dead letters, and --strict forbids it\n");
  }
  console.Note(SummaryLine(*summary));
  if (signals.stop()) return ExitCode::kInterrupted;
  return strict ? ExitCode::kBadData : ExitCode::kOk;
}

}  // namespace

Command RunCommand() {
  return {
      .name = "run",
      .group = "Run",
      .summary = "run a pipeline over files, standard input and output",
      .positionals = "FILE.sql...",
      .positionals_min = 1,
      .positionals_max = 1000,
      .flags = {{"--input", "STREAM=FILE", "feed a stream from a file; `-` is standard input",
                 true},
                {"--output", "STREAM=FILE", "write a stream's rows; `-` is standard output", true},
                {"--data", "DIR", "keep log and state here, and go on from there"},
                {"--once", "", "end when the inputs are at their end (the default)"},
                {"--follow", "", "wait for more at the end of a file"},
                kWorkersFlag,
                kMemoryFlag,
                {"--strict", "", "exit 65 when events went to the dead letters"}},
      .more =
          "  headrace run app.sql --input payments=payments.jsonl --output decisions=-\n"
          "  headrace run app.sql --input payments=p.csv.gz --output decisions=d.jsonl "
          "--data DIR\n\n"
          "Inputs are .jsonl and .csv, each also .gz and .zst. With --data a run that was killed\n"
          "goes on behind the last durable event, and the finished output is the same, byte for\n"
          "byte.\n",
      .run = RunRun};
}

}  // namespace headrace::cli
