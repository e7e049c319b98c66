#include <charconv>
#include <string>

#include "cli/commands.h"
#include "cli/test/case_file.h"
#include "cli/test/case_run.h"
#include "cli/workspace.h"

namespace headrace::cli {
namespace {

// Text in front of a place that the case's parser gave as line and column.
Error InFile(const Error& error, const std::string& file) {
  Error named = error;
  return std::move(named).AtPlace(error.place().empty() ? file : file + ":" + error.place());
}

Result<CaseOutcome> RunFile(os::FileSystem& files, const std::string& file, uint64_t crash_at,
                            std::string* name) {
  HR_ASSIGN(std::string text, os::ReadFile(files, file, kCaseBytesMax));
  Result<TestCase> test = ParseCase(text);
  if (!test.ok()) return InFile(test.error(), file);
  *name = test->name;
  if (test->script.empty()) {
    return RunCase(*test, test->sql, file, crash_at);
  }
  const size_t slash = file.rfind('/');
  const bool absolute = test->script.starts_with('/') || slash == std::string::npos;
  const std::string path = absolute ? test->script : file.substr(0, slash + 1) + test->script;
  HR_ASSIGN(std::string script, ReadInput(files, path));
  return RunCase(*test, script, path, crash_at);
}

Result<uint64_t> ReadCrashAt(const Arguments& arguments) {
  const std::string* given = arguments.Find("--crash-at");
  if (given == nullptr) return uint64_t{0};
  if (*given == "every") return UINT64_MAX;
  HR_ASSIGN(int64_t at, arguments.Integer("--crash-at", 0, 1, 1'000'000'000));
  return static_cast<uint64_t>(at);
}

ExitCode RunTest(const Arguments& arguments, Console& console) {
  Result<uint64_t> crash_at = ReadCrashAt(arguments);
  if (!crash_at.ok()) return console.FailUsage(crash_at.error().message(), "test");
  std::unique_ptr<os::FileSystem> files = os::MakePosixFileSystem();
  size_t passed = 0;
  size_t failed = 0;
  for (const std::string& file : arguments.positionals()) {
    std::string name = file;
    Result<CaseOutcome> outcome = RunFile(*files, file, *crash_at, &name);
    if (!outcome.ok()) return console.Fail(outcome.error());
    const bool ok = outcome->failures.empty();
    ++(ok ? passed : failed);
    console.Out((ok ? "ok    " : "FAIL  ") + name);
    if (outcome->crash_points > 0) {
      console.Out("  (" + std::to_string(outcome->crash_points) + " crashes)");
    }
    console.Out("\n");
    for (const std::string& failure : outcome->failures)
      console.Out(std::string("  ").append(file).append(":").append(failure).append("\n"));
    if (outcome->crash_points_left_out > 0) {
      console.Note(name + ": " + std::to_string(outcome->crash_points_left_out) +
                   " crashes were left out: at most " + std::to_string(kCrashPointsMax) +
                   " are tried\n");
    }
  }
  console.Out(std::to_string(passed) + " passed, " + std::to_string(failed) + " failed\n");
  return failed == 0 ? ExitCode::kOk : ExitCode::kFailed;
}

}  // namespace

Command TestCommand() {
  return {.name = "test",
          .group = "Check",
          .summary = "run test cases of a pipeline; exit 1 when an expectation fails",
          .positionals = "FILE.yaml...",
          .positionals_min = 1,
          .positionals_max = 1000,
          .flags = {{"--crash-at", "every|N",
                     "run it again with a power failure at every change of the disk, or at the "
                     "Nth: the same must come out"}},
          .more =
              "A case names a script and lists steps: events, expect, query, finish, restart.\n"
              "It runs on a disk in memory and leaves nothing behind.\n",
          .run = RunTest};
}

}  // namespace headrace::cli
