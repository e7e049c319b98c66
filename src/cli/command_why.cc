#include "cli/commands.h"
#include "cli/data_commands.h"
#include "cli/remote.h"
#include "cli/why_text.h"

namespace headrace::cli {
namespace {

ExitCode RunWhy(const Arguments& arguments, Console& console) {
  const std::string& id = arguments.positionals()[0];
  Result<std::string> document = std::string();
  if (const std::string* url = arguments.Find("--url")) {
    Result<Remote> remote = Remote::At(*url);
    if (!remote.ok()) return console.FailUsage(remote.error().message(), "why");
    document = remote->Get("/api/v1/decisions/" + PathSegment(id));
  } else {
    ExitCode code = ExitCode::kOk;
    std::unique_ptr<Workspace> workspace = OpenData(arguments, console, "why", &code);
    if (workspace == nullptr) return code;
    document = workspace->engine().Why(id);
  }
  if (!document.ok()) return console.Fail(document.error());
  console.Out(arguments.Has("--json") ? *document + "\n" : WhyText(*document));
  return ExitCode::kOk;
}

}  // namespace

Command WhyCommand() {
  return {.name = "why",
          .group = "Explain and prove",
          .summary = "explain one decision: its event, features, score, contributions, rule",
          .positionals = "ID",
          .positionals_min = 1,
          .positionals_max = 1,
          .flags = {kDataFlag, kUrlFlag, {"--json", "", "one JSON document"}},
          .more =
              "  headrace why decisions:0:812 --data DIR\n\n"
              "An ID is STREAM:PARTITION:OFFSET; rows carry it as `_id` over HTTP.\n",
          .run = RunWhy};
}

}  // namespace headrace::cli
