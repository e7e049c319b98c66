#include <string>

#include "cli/commands.h"
#include "cli/data_commands.h"
#include "cli/remote.h"
#include "engine/plan_changes.h"
#include "os/file_system.h"
#include "serve/query_json.h"

namespace headrace::cli {
namespace {

// Of a stopped directory.
Result<std::string> PlanHere(Workspace& workspace, const std::string& path) {
  HR_ASSIGN(std::string script, ReadInput(workspace.files(), path));
  HR_ASSIGN(auto changes, workspace.engine().Plan(script, path));
  return serve::QueryJson(engine::TableOf(changes));
}

Result<std::string> PlanThere(const std::string& url, const std::string& path) {
  auto files = os::MakePosixFileSystem();
  HR_ASSIGN(std::string script, ReadInput(*files, path));
  HR_ASSIGN(Remote remote, Remote::At(url));
  return remote.Sql("EXPLAIN DIFF " + script);
}

ExitCode RunPlan(const Arguments& arguments, Console& console) {
  const std::string& path = arguments.positionals()[0];
  const std::string* url = arguments.Find("--url");
  Result<std::string> answer = std::string();
  if (url != nullptr) {
    answer = PlanThere(*url, path);
  } else {
    ExitCode code = ExitCode::kOk;
    std::unique_ptr<Workspace> workspace = OpenData(arguments, console, "plan", &code);
    if (workspace == nullptr) return code;
    answer = PlanHere(*workspace, path);
  }
  if (!answer.ok()) return console.Fail(answer.error());
  Result<Listing> listing = ListingOfJson(*answer);
  if (!listing.ok()) return console.Fail(listing.error());
  listing->Print(arguments, console);
  return ExitCode::kOk;
}

}  // namespace

Command PlanCommand() {
  return {
      .name = "plan",
      .group = "Check",
      .summary = "say what a script would change in a data directory, without changing it",
      .positionals = "FILE.sql",
      .positionals_min = 1,
      .positionals_max = 1,
      .flags = ListingFlags({kDataFlag, kUrlFlag}),
      .more =
          "A statement is new, replaced or left as it is (none); of a statement that is replaced, "
          "each\nwindow aggregate is kept, computed over the events that the log holds, or "
          "dropped. How long\nthat takes is estimated from the first of these events. EXPLAIN DIFF "
          "says the same.\n",
      .run = RunPlan};
}

}  // namespace headrace::cli
