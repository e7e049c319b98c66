#include <string>

#include "cli/commands.h"
#include "cli/workspace.h"
#include "sql/parser.h"
#include "sql/silent_default.h"
#include "sql/unbounded_state.h"

namespace headrace::cli {
namespace {

// What runs, but not for ever.
void Warn(const std::string& path, const std::string& script, Console& console) {
  sql::SourceMap sources;
  const int file = sources.Add(path, script);
  const sql::ParseResult parsed = sql::Parse(sources.text(file), file);
  for (const sql::Diagnostic& found : sql::FindUnboundedState(parsed.statements))
    console.Note(sql::Render(found, sources, sql::Severity::kWarning));
  for (const sql::Diagnostic& found : sql::FindSilentDefaults(parsed.statements))
    console.Note(sql::Render(found, sources, sql::Severity::kWarning));
}

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
    Warn(path, *text, console);
  }
  return code;
}

}  // namespace

Command LintCommand() {
  return {.name = "lint",
          .group = "Check",
          .summary = "report errors of scripts that belong together, and what they will regret",
          .positionals = "FILE.sql...",
          .positionals_min = 1,
          .positionals_max = 1000,
          .run = RunLint};
}

}  // namespace headrace::cli
