#include <string>

#include "cli/commands.h"
#include "cli/workspace.h"

namespace headrace::cli {
namespace {

ExitCode RunLint(const Arguments& arguments, Console& console) {
  // The scripts are one program, as for `run`: a later one may use what an earlier one made.
  Result<std::unique_ptr<Workspace>> workspace = Workspace::Open({std::nullopt, false, true});
  if (!workspace.ok()) return console.Fail(workspace.error());
  ExitCode code = ExitCode::kOk;
  for (const std::string& path : arguments.positionals()) {
    Result<std::string> text = ReadInput((*workspace)->files(), path);
    if (!text.ok()) return console.Fail(text.error());
    Status checked = (*workspace)->engine().Execute(*text, path);
    if (!checked.ok()) code = console.Fail(checked.error());
  }
  return code;
}

}  // namespace

Command LintCommand() {
  return {
      .name = "lint",
      .group = "Check",
      .summary = "report every error of scripts that belong together; exit 78 when there is one",
      .positionals = "FILE.sql...",
      .positionals_min = 1,
      .positionals_max = 1000,
      .run = RunLint};
}

}  // namespace headrace::cli
